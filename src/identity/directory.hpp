// An immutable map from key id to entry, cheap to copy with one entry changed: what the gate looks keys up
// in.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "identity/token.hpp"

namespace claviger::identity {

// Sharded by a hash of the id; a change copies the list of shards and one shard, everything else is shared.
// All members are const, so a Directory may be read by any number of threads. Ids must satisfy is_id().
template <class Entry>
class Directory {
 public:
  using Pointer = std::shared_ptr<const Entry>;

  Directory() = default;

  // All at once. Ids must differ: they come from a table whose key they are.
  static Directory from(std::vector<std::pair<std::string_view, Pointer>> entries) {
    std::array<std::vector<Slot>, kShards> shards;
    for (auto& [id, entry] : entries) shards[shard_of(id)].push_back({pack(id), std::move(entry)});
    Directory made;
    for (std::size_t i = 0; i < kShards; ++i) {
      if (shards[i].empty()) continue;
      std::sort(shards[i].begin(), shards[i].end(), before);
      check(std::adjacent_find(shards[i].begin(), shards[i].end(), same) == shards[i].end(), "ids differ");
      shards[i].shrink_to_fit();
      made.shards_[i] = std::make_shared<const Shard>(std::move(shards[i]));
      made.size_ += made.shards_[i]->size();
    }
    return made;
  }

  // nullptr when there is no such id. The entry lives as long as this Directory.
  const Entry* find(std::string_view id) const {
    const Slot* slot = slot_of(id);
    return slot == nullptr ? nullptr : slot->entry.get();
  }

  // The same as a share, for who needs it longer than the Directory.
  Pointer share(std::string_view id) const {
    const Slot* slot = slot_of(id);
    return slot == nullptr ? nullptr : slot->entry;
  }

  // A copy in which `id` has this entry.
  Directory with(std::string_view id, Pointer entry) const {
    check(is_id(id), "a directory holds well-formed ids");
    Directory made = *this;
    auto& place = made.shards_[shard_of(id)];
    Shard shard = place ? *place : Shard{};
    const Packed packed = pack(id);
    const auto at = std::lower_bound(shard.begin(), shard.end(), packed, below);
    if (at != shard.end() && at->id == packed) {
      at->entry = std::move(entry);
    } else {
      shard.insert(at, Slot{packed, std::move(entry)});
      ++made.size_;
    }
    place = std::make_shared<const Shard>(std::move(shard));
    return made;
  }

  // A copy in which `id` is not known.
  Directory without(std::string_view id) const {
    Directory made = *this;
    if (slot_of(id) == nullptr) return made;
    auto& place = made.shards_[shard_of(id)];
    Shard shard = *place;
    const Packed packed = pack(id);
    std::erase_if(shard, [&](const Slot& slot) { return slot.id == packed; });
    place = shard.empty() ? nullptr : std::make_shared<const Shard>(std::move(shard));
    --made.size_;
    return made;
  }

  std::size_t size() const { return size_; }

  // Calls visit(id, entry) for every entry, in an order that depends on the ids alone.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& shard : shards_) {
      if (!shard) continue;
      for (const Slot& slot : *shard) visit(std::string_view(slot.id.data(), kIdLength), *slot.entry);
    }
  }

 private:
  static constexpr std::size_t kShards = 1024;
  using Packed = std::array<char, kIdLength>;
  struct Slot {
    Packed id;
    Pointer entry;
  };
  using Shard = std::vector<Slot>;  // sorted by id

  static bool before(const Slot& a, const Slot& b) { return a.id < b.id; }
  static bool same(const Slot& a, const Slot& b) { return a.id == b.id; }
  static bool below(const Slot& slot, const Packed& id) { return slot.id < id; }

  static Packed pack(std::string_view id) {
    check(id.size() == kIdLength, "an id has its fixed length");
    Packed packed;
    std::memcpy(packed.data(), id.data(), kIdLength);
    return packed;
  }

  // FNV-1a. Ids are random and only ours are stored, so an outsider cannot make a shard long.
  static std::size_t shard_of(std::string_view id) {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    for (const char c : id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return (h ^ (h >> 32)) % kShards;
  }

  const Slot* slot_of(std::string_view id) const {
    if (id.size() != kIdLength) return nullptr;
    const auto& shard = shards_[shard_of(id)];
    if (!shard) return nullptr;
    const Packed packed = pack(id);
    const auto at = std::lower_bound(shard->begin(), shard->end(), packed, below);
    return at != shard->end() && at->id == packed ? &*at : nullptr;
  }

  std::array<std::shared_ptr<const Shard>, kShards> shards_;
  std::size_t size_ = 0;
};

}  // namespace claviger::identity
