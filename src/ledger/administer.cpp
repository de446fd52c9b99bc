// Budgets come, change and go; accounts find their nodes; what the store holds is read back.
#include <algorithm>

#include "base/check.hpp"
#include "ledger/book.hpp"
#include "ledger/escrow.hpp"

namespace claviger::ledger {
namespace {

std::uint32_t bounded_rate(const std::optional<std::int64_t>& rate) {
  if (!rate) return kNoRate;
  return static_cast<std::uint32_t>(std::clamp(*rate, std::int64_t{0}, SlidingMinute::kMost));
}

bool by_node_and_id(const Budget& a, const Budget& b) {
  return std::tie(a.node, a.id) < std::tie(b.node, b.id);
}

}  // namespace

Book::Book(store::Store& store, std::uint64_t epoch, UsageSum usage)
    : store_(store), epoch_(epoch), usage_(std::move(usage)) {
  store::Lock lock(mutex_);
  org_ = &node("org");
}

// No hold was given out yet, so every budget counts from the beginning of time.
Result<void> Book::load() {
  store::Lock asking(granting_);
  return reload();
}

Node& Book::node(std::string_view name) {
  if (const auto found = nodes_.find(name); found != nodes_.end()) return *found->second;
  auto fresh = std::make_unique<Node>();
  fresh->name = name;
  if (name.starts_with("key:")) ++nodes_generation_;
  return *nodes_.emplace(std::string(name), std::move(fresh)).first->second;
}

Line* Book::line_of(std::string_view id) {
  const auto found = lines_.find(id);
  return found == lines_.end() ? nullptr : found->second;
}

std::shared_ptr<Seat> Book::seat(const AccountPath& path, const RateLimits& limits,
                                 std::span<const RateLimits> above) {
  check(path.above.size() <= limits::kKeyDepth, "child keys go so deep and no deeper");
  auto seat = std::make_shared<Seat>();
  seat->key = path.key;
  for (const std::string& id : path.above) seat->names.push_back("key:" + id);
  seat->names.push_back("key:" + path.key);
  const auto add_gauge = [&](const std::string& key, const RateLimits& rates) {
    Gauge gauge{key, bounded_rate(rates.rpm), bounded_rate(rates.tpm), bounded_rate(rates.concurrency)};
    if (gauge.limited()) seat->gauges.push_back(std::move(gauge));
  };
  add_gauge(path.key, limits);
  for (std::size_t i = 0; i < std::min(above.size(), path.above.size()); ++i)
    add_gauge(path.above[i], above[i]);
  store::Lock lock(mutex_);
  if (!path.team.empty()) seat->team = &node("team:" + path.team);
  if (!path.project.empty()) seat->project = &node("project:" + path.project);
  return seat;
}

bool Book::has_blocking_budget(Seat& seat) {
  store::Lock lock(mutex_);
  return std::ranges::any_of(resolve(seat), [](const Node* one) { return !one->blocking.empty(); });
}

Result<std::shared_ptr<const Zone>> Book::zone(const std::string& name) {
  store::Lock lock(zones_mutex_);
  std::shared_ptr<const Zone>& known = zones_[name];
  if (!known) {
    auto loaded = Zone::load(name);
    if (!loaded) {
      zones_.erase(name);
      return std::unexpected(std::move(loaded).error());
    }
    known = std::make_shared<const Zone>(*std::move(loaded));
  }
  return known;
}

void Book::index(Node& node) {
  node.blocking.clear();
  for (const auto& line : node.lines)
    if (is_blocking(line->budget)) node.blocking.push_back(line.get());
  std::ranges::sort(node.blocking, {},
                    [](const Line* line) -> const std::string& { return line->budget.id; });
}

// The line's leases count no longer; those with holds stay for their tickets' sake.
void Book::detach(Line& line) {
  for (auto& lease : line.leases) {
    lease->line = nullptr;
    if (lease->holds > 0) detached_.push_back(std::move(lease));
  }
  line.leases.clear();
  line.current = nullptr;
  std::erase(active_, &line);
  line.active = false;
}

// Memory follows a budget that is in the store. A budget that begins to block counts holds dated after all
// before it.
void Book::install(Budget budget, std::shared_ptr<const Zone> zone) {
  Line* line = line_of(budget.id);
  const bool blocked = line && is_blocking(line->budget);
  if (!line) {
    Node& home = node(budget.node);
    line = home.lines.emplace_back(std::make_unique<Line>()).get();
    line->node = &home;
    lines_.emplace(budget.id, line);
  }
  line->zone = std::move(zone);
  line->budget = std::move(budget);
  if (blocked && !is_blocking(line->budget)) detach(*line);
  if (!blocked && is_blocking(line->budget) && latest_ > Time{0}) {
    line->counts_from = Time{latest_.ns + 1};
    floor_ = std::max(floor_, line->counts_from);
  }
  for (const auto& lease : line->leases) {
    lease->left_until = Time{0};
    lease->recall = true;  // the limit may be lower now: ask the store first
  }
  index(*line->node);
}

void Book::uninstall(Line& line) {
  detach(line);
  Node& home = *line.node;
  lines_.erase(line.budget.id);
  std::erase_if(home.lines, [&](const std::unique_ptr<Line>& one) { return one.get() == &line; });
  index(home);
}

// Makes memory agree with the store after a change whose fate is not known.
Result<void> Book::reload() {
  std::vector<Budget> stored;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(stored, read_budgets(tx));
    return {};
  }));
  std::vector<std::shared_ptr<const Zone>> zones;
  for (const Budget& budget : stored) {
    TRY(auto in, zone(budget.time_zone));
    zones.push_back(std::move(in));
  }
  store::Lock lock(mutex_);
  std::vector<Line*> gone;
  for (const auto& [id, line] : lines_)
    if (!std::ranges::binary_search(stored, id, {}, &Budget::id)) gone.push_back(line);
  for (Line* line : gone) uninstall(*line);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const Line* known = line_of(stored[i].id);
    if (!known || known->budget != stored[i]) install(std::move(stored[i]), std::move(zones[i]));
  }
  return {};
}

