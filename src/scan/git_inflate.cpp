// libdeflate behind bounds that come from the caller, never from the stream.
#include "scan/git_inflate.hpp"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace claviger::scan {

void Inflater::Free::operator()(libdeflate_decompressor* decompressor) const {
  libdeflate_free_decompressor(decompressor);
}

Inflater::Inflater() : decompressor_(libdeflate_alloc_decompressor()) {
  check(decompressor_ != nullptr, "memory for a decompressor");
}

Result<std::size_t> Inflater::exactly(ByteView in, std::span<std::uint8_t> out) {
  std::size_t taken = 0;
  std::size_t given = 0;
  std::uint8_t none = 0;
  const auto outcome =
      libdeflate_zlib_decompress_ex(decompressor_.get(), in.data(), in.size(),
                                    out.empty() ? &none : out.data(), out.size(), &taken, &given);
  if (outcome == LIBDEFLATE_INSUFFICIENT_SPACE)
    return fail(Code::corrupt, fmt::format("its data is longer than the {} bytes it states", out.size()));
  if (outcome != LIBDEFLATE_SUCCESS) return fail(Code::corrupt, "its compressed data is damaged or cut off");
  if (given != out.size())
    return fail(Code::corrupt, fmt::format("it states {} bytes and has {}", out.size(), given));
  return taken;
}

Result<void> Inflater::unknown(ByteView in, std::uint64_t max, GitBuffer& out) {
  const std::uint64_t most = std::min<std::uint64_t>(max, in.size() * limits::kGitMostPerByte);
  std::uint64_t size = std::min<std::uint64_t>(most, std::max<std::uint64_t>(4 * in.size(), 1024));
  while (true) {
    TRY(const auto room, out.prepare(size));
    std::size_t taken = 0;
    std::size_t given = 0;
    const auto outcome = libdeflate_zlib_decompress_ex(decompressor_.get(), in.data(), in.size(), room.data(),
                                                       room.size(), &taken, &given);
    if (outcome == LIBDEFLATE_SUCCESS) {
      out.shorten(given);
      return {};
    }
    if (outcome != LIBDEFLATE_INSUFFICIENT_SPACE)
      return fail(Code::corrupt, "its compressed data is damaged or cut off");
    if (size >= most) return fail(Code::corrupt, fmt::format("it is larger than {} bytes", max));
    size = std::min(most, 2 * size);
  }
}

std::uint32_t crc_of(ByteView bytes) { return libdeflate_crc32(0, bytes.data(), bytes.size()); }

}  // namespace claviger::scan
