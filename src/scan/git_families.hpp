// The objects of a pack as families: which delta stands on which base.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "scan/git_pack.hpp"
#include "scan/git_problem.hpp"

namespace claviger::scan {

inline constexpr std::uint32_t kNobody = 0xffffffffU;

struct FamilyMember {
  std::uint64_t offset = 0;  // in the pack
  std::uint64_t size = 0;    // inflated, as the pack states it
  std::uint32_t nth = 0;     // in the index
  std::uint32_t parent = kNobody;
  std::uint32_t child = kNobody;    // the first
  std::uint32_t sibling = kNobody;  // the next child of the parent
  std::uint32_t weight = 1;         // members below and itself
  std::uint8_t head = 0;            // bytes before the compressed data
  ObjectType type = ObjectType::blob;
  bool outside = false;  // a root whose base is not in this pack
};

class Families {
 public:
  // Reads the head of every entry of `pack`. Damaged ones become problems and are left out, and with them
  // what stands on them.
  static Families of(const Pack& pack, GitProblems& problems);

  const Pack& pack() const { return *pack_; }
  const std::vector<FamilyMember>& members() const { return members_; }
  // Members without a base in this pack.
  const std::vector<std::uint32_t>& roots() const { return roots_; }
  // Where the entry ends: the next one begins, or the pack ends. An index may place the next one outside.
  std::uint64_t end_of(std::uint32_t member) const {
    return member + 1 < members_.size() ? std::min(members_[member + 1].offset, pack_->end()) : pack_->end();
  }

 private:
  void read_heads(GitProblems& problems);
  std::uint32_t at_offset(std::uint64_t offset, std::uint32_t before) const;
  std::uint32_t of_id(const ObjectId& id);
  void adopt(std::uint32_t member, std::uint32_t parent);
  void weigh(GitProblems& problems);
  std::string shown(const FamilyMember& member) const;

  const Pack* pack_ = nullptr;
  std::vector<FamilyMember> members_;  // by offset
  std::vector<std::uint32_t> roots_;
  std::vector<std::uint32_t> by_nth_;  // made when a delta names its base by id
};

}  // namespace claviger::scan
