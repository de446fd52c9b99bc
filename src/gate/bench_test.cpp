// Tests of the bench: tables of findings and times, and the choice among several credentials.
#include "gate/bench.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace claviger::gate {
namespace {

using provider::Finding;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kNow = 1'000'000 * kMs;

Health after_all(std::initializer_list<Finding> findings, std::int64_t retry_after_ms = 0) {
  Health health;
  for (const Finding finding : findings) health = after(health, finding, retry_after_ms, kNow);
  return health;
}

TEST(BenchRules, one_refusal_is_suspicion_and_two_in_a_row_are_a_bench) {
  EXPECT_EQ(share(after_all({Finding::refused}), kNow), 100);
  EXPECT_EQ(share(after_all({Finding::refused, Finding::good, Finding::refused}), kNow), 100);
  const Health benched = after_all({Finding::refused, Finding::refused});
  EXPECT_EQ(share(benched, kNow), 0);
  EXPECT_EQ(benched.until_ns, kNow + limits::kBenchRefusedMs * kMs);
}

TEST(BenchRules, a_fault_counts_as_a_refusal_does_and_an_unreachable_host_at_once) {
  EXPECT_EQ(share(after_all({Finding::fault}), kNow), 100);
  EXPECT_EQ(share(after_all({Finding::fault, Finding::fault}), kNow), 0);
  EXPECT_EQ(share(after_all({Finding::unreachable}), kNow), 0);
  EXPECT_EQ(share(after_all({Finding::no_money}), kNow), 0);
}

TEST(BenchRules, a_rate_limit_rests_as_long_as_the_provider_says_within_bounds) {
  EXPECT_EQ(after_all({Finding::limited}, 7'000).until_ns, kNow + 7'000 * kMs);
  EXPECT_EQ(after_all({Finding::limited}, 0).until_ns, kNow + limits::kBenchShortestMs * kMs);
  EXPECT_EQ(after_all({Finding::limited}, limits::kBenchShortestMs - 1).until_ns,
            kNow + limits::kBenchShortestMs * kMs);
  EXPECT_EQ(after_all({Finding::limited}, limits::kBenchLongestMs).until_ns,
            kNow + limits::kBenchLongestMs * kMs);
  EXPECT_EQ(after_all({Finding::limited}, limits::kBenchLongestMs + 1).until_ns,
            kNow + limits::kBenchLongestMs * kMs);
}

TEST(BenchRules, what_was_under_way_when_the_bench_began_does_not_lengthen_it) {
  const Health once = after_all({Finding::unreachable});
  EXPECT_EQ(after_all({Finding::unreachable, Finding::unreachable, Finding::fault, Finding::refused}), once);
}

TEST(BenchRules, each_bench_in_a_row_is_twice_as_long_and_none_is_for_ever) {
  Health health;
  std::int64_t now = kNow;
  std::int64_t last_ms = 0;
  for (int i = 0; i < 20; ++i) {
    health = after(health, Finding::fault, 0, now);
    health = after(health, Finding::fault, 0, now);
    const std::int64_t rest_ms = (health.until_ns - now) / kMs;
    EXPECT_GE(rest_ms, last_ms);
    EXPECT_LE(rest_ms, limits::kBenchFaultLongestMs);
    last_ms = rest_ms;
    now = health.until_ns;
  }
  EXPECT_EQ(last_ms, limits::kBenchFaultLongestMs);
  for (int i = 0; i < 20; ++i) {
    health = after(health, Finding::refused, 0, now);
    EXPECT_LE(health.until_ns - now, limits::kBenchLongestMs * kMs);
    now = health.until_ns;
  }
}

TEST(BenchRules, traffic_comes_back_slowly_and_then_all_is_forgotten) {
  const Health rested = after_all({Finding::unreachable});
  EXPECT_EQ(share(rested, rested.until_ns - 1), 0);
  EXPECT_EQ(share(rested, rested.until_ns), 10);
  const int half = share(rested, (rested.until_ns + rested.whole_ns) / 2);
  EXPECT_GT(half, 50);
  EXPECT_LT(half, 60);
  EXPECT_EQ(share(rested, rested.whole_ns), 100);
  EXPECT_EQ(rested.whole_ns - rested.until_ns, limits::kRampShortestMs * kMs);
  EXPECT_NE(after(rested, Finding::good, 0, rested.until_ns), Health{});
  EXPECT_EQ(after(rested, Finding::good, 0, rested.whole_ns), Health{});
  const Health long_rest = after_all({Finding::limited}, limits::kBenchLongestMs);
  EXPECT_EQ(long_rest.whole_ns - long_rest.until_ns, limits::kRampLongestMs * kMs);
}

// How often each of `all` is chosen in a thousand draws.
std::vector<int> chosen(const std::vector<Candidate>& all) {
  std::vector<int> counts(all.size());
  for (std::uint64_t draw = 0; draw < 1000; ++draw) ++counts[choose(all, draw)];
  return counts;
}

TEST(Choice, without_weights_the_first_in_good_health_carries_all) {
  EXPECT_EQ(chosen({{}, {}, {}}), (std::vector{1000, 0, 0}));
  EXPECT_EQ(chosen({{.share = 0}, {}, {}}), (std::vector{0, 1000, 0}));
  EXPECT_EQ(chosen({{.priority = 1}, {.priority = 2}}), (std::vector{1000, 0}));
}

TEST(Choice, weights_share_within_a_priority_and_a_rest_passes_it_on) {
  const auto shared = chosen({{.weight = 3}, {.weight = 1}, {.priority = 1, .weight = 9}});
  EXPECT_NEAR(shared[0], 750, 60);
  EXPECT_NEAR(shared[1], 250, 60);
  EXPECT_EQ(shared[2], 0);
  EXPECT_EQ(chosen({{.weight = 3, .share = 0}, {.weight = 1}}), (std::vector{0, 1000}));
  EXPECT_EQ(chosen({{.weight = 3, .share = 0}, {.weight = 1, .share = 0}, {.priority = 1, .weight = 9}}),
            (std::vector{0, 0, 1000}));
}

TEST(Choice, one_that_comes_back_gets_its_share_and_the_next_gets_the_others) {
  const auto ramping = chosen({{.share = 10}, {}});
  EXPECT_NEAR(ramping[0], 100, 50);
  EXPECT_EQ(ramping[0] + ramping[1], 1000);
  EXPECT_EQ(chosen({{.share = 10}}), (std::vector{1000})) << "nobody else is there";
}

TEST(Choice, when_all_rest_the_one_that_is_due_first_is_asked) {
  EXPECT_EQ(chosen({{.share = 0, .until_ns = 9}, {.share = 0, .until_ns = 5}}), (std::vector{0, 1000}));
}

TEST(Bench, a_new_secret_begins_in_good_health_and_turns_are_told_once) {
  Bench bench;
  CredentialEntry one{"cred_1", 1, "dev", "one", nullptr, {}};
  CredentialEntry two{"cred_2", 1, "dev", "two", nullptr, {}};
  const CredentialEntry* both[] = {&one, &two};
  EXPECT_EQ(bench.note(one, Finding::good, 0, kNow), Bench::Turn::none);
  EXPECT_EQ(bench.note(one, Finding::refused, 0, kNow), Bench::Turn::suspect);
  EXPECT_EQ(bench.pick(both, kNow), &one);
  EXPECT_EQ(bench.note(one, Finding::refused, 0, kNow), Bench::Turn::benched);
  EXPECT_EQ(bench.note(one, Finding::refused, 0, kNow), Bench::Turn::none);
  EXPECT_EQ(bench.pick(both, kNow), &two);
  ASSERT_EQ(bench.unwell({&one, 1}, kNow).size(), 1u);
  EXPECT_TRUE(bench.unwell({&one, 1}, kNow)[0].rests);
  EXPECT_TRUE(bench.unwell({&two, 1}, kNow).empty());
  one.version = 2;
  EXPECT_EQ(bench.pick(both, kNow), &one);
  EXPECT_TRUE(bench.unwell({&one, 1}, kNow).empty());
}

TEST(Bench, what_comes_late_of_an_old_secret_changes_nothing_for_the_new_one) {
  Bench bench;
  const CredentialEntry before{"cred_1", 1, "dev", "one", nullptr, {}};
  CredentialEntry now = before;
  const CredentialEntry other{"cred_2", 1, "dev", "two", nullptr, {}};
  const CredentialEntry* both[] = {&now, &other};
  now.version = 2;
  EXPECT_EQ(bench.note(now, Finding::no_money, 0, kNow), Bench::Turn::benched);
  EXPECT_EQ(bench.note(before, Finding::refused, 0, kNow), Bench::Turn::suspect);
  EXPECT_EQ(bench.pick(both, kNow), &other) << "the new one's account is still empty";
  EXPECT_EQ(bench.note(before, Finding::good, 0, kNow), Bench::Turn::none);
  EXPECT_EQ(bench.pick(both, kNow), &other);
  EXPECT_EQ(bench.unwell({&now, 1}, kNow).size(), 1u);
}

TEST(Bench, a_secret_that_a_rotation_went_back_to_is_judged_by_its_own_answers) {
  Bench bench;
  CredentialEntry one{"cred_1", 2, "dev", "one", nullptr, {}};
  const CredentialEntry other{"cred_2", 1, "dev", "two", nullptr, {}};
  const CredentialEntry* both[] = {&one, &other};
  EXPECT_EQ(bench.note(one, Finding::no_money, 0, kNow), Bench::Turn::benched);
  one.version = 1;
  EXPECT_EQ(bench.pick(both, kNow), &one);
  EXPECT_EQ(bench.note(one, Finding::refused, 0, kNow), Bench::Turn::suspect);
  EXPECT_EQ(bench.note(one, Finding::refused, 0, kNow), Bench::Turn::benched);
  EXPECT_EQ(bench.pick(both, kNow), &other);
}

// Random findings at random times: shares stay in bounds, every rest ends, and with one candidate in good
// health a resting one is never chosen.
TEST(Bench, no_history_breaks_its_rules) {
  std::uint64_t state = 7;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
  };
  Health health;
  std::int64_t now = kNow;
  for (int step = 0; step < 200'000; ++step) {
    now += static_cast<std::int64_t>(next(5'000)) * kMs;
    health = after(health, static_cast<Finding>(next(6)), static_cast<std::int64_t>(next(2'000'000)), now);
    const int percent = share(health, now);
    ASSERT_GE(percent, 0);
    ASSERT_LE(percent, 100);
    ASSERT_LE(health.until_ns - now, limits::kBenchLongestMs * kMs);
    ASSERT_LE(health.whole_ns - health.until_ns, limits::kRampLongestMs * kMs);
    ASSERT_EQ(share(health, health.whole_ns), 100);
    const Candidate pair[] = {{.share = percent, .until_ns = health.until_ns}, {}};
    if (percent == 0) ASSERT_EQ(choose(pair, next(1'000'000)), 1u);
  }
}

}  // namespace
}  // namespace claviger::gate
