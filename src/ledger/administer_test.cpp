// Tests of budgets that come, change and go while money is held, and of the background tick.
#include "ledger/rig_test.hpp"

namespace claviger::ledger {
namespace {

using Administer = LedgerTest;

TEST_F(Administer, RefusesBudgetsThatAreNotWellFormed) {
  Budget bad;
  bad.id = "b";
  bad.node = "nobody";
  EXPECT_EQ(ledger->put_budget(bad).error().code, Code::invalid_input);
  bad.node = "org";
  bad.time_zone = "Mars/Olympus";
  EXPECT_EQ(ledger->put_budget(bad).error().code, Code::invalid_input);
  EXPECT_TRUE(ledger->budgets().empty());
}

TEST_F(Administer, RefusesToMoveABudget) {
  budget("b", "org", 10);
  Budget moved = ledger->budgets()[0];
  moved.node = "team:red";
  EXPECT_EQ(ledger->put_budget(moved).error().code, Code::conflict);
  moved = ledger->budgets()[0];
  moved.window = Window::month;
  EXPECT_EQ(ledger->put_budget(moved).error().code, Code::conflict);
  moved = ledger->budgets()[0];
  moved.time_zone = "Europe/Berlin";
  EXPECT_EQ(ledger->put_budget(moved).error().code, Code::conflict);
}

TEST_F(Administer, RefusesToRemoveWhatIsNotThere) {
  EXPECT_EQ(ledger->remove_budget("b").error().code, Code::not_found);
}

TEST_F(Administer, BudgetsSurviveARestart) {
  Budget made{"b", "key:k1", Window::week, "Europe/Berlin", Nanousd{7}, Action::block, {50, 100}, now};
  ASSERT_TRUE(ledger->put_budget(made).has_value());
  start();
  ASSERT_EQ(ledger->budgets().size(), 1U);
  EXPECT_EQ(ledger->budgets()[0], made);
  EXPECT_EQ(refused(account(), 8), Code::budget_exceeded);
}

TEST_F(Administer, ALowerLimitRefusesUntilItFits) {
  budget("b", "org", 100);
  auto first = reserve(account(), 40);
  auto second = reserve(account(), 40);
  budget("b", "org", 50);
  EXPECT_EQ(refused(account(), 0), Code::budget_exceeded);  // 80 held
  {
    const Hold dropped = *std::move(first);
  }
  EXPECT_EQ(refused(account(), 11), Code::budget_exceeded);  // 40 held: what came free does not belong to us
  EXPECT_TRUE(holds(account(), 10));
  {
    const Hold dropped = *std::move(second);
  }
  EXPECT_TRUE(holds(account(), 50));
  EXPECT_EQ(refused(account(), 51), Code::budget_exceeded);
}

TEST_F(Administer, ALowerLimitTakesTheUnusedLeaseBackAtOnce) {
  budget("b", "org", 1'000);
  auto hold = reserve(account(), 10);
  EXPECT_EQ(row("b"), (Row{0, 50}));
  budget("b", "org", 20);
  EXPECT_EQ(row("b"), (Row{0, 10}));
  EXPECT_EQ(refused(account(), 11), Code::budget_exceeded);
  EXPECT_TRUE(holds(account(), 10));
}

TEST_F(Administer, TheTickGivesBackWhatIsOverALoweredLimit) {
  budget("b", "org", 100);
  auto hold = reserve(account(), 80);
  budget("b", "org", 50);
  EXPECT_EQ(row("b"), (Row{0, 80}));
  {
    const Hold dropped = *std::move(hold);
  }
  ASSERT_TRUE(ledger->top_up(now).has_value());
  EXPECT_EQ(row("b"), (Row{0, 50}));
  EXPECT_TRUE(holds(account(), 50));
}

TEST_F(Administer, AHigherLimitIsUsableAtOnce) {
  budget("b", "org", 10);
  auto hold = reserve(account(), 10);
  EXPECT_EQ(refused(account(), 1), Code::budget_exceeded);
  budget("b", "org", 30);
  EXPECT_TRUE(holds(account(), 20));
  EXPECT_EQ(refused(account(), 21), Code::budget_exceeded);
}

TEST_F(Administer, ARemovedBudgetRefusesNoMoreAndItsHoldsEndQuietly) {
  budget("b", "org", 10);
  auto posted = reserve(account(), 4);
  auto dropped = reserve(account(), 4);
  ASSERT_TRUE(ledger->remove_budget("b").has_value());
  EXPECT_FALSE(ledger->has_blocking_budget(account()));
  EXPECT_TRUE(holds(account(), 1'000));
  receipt(post(Exposure(*std::move(posted)), Nanousd{4}, 0));
  {
    const Hold gone = *std::move(dropped);
  }
  derive();
  ASSERT_TRUE(ledger->top_up(now).has_value());
  ledger->check_invariants();
}

TEST_F(Administer, ABudgetRemovedAndMadeAnewDoesNotMixOldHoldsWithNewOnes) {
  budget("b", "org", 10);
  auto old = reserve(account(), 8);
  ASSERT_TRUE(ledger->remove_budget("b").has_value());
  budget("b", "org", 10);
  auto fresh = reserve(account(), 10);
  ASSERT_TRUE(fresh.has_value());
  receipt(post(Exposure(*std::move(old)), Nanousd{8}, 0));
  derive();
  EXPECT_EQ(row("b"), (Row{8, 10}));  // charged, but not at the new lease's cost
  EXPECT_EQ(refused(account(), 0), Code::budget_exceeded);
}

TEST_F(Administer, ABudgetThatStopsBlockingFreesItsLeases) {
  budget("b", "org", 10);
  auto hold = reserve(account(), 8);
  budget("b", "org", std::nullopt);
  EXPECT_EQ(row("b"), (Row{0, 0}));
  EXPECT_TRUE(holds(account(), 1'000));
  budget("b", "org", 10);
  auto late = reserve(account(), 10);
  ASSERT_TRUE(late.has_value());
  receipt(post(Exposure(*std::move(hold)), Nanousd{8}, 0));
  derive();
  EXPECT_EQ(row("b"), (Row{8, 10}));
}

TEST_F(Administer, TheTickLeasesAheadOfNeed) {
  budget("b", "org", 10'000);
  spend(account(), 500, 490);
  const auto before = ledger->counters().grants;
  ASSERT_TRUE(ledger->top_up(now).has_value());
  EXPECT_EQ(row("b"), (Row{0, 1'000}));
  EXPECT_TRUE(holds(account(), 510));
  EXPECT_EQ(ledger->counters().grants, before);  // no request had to wait for the store
}

TEST_F(Administer, TheTickGivesBackTheLeaseOfAWindowThatIsOver) {
  budget("b", "org", 1'000);
  spend(account(), 10, 10);
  derive();
  EXPECT_EQ(row("b"), (Row{10, 40}));
  pass(24 * 3'600);
  ASSERT_TRUE(ledger->top_up(now).has_value());
  EXPECT_EQ(row("b"), (Row{10, 0}));
}

TEST_F(Administer, TheTickGivesBackAnIdleLeaseAndItsUnreportedPartStays) {
  budget("b", "org", 1'000);
  spend(account(), 10, 10);
  pass(3'600);
  ASSERT_TRUE(ledger->top_up(now).has_value());
  EXPECT_EQ(row("b"), (Row{0, 10}));
  spend(account(), 20, 20);
  derive();
  EXPECT_EQ(row("b"), (Row{30, 30}));
  EXPECT_TRUE(holds(account(), 970));
  EXPECT_EQ(refused(account(), 971), Code::budget_exceeded);
}

TEST_F(Administer, AReturnTheStoreDidNotAcknowledgeIsTriedAgain) {
  for (const auto fault : {store::Fault::before, store::Fault::rolled_back, store::Fault::after_commit}) {
    const std::string id = "b" + std::to_string(static_cast<int>(fault));
    budget(id, "team:" + id, 1'000);
    spend(account({}, {id, "", "k"}), 10, 10, {id, "", "k"});
    derive();
    pass(3'600);
    faulty.fail_write(1, fault);
    EXPECT_FALSE(ledger->top_up(now).has_value());
    EXPECT_TRUE(ledger->top_up(now).has_value());
    EXPECT_EQ(row(id), (Row{10, 0}));
  }
}

TEST_F(Administer, ClosingGivesBackEverythingUnusedAndRefusesFromThenOn) {
  budget("b", "org", 1'000);
  auto hold = reserve(account(), 10);
  spend(account(), 20, 20);
  ASSERT_TRUE(ledger->close().has_value());
  EXPECT_EQ(row("b"), (Row{0, 30}));
  EXPECT_EQ(refused(account(), 1), Code::shutting_down);
  receipt(post(Exposure(*std::move(hold)), Nanousd{10}, 0));
  derive();
  EXPECT_EQ(row("b"), (Row{30, 0}));
}

TEST_F(Administer, TheSnapshotShowsLimitSettledLeasedHeldAndReset) {
  budget("a", "org", 1'000);
  budget("b", "team:red", std::nullopt, Window::total);
  spend(account(), 30, 20);
  derive();
  auto hold = reserve(account(), 10);
  const auto views = ledger->snapshot(now).value();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].settled.value, 20);
  EXPECT_EQ(views[0].leased.value, 30);
  EXPECT_EQ(views[0].held.value, 10);
  EXPECT_EQ(format_time(views[0].to), "2026-11-21T00:00:00.000Z");
  EXPECT_EQ(views[1].settled.value, 20);
  EXPECT_EQ(views[1].to, kNever);
  EXPECT_EQ(ledger->snapshot(now, "team:red").value().size(), 1U);
  faulty.set_down();
  EXPECT_FALSE(ledger->snapshot(now).has_value());
}

}  // namespace
}  // namespace claviger::ledger
