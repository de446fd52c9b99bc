// Packs: which objects one holds (its index, versions 1 and 2, or a multi-pack-index) and what stands where.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scan/git_file.hpp"
#include "scan/git_id.hpp"

namespace claviger::scan {

// The objects of one pack, sorted by id and numbered from 0. Reads the mapped file in place; every number
// that comes from it is checked when it is used.
class PackIndex {
 public:
  // Refuses with corrupt what is no index, is cut off, or counts its objects wrongly.
  static Result<PackIndex> open(Mapping file, HashKind kind);
  // From pairs that a multi-pack-index holds; sorted here.
  static PackIndex of(std::vector<std::pair<ObjectId, std::uint64_t>> objects, HashKind kind);

  std::uint32_t count() const { return count_; }
  const std::uint8_t* raw_id(std::uint32_t nth) const { return ids_ + std::size_t{nth} * id_stride_; }
  ObjectId id(std::uint32_t nth) const { return ObjectId::of(raw_id(nth), kind_); }
  // Where the object begins in the pack; 0, where none can, when the index is wrong.
  std::uint64_t offset(std::uint32_t nth) const;
  // Of the object as it stands in the pack; nullopt when the index keeps none.
  std::optional<std::uint32_t> crc(std::uint32_t nth) const;
  std::optional<std::uint32_t> find(const ObjectId& id) const;

 private:
  Result<void> read_v1();
  Result<void> read_v2();
  Result<void> read_fanout(const std::uint8_t* fanout);

  Mapping file_;
  std::unique_ptr<Bytes> made_;  // the place of file_ when it was made from pairs
  HashKind kind_ = HashKind::sha1;
  std::uint32_t count_ = 0;
  std::size_t id_stride_ = 0, offset_stride_ = 0;
  const std::uint8_t* ids_ = nullptr;
  const std::uint8_t* offsets_ = nullptr;
  const std::uint8_t* crcs_ = nullptr;
  const std::uint8_t* large_ = nullptr;
  std::size_t large_count_ = 0;
  std::array<std::uint32_t, 257> fanout_{};
};

// What stands at an offset of a pack: an object, or a delta to one.
struct PackEntry {
  enum class Form : std::uint8_t { whole, offset_delta, id_delta };
  Form form = Form::whole;
  ObjectType type = ObjectType::blob;  // of a whole object
  std::uint64_t size = 0;              // inflated; of a delta: the delta's own
  std::uint64_t data = 0;              // where its compressed bytes begin
  std::uint64_t base = 0;              // offset_delta: where its base begins, always before it
  ObjectId base_id;                    // id_delta
};

class Pack {
 public:
  // Refuses with corrupt what is no pack of version 2 or 3, or is cut off.
  static Result<std::unique_ptr<Pack>> open(Mapping file, PackIndex index, std::string name, HashKind kind);

  const PackIndex& index() const { return index_; }
  const std::string& name() const { return name_; }
  const Mapping& file() const { return file_; }
  HashKind kind() const { return kind_; }
  // The end of the objects; the checksum stands behind it.
  std::uint64_t end() const { return end_; }
  Result<PackEntry> entry(std::uint64_t offset) const;
  // Compressed bytes from `offset` on.
  ByteView from(std::uint64_t offset) const {
    return file_.view().subspan(offset < end_ ? offset : end_, offset < end_ ? end_ - offset : 0);
  }

 private:
  Pack(Mapping file, PackIndex index, std::string name, HashKind kind)
      : file_(std::move(file)), index_(std::move(index)), name_(std::move(name)), kind_(kind) {}

  Mapping file_;
  PackIndex index_;
  std::string name_;
  HashKind kind_;
  std::uint64_t end_ = 0;
};

// Which objects of which packs a multi-pack-index knows: pairs of id and offset under each pack's name
// without its ending ("pack-1234"). Refuses with corrupt what is no such file or lies about its sizes.
struct MultiPackIndex {
  struct Part {
    std::string pack;
    std::vector<std::pair<ObjectId, std::uint64_t>> objects;
  };
  std::vector<Part> parts;

  static Result<MultiPackIndex> read(ByteView file, HashKind kind);
};

// Big-endian numbers as git's files hold them.
inline std::uint32_t read_be32(const std::uint8_t* at) {
  std::uint32_t number;
  std::memcpy(&number, at, sizeof number);
  return __builtin_bswap32(number);
}
inline std::uint64_t read_be64(const std::uint8_t* at) {
  std::uint64_t number;
  std::memcpy(&number, at, sizeof number);
  return __builtin_bswap64(number);
}

}  // namespace claviger::scan
