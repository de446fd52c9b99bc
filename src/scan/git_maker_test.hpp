// Makes repositories byte by byte, so that tests can lie in every field that git itself would write truly.
#pragma once

#include <libdeflate.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "scan/git_id.hpp"
#include "scan/git_inflate.hpp"
#include "scan/git_rig_test.hpp"

namespace claviger::scan {

inline std::string deflate(std::string_view text) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  std::string out(libdeflate_zlib_compress_bound(compressor, text.size()), '\0');
  out.resize(libdeflate_zlib_compress(compressor, text.data(), text.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

inline std::string big_endian(std::uint64_t number, unsigned width) {
  std::string out;
  for (unsigned i = width; i-- > 0;) out += static_cast<char>(number >> (8 * i));
  return out;
}

// The head of a pack entry.
inline std::string entry_head(unsigned type, std::uint64_t size) {
  std::string out;
  std::uint8_t byte = static_cast<std::uint8_t>(type << 4 | (size & 15));
  for (size >>= 4; size > 0; size >>= 7) {
    out += static_cast<char>(byte | 0x80);
    byte = size & 0x7f;
  }
  return out += static_cast<char>(byte);
}

inline std::string back_to(std::uint64_t distance) {
  std::string out(1, static_cast<char>(distance & 0x7f));
  while (distance >>= 7) {
    --distance;
    out.insert(out.begin(), static_cast<char>(0x80 | (distance & 0x7f)));
  }
  return out;
}

inline std::string delta_size(std::uint64_t size) {
  std::string out;
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(0x80 | (size & 0x7f));
  return out += static_cast<char>(size);
}

// Copies `size` (at most 65535) bytes from `from`.
inline std::string copy_op(std::uint32_t from, std::uint32_t size) {
  std::string out(1, static_cast<char>(0x80 | 0x0f | 0x30));
  for (unsigned i = 0; i < 4; ++i) out += static_cast<char>(from >> (8 * i));
  for (unsigned i = 0; i < 2; ++i) out += static_cast<char>(size >> (8 * i));
  return out;
}
inline std::string insert_op(std::string_view text) {  // at most 127 bytes
  return static_cast<char>(text.size()) + std::string(text);
}

inline ObjectId blob_id(std::string_view text) {
  return name_of(HashKind::sha1, ObjectType::blob, as_bytes(text));
}

class RepositoryMaker {
 public:
  RepositoryMaker() {
    std::filesystem::create_directories(path() + "/objects/pack");
    std::filesystem::create_directories(path() + "/refs/heads");
    put("HEAD", "ref: refs/heads/main\n");
  }
  std::string path() const { return folder_.path(); }
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(path() + "/" + name, std::ios::binary | std::ios::trunc) << bytes;
  }

  // One entry of the pack to be written, as its bytes stand there; where it begins.
  std::uint64_t add(const ObjectId& id, const std::string& bytes) {
    const std::uint64_t offset = pack_.size();
    entries_.push_back({id, offset, bytes});
    pack_ += bytes;
    return offset;
  }
  std::uint64_t add_blob(const std::string& text) {
    return add(blob_id(text), entry_head(3, text.size()) + deflate(text));
  }
  std::uint64_t next() const { return pack_.size(); }

  // Writes pack and index; `cut` bytes are missing at the pack's end, `crc_flip` spoils the checksums.
  void write(std::size_t cut = 0, std::uint32_t crc_flip = 0) const {
    std::string pack = pack_;
    pack.replace(8, 4, big_endian(entries_.size(), 4));
    pack += std::string(20, 'h');
    pack.resize(pack.size() - cut);
    put("objects/pack/pack-1.pack", pack);
    auto sorted = entries_;
    std::ranges::sort(sorted, {}, &Entry::id);
    std::string ids, crcs, offsets, fanout;
    for (const Entry& entry : sorted) {
      ids += as_text(entry.id.view());
      crcs += big_endian(crc_of(as_bytes(entry.bytes)) ^ crc_flip, 4);
      offsets += big_endian(entry.offset, 4);
    }
    for (unsigned first = 0; first < 256; ++first)
      fanout += big_endian(static_cast<std::uint64_t>(std::ranges::count_if(
                               sorted, [&](const Entry& entry) { return entry.id.bytes[0] <= first; })),
                           4);
    put("objects/pack/pack-1.idx",
        std::string("\xfftOc\0\0\0\2", 8) + fanout + ids + crcs + offsets + std::string(40, 'h'));
  }

 private:
  struct Entry {
    ObjectId id;
    std::uint64_t offset;
    std::string bytes;
  };
  TempFolder folder_;
  std::string pack_ = std::string("PACK\0\0\0\2\0\0\0\0", 12);
  std::vector<Entry> entries_;
};

}  // namespace claviger::scan
