// Commits, tags and trees, parsed in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "scan/git_id.hpp"

namespace claviger::scan {

struct Person {
  std::string_view name, email;
  std::int64_t time_s = 0;  // Unix time
  int zone_minutes = 0;     // east of UTC
};

// Views into the commit's bytes.
struct Commit {
  ObjectId tree;
  std::vector<ObjectId> parents;
  Person author, committer;
  std::string_view message;
};
// nullopt when it names no tree. Everything else may be missing.
std::optional<Commit> parse_commit(ByteView bytes, HashKind kind);

struct Tag {
  ObjectId target;
  Person tagger;
  std::string_view message;
};
std::optional<Tag> parse_tag(ByteView bytes);

struct TreeEntry {
  std::uint32_t mode = 0;
  std::string_view name;
  const std::uint8_t* id = nullptr;

  bool is_tree() const { return mode == 040000; }
  bool is_submodule() const { return mode == 0160000; }
};

// Goes through a tree's entries.
class TreeCursor {
 public:
  TreeCursor(ByteView tree, HashKind kind)
      : at_(tree.data()), end_(at_ + tree.size()), hash_(hash_size(kind)) {}
  // False at the end, and where the tree is damaged.
  bool next(TreeEntry& entry);
  bool damaged() const { return damaged_; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::size_t hash_;
  bool damaged_ = false;
};

}  // namespace claviger::scan
