// Bounds of what a scan keeps: findings, problems and the file of ignores.
#include "scan/finding.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "base/rng.hpp"
#include "scan/ignore_file.hpp"

namespace claviger::scan {
namespace {

TEST(Outcome, keeps_so_many_findings_and_tells_once_that_there_are_more) {
  Outcome outcome;
  outcome.problem("a file", "it cannot be read");
  outcome.findings.resize(limits::kScanFindings - 1);
  ASSERT_TRUE(outcome.has_room("x"));
  outcome.findings.emplace_back();
  EXPECT_EQ(outcome.problems.size(), 1U);
  EXPECT_FALSE(outcome.has_room("x"));
  EXPECT_FALSE(outcome.has_room("y"));
  ASSERT_EQ(outcome.problems.size(), 2U);
  EXPECT_EQ(outcome.problems[1].what, "x");
}

TEST(Outcome, of_several_threads_keeps_no_more_than_of_one) {
  Outcome one, other;
  one.findings.resize(limits::kScanFindings - 1);
  other.findings.resize(1);
  one.merge(std::move(other));
  EXPECT_EQ(one.findings.size(), limits::kScanFindings);
  EXPECT_TRUE(one.problems.empty());
  Outcome third;
  third.findings.resize(1);
  one.merge(std::move(third));
  EXPECT_EQ(one.findings.size(), limits::kScanFindings);
  EXPECT_EQ(one.problems.size(), 1U);
}

TEST(Outcome, keeps_so_many_problems_and_counts_all) {
  Outcome outcome, other;
  for (std::size_t i = 0; i < limits::kScanProblems; ++i) outcome.problem(std::to_string(i), "why");
  EXPECT_EQ(outcome.problems.size(), limits::kScanProblems);
  outcome.problem("one more", "why");
  other.problem("of another thread", "why");
  outcome.merge(std::move(other));
  EXPECT_EQ(outcome.problems.size(), limits::kScanProblems);
  EXPECT_EQ(outcome.stats.errors, limits::kScanProblems + 2);
}

TEST(IgnoreFile, is_read_up_to_the_bound) {
  SeededRng rng(1);
  std::string text = IgnoreFile::fresh(rng).text();
  text.resize(limits::kIgnoreFile - 1, '#');
  for (const std::size_t more : {0U, 1U, 2U}) {
    EXPECT_EQ(IgnoreFile::parse(text).has_value(), more < 2) << more;
    text += '#';
  }
}

}  // namespace
}  // namespace claviger::scan
