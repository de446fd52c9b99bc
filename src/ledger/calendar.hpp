// Calendar windows: which hour, day, week or month of a time zone an instant belongs to.
#pragma once

#include "base/clock.hpp"
#include "base/zone.hpp"
#include "ledger/budget.hpp"

namespace claviger::ledger {

// [from, to). `to` of a total window is kNever.
struct WindowSpan {
  Time from, to;
  bool contains(Time t) const { return from <= t && t < to; }
  friend bool operator==(const WindowSpan&, const WindowSpan&) = default;
};

// The window `at` lies in. All windows of one kind and zone follow each other without gap or overlap,
// whatever daylight saving does: a day begins at the first instant at which its local midnight is reached or
// passed; hours are also cut where the offset changes. Times before 1970 belong to the window of
// 1970-01-01T00:00Z.
WindowSpan window_at(Window window, const Zone& zone, Time at);

}  // namespace claviger::ledger
