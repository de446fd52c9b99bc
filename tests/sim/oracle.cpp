// Sums over all requests: slow, and too simple to be wrong.
#include "oracle.hpp"

#include <algorithm>
#include <set>

namespace claviger::sim {

bool counts_for(std::string_view key, const ledger::AccountPath& path) {
  return path.key == key || std::ranges::find(path.above, key) != path.above.end();
}

bool concerns(const ledger::Budget& budget, const ledger::AccountPath& path) {
  constexpr std::string_view kKey = "key:";
  return budget.node == "org" || budget.node == "team:" + path.team ||
         budget.node == "project:" + path.project ||
         (budget.node.starts_with(kKey) && counts_for(budget.node.substr(kKey.size()), path));
}

ledger::WindowSpan window_of(const ledger::Budget& budget, Time at) {
  static std::map<std::string, Zone> zones;
  auto found = zones.find(budget.time_zone);
  if (found == zones.end())
    found = zones.emplace(budget.time_zone, Zone::load(budget.time_zone).value()).first;
  return ledger::window_at(budget.window, found->second, at);
}

void Oracle::follow(const std::vector<ledger::Budget>& budgets) {
  std::set<std::string, std::less<>> blocking;
  for (const ledger::Budget& budget : budgets) {
    if (!is_blocking(budget)) continue;
    blocking.insert(budget.id);
    const auto [at, fresh] = watched_.try_emplace(budget.id);
    at->second.budget = budget;
    if (fresh) at->second.counts_from = requests.size();
  }
  std::erase_if(watched_, [&](const auto& one) { return !blocking.contains(one.first); });
}

std::int64_t Oracle::committed(const Watched& watched, Time at) const {
  const ledger::WindowSpan span = window_of(watched.budget, at);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Request& one = requests[i];
    if (!span.contains(one.reserved_at) || !concerns(watched.budget, one.path)) continue;
    if (one.state == State::dropped || (i < watched.counts_from && !one.derived)) continue;
    sum += one.state == State::charged ? one.cost : one.worst;
  }
  return sum;
}

std::int64_t Oracle::charged(const ledger::Budget& budget, const ledger::WindowSpan& span) const {
  std::int64_t sum = 0;
  for (const Request& one : requests)
    if (one.state == State::charged && span.contains(one.reserved_at) && concerns(budget, one.path))
      sum += one.cost;
  return sum;
}

std::int64_t Oracle::billed(const ledger::Budget& budget, const ledger::WindowSpan& span) const {
  std::int64_t sum = 0;
  for (const Request& one : requests)
    if (span.contains(one.reserved_at) && concerns(budget, one.path)) sum += one.billed;
  return sum;
}

std::int64_t Oracle::uncovered(const Watched& watched, const ledger::WindowSpan& span) const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Request& one = requests[i];
    if (one.derived || !span.contains(one.reserved_at) || !concerns(watched.budget, one.path)) continue;
    sum += i < watched.counts_from ? one.billed : std::max(one.billed - one.worst, std::int64_t{0});
  }
  return sum;
}

Minute Oracle::minute(std::string_view key, std::uint64_t epoch, Time now, std::int64_t seconds) const {
  Minute sum;
  for (const Request& one : requests) {
    if (!counts_for(key, one.path) || one.epoch != epoch || (!one.in_flight() && !one.sent)) continue;
    if (one.in_flight()) ++sum.in_flight;
    if (one.at.ns > now.ns || one.at.ns <= now.ns - seconds * 1'000'000'000) continue;
    ++sum.requests;
    sum.tokens += one.tokens;
  }
  return sum;
}

}  // namespace claviger::sim
