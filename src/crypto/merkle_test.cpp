// The tree of RFC 6962 against its published roots and proofs.
#include "crypto/merkle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <functional>

namespace claviger::crypto {
namespace {

// Entries and roots of the reference test data of Certificate Transparency (merkletree/merkle_tree_test.cc).
constexpr std::string_view kEntries[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
constexpr std::string_view kRoots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

std::vector<Digest> leaves(std::size_t count) {
  std::vector<Digest> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string entry = i < 8 ? std::string(kEntries[i]) : hex(as_bytes(std::to_string(i)));
    all.push_back(merkle_leaf(unhex(entry).value()));
  }
  return all;
}

// The definition of RFC 6962 2.1, word by word.
Digest defined_root(std::span<const Digest> all) {
  if (all.empty()) return merkle_empty();
  if (all.size() == 1) return all.front();
  const std::size_t left = std::bit_floor(all.size() - 1);
  return merkle_node(defined_root(all.first(left)), defined_root(all.subspan(left)));
}

TEST(Merkle, RefusesAnEdgeThatDoesNotFitTheSize) {
  EXPECT_FALSE(MerkleTree::resume(3, leaves(1)));
  EXPECT_FALSE(MerkleTree::resume(0, leaves(1)));
  EXPECT_FALSE(MerkleTree::resume(1, {}));
}

TEST(Merkle, RefusesEveryOtherPlaceLeafRootAndLength) {
  const std::vector<Digest> all = leaves(7);
  const Digest root = merkle_root(all);
  for (std::uint64_t i = 0; i < all.size(); ++i) {
    std::vector<Digest> path = merkle_path(all, i);
    for (std::uint64_t j = 0; j < 9; ++j)
      EXPECT_EQ(merkle_proves(all[i], j, all.size(), path, root), i == j) << i << " as " << j;
    EXPECT_FALSE(merkle_proves(all[(i + 1) % 7], i, all.size(), path, root));
    EXPECT_FALSE(merkle_proves(all[i], i, all.size(), path, all[0]));
    path.push_back(root);
    EXPECT_FALSE(merkle_proves(all[i], i, all.size(), path, root));
    path.resize(path.size() - 2);
    EXPECT_FALSE(merkle_proves(all[i], i, all.size(), path, root));
  }
}

TEST(Merkle, GivesThePublishedRoots) {
  EXPECT_EQ(hex(MerkleTree().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  MerkleTree tree;
  const std::vector<Digest> all = leaves(8);
  for (std::size_t i = 0; i < all.size(); ++i) {
    tree.append(all[i]);
    EXPECT_EQ(hex(tree.root()), kRoots[i]);
  }
}

TEST(Merkle, GrowsLikeTheDefinitionAlsoAfterResuming) {
  const std::vector<Digest> all = leaves(70);
  MerkleTree tree;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto resumed = MerkleTree::resume(tree.size(), tree.edge());
    ASSERT_TRUE(resumed);
    tree = std::move(*resumed);
    tree.append(all[i]);
    EXPECT_EQ(tree.root(), defined_root(std::span(all).first(i + 1))) << i;
  }
}

TEST(Merkle, ProvesEveryLeafOfEverySize) {
  for (std::size_t size = 1; size <= 33; ++size) {
    const std::vector<Digest> all = leaves(size);
    for (std::uint64_t i = 0; i < size; ++i)
      EXPECT_TRUE(merkle_proves(all[i], i, size, merkle_path(all, i), merkle_root(all)))
          << i << " of " << size;
  }
}

}  // namespace
}  // namespace claviger::crypto
