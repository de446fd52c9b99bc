// Tables alert and alert_due.
#include "steward/alert.hpp"

#include <fmt/format.h>

#include "store/store.hpp"

namespace claviger::steward {

const std::string_view kAlertSchema = R"(
CREATE TABLE IF NOT EXISTS alert (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
  budget TEXT NOT NULL,
  window_start INTEGER NOT NULL, threshold INTEGER NOT NULL, amount_nanousd INTEGER NOT NULL,
  limit_nanousd INTEGER NOT NULL, message TEXT NOT NULL,
  disposition TEXT NOT NULL DEFAULT '', disposed_by TEXT NOT NULL DEFAULT '', disposed_at INTEGER,
  UNIQUE (kind, subject, budget, window_start, threshold)
) STRICT;
CREATE TABLE IF NOT EXISTS alert_due (
  at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, budget TEXT NOT NULL,
  window_start INTEGER NOT NULL, threshold INTEGER NOT NULL, amount_nanousd INTEGER NOT NULL,
  limit_nanousd INTEGER NOT NULL, message TEXT NOT NULL,
  PRIMARY KEY (kind, subject, budget, window_start, threshold)
) STRICT, WITHOUT ROWID;
)";

namespace {

AlertRow read_row(const store::Row& row) {
  AlertRow alert;
  alert.id = row.integer(0);
  alert.at = {row.integer(1)};
  alert.kind = row.text(2);
  alert.subject = row.text(3);
  alert.budget = row.text(4);
  alert.window_start = {row.integer(5)};
  alert.threshold = row.integer(6);
  alert.amount_nanousd = {row.integer(7)};
  alert.limit_nanousd = {row.integer(8)};
  alert.message = row.text(9);
  alert.disposition = row.text(10);
  alert.disposed_by = row.text(11);
  if (!row.null(12)) alert.disposed_at = Time{row.integer(12)};
  return alert;
}

}  // namespace

Result<std::vector<AlertRow>> alerts(store::Store& store, AlertState state, std::size_t limit) {
  std::vector<AlertRow> out;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query(
            "SELECT id, at, kind, subject, budget, window_start, threshold, amount_nanousd, limit_nanousd, "
            "message, disposition, disposed_by, disposed_at FROM alert "
            "WHERE ?1 = 0 OR (?1 = 1) = (disposed_at IS NULL) ORDER BY id DESC LIMIT ?2",
            {static_cast<std::int64_t>(state), static_cast<std::int64_t>(limit)}));
    for (const store::Row& row : rows) out.push_back(read_row(row));
    return {};
  }));
  return out;
}

Result<void> dispose_alert(store::Tx& tx, std::int64_t id, std::string_view by, std::string_view disposition,
                           Time at) {
  TRY(const auto rows, tx.query("SELECT disposed_at FROM alert WHERE id = ?1", {id}));
  if (rows.empty()) return refuse(Code::not_found, fmt::format("There is no alert {}.", id));
  if (!rows[0].null(0))
    return refuse(Code::conflict,
                  fmt::format("Alert {} already has a disposition; it is kept as it is.", id));
  TRY(const std::int64_t changed,
      tx.run("UPDATE alert SET disposition = ?2, disposed_by = ?3, disposed_at = ?4 WHERE id = ?1",
             {id, store::value(disposition), store::value(by), at.ns}));
  static_cast<void>(changed);  // one: it was just found in this transaction
  return {};
}

journal::Alert DueAlert::record() const {
  return {at, kind, subject, budget, window_start, threshold, amount_nanousd, limit_nanousd, message};
}

std::string DueAlert::identity() const {
  return fmt::format("{}|{}|{}|{}|{}", kind, subject, budget, window_start.ns, threshold);
}

DueAlert budget_alert(const ledger::Crossing& crossing, Time at) {
  const ledger::Budget& budget = crossing.budget;
  const Nanousd limit = budget.limit.value_or(Nanousd{});
  return {at,
          "budget_threshold",
          budget.node,
          budget.id,
          crossing.from,
          crossing.percent,
          crossing.settled,
          limit,
          fmt::format("Budget {} of {}: {} USD of {} USD this {} are spent, {} percent was to be told.",
                      budget.id, budget.node, format_usd(crossing.settled), format_usd(limit),
                      ledger::window_name(budget.window), crossing.percent)};
}

DueAlert damage_alert(std::string_view segment, std::string_view what, Time at) {
  return {
      at, "journal_damage", std::string(segment), {}, {}, 0, {}, {}, fmt::format("{}: {}", segment, what)};
}

DueAlert credential_alert(std::string_view credential, Time month, Nanousd spent, Nanousd limit, Time at) {
  return {at,
          "credential_spend",
          fmt::format("credential:{}", credential),
          {},
          month,
          100,
          spent,
          limit,
          fmt::format("Credential {} has cost {} USD this month; its spend alert is at {} USD.", credential,
                      format_usd(spent), format_usd(limit))};
}

Result<void> note_due(store::Tx& tx, const DueAlert& due) {
  TRY(const std::int64_t noted,
      tx.run("INSERT OR IGNORE INTO alert_due (at, kind, subject, budget, window_start, threshold, "
             "amount_nanousd, "
             "limit_nanousd, message) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 "
             "FROM alert "
             "WHERE kind = ?2 AND subject = ?3 AND budget = ?4 AND window_start = ?5 AND threshold = ?6)",
             {due.at.ns, due.kind, due.subject, due.budget, due.window_start.ns, due.threshold,
              due.amount_nanousd.value, due.limit_nanousd.value, due.message}));
  static_cast<void>(noted);
  return {};
}

Result<std::vector<DueAlert>> due_alerts(store::Tx& tx) {
  TRY(const auto rows,
      tx.query("SELECT at, kind, subject, budget, window_start, threshold, amount_nanousd, "
               "limit_nanousd, message FROM alert_due ORDER BY at, kind, subject, threshold"));
  std::vector<DueAlert> due;
  for (const store::Row& row : rows)
    due.push_back({{row.integer(0)},
                   row.text(1),
                   row.text(2),
                   row.text(3),
                   {row.integer(4)},
                   row.integer(5),
                   {row.integer(6)},
                   {row.integer(7)},
                   row.text(8)});
  return due;
}

Result<void> raise_alert(store::Tx& tx, const journal::Alert& alert) {
  const std::vector<store::Value> identity{store::value(alert.kind), store::value(alert.subject),
                                           store::value(alert.budget), alert.window_start.ns,
                                           alert.threshold};
  std::vector<store::Value> all = identity;
  all.insert(all.end(), {alert.at.ns, alert.amount_nanousd.value, alert.limit_nanousd.value,
                         store::value(alert.message)});
  TRY(const std::int64_t added,
      tx.run(
          "INSERT OR IGNORE INTO alert (kind, subject, budget, window_start, threshold, at, amount_nanousd, "
          "limit_nanousd, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
          std::move(all)));
  TRY(const std::int64_t taken,
      tx.run("DELETE FROM alert_due WHERE kind = ?1 AND subject = ?2 AND budget = ?3 AND window_start = ?4 "
             "AND threshold = ?5",
             identity));
  static_cast<void>(added + taken);  // either may be nothing: a record can come twice
  return {};
}

}  // namespace claviger::steward