Result<void> Book::reload_if_needed() {
  if (!reload_needed_) return {};
  TRY_VOID(reload());
  reload_needed_ = false;
  return {};
}

// A change may or may not have happened: nothing said before about what is left is believed.
void Book::distrust() {
  reload_needed_ = true;
  store::Lock lock(mutex_);
  ++news_;
}

Result<void> Book::put_budget(Budget budget) {
  TRY_VOID(check_budget(budget));
  TRY(auto in, zone(budget.time_zone));
  store::Lock asking(granting_);
  TRY_VOID(reload_if_needed());
  std::vector<Return> cuts;
  bool known = false;
  {
    store::Lock lock(mutex_);
    if (const Line* line = line_of(budget.id)) {
      const Budget& old = line->budget;
      if (old.node != budget.node || old.window != budget.window || old.time_zone != budget.time_zone)
        return refuse(Code::conflict,
                      "A budget's node, window and time zone cannot change: remove it and add another.");
      known = true;
      budget.created = old.created;
      // Whatever is not held goes back first, so that a lower limit fits as soon as it can.
      for (const auto& lease : line->leases) {
        if (!lease->asked) continue;
        if (lease->free() > 0) lease->granted -= lease->free();
        lease->left_until = Time{0};
        cuts.push_back({lease->number, lease->granted});
      }
    }
  }
  const bool blocks = is_blocking(budget);
  const auto answer = store_.write([&](store::Tx& tx) -> Result<void> {
    for (const Return& cut : cuts)
      TRY_VOID(cut_lease(tx, {epoch_, cut.number}, cut.target, LeaseFate::goes_on));
    if (known && !blocks) TRY_VOID(drop_leases(tx, budget.id));
    return write_budget(tx, budget);
  });
  if (!answer) {
    distrust();
    return answer;
  }
  store::Lock lock(mutex_);
  install(std::move(budget), std::move(in));
  return {};
}

Result<void> Book::remove_budget(std::string_view id) {
  store::Lock asking(granting_);
  TRY_VOID(reload_if_needed());
  {
    store::Lock lock(mutex_);
    if (!line_of(id)) return refuse(Code::not_found, "There is no such budget.");
  }
  const auto answer = store_.write([&](store::Tx& tx) { return delete_budget(tx, id); });
  if (!answer) {
    distrust();
    return answer;
  }
  store::Lock lock(mutex_);
  if (Line* line = line_of(id)) uninstall(*line);
  return {};
}

std::vector<Budget> Book::budgets() {
  std::vector<Budget> all;
  store::Lock lock(mutex_);
  all.reserve(lines_.size());
  for (const auto& [id, line] : lines_) all.push_back(line->budget);
  std::ranges::sort(all, by_node_and_id);
  return all;
}

Result<std::vector<BudgetView>> Book::snapshot(Time now, std::string_view at_node) {
  std::vector<BudgetView> views;
  for (Budget& budget : budgets()) {
    if (!at_node.empty() && budget.node != at_node) continue;
    TRY(const auto in, zone(budget.time_zone));
    const WindowSpan span = window_at(budget.window, *in, now);
    views.push_back({std::move(budget), span.from, span.to, {}, {}, {}});
  }
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    for (BudgetView& view : views) {
      TRY(const WindowRow row, see_window(tx, view.budget, {view.from, view.to}, usage_));
      view.settled = Nanousd{row.settled};
      view.leased = Nanousd{row.leased};
    }
    return {};
  }));
  store::Lock lock(mutex_);
  for (BudgetView& view : views) {
    const Line* line = line_of(view.budget.id);
    if (!line) continue;
    for (const auto& lease : line->leases)
      if (lease->span.from == view.from) view.held += Nanousd{lease->held};
  }
  return views;
}

}  // namespace claviger::ledger
