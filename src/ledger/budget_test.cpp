// Tests of how budgets are written and checked.
#include "ledger/budget.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace claviger::ledger {
namespace {

Budget good() {
  Budget budget;
  budget.id = "b1";
  budget.node = "team:research";
  budget.limit = Nanousd{5};
  budget.alert_at = {50, 80, 100};
  return budget;
}

TEST(BudgetText, RefusesWhatIsNotAnAmountSlashWindow) {
  for (const char* text :
       {"", "5usd", "/day", "5/", "5usd/", "5/fortnight", "5/Day", "-1/day", "5 /day", "1e3/day",
        "5/day/hour", "0.0000000001usd/day", "99999999999999/day", "five/day", "5eur/month"}) {
    const auto limit = parse_budget_limit(text);
    ASSERT_FALSE(limit.has_value()) << text;
    EXPECT_EQ(limit.error().code, Code::invalid_input) << text;
    EXPECT_EQ(limit.error().origin, Origin::client) << text;
  }
}

TEST(BudgetText, ReadsEveryWindowExactly) {
  const struct {
    const char* text;
    std::int64_t nanousd;
    Window window;
  } rows[] = {{"0.5usd/hour", 500'000'000, Window::hour},
              {"5usd/day", 5'000'000'000, Window::day},
              {"5/day", 5'000'000'000, Window::day},
              {"0.000000001/week", 1, Window::week},
              {"100usd/month", 100'000'000'000, Window::month},
              {"20usd/total", 20'000'000'000, Window::total},
              {"0/total", 0, Window::total}};
  for (const auto& row : rows) {
    const auto limit = parse_budget_limit(row.text);
    ASSERT_TRUE(limit.has_value()) << row.text;
    EXPECT_EQ(limit->limit.value, row.nanousd) << row.text;
    EXPECT_EQ(limit->window, row.window) << row.text;
  }
}

TEST(BudgetCheck, RefusesUnknownNodes) {
  for (const char* node : {"", "organisation", "team", "team:", "key:", "user:x", "Team:x"}) {
    Budget budget = good();
    budget.node = node;
    EXPECT_FALSE(check_budget(budget).has_value()) << node;
  }
}

TEST(BudgetCheck, TakesIdsAndNodesUpToTheBound) {
  for (const std::size_t more : {0U, 1U, 2U}) {
    const std::string name(limits::kName - 1 + more, 'a');
    Budget named = good(), placed = good();
    named.id = name;
    placed.node = "team:" + name;
    EXPECT_EQ(check_budget(named).has_value(), more < 2) << more;
    EXPECT_EQ(check_budget(placed).has_value(), more < 2) << more;
  }
}

TEST(BudgetCheck, RefusesABudgetWithoutId) {
  Budget budget = good();
  budget.id.clear();
  EXPECT_FALSE(check_budget(budget).has_value());
}

TEST(BudgetCheck, RefusesANegativeLimit) {
  Budget budget = good();
  budget.limit = Nanousd{-1};
  EXPECT_FALSE(check_budget(budget).has_value());
}

TEST(BudgetCheck, RefusesThresholdsOutOfRangeOrOrder) {
  for (const auto& at : {std::vector{0}, std::vector{1'001}, std::vector{80, 50}, std::vector{50, 50}}) {
    Budget budget = good();
    budget.alert_at = at;
    EXPECT_FALSE(check_budget(budget).has_value());
  }
}

TEST(BudgetCheck, AcceptsZeroAndNoLimit) {
  Budget budget = good();
  EXPECT_TRUE(check_budget(budget).has_value());
  budget.limit = Nanousd{0};
  EXPECT_TRUE(check_budget(budget).has_value());
  EXPECT_TRUE(is_blocking(budget));
  budget.limit.reset();
  EXPECT_TRUE(check_budget(budget).has_value());
  EXPECT_FALSE(is_blocking(budget));
}

TEST(BudgetNames, ReadBackWhatTheyWrite) {
  for (const Window window : {Window::hour, Window::day, Window::week, Window::month, Window::total})
    EXPECT_EQ(window_named(window_name(window)), window);
  for (const Action action : {Action::block, Action::alert})
    EXPECT_EQ(action_named(action_name(action)), action);
  EXPECT_FALSE(window_named("year").has_value());
  EXPECT_FALSE(action_named("deny").has_value());
}

}  // namespace
}  // namespace claviger::ledger
