// Walks one family of deltas from its root: every member inflated once, few bases held.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "scan/git_buffer.hpp"
#include "scan/git_families.hpp"
#include "scan/git_sweep.hpp"

namespace claviger::scan {

// What all threads of a sweep share.
struct SweepShared {
  const ObjectDatabase& database;
  GitProblems& problems;
  const SweepOptions& options;
  std::size_t bases = 0;  // bytes of bases that one thread may hold
};

// One a thread.
class FamilyWalk {
 public:
  FamilyWalk(SweepShared& shared, SweepVisitor& visitor);

  // Visits all members of the family of `root`. `pack` is the pack's place in the database.
  void walk(const Families& families, std::uint32_t pack, std::uint32_t root);
  void visit_loose(const ObjectId& id);

  const SweepStats& stats() const { return stats_; }

 private:
  struct Frame {
    std::uint32_t member = 0;
    GitBuffer bytes;
    bool dropped = false;  // to be made again before the next child
    std::unique_ptr<SweepTrace> trace;
    std::size_t children = 0;  // where its children begin on the stack of those to come
  };

  bool make_root(std::uint32_t root, GitBuffer& out);
  bool make_outside(std::uint32_t root, GitBuffer& out);
  Result<void> make_whole(const FamilyMember& member, std::uint64_t end, GitBuffer& out);
  Result<void> make_delta(std::uint32_t member, ByteView base, GitBuffer& out);
  Result<void> make_again(std::uint32_t member, GitBuffer& out);
  std::unique_ptr<SweepTrace> visit(std::uint32_t member, ByteView bytes, const SweepTrace* base,
                                    bool is_delta);
  void check_crc(const FamilyMember& member, std::uint64_t end);
  void push(std::uint32_t member, GitBuffer bytes, std::unique_ptr<SweepTrace> trace);
  void pop();
  bool step();
  void lose(std::uint32_t member, const Error& error);
  void make_room();
  GitBuffer take_buffer();
  void give_back(GitBuffer buffer);
  bool repeated(const ObjectId& id) const;
  std::string shown(std::uint32_t member) const;

  SweepShared& shared_;
  SweepVisitor& visitor_;
  SweepStats stats_;
  Inflater inflater_;
  GitBuffer delta_;
  std::vector<Copy> copies_;
  std::vector<GitBuffer> spare_;
  std::vector<Frame> frames_;
  std::vector<std::uint32_t> to_come_;  // children of the frames, those of the last frame at the end
  const Families* families_ = nullptr;
  std::uint32_t pack_ = 0;
};

}  // namespace claviger::scan
