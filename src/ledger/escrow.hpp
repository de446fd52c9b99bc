// The ledger's rows in the store: budgets, their windows, and leases. Statements only; no memory. Internal.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ledger/calendar.hpp"
#include "ledger/ledger.hpp"

namespace claviger::ledger {

struct LeaseName {
  std::uint64_t epoch = 0;
  std::int64_t number = 0;
};

struct WindowRow {
  std::int64_t settled = 0, leased = 0;
  std::int64_t alerted = 0;  // highest threshold, in percent, that was told
  std::int64_t left(std::int64_t limit) const { return limit - settled - leased; }
};

struct LeaseRow {
  LeaseName name;
  Time since;  // holds reserved before are not counted in it
  std::int64_t granted = 0, reported = 0;
  bool ending = false;
};

struct LeaseMoney {
  std::int64_t granted = 0;
  std::int64_t beyond = 0;  // settled overruns of its requests
};

enum class LeaseFate : std::uint8_t { goes_on, ends };

Result<std::vector<Budget>> read_budgets(store::Tx& tx);
Result<std::vector<Budget>> read_budgets(store::Tx& tx, std::string_view node);
// nullopt: the budget is not there, or does not block.
Result<std::optional<std::int64_t>> blocking_limit(store::Tx& tx, std::string_view id);
Result<void> write_budget(store::Tx& tx, const Budget& budget);
Result<void> delete_budget(store::Tx& tx, std::string_view id);

// The window's row, made with what was spent before if there is none.
Result<WindowRow> open_window(store::Tx& tx, const Budget& budget, const WindowSpan& span,
                              const UsageSum& usage);
// The window's row as it is, or as open_window would make it.
Result<WindowRow> see_window(store::Tx& tx, const Budget& budget, const WindowSpan& span,
                             const UsageSum& usage);

// What the lease's row says; nullopt: no row.
Result<std::optional<LeaseMoney>> lease_money(store::Tx& tx, LeaseName name);
Result<void> insert_lease(store::Tx& tx, LeaseName name, std::string_view budget, Time from, Time since);
// Moves `by` between the limit and the lease; conflict when it would exceed the limit.
Result<void> grow_lease(store::Tx& tx, LeaseName name, std::int64_t by);
// Cuts the lease down to `target`, or to what is reported if that is more. No row: nothing to do.
Result<void> cut_lease(store::Tx& tx, LeaseName name, std::int64_t target, LeaseFate fate);
// Frees and deletes all leases of one budget; of all epochs before `epoch`.
Result<void> drop_leases(store::Tx& tx, std::string_view budget);
Result<void> drop_leases_before(store::Tx& tx, std::uint64_t epoch);

Result<std::vector<LeaseRow>> leases_of(store::Tx& tx, std::string_view budget, Time from);
// `by` was spent out of the lease: reported grows, the window's leased money shrinks. `beyond` was spent that
// no hold covered.
Result<void> report_lease(store::Tx& tx, LeaseName name, std::int64_t by, std::int64_t beyond);
// Adds to the window's settled money (never below 0) and notes the threshold told.
Result<void> settle_window(store::Tx& tx, std::string_view budget, Time from, std::int64_t by,
                           std::int64_t alerted);
Result<void> delete_ended(store::Tx& tx, std::string_view budget, Time from);

}  // namespace claviger::ledger
