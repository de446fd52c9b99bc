// The Merkle tree of RFC 6962: leaf and node hashes, and a root that grows leaf by leaf.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/encoding.hpp"

namespace claviger::crypto {

Digest merkle_leaf(ByteView entry);                           // SHA-256(0x00 | entry)
Digest merkle_node(const Digest& left, const Digest& right);  // SHA-256(0x01 | left | right)
Digest merkle_empty();                                        // SHA-256 of nothing: the root of no leaves

// The tree's right edge: enough to append and to know the root, in O(log n) memory.
class MerkleTree {
 public:
  MerkleTree() = default;
  // Goes on from a stored edge; nullopt when their number does not fit `size`.
  static std::optional<MerkleTree> resume(std::uint64_t size, std::vector<Digest> edge);

  void append(const Digest& leaf_hash);
  std::uint64_t size() const { return size_; }
  Digest root() const;
  // Roots of the perfect subtrees, the largest first: one for each bit set in size().
  const std::vector<Digest>& edge() const { return edge_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> edge_;
};

// Root of all of `leaf_hashes` at once.
Digest merkle_root(std::span<const Digest> leaf_hashes);

// Audit path of leaf `index` in the tree of all of `leaf_hashes` (RFC 6962 2.1.1), the nearest first.
std::vector<Digest> merkle_path(std::span<const Digest> leaf_hashes, std::uint64_t index);
// True when `path` proves that `leaf` is number `index` of the `size` leaves under `root` (RFC 9162 2.1.3.2).
bool merkle_proves(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> path,
                   const Digest& root);

}  // namespace claviger::crypto
