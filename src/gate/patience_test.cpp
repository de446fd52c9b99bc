// Tests of the times that a running answer is given.
#include "gate/patience.hpp"

#include <gtest/gtest.h>

namespace claviger::gate {
namespace {

constexpr std::int64_t kMs = 1'000'000, kBegin = 7 * kMs;

TEST(Patience, an_answer_may_be_silent_for_so_long_and_take_so_long_in_all) {
  const Patience patience(kBegin);
  const std::int64_t end = kBegin + limits::kStreamTotalMs * kMs;
  const std::int64_t silence = limits::kStreamSilenceMs * kMs;
  EXPECT_EQ(patience.deadline_ns(kBegin), kBegin + silence);
  for (const std::int64_t more : {-1, 0, 1})
    EXPECT_EQ(patience.deadline_ns(end - silence + more), std::min(end + more, end)) << more;
}

TEST(Patience, a_client_that_left_is_read_on_for_so_long_from_then_on) {
  Patience patience(kBegin);
  patience.client_left(kBegin + 5);
  const std::int64_t end = kBegin + 5 + limits::kDrainAfterAbortMs * kMs;
  for (const std::int64_t now : {kBegin + 5, kBegin + 6, end - 1, end, end + 1})
    EXPECT_EQ(patience.deadline_ns(now), end);
  patience.client_left(end);
  EXPECT_EQ(patience.deadline_ns(end), end) << "it leaves once";
}

TEST(Patience, so_many_bytes_are_worth_reading_for_the_usage_alone) {
  Patience patience(kBegin);
  patience.took(2 * limits::kDrainAfterAbortBytes);
  EXPECT_TRUE(patience.worth_more()) << "these went to the client";
  patience.client_left(kBegin);
  patience.took(limits::kDrainAfterAbortBytes - 1);
  EXPECT_TRUE(patience.worth_more());
  patience.took(1);
  EXPECT_TRUE(patience.worth_more());
  patience.took(1);
  EXPECT_FALSE(patience.worth_more());
}

}  // namespace
}  // namespace claviger::gate
