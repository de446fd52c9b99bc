// Loads commits from their tips, newest first, as far as they count.
#include "scan/git_commits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <unordered_set>

#include "base/limits.hpp"

namespace claviger::scan {

// Paints commits as excluded from the newest on; ends when nothing that counts is left to be looked at.
class CommitLoader {
 public:
  CommitLoader(const ObjectDatabase& database, const CommitChoice& choice,
               const std::vector<ObjectId>& shallow, GitProblems& problems)
      : choice_(choice), problems_(problems), reader_(database, limits::kGitCommitCache, limits::kGitCommit) {
    shallow_.insert(shallow.begin(), shallow.end());
  }

  CommitTable load();

 private:
  struct Waiting {
    std::int64_t time_s = 0;
    std::uint32_t node = 0;
    bool operator<(const Waiting& other) const {
      return time_s != other.time_s ? time_s < other.time_s : node < other.node;
    }
  };

  void add_tip(const ObjectId& id, bool excluded);
  std::optional<std::uint32_t> add(const ObjectId& id, bool is_tip);
  void exclude(std::uint32_t node);
  void follow(std::uint32_t node);

  const CommitChoice& choice_;
  GitProblems& problems_;
  ObjectReader reader_;
  std::unordered_set<ObjectId> shallow_;
  CommitTable table_;
  std::vector<std::vector<ObjectId>> parents_;  // of each node
  std::vector<bool> excluded_, followed_;
  std::unordered_set<ObjectId> unread_;
  std::priority_queue<Waiting> waiting_;
  std::size_t open_ = 0;  // waiting and not excluded
};

std::optional<std::uint32_t> CommitLoader::add(const ObjectId& id, bool is_tip) {
  if (const auto found = table_.find(id)) return found;
  if (unread_.contains(id)) return std::nullopt;
  const auto object = reader_.read(id);
  const auto commit =
      object && object->type == ObjectType::commit ? parse_commit(*object->bytes, id.kind) : std::nullopt;
  if (!commit) {
    unread_.insert(id);
    const std::string shown = fmt::format("commit {}", id.hex());
    if (!object) {
      problems_.add(shown, object.error());
    } else if (object->type == ObjectType::commit || !is_tip) {
      problems_.add(shown, "it is damaged: it names no tree, or is no commit");
    }
    return std::nullopt;
  }
  const auto node = static_cast<std::uint32_t>(table_.nodes_.size());
  table_.by_id_.emplace(id, node);
  table_.nodes_.push_back({id, commit->tree, {}, commit->committer.time_s, false});
  parents_.push_back(shallow_.contains(id) ? std::vector<ObjectId>() : commit->parents);
  excluded_.push_back(false);
  followed_.push_back(false);
  waiting_.push({commit->committer.time_s, node});
  ++open_;
  return node;
}

void CommitLoader::add_tip(const ObjectId& id, bool excluded) {
  ObjectId at = id;
  for (unsigned peeled = 0; peeled < 16; ++peeled) {
    const auto object = reader_.read(at);
    if (!object || object->type != ObjectType::tag) break;
    const auto tag = parse_tag(*object->bytes);
    if (!tag) break;
    at = tag->target;
  }
  const auto node = add(at, true);
  if (node && excluded) exclude(*node);
}

void CommitLoader::exclude(std::uint32_t node) {
  std::vector<std::uint32_t> nodes{node};
  while (!nodes.empty()) {
    const std::uint32_t at = nodes.back();
    nodes.pop_back();
    if (excluded_[at]) continue;
    excluded_[at] = true;
    if (!followed_[at]) --open_;
    nodes.insert(nodes.end(), table_.nodes_[at].parents.begin(), table_.nodes_[at].parents.end());
  }
}

void CommitLoader::follow(std::uint32_t node) {
  if (!excluded_[node]) --open_;
  followed_[node] = true;
  if (choice_.since_s && table_.nodes_[node].time_s < *choice_.since_s) return;
  for (const ObjectId& parent : parents_[node]) {
    const auto found = add(parent, false);
    if (!found) continue;
    table_.nodes_[node].parents.push_back(*found);
    if (excluded_[node]) exclude(*found);
  }
  parents_[node] = {};
}

CommitTable CommitLoader::load() {
  for (const ObjectId& id : choice_.tips) add_tip(id, false);
  for (const ObjectId& id : choice_.excluded) add_tip(id, true);
  // Clocks differ: a few excluded commits more may still reach one that was taken for counted.
  for (std::size_t more = 0; !waiting_.empty() && more < limits::kGitCommitSlop;) {
    const std::uint32_t node = waiting_.top().node;
    waiting_.pop();
    more = open_ == 0 ? more + 1 : 0;
    follow(node);
  }
  for (std::size_t i = 0; i < table_.nodes_.size(); ++i) {
    CommitNode& node = table_.nodes_[i];
    node.counted = !excluded_[i] && followed_[i] && (!choice_.since_s || node.time_s >= *choice_.since_s);
  }
  table_.put_in_order();
  return std::move(table_);
}

CommitTable CommitTable::load(const ObjectDatabase& database, const CommitChoice& choice,
                              const std::vector<ObjectId>& shallow, GitProblems& problems) {
  return CommitLoader(database, choice, shallow, problems).load();
}

void CommitTable::put_in_order() {
  std::vector<std::uint32_t> waits_for(nodes_.size());
  std::vector<std::vector<std::uint32_t>> children(nodes_.size());
  std::vector<bool> at_border(nodes_.size());
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i].counted) continue;
    for (const std::uint32_t parent : nodes_[i].parents) {
      if (nodes_[parent].counted) {
        ++waits_for[i];
        children[parent].push_back(i);
      } else if (!at_border[parent]) {
        at_border[parent] = true;
        border_.push_back(parent);
      }
    }
  }
  using Ready = std::pair<std::int64_t, std::uint32_t>;
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;  // the oldest first
  for (std::uint32_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].counted && waits_for[i] == 0) ready.emplace(nodes_[i].time_s, i);
  while (!ready.empty()) {
    const std::uint32_t node = ready.top().second;
    ready.pop();
    order_.push_back(node);
    for (const std::uint32_t child : children[node])
      if (--waits_for[child] == 0) ready.emplace(nodes_[child].time_s, child);
  }
}

std::optional<std::uint32_t> CommitTable::find(const ObjectId& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  return found->second;
}

std::vector<bool> CommitTable::reached_from(std::uint32_t from) const {
  std::vector<bool> reached(nodes_.size());
  std::vector<std::uint32_t> nodes{from};
  while (!nodes.empty()) {
    const std::uint32_t at = nodes.back();
    nodes.pop_back();
    if (reached[at]) continue;
    reached[at] = true;
    nodes.insert(nodes.end(), nodes_[at].parents.begin(), nodes_[at].parents.end());
  }
  return reached;
}

}  // namespace claviger::scan
