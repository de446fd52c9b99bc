// The index of a work tree: what is staged, read in place, and how it differs from HEAD.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/git_file.hpp"
#include "scan/git_id.hpp"
#include "scan/git_objects.hpp"
#include "scan/git_repository.hpp"

namespace claviger::scan {

struct IndexEntry {
  std::string_view path;  // into the index
  ObjectId id;
  std::uint32_t mode = 0;
  std::uint8_t stage = 0;      // 1 to 3: the sides of an unfinished merge
  bool intent_to_add = false;  // named by `git add -N`: nothing is staged

  bool is_tree() const { return mode == 040000; }  // a folder that a sparse index keeps whole
  bool is_submodule() const { return mode == 0160000; }
};

// A folder of which the index remembers the tree.
struct CachedTree {
  std::string name;
  std::int64_t entries = -1;  // -1: not known any more
  ObjectId id;
  std::vector<CachedTree> below;
};

// Versions 2, 3 and 4, and split indexes. Owns what its entries point into.
class GitIndex {
 public:
  // Refuses with corrupt what is no index, is cut off, or is not sorted.
  static Result<GitIndex> parse(Mapping file, HashKind kind);
  // The index of `folder`, with the shared index when it is split. A missing file is an empty index.
  static Result<GitIndex> read(const GitFolder& folder, std::string_view name, HashKind kind);

  const std::vector<IndexEntry>& entries() const { return entries_; }
  const std::optional<CachedTree>& cached_tree() const { return cached_; }

 private:
  friend class IndexParser;
  struct Link {  // of a split index: where its base lies, and which entries of it are gone or replaced
    ObjectId base;
    std::vector<bool> deleted, replaced;
  };
  Result<void> join(GitIndex base);

  Mapping file_;
  std::vector<std::unique_ptr<std::string>> names_;  // of version 4
  std::vector<IndexEntry> entries_;
  std::optional<CachedTree> cached_;
  std::optional<Link> link_;
  std::unique_ptr<GitIndex> base_;  // entries may point into it
};

enum class StagedChange : std::uint8_t { added, modified };

struct StagedFile {
  std::string path;
  ObjectId id;
  StagedChange change = StagedChange::added;
};

// The files that the next commit would add or change: index against HEAD, in order of path. `index_file` is
// what GIT_INDEX_FILE says; empty: the work tree's own. Sides of an unfinished merge that are new count too.
Result<std::vector<StagedFile>> staged_files(const GitRepository& repository, ObjectReader& reader,
                                             const std::string& index_file);

}  // namespace claviger::scan
