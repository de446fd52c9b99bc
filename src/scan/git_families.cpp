// Reads the heads of all entries of a pack and links deltas to their bases.
#include "scan/git_families.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::scan {

Families Families::of(const Pack& pack, GitProblems& problems) {
  Families families;
  families.pack_ = &pack;
  const PackIndex& index = pack.index();
  std::vector<std::pair<std::uint64_t, std::uint32_t>> places(index.count());
  for (std::uint32_t nth = 0; nth < index.count(); ++nth) places[nth] = {index.offset(nth), nth};
  std::ranges::sort(places);
  families.members_.resize(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    families.members_[i].offset = places[i].first;
    families.members_[i].nth = places[i].second;
  }
  families.read_heads(problems);
  families.weigh(problems);
  return families;
}

std::string Families::shown(const FamilyMember& member) const {
  return fmt::format("object {} in {}", pack_->index().id(member.nth).hex(), pack_->name());
}

void Families::read_heads(GitProblems& problems) {
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    FamilyMember& member = members_[i];
    const auto entry = pack_->entry(member.offset);
    if (!entry) {
      problems.add(shown(member), entry.error());
      member.weight = 0;
      continue;
    }
    member.size = entry->size;
    member.type = entry->type;
    member.head = static_cast<std::uint8_t>(entry->data - member.offset);
    if (entry->form == PackEntry::Form::whole) {
      roots_.push_back(i);
      continue;
    }
    const bool by_offset = entry->form == PackEntry::Form::offset_delta;
    const std::uint32_t parent = by_offset ? at_offset(entry->base, i) : of_id(entry->base_id);
    if (parent != kNobody) {
      adopt(i, parent);
    } else if (by_offset) {
      problems.add(shown(member), "its base is at a place where no object begins");
      member.weight = 0;
    } else {
      member.outside = true;
      roots_.push_back(i);
    }
  }
}

std::uint32_t Families::at_offset(std::uint64_t offset, std::uint32_t before) const {
  // Most bases stand near: look in steps that double, then halve.
  std::uint32_t step = 1;
  std::uint32_t high = before;
  while (high > 0 && members_[high - std::min(step, high)].offset > offset) {
    high -= std::min(step, high);
    step *= 2;
  }
  const std::uint32_t low = high - std::min(step, high);
  const auto begin = members_.begin() + low;
  const auto found =
      std::ranges::lower_bound(begin, members_.begin() + high, offset, {}, &FamilyMember::offset);
  if (found == members_.begin() + high || found->offset != offset) return kNobody;
  return static_cast<std::uint32_t>(found - members_.begin());
}

std::uint32_t Families::of_id(const ObjectId& id) {
  const auto nth = pack_->index().find(id);
  if (!nth) return kNobody;
  if (by_nth_.empty()) {
    by_nth_.resize(members_.size());
    for (std::uint32_t i = 0; i < members_.size(); ++i) by_nth_[members_[i].nth] = i;
  }
  return by_nth_[*nth];
}

void Families::adopt(std::uint32_t member, std::uint32_t parent) {
  members_[member].parent = parent;
  members_[member].sibling = members_[parent].child;
  members_[parent].child = member;
}

void Families::weigh(GitProblems& problems) {
  std::vector<std::uint32_t> order;  // parents before children
  order.reserve(members_.size());
  order = roots_;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ObjectType type = members_[order[i]].type;
    for (std::uint32_t child = members_[order[i]].child; child != kNobody; child = members_[child].sibling) {
      members_[child].type = type;
      order.push_back(child);
    }
  }
  for (std::size_t i = order.size(); i-- > 0;)
    if (const std::uint32_t parent = members_[order[i]].parent; parent != kNobody)
      members_[parent].weight += members_[order[i]].weight;
  if (order.size() == members_.size()) return;
  std::vector<bool> reached(members_.size());
  for (const std::uint32_t member : order) reached[member] = true;
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    if (!reached[i] && members_[i].weight > 0)
      problems.add(shown(members_[i]), "its deltas run in a circle or stand on a damaged object");
}

}  // namespace claviger::scan
