// Reads pack indexes and pack entries in place.
#include "scan/git_pack.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::scan {

namespace {

constexpr std::size_t kFanout = 256 * 4;
constexpr std::uint8_t kMagic2[8] = {0xff, 't', 'O', 'c', 0, 0, 0, 2};
constexpr std::uint32_t kLargeOffset = 0x80000000U;

void append_be(Bytes& out, std::uint64_t number, unsigned width) {
  for (unsigned i = width; i-- > 0;) out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

}  // namespace

Result<PackIndex> PackIndex::open(Mapping file, HashKind kind) {
  PackIndex index;
  index.file_ = std::move(file);
  index.kind_ = kind;
  const bool second = index.file_.size() >= 8 && std::memcmp(index.file_.data(), kMagic2, 4) == 0;
  if (second && std::memcmp(index.file_.data(), kMagic2, 8) != 0)
    return fail(Code::corrupt,
                fmt::format("pack index version {} is not known", read_be32(index.file_.data() + 4)));
  if (second) {
    TRY_VOID(index.read_v2());
  } else {
    TRY_VOID(index.read_v1());
  }
  return index;
}

Result<void> PackIndex::read_fanout(const std::uint8_t* fanout) {
  for (std::size_t i = 0; i < 256; ++i) {
    fanout_[i + 1] = read_be32(fanout + 4 * i);
    if (fanout_[i + 1] < fanout_[i]) return fail(Code::corrupt, "the pack index counts its objects wrongly");
  }
  count_ = fanout_[256];
  return {};
}

Result<void> PackIndex::read_v1() {
  const std::size_t hash = hash_size(kind_);
  if (file_.size() < kFanout + 2 * hash) return fail(Code::corrupt, "the pack index is cut off");
  TRY_VOID(read_fanout(file_.data()));
  id_stride_ = offset_stride_ = hash + 4;
  if ((file_.size() - kFanout - 2 * hash) / id_stride_ < count_)
    return fail(Code::corrupt, "the pack index is cut off");
  offsets_ = file_.data() + kFanout;
  ids_ = offsets_ + 4;
  return {};
}

Result<void> PackIndex::read_v2() {
  const std::size_t hash = hash_size(kind_);
  if (file_.size() < 8 + kFanout + 2 * hash) return fail(Code::corrupt, "the pack index is cut off");
  TRY_VOID(read_fanout(file_.data() + 8));
  const std::size_t room = file_.size() - 8 - kFanout - 2 * hash;
  if (room / (hash + 8) < count_) return fail(Code::corrupt, "the pack index is cut off");
  id_stride_ = hash;
  offset_stride_ = 4;
  ids_ = file_.data() + 8 + kFanout;
  crcs_ = ids_ + std::size_t{count_} * hash;
  offsets_ = crcs_ + std::size_t{count_} * 4;
  large_ = offsets_ + std::size_t{count_} * 4;
  large_count_ = (room - std::size_t{count_} * (hash + 8)) / 8;
  return {};
}

PackIndex PackIndex::of(std::vector<std::pair<ObjectId, std::uint64_t>> objects, HashKind kind) {
  std::ranges::sort(objects);
  PackIndex index;
  index.kind_ = kind;
  index.made_ = std::make_unique<Bytes>();
  index.count_ = static_cast<std::uint32_t>(objects.size());
  const std::size_t hash = hash_size(kind);
  Bytes& out = *index.made_;
  out.reserve(objects.size() * (hash + 12));
  for (const auto& [id, offset] : objects) {
    out.insert(out.end(), id.bytes.begin(), id.bytes.begin() + static_cast<std::ptrdiff_t>(hash));
    ++index.fanout_[std::size_t{id.bytes[0]} + 1];
  }
  for (std::size_t i = 0; i < objects.size(); ++i) append_be(out, kLargeOffset | i, 4);
  for (const auto& [id, offset] : objects) append_be(out, offset, 8);
  for (std::size_t i = 0; i < 256; ++i) index.fanout_[i + 1] += index.fanout_[i];
  index.id_stride_ = hash;
  index.offset_stride_ = 4;
  index.ids_ = out.data();
  index.offsets_ = out.data() + objects.size() * hash;
  index.large_ = index.offsets_ + objects.size() * 4;
  index.large_count_ = objects.size();
  return index;
}

std::uint64_t PackIndex::offset(std::uint32_t nth) const {
  const std::uint32_t offset = read_be32(offsets_ + std::size_t{nth} * offset_stride_);
  if ((offset & kLargeOffset) == 0 || large_ == nullptr) return offset;
  const std::size_t at = offset & ~kLargeOffset;
  return at < large_count_ ? read_be64(large_ + 8 * at) : 0;
}

std::optional<std::uint32_t> PackIndex::crc(std::uint32_t nth) const {
  if (crcs_ == nullptr) return std::nullopt;
  return read_be32(crcs_ + std::size_t{nth} * 4);
}

constexpr std::uint32_t kFirstStep = 8, kLastStep = 64;  // entries

std::optional<std::uint32_t> PackIndex::find(const ObjectId& id) const {
  std::uint32_t low = fanout_[id.bytes[0]];
  std::uint32_t high = fanout_[std::size_t{id.bytes[0]} + 1];
  const std::size_t hash = hash_size(kind_);
  // Ids are as good as random: the first look is where this one would stand among evenly spread ones, the
  // next ones near by, in steps that double. Whatever the index holds, halving ends it.
  std::uint64_t middle = low + (std::uint64_t{read_be32(id.bytes.data() + 1)} * (high - low) >> 32);
  std::uint32_t up = kFirstStep, down = kFirstStep;
  while (low < high) {
    const int order = std::memcmp(raw_id(static_cast<std::uint32_t>(middle)), id.bytes.data(), hash);
    if (order == 0) return static_cast<std::uint32_t>(middle);
    const std::uint32_t half = (high - low) / 2;
    if (order < 0) {
      low = static_cast<std::uint32_t>(middle) + 1;
      middle = std::uint64_t{low} + std::min(up, half);
      up *= 2;
    } else {
      high = static_cast<std::uint32_t>(middle);
      middle = high - 1 - std::min(down, half);
      down *= 2;
    }
    if (up > kLastStep || down > kLastStep || middle < low || middle >= high) middle = low + (high - low) / 2;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Pack>> Pack::open(Mapping file, PackIndex index, std::string name, HashKind kind) {
  const std::size_t hash = hash_size(kind);
  const std::uint8_t* head = file.data();
  if (file.size() < 12 + hash || std::memcmp(head, "PACK", 4) != 0)
    return fail(Code::corrupt, fmt::format("{} is no pack or is cut off", name));
  if (const std::uint32_t version = read_be32(head + 4); version != 2 && version != 3)
    return fail(Code::corrupt, fmt::format("{} is a pack of version {}, which is not known", name, version));
  std::unique_ptr<Pack> pack(new Pack(std::move(file), std::move(index), std::move(name), kind));
  pack->end_ = pack->file_.size() - hash;
  return pack;
}

Result<PackEntry> Pack::entry(std::uint64_t offset) const {
  if (offset < 12 || offset >= end_) return fail(Code::corrupt, "it is said to lie outside its pack");
  const auto cut_off = [] { return fail(Code::corrupt, "it is cut off by the end of its pack"); };
  const std::uint8_t* at = file_.data() + offset;
  const std::uint8_t* const end = file_.data() + end_;
  PackEntry entry;
  std::uint8_t byte = *at++;
  const unsigned kind = (byte >> 4) & 7U;
  entry.size = byte & 15U;
  for (unsigned shift = 4; (byte & 0x80) != 0; shift += 7) {
    if (at == end || shift > 56) return cut_off();
    byte = *at++;
    entry.size |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
  }
  if (kind == 6) {
    entry.form = PackEntry::Form::offset_delta;
    std::uint64_t back = 0;
    for (unsigned groups = 0;; ++groups) {
      if (at == end || groups > 8) return cut_off();
      byte = *at++;
      back = (back << 7) | (byte & 0x7fU);
      if ((byte & 0x80) == 0) break;
      ++back;
    }
    if (back == 0 || back > offset - 12)
      return fail(Code::corrupt, "its base is said to lie outside its pack");
    entry.base = offset - back;
  } else if (kind == 7) {
    entry.form = PackEntry::Form::id_delta;
    if (static_cast<std::size_t>(end - at) < hash_size(kind_)) return cut_off();
    entry.base_id = ObjectId::of(at, kind_);
    at += hash_size(kind_);
  } else if (kind == 0 || kind == 5) {
    return fail(Code::corrupt, fmt::format("its type is {}, which is not known", kind));
  } else {
    entry.type = static_cast<ObjectType>(kind);
  }
  entry.data = static_cast<std::uint64_t>(at - file_.data());
  return entry;
}

}  // namespace claviger::scan
