// Time: what is no time or duration is refused; RFC 3339 is read and written exactly.
#include "base/clock.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"

namespace claviger {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t read(std::string_view text) {
  const auto parsed = parse_time(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? parsed->ns : -1;
}

TEST(ParseTime, what_is_no_time_is_refused_with_a_sentence) {
  for (const char* bad : {"",
                          "now",
                          "2026",
                          "2026-1-1",
                          "26-01-01",
                          "2026-13-01",
                          "2026-00-10",
                          "2026-01-32",
                          "2026-01-00",
                          "2026-02-29",
                          "2100-02-29",
                          "2026-04-31",
                          "2026/01/01",
                          "20260101",
                          "2026-01-01T",
                          "2026-01-01T00:00Z",
                          "2026-01-01T00:00:00",
                          "2026-01-01T24:00:00Z",
                          "2026-01-01T00:60:00Z",
                          "2026-01-01T00:00:61Z",
                          "2026-01-01T0:00:00Z",
                          "2026-01-01T00:00:00.Z",
                          "2026-01-01T00:00:00.1234567891Z",
                          "2026-01-01T00:00:00,5Z",
                          "2026-01-01T00:00:00+1:00",
                          "2026-01-01T00:00:00+0100",
                          "2026-01-01T00:00:00+24:00",
                          "2026-01-01T00:00:00+01:60",
                          "2026-01-01T00:00:00Zx",
                          "2026-01-01 ",
                          " 2026-01-01",
                          "2026-01-01Z",
                          "-026-01-01",
                          "2026-01-01T00:00:00 Z",
                          "1969-12-31",
                          "2262-01-01",
                          "9999-12-31"}) {
    const auto parsed = parse_time(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().code, Code::invalid_input) << bad;
    EXPECT_NE(parsed.error().say.find("is not a time"), std::string::npos) << bad;
  }
}

TEST(ParseTime, dates_and_times_are_read) {
  EXPECT_EQ(read("1970-01-01"), 0);
  EXPECT_EQ(read("1970-01-01T00:00:01Z"), kSecond);
  EXPECT_EQ(read("2001-09-09T01:46:40Z"), 1'000'000'000 * kSecond);
  EXPECT_EQ(read("2024-02-29T12:00:00Z"), 1'709'208'000 * kSecond);
  EXPECT_EQ(read("2000-02-29"), 951'782'400 * kSecond);
  EXPECT_EQ(read("2026-11-20t13:30:00z"), read("2026-11-20T13:30:00Z"));
  EXPECT_EQ(read("2026-11-20 13:30:00Z"), read("2026-11-20T13:30:00Z"));
}

TEST(ParseTime, offsets_are_taken_off) {
  EXPECT_EQ(read("2026-11-20T13:30:00+01:30"), read("2026-11-20T12:00:00Z"));
  EXPECT_EQ(read("2026-11-20T13:30:00-08:00"), read("2026-11-20T21:30:00Z"));
  EXPECT_EQ(read("2026-01-01T00:30:00+01:00"), read("2025-12-31T23:30:00Z"));
  EXPECT_EQ(read("2026-11-20T13:30:00-00:00"), read("2026-11-20T13:30:00Z"));
}

TEST(ParseTime, up_to_nine_decimals_are_exact) {
  EXPECT_EQ(read("1970-01-01T00:00:00.5Z"), kSecond / 2);
  EXPECT_EQ(read("1970-01-01T00:00:00.000000001Z"), 1);
  EXPECT_EQ(read("1970-01-01T00:00:00.123456789Z"), 123'456'789);
}

TEST(ParseTime, a_leap_second_is_the_next_minutes_first) {
  EXPECT_EQ(read("2016-12-31T23:59:60Z"), read("2017-01-01T00:00:00Z"));
}

TEST(FormatTime, times_are_written_in_utc_with_milliseconds) {
  EXPECT_EQ(format_time({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time({1'709'208'000 * kSecond + 123'999'999}), "2024-02-29T12:00:00.123Z");
  EXPECT_EQ(format_time({-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_time(kNever), "2262-04-11T23:47:16.854Z");
}

TEST(FormatTime, what_is_written_is_read_back_to_the_millisecond) {
  SeededRng rng(3);
  for (int i = 0; i < 5'000; ++i) {
    const auto ms = static_cast<std::int64_t>(rng.below(9'200'000'000'000));
    EXPECT_EQ(read(format_time({ms * 1'000'000})), ms * 1'000'000);
  }
}

TEST(ParseDuration, what_is_no_duration_is_refused_with_a_sentence) {
  for (const char* bad : {"",
                          "d",
                          "30",
                          "30 d",
                          " 30d",
                          "30d ",
                          "-1d",
                          "+1d",
                          "1.5h",
                          "1h30m",
                          "30D",
                          "3y",
                          "ms",
                          "5ms",
                          "1e3s",
                          "999999999999s",
                          "1000000000000s",
                          "99999999999999999999s",
                          "36601d",
                          "5230w"}) {
    const auto parsed = parse_duration(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().code, Code::invalid_input) << bad;
    EXPECT_NE(parsed.error().say.find("is not a duration"), std::string::npos) << bad;
  }
}

TEST(ParseDuration, each_unit_is_read) {
  using namespace std::chrono;
  EXPECT_EQ(parse_duration("90s").value(), seconds(90));
  EXPECT_EQ(parse_duration("15m").value(), minutes(15));
  EXPECT_EQ(parse_duration("12h").value(), hours(12));
  EXPECT_EQ(parse_duration("30d").value(), days(30));
  EXPECT_EQ(parse_duration("2w").value(), weeks(2));
  EXPECT_EQ(parse_duration("0s").value(), seconds(0));
  EXPECT_EQ(parse_duration("36600d").value(), days(36'600));  // a hundred years
}

TEST(SystemClock, the_monotonic_clock_does_not_go_back) {
  const SystemClock clock;
  std::int64_t before = clock.monotonic_ns();
  for (int i = 0; i < 1'000; ++i) {
    const std::int64_t after = clock.monotonic_ns();
    ASSERT_GE(after, before);
    before = after;
  }
}

TEST(Time, times_and_durations_add_and_subtract) {
  const Time start{5};
  EXPECT_EQ((start + std::chrono::nanoseconds(3)).ns, 8);
  EXPECT_EQ((Time{8} - start).count(), 3);
  EXPECT_LT(start, kNever);
}

}  // namespace
}  // namespace claviger
