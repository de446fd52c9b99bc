// Compares trees, skipping what is the same on both sides.
#include "scan/git_changes.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>

#include "base/limits.hpp"

namespace claviger::scan {

namespace {

class Comparison {
 public:
  Comparison(const ObjectDatabase& database, bool promised, GitProblems& problems)
      : promised_(promised),
        problems_(problems),
        reader_(database, limits::kGitTreeCache, limits::kGitObjectInMemory),
        kind_(database.kind()) {}

  void compare(const std::optional<ObjectId>& before, const std::optional<ObjectId>& after, unsigned depth);
  std::unordered_set<ObjectId> take() { return std::move(blobs_); }

 private:
  struct Entry {
    ObjectId id;
    bool is_tree = false;
    bool operator==(const Entry&) const = default;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  Entries read(const std::optional<ObjectId>& tree);
  void differ(const Entry* before, const Entry* after, unsigned depth);

  bool promised_;
  GitProblems& problems_;
  ObjectReader reader_;
  HashKind kind_;
  std::unordered_set<ObjectId> blobs_;
  std::unordered_set<ObjectId> whole_;  // trees whose every blob is in already
};

Comparison::Entries Comparison::read(const std::optional<ObjectId>& tree) {
  Entries entries;
  if (!tree) return entries;
  const auto object = reader_.read(*tree);
  if (!object) {
    if (!promised_ || object.error().code != Code::not_found)
      problems_.add(fmt::format("tree {}", tree->hex()), object.error());
    return entries;
  }
  TreeCursor cursor(*object->bytes, kind_);
  TreeEntry entry;
  while (cursor.next(entry))
    if (!entry.is_submodule())
      entries.insert_or_assign(std::string(entry.name),
                               Entry{ObjectId::of(entry.id, kind_), entry.is_tree()});
  if (cursor.damaged()) problems_.add(fmt::format("tree {}", tree->hex()), "it is damaged");
  return entries;
}

void Comparison::compare(const std::optional<ObjectId>& before, const std::optional<ObjectId>& after,
                         unsigned depth) {
  if (before == after || depth > limits::kGitTreeDepth) return;
  if (!before && !whole_.insert(*after).second) return;
  if (!after && !whole_.insert(*before).second) return;
  const Entries old = read(before);
  const Entries now = read(after);
  for (const auto& [name, entry] : now) {
    const auto other = old.find(name);
    differ(other == old.end() ? nullptr : &other->second, &entry, depth);
  }
  for (const auto& [name, entry] : old)
    if (!now.contains(name)) differ(&entry, nullptr, depth);
}

void Comparison::differ(const Entry* before, const Entry* after, unsigned depth) {
  if (before != nullptr && after != nullptr && *before == *after) return;
  std::optional<ObjectId> trees[2];
  const Entry* sides[2] = {before, after};
  for (int i = 0; i < 2; ++i) {
    if (sides[i] == nullptr) continue;
    if (sides[i]->is_tree) {
      trees[i] = sides[i]->id;
    } else {
      blobs_.insert(sides[i]->id);
    }
  }
  if (trees[0] || trees[1]) compare(trees[0], trees[1], depth + 1);
}

}  // namespace

std::unordered_set<ObjectId> changed_blobs(const ObjectDatabase& database, const CommitTable& commits,
                                           bool promised, GitProblems& problems) {
  Comparison comparison(database, promised, problems);
  for (const std::uint32_t at : commits.order()) {
    const CommitNode& commit = commits.nodes()[at];
    if (commit.parents.empty()) comparison.compare(std::nullopt, commit.tree, 0);
    for (const std::uint32_t parent : commit.parents)
      comparison.compare(commits.nodes()[parent].tree, commit.tree, 0);
  }
  return comparison.take();
}

}  // namespace claviger::scan
