// Building and writing tiles, as https://c2sp.org/tlog-tiles lays them out.
#include "journal/tiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <span>

#include "base/check.hpp"
#include "crypto/merkle.hpp"

namespace claviger::journal {
namespace {

std::string tile_bytes(const std::vector<Digest>& hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * sizeof(Digest));
  for (const Digest& hash : hashes) bytes += as_text(hash);
  return bytes;
}

}  // namespace

std::string tile_name(int level, std::uint64_t number, std::size_t width) {
  std::string path = fmt::format("{:03}", number % 1000);
  for (std::uint64_t rest = number / 1000; rest > 0; rest /= 1000)
    path = fmt::format("x{:03}/{}", rest % 1000, path);
  path = fmt::format("tile/{}/{}", level, path);
  return width == kTileWidth ? path : fmt::format("{}.p/{}", path, width);
}

Result<Tiles> Tiles::load(Folder& audit, std::uint64_t size) {
  Tiles tiles;
  tiles.size_ = size;
  int level = 0;
  for (std::uint64_t hashes = size; hashes > 0; hashes /= kTileWidth, ++level) {
    std::vector<Digest>& edge = tiles.levels_.emplace_back();
    const std::size_t width = static_cast<std::size_t>(hashes % kTileWidth);
    if (width == 0) continue;
    const std::string name = tile_name(level, hashes / kTileWidth, width);
    const Result<std::string> bytes = audit.read(name, 0, width * sizeof(Digest) + 1);
    if (!bytes || bytes->size() != width * sizeof(Digest))
      return fail(Code::corrupt, fmt::format("{} is missing or of the wrong size", name));
    edge.resize(width);
    for (std::size_t i = 0; i < width; ++i)
      std::ranges::copy(as_bytes(*bytes).subspan(i * sizeof(Digest), sizeof(Digest)), edge[i].begin());
    tiles.partial_.push_back(name);
  }
  return tiles;
}

void Tiles::put(std::size_t level, const Digest& hash) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  levels_[level].push_back(hash);
}

void Tiles::append(const Digest& leaf_hash) {
  ++size_;
  put(0, leaf_hash);
  std::uint64_t hashes = size_;
  for (std::size_t level = 0; levels_[level].size() == kTileWidth; ++level) {
    hashes /= kTileWidth;  // full tiles of this level
    full_.emplace_back(tile_name(static_cast<int>(level), hashes - 1), tile_bytes(levels_[level]));
    const Digest root = crypto::merkle_root(levels_[level]);
    levels_[level].clear();
    put(level + 1, root);
  }
}

Digest Tiles::root() const {
  std::vector<Digest> edge;
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    std::span<const Digest> left(*level);
    while (!left.empty()) {
      const std::size_t width = std::bit_floor(left.size());
      edge.push_back(crypto::merkle_root(left.first(width)));
      left = left.subspan(width);
    }
  }
  const auto tree = crypto::MerkleTree::resume(size_, std::move(edge));
  check(tree.has_value(), "the tiles' edge fits their size");
  return tree->root();
}

Result<void> Tiles::write_full(Folder& audit) {
  std::size_t written = 0;
  Result<void> done;
  for (const auto& [name, bytes] : full_) {
    done = audit.replace(name, bytes, Sync::no);
    if (!done) break;
    ++written;
  }
  full_.erase(full_.begin(), full_.begin() + static_cast<std::ptrdiff_t>(written));
  return done;
}

Result<void> Tiles::write(Folder& audit) {
  TRY_VOID(write_full(audit));
  std::vector<std::string> names;
  std::uint64_t hashes = size_;
  for (std::size_t level = 0; level < levels_.size(); ++level, hashes /= kTileWidth) {
    if (levels_[level].empty()) continue;
    std::string name = tile_name(static_cast<int>(level), hashes / kTileWidth, levels_[level].size());
    if (std::ranges::find(partial_, name) == partial_.end())
      TRY_VOID(audit.replace(name, tile_bytes(levels_[level]), Sync::no));
    names.push_back(std::move(name));
  }
  for (std::string& name : partial_)
    if (std::ranges::find(names, name) == names.end()) old_.push_back(std::move(name));
  partial_ = std::move(names);
  return {};
}

void Tiles::remove_old(Folder& audit) {
  // One that cannot be removed only takes room.
  for (const std::string& name : old_)
    if (std::ranges::find(partial_, name) == partial_.end()) static_cast<void>(audit.remove(name));
  old_.clear();
}

}  // namespace claviger::journal
