// Names and checks of budgets.
#include "ledger/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/limits.hpp"

namespace claviger::ledger {
namespace {

constexpr std::array<std::string_view, 5> kWindows = {"hour", "day", "week", "month", "total"};
constexpr std::array<std::string_view, 2> kActions = {"block", "alert"};

bool is_node(std::string_view node) {
  if (node == "org") return true;
  for (const std::string_view prefix : {"team:", "project:", "key:"})
    if (node.starts_with(prefix))
      return node.size() > prefix.size() && node.size() <= limits::kName + prefix.size();
  return false;
}

}  // namespace

std::string_view window_name(Window window) { return kWindows[static_cast<std::size_t>(window)]; }
std::string_view action_name(Action action) { return kActions[static_cast<std::size_t>(action)]; }

std::optional<Window> window_named(std::string_view name) {
  for (std::size_t i = 0; i < kWindows.size(); ++i)
    if (kWindows[i] == name) return static_cast<Window>(i);
  return std::nullopt;
}

std::optional<Action> action_named(std::string_view name) {
  for (std::size_t i = 0; i < kActions.size(); ++i)
    if (kActions[i] == name) return static_cast<Action>(i);
  return std::nullopt;
}

Result<BudgetLimit> parse_budget_limit(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto window = slash == text.npos ? std::nullopt : window_named(text.substr(slash + 1));
  if (!window)
    return refuse(
        Code::invalid_input,
        fmt::format("'{}' is not a budget: write an amount, a slash and hour, day, week, month or total, "
                    "like 5usd/day",
                    text));
  TRY(const Nanousd limit, parse_usd(text.substr(0, slash)));
  return BudgetLimit{limit, *window};
}

Result<void> check_budget(const Budget& budget) {
  if (budget.id.empty() || budget.id.size() > limits::kName)
    return refuse(Code::invalid_input, "A budget needs an id of at most 128 bytes.");
  if (!is_node(budget.node))
    return refuse(
        Code::invalid_input,
        fmt::format("'{}' cannot have a budget: write org, team:NAME, project:NAME or key:ID", budget.node));
  if (budget.limit && budget.limit->value < 0)
    return refuse(Code::invalid_input, "A budget's limit cannot be negative.");
  const auto& at = budget.alert_at;
  const bool in_range = std::ranges::all_of(at, [](int percent) { return percent >= 1 && percent <= 1'000; });
  const bool ascending = std::ranges::adjacent_find(at, std::greater_equal{}) == at.end();
  if (at.size() > 16 || !in_range || !ascending)
    return refuse(Code::invalid_input,
                  "Alert thresholds are percentages from 1 to 1000, ascending, at most 16.");
  return {};
}

}  // namespace claviger::ledger
