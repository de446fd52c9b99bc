// SQL of the ledger. The ceiling is checked twice: by the statement that grants, and by a trigger.
#include "ledger/escrow.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

namespace claviger::ledger {

const std::string_view kSchema = R"sql(
CREATE TABLE IF NOT EXISTS budget (
  id TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  kind TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  limit_nanousd INTEGER CHECK (limit_nanousd >= 0),
  action TEXT NOT NULL,
  alert_at TEXT NOT NULL,
  created_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS budget_by_node ON budget (node);
CREATE TABLE IF NOT EXISTS budget_window (
  budget TEXT NOT NULL REFERENCES budget (id),
  from_ns INTEGER NOT NULL,
  to_ns INTEGER NOT NULL,
  settled INTEGER NOT NULL CHECK (settled >= 0),
  leased INTEGER NOT NULL CHECK (leased >= 0),
  alerted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (budget, from_ns)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lease (
  epoch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  budget TEXT NOT NULL,
  from_ns INTEGER NOT NULL,
  since_ns INTEGER NOT NULL,
  granted INTEGER NOT NULL,
  reported INTEGER NOT NULL CHECK (reported >= 0 AND granted >= reported),
  beyond INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('open', 'ending')),
  PRIMARY KEY (epoch, number),
  FOREIGN KEY (budget, from_ns) REFERENCES budget_window (budget, from_ns)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lease_by_window ON lease (budget, from_ns, epoch, number);
CREATE TRIGGER IF NOT EXISTS budget_window_ceiling BEFORE UPDATE OF leased ON budget_window
WHEN NEW.leased > OLD.leased
  AND NEW.settled + NEW.leased > (SELECT limit_nanousd FROM budget WHERE id = NEW.budget)
BEGIN
  SELECT RAISE(ABORT, 'a lease would exceed the budget');
END;
)sql";

namespace {

using store::Row;
using store::Tx;
using store::value;

std::int64_t number_of(std::uint64_t epoch) { return static_cast<std::int64_t>(epoch); }

Result<Budget> to_budget(const Row& row) {
  Budget budget;
  budget.id = row.text(0);
  budget.node = row.text(1);
  const auto window = window_named(row.text(2));
  budget.time_zone = row.text(3);
  if (const auto limit = row.maybe_integer(4)) budget.limit = Nanousd{*limit};
  const auto action = action_named(row.text(5));
  if (!window || !action)
    return fail(Code::corrupt, fmt::format("budget {} has an unknown window or action", row.text(0)));
  budget.window = *window;
  budget.action = *action;
  const std::string& at = row.text(6);
  const char* from = at.data();
  const char* const end = from + at.size();
  for (int percent = 0; from < end;) {
    const auto [next, error] = std::from_chars(from, end, percent);
    if (error != std::errc{})
      return fail(Code::corrupt, fmt::format("budget {} has broken thresholds", row.text(0)));
    budget.alert_at.push_back(percent);
    from = next + (next < end ? 1 : 0);
  }
  budget.created = Time{row.integer(7)};
  return budget;
}

Result<std::vector<Budget>> to_budgets(const std::vector<Row>& rows) {
  std::vector<Budget> budgets;
  budgets.reserve(rows.size());
  for (const Row& row : rows) {
    TRY(Budget budget, to_budget(row));
    budgets.push_back(std::move(budget));
  }
  return budgets;
}

Result<void> expect_one(Result<std::int64_t> changed, std::string_view what) {
  if (!changed) return std::unexpected(std::move(changed).error());
  if (*changed != 1) return fail(Code::conflict, std::string(what));
  return {};
}

}  // namespace

Result<std::vector<Budget>> read_budgets(Tx& tx) {
  TRY(const auto rows,
      tx.query("SELECT id, node, kind, time_zone, limit_nanousd, action, alert_at, created_ns "
               "FROM budget ORDER BY id"));
  return to_budgets(rows);
}

Result<std::vector<Budget>> read_budgets(Tx& tx, std::string_view node) {
  TRY(const auto rows,
      tx.query("SELECT id, node, kind, time_zone, limit_nanousd, action, alert_at, created_ns "
               "FROM budget WHERE node = ?1 ORDER BY id",
               {value(node)}));
  return to_budgets(rows);
}

Result<std::optional<std::int64_t>> blocking_limit(Tx& tx, std::string_view id) {
  TRY(const auto rows,
      tx.query("SELECT limit_nanousd FROM budget WHERE id = ?1 AND action = 'block'", {value(id)}));
  if (rows.empty()) return std::nullopt;
  return rows[0].maybe_integer(0);
}

Result<void> write_budget(Tx& tx, const Budget& budget) {
  return expect_one(
      tx.run("INSERT INTO budget (id, node, kind, time_zone, limit_nanousd, action, alert_at, created_ns) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO UPDATE SET "
             "limit_nanousd = excluded.limit_nanousd, action = excluded.action, alert_at = excluded.alert_at",
             {value(budget.id), value(budget.node), value(window_name(budget.window)),
              value(budget.time_zone), value(budget.limit), value(action_name(budget.action)),
              value(fmt::format("{}", fmt::join(budget.alert_at, ","))), budget.created.ns}),
      "the budget was not written");
}

Result<void> delete_budget(Tx& tx, std::string_view id) {
  TRY_VOID(tx.run("DELETE FROM lease WHERE budget = ?1", {value(id)}));
  TRY_VOID(tx.run("DELETE FROM budget_window WHERE budget = ?1", {value(id)}));
  TRY_VOID(tx.run("DELETE FROM budget WHERE id = ?1", {value(id)}));
  return {};
}

Result<WindowRow> see_window(Tx& tx, const Budget& budget, const WindowSpan& span, const UsageSum& usage) {
  TRY(const auto rows,
      tx.query("SELECT settled, leased, alerted FROM budget_window WHERE budget = ?1 AND from_ns = ?2",
               {value(budget.id), span.from.ns}));
  if (!rows.empty()) return WindowRow{rows[0].integer(0), rows[0].integer(1), rows[0].integer(2)};
  if (!usage) return WindowRow{};
  TRY(const Nanousd spent, usage(tx, budget.node, span.from, span.to));
  return WindowRow{spent.value, 0, 0};
}

Result<WindowRow> open_window(Tx& tx, const Budget& budget, const WindowSpan& span, const UsageSum& usage) {
  TRY(const WindowRow row, see_window(tx, budget, span, usage));
  TRY_VOID(
      tx.run("INSERT INTO budget_window (budget, from_ns, to_ns, settled, leased) VALUES (?1, ?2, ?3, ?4, 0) "
             "ON CONFLICT DO NOTHING",
             {value(budget.id), span.from.ns, span.to.ns, row.settled}));
  return row;
}

Result<std::optional<LeaseMoney>> lease_money(Tx& tx, LeaseName name) {
  TRY(const auto rows, tx.query("SELECT granted, beyond FROM lease WHERE epoch = ?1 AND number = ?2",
                                {number_of(name.epoch), name.number}));
  if (rows.empty()) return std::nullopt;
  return LeaseMoney{rows[0].integer(0), rows[0].integer(1)};
}

Result<void> insert_lease(Tx& tx, LeaseName name, std::string_view budget, Time from, Time since) {
  return expect_one(
      tx.run("INSERT INTO lease (epoch, number, budget, from_ns, since_ns, granted, reported, state) "
             "VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 'open')",
             {number_of(name.epoch), name.number, value(budget), from.ns, since.ns}),
      "the lease was not written");
}

Result<void> grow_lease(Tx& tx, LeaseName name, std::int64_t by) {
  TRY_VOID(expect_one(tx.run("UPDATE budget_window SET leased = leased + ?3 FROM lease l "
                             "WHERE l.epoch = ?1 AND l.number = ?2 AND budget_window.budget = l.budget "
                             "AND budget_window.from_ns = l.from_ns AND (?3 <= 0 OR settled + leased + ?3 <= "
                             "(SELECT limit_nanousd FROM budget WHERE id = l.budget))",
                             {number_of(name.epoch), name.number, by}),
                      "the lease would exceed the budget"));
  return expect_one(tx.run("UPDATE lease SET granted = granted + ?3 WHERE epoch = ?1 AND number = ?2",
                           {number_of(name.epoch), name.number, by}),
                    "the lease is gone");
}

Result<void> cut_lease(Tx& tx, LeaseName name, std::int64_t target, LeaseFate fate) {
  TRY(const auto rows,
      tx.query("SELECT granted, reported, budget, from_ns FROM lease WHERE epoch = ?1 AND number = ?2",
               {number_of(name.epoch), name.number}));
  if (rows.empty()) return {};
  const std::int64_t granted = rows[0].integer(0);
  const std::int64_t keep = std::max(rows[0].integer(1), target);
  if (keep < granted) TRY_VOID(grow_lease(tx, name, keep - granted));
  if (fate == LeaseFate::goes_on) return {};
  TRY_VOID(tx.run("UPDATE lease SET state = 'ending' WHERE epoch = ?1 AND number = ?2",
                  {number_of(name.epoch), name.number}));
  return delete_ended(tx, rows[0].text(2), Time{rows[0].integer(3)});
}

Result<void> drop_leases(Tx& tx, std::string_view budget) {
  TRY_VOID(tx.run("UPDATE budget_window SET leased = 0 WHERE budget = ?1 AND leased > 0", {value(budget)}));
  TRY_VOID(tx.run("DELETE FROM lease WHERE budget = ?1", {value(budget)}));
  return {};
}

Result<void> drop_leases_before(Tx& tx, std::uint64_t epoch) {
  TRY_VOID(
      tx.run("UPDATE budget_window SET leased = leased - l.open FROM "
             "(SELECT budget, from_ns, sum(granted - reported) AS open FROM lease WHERE epoch < ?1 "
             "GROUP BY budget, from_ns) l "
             "WHERE budget_window.budget = l.budget AND budget_window.from_ns = l.from_ns",
             {number_of(epoch)}));
  TRY_VOID(tx.run("DELETE FROM lease WHERE epoch < ?1", {number_of(epoch)}));
  return {};
}

Result<std::vector<LeaseRow>> leases_of(Tx& tx, std::string_view budget, Time from) {
  TRY(const auto rows,
      tx.query("SELECT epoch, number, since_ns, granted, reported, state = 'ending' FROM lease "
               "WHERE budget = ?1 AND from_ns = ?2 ORDER BY epoch, number",
               {value(budget), from.ns}));
  std::vector<LeaseRow> leases;
  for (const Row& row : rows)
    leases.push_back({{static_cast<std::uint64_t>(row.integer(0)), row.integer(1)},
                      Time{row.integer(2)},
                      row.integer(3),
                      row.integer(4),
                      row.integer(5) != 0});
  return leases;
}

Result<void> report_lease(Tx& tx, LeaseName name, std::int64_t by, std::int64_t beyond) {
  TRY_VOID(tx.run(
      "UPDATE budget_window SET leased = leased - ?3 FROM lease l WHERE l.epoch = ?1 AND l.number = ?2 "
      "AND budget_window.budget = l.budget AND budget_window.from_ns = l.from_ns",
      {number_of(name.epoch), name.number, by}));
  return expect_one(tx.run("UPDATE lease SET reported = reported + ?3, beyond = beyond + ?4 "
                           "WHERE epoch = ?1 AND number = ?2",
                           {number_of(name.epoch), name.number, by, beyond}),
                    "the lease is gone");
}

Result<void> settle_window(Tx& tx, std::string_view budget, Time from, std::int64_t by,
                           std::int64_t alerted) {
  return expect_one(tx.run("UPDATE budget_window SET settled = max(0, settled + ?3), alerted = ?4 "
                           "WHERE budget = ?1 AND from_ns = ?2",
                           {value(budget), from.ns, by, alerted}),
                    "the window is gone");
}

Result<void> delete_ended(Tx& tx, std::string_view budget, Time from) {
  TRY_VOID(tx.run(
      "DELETE FROM lease WHERE budget = ?1 AND from_ns = ?2 AND state = 'ending' AND reported >= granted",
      {value(budget), from.ns}));
  return {};
}

}  // namespace claviger::ledger
