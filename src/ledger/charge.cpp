// Charging what the journal says to the windows it was reserved in: the only place where settled money grows.
#include <algorithm>
#include <map>
#include <ranges>
#include <tuple>

#include "ledger/book.hpp"
#include "ledger/escrow.hpp"

namespace claviger::ledger {

// All receipts of a batch that fall into one window of one budget.
struct Charge {
  const Budget* budget = nullptr;
  WindowSpan span;
  std::vector<const Posted*> posts;
};

namespace {

using store::Tx;

__extension__ typedef __int128 Wide;  // a percentage of any int64

struct WindowName {
  std::string budget;
  Time from;
  auto operator<=>(const WindowName&) const = default;
};

using PathName = std::tuple<std::string_view, std::string_view, std::string_view>;
PathName name_of(const AccountPath& path) { return {path.key, path.project, path.team}; }

// What a lease is told of a batch: money it had granted, and money beyond that.
struct Report {
  std::int64_t within = 0, beyond = 0;
};

// Takes a receipt's cost out of the leases it can have been held in: those of its epoch that already counted
// then. What it cost beyond its hold is told to the newest: older ones end only when that is settled.
void spread(const Posted& posted, const std::vector<LeaseRow>& leases, std::vector<Report>& reports) {
  const std::int64_t cost = posted.cost.value;
  std::int64_t rest = std::min(cost, posted.hold.value);
  const std::int64_t overrun = cost - rest;
  Report* newest = nullptr;
  for (std::size_t i = 0; i < leases.size() && cost > 0; ++i) {
    const LeaseRow& lease = leases[i];
    if (lease.name.epoch != posted.epoch || posted.reserved_at < lease.since) continue;
    const std::int64_t part = std::min(rest, lease.granted - lease.reported - reports[i].within);
    reports[i].within += part;
    rest -= part;
    newest = &reports[i];
  }
  if (newest) newest->beyond += std::max(overrun, std::int64_t{0});
}

std::vector<std::string> nodes_of(const AccountPath& path) {
  std::vector<std::string> nodes{"org"};
  if (!path.team.empty()) nodes.push_back("team:" + path.team);
  if (!path.project.empty()) nodes.push_back("project:" + path.project);
  for (const std::string& above : path.above) nodes.push_back("key:" + above);
  if (!path.key.empty()) nodes.push_back("key:" + path.key);
  return nodes;
}

// Whether the window is over its limit afterwards.
enum class Outcome : std::uint8_t { within, over };

Result<Outcome> charge_window(Tx& tx, const Charge& charge, const UsageSum& usage,
                              std::vector<Crossing>* crossed) {
  const Budget& budget = *charge.budget;
  TRY(WindowRow row, open_window(tx, budget, charge.span, usage));
  TRY(const auto leases, leases_of(tx, budget.id, charge.span.from));
  std::vector<Report> reports(leases.size());
  std::int64_t cost = 0;
  for (const Posted* posted : charge.posts) {
    cost += posted->cost.value;
    spread(*posted, leases, reports);
  }
  row.settled = std::max(std::int64_t{0}, row.settled + cost);
  for (const int percent : budget.alert_at) {
    if (!budget.limit || percent <= row.alerted) continue;
    if (static_cast<Wide>(row.settled) * 100 < static_cast<Wide>(budget.limit->value) * percent) break;
    row.alerted = percent;
    if (crossed)
      crossed->push_back({budget, charge.span.from, charge.span.to, percent, Nanousd{row.settled}});
  }
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const auto [within, beyond] = reports[i];
    if (within == 0 && beyond == 0) continue;
    TRY_VOID(report_lease(tx, leases[i].name, within, beyond));
    row.leased -= within;
  }
  TRY_VOID(settle_window(tx, budget.id, charge.span.from, cost, row.alerted));
  if (std::ranges::any_of(leases, &LeaseRow::ending)) TRY_VOID(delete_ended(tx, budget.id, charge.span.from));
  return is_blocking(budget) && row.left(budget.limit->value) < 0 ? Outcome::over : Outcome::within;
}

}  // namespace

// The budgets above an account, read once a batch.
Result<void> Book::lay_out(Tx& tx, const AccountPath& path, BudgetsByNode& known,
                           std::vector<Course>& course) {
  for (const std::string& at_node : nodes_of(path)) {
    auto found = known.find(at_node);
    if (found == known.end()) {
      TRY(auto there, read_budgets(tx, at_node));
      found = known.emplace(at_node, std::move(there)).first;
    }
    for (const Budget& budget : found->second) {
      TRY(auto in, zone(budget.time_zone));
      course.push_back({&budget, std::move(in), nullptr});
    }
  }
  return {};
}

Result<void> Book::apply(Tx& tx, std::span<const Posted> posted, std::vector<Crossing>* crossed) {
  BudgetsByNode budgets_of;
  std::map<WindowName, Charge> charges;
  std::map<PathName, std::vector<Course>> courses;
  std::vector<Course>* course = nullptr;
  const AccountPath* last = nullptr;
  for (const Posted& one : posted) {
    if (last == nullptr || !(*last == one.path)) {
      last = &one.path;
      const auto [found, fresh] = courses.try_emplace(name_of(one.path));
      course = &found->second;
      if (fresh) TRY_VOID(lay_out(tx, one.path, budgets_of, *course));
    }
    for (Course& to : *course) {
      if (to.charge == nullptr || !to.charge->span.contains(one.reserved_at)) {
        const WindowSpan span = window_at(to.budget->window, *to.zone, one.reserved_at);
        to.charge = &charges[{to.budget->id, span.from}];
        to.charge->budget = to.budget;
        to.charge->span = span;
      }
      to.charge->posts.push_back(&one);
    }
  }
  std::vector<WindowName> over;
  for (const auto& [name, charge] : charges) {
    TRY(const Outcome outcome, charge_window(tx, charge, usage_, crossed));
    if (outcome == Outcome::over) over.push_back(name);
  }
  if (over.empty()) return {};
  store::Lock lock(mutex_);
  for (const WindowName& window : over) {
    Line* line = line_of(window.budget);
    if (!line) continue;
    for (const auto& lease : line->leases)
      if (lease->span.from == window.from) lease->recall = true;
  }
  return {};
}

Result<void> Book::recover(Tx& tx, std::uint64_t epoch) {
  TRY_VOID(drop_leases_before(tx, epoch));
  store::Lock lock(mutex_);
  ++news_;
  return {};
}

}  // namespace claviger::ledger
