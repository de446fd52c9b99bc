// The audit tree as static files in the C2SP tlog-tiles layout: tile/<level>/<number>[.p/<width>].
//
// A tile holds up to 256 hashes of 32 bytes; level 0 the leaves, level n+1 the roots of full tiles of level
// n. Entry bundles are not written: the entries are the journal's own lines, which ranges.jsonl finds.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.hpp"
#include "base/file.hpp"

namespace claviger::journal {

inline constexpr std::size_t kTileWidth = 256;

// "tile/0/x001/x234/067", or ".../067.p/12" for the first 12 hashes of a tile not yet full.
std::string tile_name(int level, std::uint64_t number, std::size_t width = kTileWidth);

// The right edge of the tiles, in memory; grows leaf by leaf, writes what has changed.
class Tiles {
 public:
  Tiles() = default;
  // Goes on from the files of a tree of `size` leaves. Refuses with corrupt when a tile is missing or short;
  // compare root() with what it should be.
  static Result<Tiles> load(Folder& audit, std::uint64_t size);

  void append(const Digest& leaf_hash);
  std::uint64_t size() const { return size_; }
  Digest root() const;
  // Full tiles that have not been written.
  std::size_t waiting() const { return full_.size(); }

  // Writes full tiles; and the partial ones, which a checkpoint of this size needs. After an error the rest
  // is written by the next call.
  Result<void> write_full(Folder& audit);
  Result<void> write(Folder& audit);
  // Removes the partial tiles of earlier sizes. After the checkpoint of this size is in place.
  void remove_old(Folder& audit);

 private:
  void put(std::size_t level, const Digest& hash);

  std::uint64_t size_ = 0;
  std::vector<std::vector<Digest>> levels_;                // of each level the tile that is not full
  std::vector<std::pair<std::string, std::string>> full_;  // name and bytes
  std::vector<std::string> partial_;                       // names written for the last checkpoint
  std::vector<std::string> old_;                           // and for those before it
};

}  // namespace claviger::journal
