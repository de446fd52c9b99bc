// A git repository on disk: where its parts lie, its refs, its reflogs, what a revision names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/git_file.hpp"
#include "scan/git_id.hpp"
#include "scan/git_objects.hpp"
#include "scan/git_problem.hpp"

namespace claviger::scan {

struct GitRef {
  std::string name;  // "HEAD", "refs/heads/main"
  ObjectId id;
};

// Opened read-only; git itself is never run, and no hook or configured program of the repository.
class GitRepository {
 public:
  // `path` is a work tree, a folder inside one, a .git folder or file, or a bare repository. Refuses with
  // not_found where there is none, with invalid_input what this program cannot read (reftable, an unknown
  // object format or extension).
  static Result<GitRepository> open(const std::string& path);

  HashKind hash() const { return hash_; }
  const std::string& git_dir() const { return git_dir_.path(); }        // of this work tree
  const std::string& common_dir() const { return common_dir_.path(); }  // where objects and refs lie
  const std::string& work_tree() const { return work_tree_; }           // empty when there is none
  // Whether missing objects are promised by a remote.
  bool is_partial() const { return is_partial_; }
  // Commits whose parents a shallow clone left out.
  std::vector<ObjectId> shallow(GitProblems& problems) const;

  Result<std::unique_ptr<ObjectDatabase>> objects(GitProblems& problems) const {
    return ObjectDatabase::open(common_dir_.path() + "/objects", hash_, problems);
  }

  // The commit checked out; nullopt before the first one.
  std::optional<ObjectId> head() const;
  // Every ref, loose and packed, HEAD, and those of all work trees. A ref that cannot be read is a problem.
  std::vector<GitRef> refs(GitProblems& problems) const;
  // Every id that a reflog, or a file like ORIG_HEAD, remembers.
  std::vector<ObjectId> remembered(GitProblems& problems) const;
  // What a full or short ref name means.
  std::optional<ObjectId> find_ref(std::string_view name) const;

  // Git folders of the submodules that were checked out (below .git/modules), at most limits::kGitSubmodules.
  std::vector<std::string> submodules(GitProblems& problems) const;

  const GitFolder& git_folder() const { return git_dir_; }

 private:
  GitRepository(GitFolder git_dir, GitFolder common_dir)
      : git_dir_(std::move(git_dir)), common_dir_(std::move(common_dir)) {}
  Result<void> read_config();
  std::optional<ObjectId> read_ref(const GitFolder& folder, const std::string& name, unsigned depth) const;
  std::optional<ObjectId> packed_ref(std::string_view name) const;

  GitFolder git_dir_, common_dir_;
  std::string work_tree_;
  HashKind hash_ = HashKind::sha1;
  bool is_partial_ = false;
  std::vector<GitRef> packed_;  // sorted by name
};

// The object that a revision names: a full or abbreviated id, a ref, HEAD; with any number of ~N, ^N and ^{}.
// Refuses with invalid_input what names nothing, or more than one thing.
Result<ObjectId> resolve(const GitRepository& repository, ObjectReader& reader,
                         const ObjectDatabase& database, std::string_view revision);

}  // namespace claviger::scan
