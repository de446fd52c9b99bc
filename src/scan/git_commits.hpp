// The commits that a scan of history counts, and their order.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "scan/git_commit.hpp"
#include "scan/git_objects.hpp"
#include "scan/git_problem.hpp"

namespace claviger::scan {

struct CommitNode {
  ObjectId id, tree;
  std::vector<std::uint32_t> parents;  // those that were loaded
  std::int64_t time_s = 0;             // of the committer
  bool counted = false;                // false: only the border of what counts
};

struct CommitChoice {
  std::vector<ObjectId> tips;
  std::vector<ObjectId> excluded;  // they and all they reach do not count
  std::optional<std::int64_t> since_s;
};

class CommitTable {
 public:
  // Loads what `choice` asks for. Commits that cannot be read are problems, unless `shallow` says that they
  // were left out; tips that are no commits are passed over.
  static CommitTable load(const ObjectDatabase& database, const CommitChoice& choice,
                          const std::vector<ObjectId>& shallow, GitProblems& problems);

  const std::vector<CommitNode>& nodes() const { return nodes_; }
  // Those that count: parents before children, else the older first.
  const std::vector<std::uint32_t>& order() const { return order_; }
  // Those that do not count and have a child that does.
  const std::vector<std::uint32_t>& border() const { return border_; }
  std::optional<std::uint32_t> find(const ObjectId& id) const;
  // What `from` reaches, itself included, among what was loaded.
  std::vector<bool> reached_from(std::uint32_t from) const;

 private:
  friend class CommitLoader;
  void put_in_order();

  std::vector<CommitNode> nodes_;
  std::unordered_map<ObjectId, std::uint32_t> by_id_;
  std::vector<std::uint32_t> order_, border_;
};

}  // namespace claviger::scan
