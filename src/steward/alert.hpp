// Alerts: when a budget crosses a threshold or the journal is damaged, and what was done about it.
//
// An alert is a journal record first; its row in table `alert` is derived from that record, once per
// (kind, subject, budget, window, threshold).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "journal/record.hpp"
#include "ledger/ledger.hpp"

namespace claviger::steward {

extern const std::string_view kAlertSchema;

struct AlertRow {
  std::int64_t id = 0;
  Time at;
  std::string kind, subject, budget;
  Time window_start;
  std::int64_t threshold = 0;
  Nanousd amount_nanousd;
  Nanousd limit_nanousd;
  std::string message;
  // What was found out about it: empty until somebody has looked.
  std::string disposition, disposed_by;
  std::optional<Time> disposed_at;
};

enum class AlertState : std::uint8_t { any, open, disposed };

// Newest first.
Result<std::vector<AlertRow>> alerts(store::Store& store, AlertState state = AlertState::any,
                                     std::size_t limit = 1'000);
// Records what was found out. not_found without such an alert, conflict when it was disposed of before.
Result<void> dispose_alert(store::Tx& tx, std::int64_t id, std::string_view by, std::string_view disposition,
                           Time at);

// An alert that is due and not yet derived from the journal. It waits in table `alert_due` between the
// transaction that found it and the one that derives its record, so that a crash in between neither loses nor
// doubles it.
struct DueAlert {
  Time at;
  std::string kind, subject, budget;
  Time window_start;
  std::int64_t threshold = 0;
  Nanousd amount_nanousd;
  Nanousd limit_nanousd;
  std::string message;

  journal::Alert record() const;
  // What makes it the same alert as another.
  std::string identity() const;
};

DueAlert budget_alert(const ledger::Crossing& crossing, Time at);
DueAlert damage_alert(std::string_view segment, std::string_view what, Time at);
// A credential whose spend in the UTC calendar month has reached its spend alert.
DueAlert credential_alert(std::string_view credential, Time month, Nanousd spent, Nanousd limit, Time at);

// Notes it as due; nothing when it is, or has been raised before.
Result<void> note_due(store::Tx& tx, const DueAlert& due);
// Those not yet derived, oldest first.
Result<std::vector<DueAlert>> due_alerts(store::Tx& tx);
// Adds the row of an alert record and takes it off the due ones; nothing when it is there.
Result<void> raise_alert(store::Tx& tx, const journal::Alert& alert);

}  // namespace claviger::steward
