// Reads trees once and gives them signatures.
#include "scan/git_trees.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace claviger::scan {

HotTrees::HotTrees(const ObjectDatabase& database, const std::vector<ObjectId>& hot, bool promised,
                   GitProblems& problems)
    : database_(database), promised_(promised), problems_(problems) {
  for (std::uint32_t i = 0; i < hot.size(); ++i) {
    hot_.emplace(hot[i], i);
    maybe_hot_[std::size_t{hot[i].bytes[0]} << 8 | hot[i].bytes[1]] = true;
  }
  for (const auto& pack : database.packs())
    packed_.push_back(std::make_unique<std::atomic<Verdict>[]>(pack->index().count()));
  nodes_.push_back(&by_entries_.emplace(std::vector<HotEntry>(), kCold).first->first);
}

Signature HotTrees::intern(std::vector<HotEntry> entries) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = by_entries_.emplace(std::move(entries), static_cast<Signature>(nodes_.size()));
  if (is_new) nodes_.push_back(&at->first);
  return at->second;
}

std::uint32_t HotTrees::intern_name(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const auto at = by_name_.emplace(std::string(name), static_cast<std::uint32_t>(names_.size())).first;
  names_.push_back(&at->first);
  return at->second;
}

void HotTrees::miss(const ObjectId& id, const char* type, const Error& error) {
  if (promised_ && error.code == Code::not_found) {
    const std::lock_guard lock(mutex_);
    ++missing_;
    return;
  }
  problems_.add(fmt::format("{} {}", type, id.hex()), error);
}

HotTrees::Verdict HotTrees::blob_verdict(const ObjectId& id) {
  if (maybe_hot_[std::size_t{id.bytes[0]} << 8 | id.bytes[1]])
    if (const auto found = hot_.find(id); found != hot_.end()) return kHot + found->second;
  if (database_.find_packed(id)) return kNothing;
  {
    const std::lock_guard lock(mutex_);
    if (!loose_.emplace(id, kNothing).second) return kNothing;
  }
  if (const auto file = database_.map_loose(id); !file) miss(id, "blob", file.error());
  return kNothing;
}

Signature HotTreeReader::signature(const ObjectId& tree) {
  const Verdict verdict = verdict_of_tree(tree, 0);
  return verdict < HotTrees::kHot ? kCold : verdict - HotTrees::kHot;
}

HotTreeReader::Verdict HotTreeReader::verdict_of_tree(const ObjectId& id, unsigned depth) {
  if (const auto place = trees_.database_.find_packed(id)) {
    std::atomic<Verdict>& known = trees_.packed_[place->pack][place->nth];
    Verdict verdict = known.load(std::memory_order_relaxed);
    if (verdict != HotTrees::kUnknown) return verdict;
    verdict = read_tree(id, depth);
    known.store(verdict, std::memory_order_relaxed);
    return verdict;
  }
  {
    const std::lock_guard lock(trees_.mutex_);
    if (const auto found = trees_.loose_.find(id); found != trees_.loose_.end()) return found->second;
  }
  const Verdict verdict = read_tree(id, depth);
  const std::lock_guard lock(trees_.mutex_);
  trees_.loose_.emplace(id, verdict);
  return verdict;
}

HotTreeReader::Verdict HotTreeReader::read_tree(const ObjectId& id, unsigned depth) {
  if (depth >= limits::kGitTreeDepth) {
    trees_.problems_.add(fmt::format("tree {}", id.hex()),
                         "folders are nested too deeply; it is not followed");
    return HotTrees::kNothing;
  }
  auto object = reader_.read(id);
  if (object && object->type != ObjectType::tree) object = fail(Code::corrupt, "it is no tree");
  if (!object) {
    trees_.miss(id, "tree", object.error());
    return HotTrees::kNothing;
  }
  std::vector<HotEntry> hot;
  TreeCursor cursor(*object->bytes, id.kind);
  TreeEntry entry;
  while (cursor.next(entry)) {
    if (entry.is_submodule()) continue;
    const Verdict verdict = look(entry, depth);
    if (verdict >= HotTrees::kHot)
      hot.push_back({number_of(entry.name), verdict - HotTrees::kHot, entry.is_tree()});
  }
  if (cursor.damaged()) trees_.problems_.add(fmt::format("tree {}", id.hex()), "it is damaged");
  if (hot.empty()) return HotTrees::kNothing;
  return HotTrees::kHot + trees_.intern(std::move(hot));
}

std::uint32_t HotTreeReader::number_of(std::string_view name) {
  if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
  return numbers_.emplace(name, trees_.intern_name(name)).first->second;
}

// Most entries of a tree stood in the last one too: a small table spares the search in the index.
HotTreeReader::Verdict HotTreeReader::look(const TreeEntry& entry, unsigned depth) {
  std::uint32_t head;
  std::memcpy(&head, entry.id, sizeof head);
  Line& line = lines_[head % lines_.size()];
  if (line.verdict != HotTrees::kUnknown && line.id.stands_at(entry.id)) return line.verdict;
  const ObjectId id = ObjectId::of(entry.id, trees_.database_.kind());
  const Verdict verdict = entry.is_tree() ? verdict_of_tree(id, depth + 1) : trees_.blob_verdict(id);
  line = {id, verdict};
  return verdict;
}

}  // namespace claviger::scan
