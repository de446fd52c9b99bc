// RFC 6962 section 2.1.
#include "crypto/merkle.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "crypto/sha256_state.hpp"

namespace claviger::crypto {
namespace {

Digest prefixed(std::uint8_t prefix, ByteView first, ByteView second) {
  SHA256_CTX state;
  hash_begin(state);
  hash_add(state, {&prefix, 1});
  hash_add(state, first);
  hash_add(state, second);
  return hash_end(state);
}

}  // namespace

Digest merkle_leaf(ByteView entry) { return prefixed(0, entry, {}); }
Digest merkle_node(const Digest& left, const Digest& right) { return prefixed(1, left, right); }

Digest merkle_empty() {
  SHA256_CTX state;
  hash_begin(state);
  return hash_end(state);
}

std::optional<MerkleTree> MerkleTree::resume(std::uint64_t size, std::vector<Digest> edge) {
  if (static_cast<std::size_t>(std::popcount(size)) != edge.size()) return std::nullopt;
  MerkleTree tree;
  tree.size_ = size;
  tree.edge_ = std::move(edge);
  return tree;
}

void MerkleTree::append(const Digest& leaf_hash) {
  Digest merged = leaf_hash;
  // Each trailing one of the size is a subtree that this leaf completes.
  for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    merged = merkle_node(edge_.back(), merged);
    edge_.pop_back();
  }
  edge_.push_back(merged);
  ++size_;
}

Digest MerkleTree::root() const {
  if (edge_.empty()) return merkle_empty();
  Digest root = edge_.back();
  for (std::size_t i = edge_.size() - 1; i > 0; --i) root = merkle_node(edge_[i - 1], root);
  return root;
}

Digest merkle_root(std::span<const Digest> leaf_hashes) {
  MerkleTree tree;
  for (const Digest& leaf : leaf_hashes) tree.append(leaf);
  return tree.root();
}

std::vector<Digest> merkle_path(std::span<const Digest> leaf_hashes, std::uint64_t index) {
  check(index < leaf_hashes.size(), "the leaf is in the tree");
  std::vector<Digest> path;
  while (leaf_hashes.size() > 1) {
    const std::size_t left = std::bit_floor(leaf_hashes.size() - 1);  // largest power of two below the size
    if (index < left) {
      path.push_back(merkle_root(leaf_hashes.subspan(left)));
      leaf_hashes = leaf_hashes.first(left);
    } else {
      path.push_back(merkle_root(leaf_hashes.first(left)));
      leaf_hashes = leaf_hashes.subspan(left);
      index -= left;
    }
  }
  std::ranges::reverse(path);
  return path;
}

bool merkle_proves(const Digest& leaf, std::uint64_t index, std::uint64_t size, std::span<const Digest> path,
                   const Digest& root) {
  if (index >= size) return false;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf;
  for (const Digest& sibling : path) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = merkle_node(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = merkle_node(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

}  // namespace claviger::crypto
