// Tests of reserving: what is refused, in which order, and that a refusal takes nothing.
#include <atomic>
#include <thread>

#include "ledger/rig_test.hpp"

namespace claviger::ledger {
namespace {

using Reserve = LedgerTest;

TEST_F(Reserve, RefusesEverythingUnderABudgetOfZero) {
  budget("b", "team:red", 0);
  EXPECT_EQ(refused(account(), 0), Code::budget_exceeded);
  EXPECT_EQ(last.origin, Origin::policy);
  EXPECT_TRUE(last.say.contains("team red is 0")) << last.say;
}

TEST_F(Reserve, RefusesWhatTheBudgetCannotCover) {
  budget("b", "project:web", 100);
  EXPECT_EQ(refused(account(), 101), Code::budget_exceeded);
  EXPECT_TRUE(holds(account(), 100));
}

TEST_F(Reserve, SaysWhichBudgetWhatIsLeftWhenItResetsAndWhatToDo) {
  budget("b", "project:web", 5 * kNanoPerUsd);
  spend(account(), 4 * kNanoPerUsd, 4 * kNanoPerUsd);
  EXPECT_EQ(refused(account(), 2 * kNanoPerUsd), Code::budget_exceeded);
  EXPECT_EQ(last.say,
            "The daily budget of project web (5.00 USD) has 1.00 USD left and this request may cost up to "
            "2.00 USD. "
            "It begins anew at 2026-11-21T00:00:00.000Z; ask for fewer tokens or have the budget raised.");
  EXPECT_EQ(last.retry_after_ms, 12 * 3'600'000);
}

TEST_F(Reserve, TellsWhatIsLeftOfAKeysOwnLimits) {
  const Account limited = account({.rpm = 3, .tpm = 100});
  EXPECT_EQ(ledger->allowance(limited, now).requests->left, 3);
  EXPECT_EQ(ledger->allowance(limited, now).requests->reset_ms, 0);
  auto hold = ledger->reserve(limited, Nanousd{0}, 40, now);
  ASSERT_TRUE(hold);
  const Allowance left = ledger->allowance(limited, now);
  EXPECT_EQ(left.requests->left, 2);
  EXPECT_EQ(left.tokens->left, 60);
  EXPECT_EQ(left.tokens->limit, 100);
  EXPECT_GT(left.tokens->reset_ms, 0);
  EXPECT_FALSE(ledger->allowance(account({}, {"", "", "k9"}), now).requests);
}

TEST_F(Reserve, ATotalBudgetDoesNotSayWhenItResets) {
  budget("b", "key:k1", 5, Window::total);
  EXPECT_EQ(refused(account(), 6), Code::budget_exceeded);
  EXPECT_EQ(last.retry_after_ms, 0);
  EXPECT_TRUE(last.say.contains("this key")) << last.say;
  EXPECT_TRUE(last.say.contains("does not begin anew")) << last.say;
}

TEST_F(Reserve, RefusesAWorstCaseThatSaturated) {
  budget("b", "org", INT64_MAX);
  spend(account(), 10, 10);
  EXPECT_EQ(refused(account(), INT64_MAX), Code::budget_exceeded);
}

TEST_F(Reserve, ZeroAnywhereIsToldBeforeAnythingElse) {
  budget("a", "org", 1);
  budget("b", "key:k1", 0);
  EXPECT_EQ(refused(account({.rpm = 0, .tpm = 0, .concurrency = 0}), 5), Code::budget_exceeded);
  EXPECT_TRUE(last.say.contains("this key is 0")) << last.say;
}

TEST_F(Reserve, BudgetsAreToldFromTheOrganisationToTheKey) {
  budget("d", "org", 10);
  budget("c", "team:red", 9);
  budget("b", "project:web", 8);
  budget("a", "key:k1", 7);
  const struct {
    std::int64_t worst;
    const char* node;
  } rows[] = {{11, "the organisation"}, {10, "team red"}, {9, "project web"}, {8, "this key"}};
  for (const auto& [worst, node] : rows) {
    EXPECT_EQ(refused(account(), worst), Code::budget_exceeded);
    EXPECT_TRUE(last.say.contains(std::string("budget of ") + node + " (")) << last.say;
  }
  EXPECT_TRUE(holds(account(), 7));
}

TEST_F(Reserve, MoneyIsToldBeforeSeatsSeatsBeforeRequestsRequestsBeforeTokens) {
  budget("b", "org", 10);
  EXPECT_EQ(refused(account({.rpm = 0, .tpm = 0, .concurrency = 0}), 11), Code::budget_exceeded);
  EXPECT_EQ(refused(account({.rpm = 0, .tpm = 0, .concurrency = 0}), 1), Code::concurrency_exceeded);
  EXPECT_EQ(refused(account({.rpm = 0, .tpm = 0}), 1), Code::rate_limit_exceeded);
  EXPECT_EQ(refused(account({.tpm = 0}), 1), Code::token_limit_exceeded);
  EXPECT_TRUE(holds(account(), 1));
}

TEST_F(Reserve, ARefusalTakesNothingAnywhere) {
  budget("a", "org", 100);
  budget("b", "key:k1", 10);
  EXPECT_EQ(refused(account(), 11), Code::budget_exceeded);  // by the key
  EXPECT_EQ(refused(account({.concurrency = 0}), 10),
            Code::concurrency_exceeded);                       // after all money was there
  EXPECT_TRUE(holds(account({}, {"red", "web", "k2"}), 100));  // the organisation has it all still
  EXPECT_TRUE(holds(account(), 10));
}

TEST_F(Reserve, TheLastNanodollarIsUsable) {
  budget("a", "org", 1'000);
  budget("b", "team:red", 1'000, Window::month);
  for (int i = 0; i < 1'000; ++i) spend(account(), 1, 1);
  EXPECT_EQ(refused(account(), 1), Code::budget_exceeded);
  derive();
  EXPECT_EQ(row("a"), (Row{1'000, 0}));
  EXPECT_EQ(row("b"), (Row{1'000, 0}));
}

TEST_F(Reserve, NoLimitAndAlertNeverRefuse) {
  budget("a", "org", std::nullopt);
  budget("b", "team:red", 1, Window::day, Action::alert);
  EXPECT_FALSE(ledger->has_blocking_budget(account()));
  EXPECT_TRUE(holds(account(), INT64_MAX));
}

TEST_F(Reserve, ABudgetIsSeenByAccountsMadeBeforeIt) {
  const Account before = account();
  EXPECT_TRUE(holds(before, 50));
  budget("b", "key:k1", 10);
  EXPECT_TRUE(ledger->has_blocking_budget(before));
  EXPECT_EQ(refused(before, 50), Code::budget_exceeded);
}

TEST_F(Reserve, BudgetsOfOthersDoNotConcernIt) {
  budget("a", "team:blue", 0);
  budget("b", "project:api", 0);
  budget("c", "key:k2", 0);
  EXPECT_FALSE(ledger->has_blocking_budget(account()));
  EXPECT_TRUE(holds(account(), 5));
  EXPECT_TRUE(holds(account({}, {"", "", "k1"}), 5));  // a key without team and project
}

TEST_F(Reserve, AnUnsentHoldGivesEverythingBack) {
  budget("b", "org", 10);
  const Account one = account({.rpm = 1, .tpm = 100, .concurrency = 1});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(holds(one, 10, 100)) << i;
  EXPECT_EQ(ledger->counters().released, 3);
}

TEST_F(Reserve, AMovedFromHoldGivesNothingBack) {
  budget("b", "org", 10);
  auto first = reserve(account(), 10);
  ASSERT_TRUE(first.has_value());
  {
    Hold second = *std::move(first);
    EXPECT_EQ(refused(account(), 1), Code::budget_exceeded);
  }
  EXPECT_TRUE(holds(account(), 10));
}

TEST_F(Reserve, ADroppedExposurePostsTheWholeHold) {
  budget("b", "org", 10);
  {
    const Exposure lost(reserve(account(), 7).value());
  }
  EXPECT_EQ(ledger->counters().presumed, 1);
  EXPECT_EQ(refused(account(), 4), Code::budget_exceeded);
  EXPECT_TRUE(holds(account(), 3));
}

TEST_F(Reserve, AMovedFromExposurePostsNothing) {
  budget("b", "org", 10);
  Exposure first(reserve(account(), 7).value());
  Exposure second(std::move(first));
  const Posting posting = post(std::move(second), Nanousd{2}, 0);
  EXPECT_FALSE(posting.presumed || posting.overrun);
  EXPECT_TRUE(holds(account(), 8));
  EXPECT_EQ(ledger->counters().posted, 1);
}

TEST_F(Reserve, PresumedSaysSo) {
  const Posting posting = post_presumed(Exposure(reserve(account(), 7, 9).value()));
  EXPECT_TRUE(posting.presumed);
  EXPECT_EQ(posting.cost.value, 7);
  EXPECT_EQ(posting.tokens, 9);
}

TEST_F(Reserve, ACostBeyondTheHoldIsFlaggedAndCountedAndPaidBackFirst) {
  budget("b", "org", 100);
  const Posting posting = post(Exposure(reserve(account(), 10).value()), Nanousd{40}, 0);
  EXPECT_TRUE(posting.overrun);
  EXPECT_EQ(ledger->counters().overruns, 1);
  EXPECT_EQ(ledger->counters().overrun.value, 30);
  EXPECT_EQ(refused(account(), 61), Code::budget_exceeded);
  EXPECT_TRUE(holds(account(), 60));
}

// An overrun that is settled by now carries the window over its limit while the lease has something to spare:
// memory, which may not hear of the commit, must not count on what is given back.
TEST_F(Reserve, WhatIsOverTheLimitIsGivenBackOnceMemoryKnowsItIsThere) {
  for (const bool told : {true, false}) {
    const std::string id = told ? "b1" : "b2";
    const AccountPath path{"red", "web", told ? "k1" : "k2"};
    budget(id, "key:" + path.key, 205);
    const Account on = account({}, path);
    {
      const auto unsent = reserve(on, 50);
    }
    spend(on, 40, 200, path);
    derive();  // 160 beyond the hold: 5 over the limit, and 10 of the lease's 50 are left
    EXPECT_EQ(row(id), (Row{200, 10}));
    if (!told) faulty.fail_write(1, store::Fault::after_commit);
    EXPECT_EQ(holds(on, 1), told);
    pass(10);
    EXPECT_EQ(refused(on, 60), Code::budget_exceeded);
    for (int i = 0; i < 3; ++i, pass(1)) {
      EXPECT_TRUE(ledger->top_up(now).has_value());
      ledger->check_invariants();
    }
    EXPECT_EQ(row(id), (Row{200, 5}));
    EXPECT_TRUE(holds(on, 5));
    EXPECT_EQ(refused(on, 6), Code::budget_exceeded);
  }
}

TEST_F(Reserve, AHoldIsChargedToTheWindowItWasReservedIn) {
  budget("b", "org", 10);
  auto hold = reserve(account(), 6);
  pass(24 * 3'600);
  EXPECT_TRUE(holds(account(), 10));  // the new day is untouched
  receipt(post(Exposure(*std::move(hold)), Nanousd{6}, 0));
  EXPECT_TRUE(holds(account(), 10));
  derive();
  EXPECT_TRUE(sqlite
                  ->read([&](store::Tx& tx) -> Result<void> {
                    TRY(const auto rows,
                        tx.query("SELECT settled FROM budget_window WHERE budget = 'b' ORDER BY from_ns"));
                    EXPECT_EQ(rows.size(), 2U);
                    EXPECT_EQ(rows[0].integer(0), 6);
                    EXPECT_EQ(rows[1].integer(0), 0);
                    return {};
                  })
                  .has_value());
}

TEST_F(Reserve, AClockThatGoesBackFindsTheOldWindowAgain) {
  budget("b", "org", 10);
  spend(account(), 6, 6);
  pass(24 * 3'600);
  spend(account(), 5, 5);
  pass(-24 * 3'600);
  EXPECT_EQ(refused(account(), 5), Code::budget_exceeded);
  EXPECT_TRUE(holds(account(), 4));
}

TEST_F(Reserve, RequestsAMinuteAreExact) {
  const Account one = account({.rpm = 2});
  spend(one, 0, 0);
  pass(1);
  spend(one, 0, 0);
  EXPECT_EQ(refused(one, 0), Code::rate_limit_exceeded);
  EXPECT_EQ(last.retry_after_ms, 60'000);
  pass(60);
  EXPECT_TRUE(holds(one, 0));
}

TEST_F(Reserve, TokensAMinuteAreCorrectedWhenTheyAreKnown) {
  const Account one = account({.tpm = 100});
  auto hold = reserve(one, 0, 80);
  EXPECT_EQ(refused(one, 0, 30), Code::token_limit_exceeded);
  EXPECT_EQ(last.retry_after_ms, 61'000);
  post(Exposure(*std::move(hold)), Nanousd{0}, 50);
  EXPECT_TRUE(holds(one, 0, 50));
  EXPECT_EQ(refused(one, 0, 101), Code::token_limit_exceeded);
  EXPECT_EQ(last.retry_after_ms, 0);  // never
}

TEST_F(Reserve, SeatsAreTakenUntilTheExposureEnds) {
  const Account one = account({.concurrency = 1});
  auto hold = reserve(one, 0);
  EXPECT_EQ(refused(one, 0), Code::concurrency_exceeded);
  Exposure exposure(*std::move(hold));
  EXPECT_EQ(refused(one, 0), Code::concurrency_exceeded);
  post(std::move(exposure), Nanousd{0}, 0);
  EXPECT_TRUE(holds(one, 0));
}

TEST_F(Reserve, ALimitsCountGoesOnWhenTheKeysAccountIsMadeAnew) {
  auto hold = reserve(account({.concurrency = 1}), 0);
  EXPECT_EQ(refused(account({.rpm = 9, .concurrency = 1}), 0), Code::concurrency_exceeded);
  EXPECT_TRUE(holds(account({.concurrency = 2}), 0));
}

TEST_F(Reserve, LimitersAreForgottenOnlyWhenIdle) {
  const Account one = account({.rpm = 1});
  const Account two = account({.concurrency = 1}, {"red", "web", "k2"});
  spend(one, 0, 0);
  auto hold = reserve(two, 0);
  pass(59);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ledger->top_up(now).has_value());
  EXPECT_EQ(refused(one, 0), Code::rate_limit_exceeded);
  pass(600);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ledger->top_up(now).has_value());
  EXPECT_TRUE(holds(one, 0));
  EXPECT_EQ(refused(two, 0), Code::concurrency_exceeded);  // still in flight
}

TEST_F(Reserve, OneOfManyThreadsWinsABudgetThatCoversOne) {
  budget("a", "org", 1'000);
  budget("b", "team:red", 100);
  const Account one = account();
  std::atomic<int> won = 0;
  std::atomic<int> lost = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 200; ++i)
      threads.emplace_back([&] {
        auto hold = ledger->reserve(one, Nanousd{100}, 0, now);
        if (!hold) {
          EXPECT_EQ(hold.error().code, Code::budget_exceeded);
          ++lost;
          return;
        }
        ++won;
        post(Exposure(*std::move(hold)), Nanousd{100}, 0);
      });
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 199);
  ledger->check_invariants();
}

TEST_F(Reserve, ThreadsNeverSpendMoreThanTheBudgetAndUseItUp) {
  budget("a", "org", 100'000);
  budget("b", "team:red", 60'000);
  std::atomic<std::int64_t> red = 0;
  std::atomic<std::int64_t> all = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        const Account mine =
            ledger->account({i % 2 ? "red" : "blue", "", "k" + std::to_string(i)}, {.rpm = 100'000});
        for (int refusals = 0; refusals < 3;) {
          auto hold = ledger->reserve(mine, Nanousd{70}, 0, now);
          if (!hold) {
            ++refusals;
            continue;
          }
          post(Exposure(*std::move(hold)), Nanousd{50}, 0);
          all += 50;
          if (i % 2) red += 50;
        }
      });
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) EXPECT_TRUE(ledger->top_up(now).has_value());
    });
  }
  EXPECT_LE(red, 60'000);
  EXPECT_LE(all, 100'000);
  EXPECT_GT(all, 100'000 - 4 * 70);
  ledger->check_invariants();
}

class ChildTest : public LedgerTest {
 protected:
  const AccountPath path{"red", "web", "k3", {"k1", "k2"}};
};

TEST_F(ChildTest, a_budget_of_any_key_above_refuses_and_is_named) {
  budget("key:k1", "key:k1", 100);
  budget("key:k2", "key:k2", 50);
  const Account on = ledger->account(path, {});
  EXPECT_EQ(refused(on, 51), Code::budget_exceeded);
  EXPECT_TRUE(last.say.contains("key k2")) << last.say;
  EXPECT_TRUE(holds(on, 50));
  budget("key:k1", "key:k1", 40);
  EXPECT_EQ(refused(on, 41), Code::budget_exceeded);
  EXPECT_TRUE(last.say.contains("key k1")) << "from the top down: " << last.say;
  EXPECT_TRUE(holds(ledger->account({"red", "web", "k9"}, {}), 1'000)) << "other keys are not bound";
}

TEST_F(ChildTest, what_a_child_costs_is_settled_at_every_key_above) {
  for (const char* node : {"org", "key:k1", "key:k2", "key:k3"}) budget(node, node, 100);
  spend(ledger->account(path, {}), 10, 7, path);
  spend(ledger->account({"red", "web", "k2", {"k1"}}, {}), 10, 5, {"red", "web", "k2", {"k1"}});
  derive();
  const auto settled = [&](std::string_view node) {
    const auto views = ledger->snapshot(now, node).value();
    return views.empty() ? -1 : views.front().settled.value;
  };
  EXPECT_EQ(settled("org"), 12);
  EXPECT_EQ(settled("key:k1"), 12);
  EXPECT_EQ(settled("key:k2"), 12);
  EXPECT_EQ(settled("key:k3"), 7);
}

TEST_F(ChildTest, rates_of_the_keys_above_count_all_below_and_a_refusal_takes_nothing) {
  const std::vector<RateLimits> above{{.rpm = 2}, {.concurrency = 1}};
  const Account one = ledger->account(path, {.rpm = 5}, above);
  const Account other = ledger->account({"red", "web", "k4", {"k1", "k2"}}, {}, above);
  {
    const auto hold = reserve(one, 1);
    ASSERT_TRUE(hold);
    EXPECT_EQ(refused(other, 1), Code::concurrency_exceeded);
    EXPECT_TRUE(last.say.contains("k2 above")) << last.say;
  }
  spend(one, 1, 1);
  spend(other, 1, 1);
  EXPECT_EQ(refused(one, 1), Code::rate_limit_exceeded);
  EXPECT_TRUE(last.say.contains("k1 above")) << last.say;
  pass(61);
  EXPECT_TRUE(holds(one, 1));
}

}  // namespace
}  // namespace claviger::ledger
