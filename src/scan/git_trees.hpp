// Which trees lead to blobs with hits, told so that two commits can be compared by one number.
//
// The signature of a tree stands for the entries below it that lead to hot blobs: names and their signatures,
// nothing else. Trees that differ only in other files have the same signature; a tree without hot blobs has
// kCold. Each tree of a repository is read once, whatever number of commits holds it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "scan/git_commit.hpp"
#include "scan/git_objects.hpp"
#include "scan/git_problem.hpp"

namespace claviger::scan {

using Signature = std::uint32_t;
inline constexpr Signature kCold = 0;

struct HotEntry {
  std::uint32_t name = 0;    // see HotTrees::name
  std::uint32_t target = 0;  // the signature of a tree, the number of a blob
  bool is_tree = false;
  friend auto operator<=>(const HotEntry&, const HotEntry&) = default;
};

// Shared by the threads that read trees.
class HotTrees {
 public:
  // `hot`: the blobs with hits, by number. Missing objects are counted when they are promised, else problems.
  HotTrees(const ObjectDatabase& database, const std::vector<ObjectId>& hot, bool promised,
           GitProblems& problems);

  const std::vector<HotEntry>& entries(Signature signature) const { return *nodes_[signature]; }
  const std::string& name(std::uint32_t number) const { return *names_[number]; }
  std::uint64_t missing() const { return missing_; }

 private:
  friend class HotTreeReader;
  // What is known of an object: 0 nothing yet, 1 cold, 2 + n: signature or blob n.
  using Verdict = std::uint32_t;
  static constexpr Verdict kUnknown = 0;
  static constexpr Verdict kNothing = 1;
  static constexpr Verdict kHot = 2;

  Verdict blob_verdict(const ObjectId& id);
  Signature intern(std::vector<HotEntry> entries);
  std::uint32_t intern_name(std::string_view name);
  void miss(const ObjectId& id, const char* type, const Error& error);

  const ObjectDatabase& database_;
  bool promised_;
  GitProblems& problems_;
  std::unordered_map<ObjectId, std::uint32_t> hot_;
  std::vector<bool> maybe_hot_ = std::vector<bool>(65536);       // by the first two bytes of an id
  std::vector<std::unique_ptr<std::atomic<Verdict>[]>> packed_;  // by pack and place in its index
  std::mutex mutex_;                                             // protects all below
  std::unordered_map<ObjectId, Verdict> loose_;
  std::map<std::vector<HotEntry>, Signature> by_entries_;
  std::vector<const std::vector<HotEntry>*> nodes_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;
  std::vector<const std::string*> names_;
  std::uint64_t missing_ = 0;
};

// One a thread.
class HotTreeReader {
 public:
  HotTreeReader(HotTrees& trees, std::size_t cache)
      : trees_(trees), reader_(trees.database_, cache, limits::kGitObjectInMemory) {}

  Signature signature(const ObjectId& tree);

 private:
  using Verdict = HotTrees::Verdict;
  struct Line {
    ObjectId id;
    Verdict verdict = HotTrees::kUnknown;
  };

  Verdict verdict_of_tree(const ObjectId& id, unsigned depth);
  Verdict read_tree(const ObjectId& id, unsigned depth);
  Verdict look(const TreeEntry& entry, unsigned depth);
  std::uint32_t number_of(std::string_view name);

  HotTrees& trees_;
  ObjectReader reader_;
  std::vector<Line> lines_ = std::vector<Line>(std::size_t{1} << 15);
  std::map<std::string, std::uint32_t, std::less<>> numbers_;  // of names, so that threads seldom meet
};

}  // namespace claviger::scan
