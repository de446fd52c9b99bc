// Tests of the store's side: ceilings, settling, recovery, and stores that fail.
#include "ledger/rig_test.hpp"

namespace claviger::ledger {
namespace {

using store::Fault;
using Escrow = LedgerTest;

Posted paid(Time at, std::int64_t cost, std::uint64_t epoch) {
  return {{"red", "web", "k1"}, at, Nanousd{cost}, epoch, Nanousd{cost}};
}

TEST_F(Escrow, TheStoreRefusesAGrantOverTheLimitWhoeverAsks) {
  budget("b", "org", 100);
  spend(account(), 60, 60);
  const auto answer = sqlite->write([](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("UPDATE budget_window SET leased = leased + 100 WHERE budget = 'b'"));
    return {};
  });
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::conflict);
}

TEST_F(Escrow, RefusesWithoutTheStoreOnlyWhatItsLeaseDoesNotCover) {
  budget("b", "org", 1'000);
  spend(account(), 10, 10);  // leases 50
  faulty.set_down();
  EXPECT_TRUE(holds(account(), 40));
  EXPECT_EQ(refused(account(), 41), Code::store_unavailable);
  EXPECT_EQ(last.origin, Origin::internal);
  EXPECT_GT(last.retry_after_ms, 0);
  EXPECT_TRUE(holds(account({}, {"", "", "k9"}), 40));
  faulty.set_up();
  EXPECT_EQ(refused(account(), 41), Code::store_unavailable);  // it is left alone for a moment
  pass(1);
  EXPECT_TRUE(holds(account(), 900));
}

TEST_F(Escrow, AFailedStoreIsNotAskedByEveryRequest) {
  budget("b", "org", 1'000);
  faulty.set_down();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(refused(account(), 1), Code::store_unavailable);
  EXPECT_EQ(ledger->counters().store_failures, 1);
}

TEST_F(Escrow, AnExhaustedBudgetIsNotAskedForByEveryRequest) {
  budget("b", "org", 10);
  spend(account(), 10, 10);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(refused(account(), 1), Code::budget_exceeded);
  EXPECT_LE(ledger->counters().grants, 2);
}

TEST_F(Escrow, AccountsWithoutBlockingBudgetsDoNotNeedTheStore) {
  budget("a", "team:blue", 10);
  faulty.set_down();
  EXPECT_TRUE(holds(account({.rpm = 5}), 1'000'000));
}

TEST_F(Escrow, AGrantThatMayHaveHappenedIsNeitherSpentTwiceNorLost) {
  for (const Fault fault : {Fault::before, Fault::rolled_back, Fault::after_commit}) {
    const std::string id = "b" + std::to_string(static_cast<int>(fault));
    budget(id, "team:" + id, 100);
    const Account one = account({}, {id, "", "k"});
    faulty.fail_write(1, fault);
    EXPECT_EQ(refused(one, 60), Code::store_unavailable);
    pass(1);
    spend(one, 60, 60, {id, "", "k"});
    EXPECT_EQ(refused(one, 41), Code::budget_exceeded);
    spend(one, 40, 40, {id, "", "k"});
    EXPECT_EQ(refused(one, 1), Code::budget_exceeded);
    derive();
    EXPECT_EQ(row(id), (Row{100, 0}));
  }
}

TEST_F(Escrow, AnUnknownCommitInTheMiddleOfALeaseIsAdoptedLater) {
  budget("b", "org", 1'000);
  auto hold = reserve(account(), 30);  // leases 50
  faulty.fail_write(1, Fault::after_commit);
  EXPECT_EQ(refused(account(), 100), Code::store_unavailable);  // 80 more were leased, untold
  pass(1);
  EXPECT_TRUE(holds(account(), 970));
  EXPECT_EQ(refused(account(), 971), Code::budget_exceeded);
}

TEST_F(Escrow, ABudgetsChangeThatMayHaveHappenedIsReadBack) {
  budget("b", "org", 100);
  spend(account(), 5, 5);
  Budget lower = ledger->budgets()[0];
  lower.limit = Nanousd{20};
  faulty.fail_write(1, Fault::after_commit);
  EXPECT_FALSE(ledger->put_budget(lower).has_value());
  EXPECT_EQ(refused(account(), 16), Code::budget_exceeded);
  EXPECT_TRUE(holds(account(), 15));
  EXPECT_EQ(ledger->budgets()[0].limit->value, 20);
}

TEST_F(Escrow, ARemovalThatMayHaveHappenedIsReadBack) {
  budget("b", "org", 100);
  auto hold = reserve(account(), 90);
  faulty.fail_write(1, Fault::after_commit);
  EXPECT_FALSE(ledger->remove_budget("b").has_value());
  EXPECT_TRUE(holds(account(), 500));
  EXPECT_TRUE(ledger->budgets().empty());
}

TEST_F(Escrow, SettlesAndReportsWhatWasPosted) {
  budget("a", "org", 1'000);
  budget("b", "key:k1", 1'000, Window::month);
  spend(account(), 100, 30);
  derive();
  EXPECT_EQ(row("a"), (Row{30, 70}));
  EXPECT_EQ(row("b"), (Row{30, 70}));
  EXPECT_TRUE(holds(account(), 970));
  EXPECT_EQ(refused(account(), 971), Code::budget_exceeded);
}

TEST_F(Escrow, SettlesUnderBudgetsThatDoNotBlock) {
  budget("a", "org", std::nullopt);
  budget("b", "team:red", 10, Window::day, Action::alert);
  spend(account(), 100, 30);
  derive();
  EXPECT_EQ(row("a"), (Row{30, 0}));
  EXPECT_EQ(row("b"), (Row{30, 0}));
}

TEST_F(Escrow, AWindowMadeOnDemandBeginsWithWhatWasSpentBefore) {
  spent_before["org"] = 40;
  budget("b", "org", 100);
  EXPECT_EQ(refused(account(), 61), Code::budget_exceeded);
  EXPECT_EQ(ledger->snapshot(now).value()[0].settled.value, 40);
  spend(account(), 60, 50);
  derive();
  EXPECT_EQ(row("b"), (Row{90, 10}));
}

TEST_F(Escrow, HoldsOlderThanTheBudgetAreChargedButNotTakenFromItsLease) {
  const Account one = account();
  auto early = reserve(one, 40);
  budget("b", "org", 100);
  auto late = reserve(one, 50);
  receipt(post(Exposure(*std::move(early)), Nanousd{40}, 0));
  derive();
  EXPECT_EQ(row("b"), (Row{40, 50}));
  receipt(post(Exposure(*std::move(late)), Nanousd{50}, 0));
  derive();
  EXPECT_EQ(row("b"), (Row{90, 0}));
  EXPECT_EQ(refused(one, 11), Code::budget_exceeded);
  EXPECT_TRUE(holds(one, 10));
}

TEST_F(Escrow, ThresholdsAreToldOnceAWindow) {
  budget("b", "org", 100, Window::day, Action::alert);
  Budget made = ledger->budgets()[0];
  made.alert_at = {50, 80, 100};
  ASSERT_TRUE(ledger->put_budget(made).has_value());
  const auto spend_and_list = [&](std::int64_t cost) {
    crossed.clear();
    receipts.push_back(paid(now, cost, epoch));
    derive();
    std::vector<int> percents;
    for (const Crossing& one : crossed) percents.push_back(one.percent);
    return percents;
  };
  EXPECT_EQ(spend_and_list(49), std::vector<int>{});
  EXPECT_EQ(spend_and_list(1), std::vector{50});
  EXPECT_EQ(spend_and_list(20), std::vector<int>{});
  EXPECT_EQ(spend_and_list(60), (std::vector{80, 100}));
  EXPECT_EQ(crossed[1].settled.value, 130);
  EXPECT_EQ(spend_and_list(60), std::vector<int>{});
  pass(24 * 3'600);
  EXPECT_EQ(spend_and_list(60), std::vector{50});
}

TEST_F(Escrow, ACorrectionGivesMoneyBack) {
  budget("b", "org", 100);
  spend(account(), 100, 100);
  derive();
  receipts.push_back(paid(now, -30, epoch));
  derive();
  EXPECT_EQ(row("b"), (Row{70, 0}));
  pass(2);
  EXPECT_TRUE(holds(account(), 30));
}

TEST_F(Escrow, ARolledBackBatchChangesNothing) {
  budget("b", "org", 100);
  spend(account(), 60, 60);
  EXPECT_FALSE(sqlite
                   ->write([&](store::Tx& tx) -> Result<void> {
                     TRY_VOID(ledger->apply(tx, receipts));
                     return fail(Code::internal, "on purpose");
                   })
                   .has_value());
  EXPECT_EQ(row("b"), (Row{0, 60}));
  derive();
  EXPECT_EQ(row("b"), (Row{60, 0}));
}

TEST_F(Escrow, AfterACrashLeasesComeBackOnlyOnceTheJournalIsDerived) {
  budget("b", "org", 100);
  {
    auto hold = reserve(account(), 100);
    receipt(post(Exposure(*std::move(hold)), Nanousd{30}, 0));
  }
  start();
  EXPECT_EQ(refused(account(), 1), Code::budget_exceeded);  // all of it is leased to the dead
  derive();                                                 // the receipt carries its own epoch
  EXPECT_EQ(row("b"), (Row{30, 70}));
  EXPECT_EQ(refused(account(), 71), Code::budget_exceeded);
  ASSERT_TRUE(sqlite->write([&](store::Tx& tx) { return ledger->recover(tx, epoch); }).has_value());
  EXPECT_EQ(row("b"), (Row{30, 0}));
  EXPECT_TRUE(holds(account(), 70));
  EXPECT_EQ(refused(account(), 71), Code::budget_exceeded);
}

TEST_F(Escrow, RecoveryLeavesTheRunningEpochAlone) {
  budget("b", "org", 100);
  auto hold = reserve(account(), 60);
  ASSERT_TRUE(sqlite->write([&](store::Tx& tx) { return ledger->recover(tx, epoch); }).has_value());
  EXPECT_EQ(row("b"), (Row{0, 60}));
}

TEST_F(Escrow, AnOverrunIsSettledAndNeverTakenFromALeaseTwice) {
  budget("b", "org", 100);
  spend(account(), 10, 90);
  derive();
  EXPECT_EQ(row("b").settled, 90);
  EXPECT_EQ(refused(account(), 11), Code::budget_exceeded);
  spend(account(), 10, 10);
  derive();
  EXPECT_EQ(row("b"), (Row{100, 0}));
}

TEST_F(Escrow, AFreeRequestThatCostsAfterAllIsPaidBackAndTheTickGoesOn) {
  budget("b", "org", 100);
  EXPECT_EQ(refused(account(), 101), Code::budget_exceeded);  // asked the store, and left no lease there
  spend(account(), 0, 46);
  EXPECT_TRUE(ledger->top_up(now).has_value());
  EXPECT_EQ(refused(account(), 55), Code::budget_exceeded);
  derive();
  EXPECT_TRUE(ledger->top_up(now).has_value());
  pass(2);
  EXPECT_EQ(refused(account(), 55), Code::budget_exceeded);
  EXPECT_TRUE(holds(account(), 54));
}

TEST_F(Escrow, AFreeRequestIsRefusedUnderABudgetThatIsOverspentAlready) {
  spent_before["org"] = 101;
  budget("b", "org", 100);
  EXPECT_EQ(refused(account(), 0), Code::budget_exceeded);
}

TEST_F(Escrow, AnOverrunDoesNotEatTheLeaseOfOtherRequests) {
  budget("b", "org", 100);
  auto other = reserve(account(), 30);
  spend(account(), 20, 45);
  derive();
  EXPECT_EQ(row("b"), (Row{45, 30}));
  pass(2);
  EXPECT_TRUE(holds(account(), 25));
  EXPECT_EQ(refused(account(), 26), Code::budget_exceeded);
}

}  // namespace
}  // namespace claviger::ledger
