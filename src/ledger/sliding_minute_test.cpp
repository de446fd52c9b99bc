// Tests of the sliding minute.
#include "ledger/sliding_minute.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "base/rng.hpp"

namespace claviger::ledger {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kBase = 1'800'000'000'000;  // ms; a full second

Time at_ms(std::int64_t ms) { return Time{(kBase + ms) * kMs}; }

TEST(SlidingMinute, StillCountsAnEventThatIsLessThanAMinuteOld) {
  SlidingMinute minute;
  minute.add(at_ms(900), 1);
  EXPECT_EQ(minute.sum(at_ms(60'000)), 1);  // 59.1 s old
  EXPECT_EQ(minute.sum(at_ms(60'899)), 1);
}

TEST(SlidingMinute, ForgetsAnEventAtMostASecondLate) {
  SlidingMinute minute;
  minute.add(at_ms(0), 1);
  EXPECT_EQ(minute.sum(at_ms(60'999)), 1);
  EXPECT_EQ(minute.sum(at_ms(61'000)), 0);
}

TEST(SlidingMinute, SaysWhenTheAmountFits) {
  SlidingMinute minute;
  minute.add(at_ms(0), 3);
  minute.add(at_ms(10'000), 4);
  EXPECT_EQ(minute.sum(at_ms(20'500)), 7);
  EXPECT_EQ(minute.wait_ms(at_ms(20'500), 1, 7), 61'000 - 20'500);
  EXPECT_EQ(minute.wait_ms(at_ms(20'500), 4, 7), 71'000 - 20'500);
  EXPECT_EQ(minute.wait_ms(at_ms(20'500), 8, 7), 0);  // never
}

TEST(SlidingMinute, SaysWhenNothingCountsAnyMore) {
  SlidingMinute minute;
  EXPECT_EQ(minute.clear_ms(at_ms(0)), 0);
  minute.add(at_ms(0), 3);
  EXPECT_EQ(minute.clear_ms(at_ms(500)), 61'000 - 500);
  const std::int64_t second = minute.add(at_ms(10'000), 4);
  EXPECT_EQ(minute.clear_ms(at_ms(20'500)), 71'000 - 20'500);
  minute.correct(second, -4);  // taken back: the older event is the newest that counts
  EXPECT_EQ(minute.clear_ms(at_ms(20'500)), 61'000 - 20'500);
  EXPECT_EQ(minute.sum(at_ms(70'000)), 0);
  EXPECT_EQ(minute.clear_ms(at_ms(70'000)), 0);
}

TEST(SlidingMinute, TakesBackWhatWasAddedUnlessItIsForgottenAlready) {
  SlidingMinute minute;
  const std::int64_t second = minute.add(at_ms(0), 5);
  minute.add(at_ms(1'000), 2);
  minute.correct(second, -5);
  EXPECT_EQ(minute.sum(at_ms(1'000)), 2);
  EXPECT_EQ(minute.sum(at_ms(61'500)), 2);
  minute.correct(second, -2);  // its second is gone: nothing of another one may be touched
  EXPECT_EQ(minute.sum(at_ms(61'500)), 2);
}

TEST(SlidingMinute, CorrectsUpwards) {
  SlidingMinute minute;
  const std::int64_t second = minute.add(at_ms(0), 5);
  minute.correct(second, 10);
  EXPECT_EQ(minute.sum(at_ms(0)), 15);
}

TEST(SlidingMinute, KeepsEverythingWhenTheClockGoesBack) {
  SlidingMinute minute;
  minute.add(at_ms(3'600'000), 3);
  minute.add(at_ms(3'601'000), 4);
  EXPECT_EQ(minute.sum(at_ms(0)), 7);
  EXPECT_EQ(minute.sum(at_ms(60'500)), 7);
  EXPECT_EQ(minute.sum(at_ms(61'000)), 0);
}

TEST(SlidingMinute, NeverLetsMoreThanTheLimitThroughInAnyMinute) {
  SeededRng rng(7);
  SlidingMinute minute;
  std::deque<std::int64_t> passed;  // ms
  const std::int64_t limit = 10;
  std::size_t most = 0;
  for (std::int64_t ms = 0; ms < 600'000; ms += static_cast<std::int64_t>(rng.below(3'000))) {
    if (minute.sum(at_ms(ms)) < limit) {
      minute.add(at_ms(ms), 1);
      passed.push_back(ms);
    }
    while (!passed.empty() && passed.front() <= ms - 60'000) passed.pop_front();
    most = std::max(most, passed.size());
    ASSERT_LE(passed.size(), 10U) << ms;
  }
  EXPECT_EQ(most, 10U);  // and it is not stricter than it needs to be
}

}  // namespace
}  // namespace claviger::ledger
