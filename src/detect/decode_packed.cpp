// Compressed text in base64: gzip and zlib.
#include <zlib.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "detect/decode.hpp"

namespace claviger::detect {

bool looks_packed(std::string_view base64) {
  constexpr std::string_view heads[] = {"H4sI", "eJ", "eN", "eAE"};  // 1f 8b 08, 78 9c, 78 da, 78 01
  return std::ranges::any_of(heads, [&](std::string_view head) { return base64.starts_with(head); });
}

// What can be unpacked of `packed`, at most `most` bytes; empty when it is nothing packed.
std::string unpack_some(std::string_view packed, std::size_t most) {
  z_stream stream{};
  constexpr int kEitherHead = 32 + MAX_WBITS;
  check(inflateInit2(&stream, kEitherHead) == Z_OK, "memory to unpack");
  std::string out(std::min(most, std::max<std::size_t>(packed.size() * 8, 4096)), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::size_t size = 0;
  int said = Z_OK;
  while (said == Z_OK) {
    if (size == out.size()) {
      if (size >= most) break;
      out.resize(std::min(most, 2 * size));
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.avail_out = static_cast<uInt>(out.size() - size);
    said = inflate(&stream, Z_SYNC_FLUSH);
    size = out.size() - stream.avail_out;
  }
  inflateEnd(&stream);
  out.resize(size);
  return out;
}

}  // namespace claviger::detect
