// From hot blobs to places: the paths at which they stood, the first commit that had them and the last.
//
// The first commit of a place is the first, parents before children, whose tree has it; the last one is the
// first from the other end. Both come from one walk over the commits' signatures, in which every path and
// signature is looked at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "scan/git_commits.hpp"
#include "scan/git_hits.hpp"
#include "scan/git_trees.hpp"

namespace claviger::scan {

struct Place {
  std::uint32_t path = 0;
  HotKey key;
  std::uint32_t blob = 0;   // number of the hot blob of the first commit
  std::uint32_t first = 0;  // nodes of the commit table
  std::uint32_t last = 0;
  bool old = false;  // it stood in a commit that does not count: nothing was introduced
  bool still_in_head = false;
};

class Places {
 public:
  Places(const HotTrees& trees, const std::vector<HotBlob>& blobs) : trees_(trees), blobs_(blobs) {}

  // `roots`: the signature of each commit of the table that counts or stands at the border.
  void find(const CommitTable& commits, const std::vector<Signature>& roots, Signature head);

  const std::vector<Place>& all() const { return places_; }
  std::string path(const Place& place) const;
  // Whether some tree led to the blob.
  bool has_path(std::uint32_t blob) const { return reached_.contains(blob); }

 private:
  enum class Pass : std::uint8_t { border, first, last, head };
  void walk(Pass pass, std::uint32_t commit, Signature root);
  void enter(std::uint32_t path, Signature signature);
  void meet(std::uint32_t path, std::uint32_t blob);
  std::uint32_t below(std::uint32_t path, std::uint32_t name);

  struct PathPart {
    std::uint32_t parent = 0;
    std::uint32_t name = 0;
  };
  struct HashPair {
    std::size_t operator()(std::uint64_t pair) const {
      return static_cast<std::size_t>((pair ^ (pair >> 29)) * 0x9e3779b97f4a7c15ULL);
    }
  };
  struct PlaceKey {
    std::uint32_t path = 0;
    HotKey key;
    bool operator==(const PlaceKey&) const = default;
  };
  struct HashKey {
    std::size_t operator()(const PlaceKey& place) const {
      return HashPair()(place.key.secret + place.path * 0x9e3779b97f4a7c15ULL + place.key.ordinal);
    }
  };
  using PairSet = std::unordered_set<std::uint64_t, HashPair>;

  const HotTrees& trees_;
  const std::vector<HotBlob>& blobs_;
  std::vector<Place> places_;
  std::unordered_map<PlaceKey, std::uint32_t, HashKey> by_key_;
  std::vector<PathPart> paths_ = std::vector<PathPart>(1);  // 0: the root
  std::unordered_map<std::uint64_t, std::uint32_t, HashPair> by_part_;
  std::unordered_set<std::uint32_t> reached_;

  Pass pass_ = Pass::border;
  std::uint32_t commit_ = 0;
  PairSet trees_seen_, blobs_seen_;  // in this pass
  std::vector<bool> placed_;         // places that the last pass has met
};

}  // namespace claviger::scan
