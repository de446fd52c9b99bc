// When a key that was left is asked about, and when it is dead.
#include "steward/left_key.hpp"

#include "steward/rotation_plan_rig.hpp"

namespace claviger::steward {
namespace {

using provider::Verdict;

LeftKey left() {
  LeftKey key;
  key.since = key.next = kNow;
  return key;
}

TEST(LeftKey, a_key_that_was_seen_alive_is_dead_after_two_refusals) {
  LeftKey key = left();
  hear(key, traits(), probed(Verdict::valid), kNow);
  EXPECT_EQ(key.alive, kNow);
  hear(key, traits(), probed(Verdict::invalid), later(5'000));
  EXPECT_FALSE(dead(key));
  hear(key, traits(), probed(Verdict::invalid), later(10'000));
  EXPECT_TRUE(dead(key));
}

TEST(LeftKey, an_answer_that_proves_nothing_begins_the_count_anew) {
  for (const Verdict verdict : {Verdict::unknown, Verdict::rate_limited, Verdict::ip_blocked}) {
    LeftKey key = left();
    key.alive = kNow;
    hear(key, traits(), probed(Verdict::invalid), later(5'000));
    hear(key, traits(), probed(verdict), later(10'000));
    hear(key, traits(), probed(Verdict::invalid), later(15'000));
    EXPECT_FALSE(dead(key)) << provider::verdict_name(verdict);
  }
  LeftKey key = left();
  key.alive = kNow;
  hear(key, traits(), probed(Verdict::invalid), later(5'000));
  Heard lost = heard(Kind::lost);
  lost.verdict = Verdict::invalid;
  hear(key, traits(), lost, later(10'000));
  EXPECT_EQ(key.bad, 0);
}

TEST(LeftKey, what_the_provider_may_not_know_yet_is_not_taken_for_dead) {
  for (const bool removed : {false, true}) {
    const std::int64_t known_ms = removed ? limits::kRotationListMs : limits::kRotationVerifyMs;
    LeftKey key = left();
    key.removed = removed;
    for (std::int64_t ms = 0; ms < known_ms; ms += 5'000)
      hear(key, traits(), probed(Verdict::invalid), later(ms));
    EXPECT_EQ(key.bad, 0);
    hear(key, traits(), probed(Verdict::invalid), later(known_ms));
    hear(key, traits(), probed(Verdict::invalid), later(known_ms + 5'000));
    EXPECT_TRUE(dead(key));
  }
}

TEST(LeftKey, it_is_asked_about_ever_more_slowly_and_at_once_when_a_person_says_that_it_is_gone) {
  constexpr std::int64_t kYearMs = std::int64_t{365} * 86'400'000;
  LeftKey key = left();
  const auto wait_at = [&](std::int64_t ms) {
    hear(key, traits(), probed(Verdict::valid), later(ms));
    return (key.next.ns - later(ms).ns) / kMs;
  };
  EXPECT_EQ(wait_at(0), limits::kRotationProbeMs);
  EXPECT_EQ(wait_at(3'600'000), 225'000);
  EXPECT_EQ(wait_at(kYearMs), limits::kRotationRetryMostMs);
  ask_again(key, later(kYearMs));
  EXPECT_EQ(key.next, later(kYearMs));
  EXPECT_EQ(wait_at(kYearMs), limits::kRotationProbeMs);
  hear(key, traits(), probed(Verdict::invalid), later(2 * kYearMs));
  EXPECT_EQ(key.next, later(2 * kYearMs + limits::kRotationProbeMs)) << "the second refusal is near";
}

TEST(LeftKey, it_lingers_when_it_is_accepted_longer_than_it_may) {
  LeftKey key = left();
  EXPECT_FALSE(lingers(key, later(limits::kRotationConfirmMs))) << "it was never seen alive";
  key.alive = kNow;
  EXPECT_FALSE(lingers(key, later(limits::kRotationConfirmMs - 1)));
  EXPECT_TRUE(lingers(key, later(limits::kRotationConfirmMs)));
}

}  // namespace
}  // namespace claviger::steward
