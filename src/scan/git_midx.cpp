// Reads a multi-pack-index.
#include <fmt/format.h>

#include <span>

#include "scan/git_pack.hpp"

namespace claviger::scan {

namespace {

struct Chunks {
  ByteView names, fanout, ids, offsets, large;
};

std::unexpected<Error> damaged() { return fail(Code::corrupt, "the multi-pack-index is damaged or cut off"); }

Result<Chunks> find_chunks(ByteView file) {
  const std::size_t count = file[6];
  if ((file.size() - 12) / 12 < count + 1) return damaged();
  Chunks chunks;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* row = file.data() + 12 + 12 * i;
    const std::uint64_t begin = read_be64(row + 4);
    const std::uint64_t end = read_be64(row + 16);
    if (begin > end || end > file.size()) return damaged();
    const ByteView chunk = file.subspan(begin, end - begin);
    const std::string_view id = as_text({row, 4});
    if (id == "PNAM") chunks.names = chunk;
    if (id == "OIDF") chunks.fanout = chunk;
    if (id == "OIDL") chunks.ids = chunk;
    if (id == "OOFF") chunks.offsets = chunk;
    if (id == "LOFF") chunks.large = chunk;
  }
  return chunks;
}

Result<std::vector<MultiPackIndex::Part>> pack_names(ByteView names, std::size_t count) {
  std::vector<MultiPackIndex::Part> parts;
  std::string_view text = as_text(names);
  while (parts.size() < count) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos || end == 0) return damaged();
    std::string_view name = text.substr(0, end);
    if (name.ends_with(".idx")) name.remove_suffix(4);
    parts.push_back({std::string(name), {}});
    text.remove_prefix(end + 1);
  }
  return parts;
}

}  // namespace

Result<MultiPackIndex> MultiPackIndex::read(ByteView file, HashKind kind) {
  if (file.size() < 12 || as_text(file.first(4)) != "MIDX") return damaged();
  if (file[4] != 1)
    return fail(Code::corrupt, fmt::format("multi-pack-index version {} is not known", file[4]));
  if (file[5] != (kind == HashKind::sha1 ? 1 : 2)) return damaged();
  TRY(const Chunks chunks, find_chunks(file));
  MultiPackIndex out;
  TRY(out.parts, pack_names(chunks.names, read_be32(file.data() + 8)));
  if (chunks.fanout.size() < 1024) return damaged();
  const std::size_t count = read_be32(chunks.fanout.data() + 1020);
  const std::size_t hash = hash_size(kind);
  if (chunks.ids.size() / hash < count || chunks.offsets.size() / 8 < count) return damaged();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t pack = read_be32(chunks.offsets.data() + 8 * i);
    std::uint64_t offset = read_be32(chunks.offsets.data() + 8 * i + 4);
    if (pack >= out.parts.size()) return damaged();
    if ((offset & 0x80000000U) != 0 && !chunks.large.empty()) {
      const std::size_t at = offset & 0x7fffffffU;
      if (chunks.large.size() / 8 <= at) return damaged();
      offset = read_be64(chunks.large.data() + 8 * at);
    }
    out.parts[pack].objects.emplace_back(ObjectId::of(chunks.ids.data() + hash * i, kind), offset);
  }
  return out;
}

}  // namespace claviger::scan
