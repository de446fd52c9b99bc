// Walks signatures of commits and notes where secrets first and last stood.
#include "scan/git_places.hpp"

#include <ranges>

namespace claviger::scan {

namespace {

std::uint64_t pair_of(std::uint32_t a, std::uint32_t b) { return std::uint64_t{a} << 32 | b; }

}  // namespace

void Places::find(const CommitTable& commits, const std::vector<Signature>& roots, Signature head) {
  const auto begin_pass = [this] {
    trees_seen_.clear();
    blobs_seen_.clear();
  };
  for (const std::uint32_t commit : commits.border()) walk(Pass::border, commit, roots[commit]);
  begin_pass();
  for (const std::uint32_t commit : commits.order()) walk(Pass::first, commit, roots[commit]);
  begin_pass();
  placed_.assign(places_.size(), false);
  for (const std::uint32_t commit : std::views::reverse(commits.order()))
    walk(Pass::last, commit, roots[commit]);
  begin_pass();
  walk(Pass::head, 0, head);
}

void Places::walk(Pass pass, std::uint32_t commit, Signature root) {
  pass_ = pass;
  commit_ = commit;
  if (root != kCold) enter(0, root);
}

void Places::enter(std::uint32_t path, Signature signature) {
  if (!trees_seen_.insert(pair_of(path, signature)).second) return;
  for (const HotEntry& entry : trees_.entries(signature)) {
    const std::uint32_t at = below(path, entry.name);
    if (entry.is_tree) {
      enter(at, entry.target);
    } else if (blobs_seen_.insert(pair_of(at, entry.target)).second) {
      meet(at, entry.target);
    }
  }
}

void Places::meet(std::uint32_t path, std::uint32_t blob) {
  reached_.insert(blob);
  for (const HotKey& key : blobs_[blob].keys) {
    const auto known = by_key_.find({path, key});
    if (known == by_key_.end()) {
      if (pass_ == Pass::head) continue;  // HEAD may stand outside of what counts
      by_key_.emplace(PlaceKey{path, key}, static_cast<std::uint32_t>(places_.size()));
      places_.push_back({path, key, blob, commit_, commit_, pass_ == Pass::border, false});
    } else if (pass_ == Pass::last && !placed_[known->second]) {
      placed_[known->second] = true;
      places_[known->second].last = commit_;
    } else if (pass_ == Pass::head) {
      places_[known->second].still_in_head = true;
    }
  }
}

std::uint32_t Places::below(std::uint32_t path, std::uint32_t name) {
  const auto [at, is_new] = by_part_.emplace(pair_of(path, name), static_cast<std::uint32_t>(paths_.size()));
  if (is_new) paths_.push_back({path, name});
  return at->second;
}

std::string Places::path(const Place& place) const {
  std::vector<std::uint32_t> names;
  for (std::uint32_t at = place.path; at != 0; at = paths_[at].parent) names.push_back(paths_[at].name);
  std::string text;
  for (const std::uint32_t name : std::views::reverse(names)) {
    if (!text.empty()) text += '/';
    text += trees_.name(name);
  }
  return text;
}

}  // namespace claviger::scan
