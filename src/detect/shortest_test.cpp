// The shortest text of a pattern, for what rules are written with.
#include "detect/shortest.hpp"

#include <gtest/gtest.h>

namespace claviger::detect {
namespace {

TEST(Shortest, adds_up_what_must_stand) {
  EXPECT_EQ(shortest_match("ghp_[A-Za-z0-9]{36}"), 40U);
  EXPECT_EQ(shortest_match("rk_(?:live|test)_[A-Za-z0-9]{24,247}"), 32U);
  EXPECT_EQ(shortest_match("ya29\\.(?:[a-z]\\.)?[A-Za-z0-9_-]{20,}"), 25U);
  EXPECT_EQ(shortest_match("sk-(?:[A-Za-z0-9]{48}|[0-9a-f]{32})"), 35U);
  EXPECT_EQ(shortest_match("a\\d+b*c?(?P<secret>[^]x\\]]{2})"), 4U);
  EXPECT_EQ(shortest_match(""), 0U);
}

TEST(Shortest, counts_nothing_for_what_takes_no_room) {
  EXPECT_EQ(shortest_match("^(?i)\\bkey\\b$"), 3U);
  EXPECT_EQ(shortest_match("\\x41{3}[-!]{0,2}"), 3U);
}

TEST(Shortest, ends_with_a_pattern_that_does_not) {
  EXPECT_EQ(shortest_match("(a"), 1U);
  EXPECT_EQ(shortest_match("a{2"), 2U);
  EXPECT_EQ(shortest_match("[a"), 1U);
  EXPECT_EQ(shortest_match("a\\"), 2U);
}

}  // namespace
}  // namespace claviger::detect
