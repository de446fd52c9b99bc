// What a budget is: a node, a calendar window, a limit and what happens when it is reached.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "base/result.hpp"

namespace claviger::ledger {

// Calendar windows: each begins at a local midnight (hour: at a full local hour) of the budget's time zone.
// Weeks begin on Monday. `total` never ends.
enum class Window : std::uint8_t { hour, day, week, month, total };

// block: a request that might exceed the limit is refused. alert: it is only told.
enum class Action : std::uint8_t { block, alert };

struct Budget {
  std::string id;    // chosen by whoever creates it; unique
  std::string node;  // "org", "team:T", "project:P" or "key:ID"
  Window window = Window::day;
  std::string time_zone = "UTC";  // "UTC", "+05:30" or an IANA name such as "Europe/Berlin"
  std::optional<Nanousd> limit;   // none: no limit; 0: nothing may be spent, not even a free request
  Action action = Action::block;
  std::vector<int> alert_at;  // percent of the limit, ascending, 1..1000
  Time created;

  friend bool operator==(const Budget&, const Budget&) = default;
};

// A budget that can refuse: it blocks and has a limit.
inline bool is_blocking(const Budget& budget) {
  return budget.action == Action::block && budget.limit.has_value();
}

std::string_view window_name(Window window);
std::optional<Window> window_named(std::string_view name);
std::string_view action_name(Action action);
std::optional<Action> action_named(std::string_view name);

struct BudgetLimit {
  Nanousd limit;
  Window window = Window::day;
};

// Reads "5usd/day", "0.5usd/hour", "100usd/month", "20usd/total", "5/day". Refuses with invalid_input.
Result<BudgetLimit> parse_budget_limit(std::string_view text);

// invalid_input unless id, node, thresholds and a limit >= 0 are well formed. Does not look at the time zone.
Result<void> check_budget(const Budget& budget);

}  // namespace claviger::ledger
