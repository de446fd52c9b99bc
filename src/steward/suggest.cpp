// Asking the derived tables what one key did.
#include "steward/suggest.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/limits.hpp"
#include "ledger/calendar.hpp"
#include "store/store.hpp"

namespace claviger::steward {

const std::string_view kAddressSchema = R"(
CREATE TABLE IF NOT EXISTS usage_address (
  day INTEGER NOT NULL, key TEXT NOT NULL, address TEXT NOT NULL, requests INTEGER NOT NULL,
  PRIMARY KEY (day, key, address)
) STRICT, WITHOUT ROWID;
)";

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kQuarter = 900;

std::int64_t day_of(Time time) { return time.ns / kSecond / kDay; }

std::vector<std::string> sorted(const std::set<std::string>& texts) { return {texts.begin(), texts.end()}; }

// How the use lay in time, hour by hour.
Result<void> read_hours(store::Tx& tx, std::string_view key, Time from, Time to, KeyUse& use) {
  TRY(const auto rows, tx.query("SELECT hour, sum(requests), "
                                "sum(tool_calls + file_searches + code_sessions) FROM usage "
                                "WHERE key = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY hour ORDER BY hour",
                                {store::value(key), day_of(from) * kDay, to.ns / kSecond}));
  for (const store::Row& row : rows) {
    use.hours.push_back({row.integer(0) * kSecond});
    use.busiest_requests = std::max(use.busiest_requests, row.integer(1));
    use.hosted_calls += row.integer(2);
  }
  return {};
}

}  // namespace

void AddressBatch::add(const journal::Receipt& receipt) {
  const std::int64_t day = day_of(receipt.intent_at);
  const auto is_newest = [&] {
    const auto& [known_day, key, address] = newest_->first;
    return known_day == day && key == receipt.key && address == receipt.ip;
  };
  if (newest_ == nullptr || !is_newest())
    newest_ = &*counts_.try_emplace({day, std::string(receipt.key), std::string(receipt.ip)}).first;
  ++newest_->second;
}

Result<void> AddressBatch::apply(store::Tx& tx) const {
  std::int64_t newest = 0;
  for (const auto& [place, requests] : counts_) {
    const auto& [day, key, address] = place;
    newest = std::max(newest, day);
    TRY(const std::int64_t known,
        tx.run(
            "UPDATE usage_address SET requests = requests + ?4 WHERE day = ?1 AND key = ?2 AND address = ?3",
            {day, key, address, requests}));
    if (known > 0) continue;
    TRY(const auto rows,
        tx.query("SELECT count(*) FROM usage_address WHERE day = ?1 AND key = ?2 AND address != ''",
                 {day, key}));
    const bool room = rows.at(0).integer(0) < limits::kUsedAddresses;
    TRY_VOID(
        tx.run("INSERT INTO usage_address (day, key, address, requests) VALUES (?1, ?2, ?3, ?4) "
               "ON CONFLICT (day, key, address) DO UPDATE SET requests = requests + excluded.requests",
               {day, key, room ? address : std::string(), requests}));
  }
  if (counts_.empty()) return {};
  TRY_VOID(tx.run("DELETE FROM usage_address WHERE day < ?1", {newest - limits::kSuggestDays}));
  return {};
}

Result<KeyUse> key_use(store::Store& store, std::string_view key, Time from, Time to) {
  KeyUse use;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    use = {};
    TRY(const auto rows,
        tx.query("SELECT model, endpoint, sum(requests), sum(cost_nanousd), max(hour) FROM usage "
                 "WHERE key = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY model, endpoint",
                 {store::value(key), day_of(from) * kDay, to.ns / kSecond}));
    std::set<std::string> models;
    std::set<std::string> endpoints;
    for (const store::Row& row : rows) {
      if (!row.text(0).empty()) models.insert(row.text(0));
      endpoints.insert(row.text(1));
      use.requests += row.integer(2);
      use.cost = saturating_add(use.cost, {row.integer(3)});
      use.last_used = std::max(use.last_used, Time{row.integer(4) * kSecond});
    }
    TRY_VOID(read_hours(tx, key, from, to, use));
    use.models = sorted(models);
    use.endpoints = sorted(endpoints);
    TRY(const auto places,
        tx.query(
            "SELECT address, sum(requests) FROM usage_address WHERE day >= ?2 AND day <= ?3 AND key = ?1 "
            "GROUP BY address ORDER BY address",
            {store::value(key), day_of(from), day_of(to)}));
    std::int64_t counted = 0;
    for (const store::Row& row : places) {
      if (row.text(0).empty()) continue;
      counted += row.integer(1);
      use.addresses.push_back(row.text(0));
    }
    use.all_addresses = counted == use.requests;
    return {};
  }));
  return use;
}

Result<Nanousd> peak_spend(store::Store& store, std::string_view key, ledger::Window window,
                           const std::string& time_zone, Time from, Time to) {
  TRY(const Zone zone, Zone::load(time_zone));
  std::map<std::int64_t, Nanousd> windows;  // by their beginning
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    windows.clear();
    TRY(const auto rows,
        tx.query("SELECT hour, sum(cost_q0), sum(cost_q1), sum(cost_q2), sum(cost_q3) FROM usage "
                 "WHERE (key = ?1 OR key IN (SELECT key FROM usage_lineage WHERE above = ?1)) "
                 "AND hour >= ?2 AND hour < ?3 GROUP BY hour",
                 {store::value(key), from.ns / kSecond / kHour * kHour, to.ns / kSecond}));
    for (const store::Row& row : rows)
      for (std::int64_t quarter = 0; quarter < 4; ++quarter) {
        const Nanousd cost{row.integer(static_cast<std::size_t>(quarter) + 1)};
        if (cost.value == 0) continue;
        const Time at{(row.integer(0) + quarter * kQuarter) * kSecond};
        Nanousd& sum = windows[ledger::window_at(window, zone, at).from.ns];
        sum = saturating_add(sum, cost);
      }
    return {};
  }));
  Nanousd peak;
  for (const auto& [begin, sum] : windows) peak = std::max(peak, sum);
  return peak;
}

}  // namespace claviger::steward
