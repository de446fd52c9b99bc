// Weekly hours: how they are written, and when they hold.
#include "policy/schedule.hpp"

#include <gtest/gtest.h>

namespace claviger::policy {
namespace {

bool holds(std::string_view schedule, std::string_view at) {
  return Schedule::parse(schedule).value().contains(parse_time(at).value());
}

TEST(Schedule, what_is_no_schedule_is_refused_with_the_way_to_write_it) {
  for (const auto* text : {"", "mon", "mon-fri", "mon-fri 8:00-18:00", "mon-fri 08:00", "mon-fri 08:00-24:01",
                           "xyz 08:00-18:00", "mon, 08:00-18:00", "mon-fri 08:00-08:00",
                           "mon-fri 24:00-01:00", "mon-fri 08:60-18:00", "mon-fri 08:00-18:00 Mars/Base",
                           "mon 08:00-18:00 UTC more", "mon-fri 08:00-18:00 ../../etc/passwd"}) {
    const auto parsed = Schedule::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_input) << text;
    EXPECT_NE(parsed.error().say.find("mon-fri 08:00-18:00"), std::string::npos) << parsed.error().say;
  }
}

TEST(Schedule, outside_its_hours_it_does_not_hold) {
  EXPECT_FALSE(holds("mon-fri 08:00-18:00", "2026-11-23T07:59:59Z"));
  EXPECT_FALSE(holds("mon-fri 08:00-18:00", "2026-11-23T18:00:00Z"));
  EXPECT_FALSE(holds("mon-fri 08:00-18:00", "2026-11-22T12:00:00Z")) << "a Sunday";
}

TEST(Schedule, within_its_hours_it_holds) {
  EXPECT_TRUE(holds("mon-fri 08:00-18:00", "2026-11-23T08:00:00Z")) << "a Monday";
  EXPECT_TRUE(holds("mon-fri 08:00-18:00", "2026-11-27T17:59:59Z"));
  EXPECT_TRUE(holds("daily 00:00-24:00", "2026-11-22T23:59:59Z"));
  EXPECT_TRUE(holds("Sat,Sun 10:00-11:00", "2026-11-22T10:30:00Z"));
}

TEST(Schedule, hours_over_midnight_belong_to_the_day_on_which_they_begin) {
  EXPECT_TRUE(holds("fri 22:00-06:00", "2026-11-27T23:00:00Z"));
  EXPECT_TRUE(holds("fri 22:00-06:00", "2026-11-28T05:59:00Z"));
  EXPECT_FALSE(holds("fri 22:00-06:00", "2026-11-27T05:00:00Z"));
  EXPECT_TRUE(holds("sun 22:00-06:00", "2026-11-23T05:00:00Z")) << "over the end of the week";
}

TEST(Schedule, the_zones_own_clock_counts_summer_time_too) {
  EXPECT_TRUE(holds("mon 08:00-09:00 Europe/Berlin", "2026-11-23T07:30:00Z"));
  EXPECT_FALSE(holds("mon 08:00-09:00 Europe/Berlin", "2026-11-23T08:30:00Z"));
  EXPECT_TRUE(holds("mon 08:00-09:00 Europe/Berlin", "2026-07-06T06:30:00Z"));
  EXPECT_TRUE(holds("mon 08:00-09:00 +05:30", "2026-11-23T02:45:00Z"));
}

TEST(Schedule, the_text_reads_back) {
  for (const auto& [written, canonical] :
       {std::pair{"MON-fri 08:00-18:00", "mon-fri 08:00-18:00 UTC"},
        {"sun,sat 10:00-11:00 Europe/Berlin", "sat,sun 10:00-11:00 Europe/Berlin"},
        {"fri-mon  22:00-06:00", "mon,fri-sun 22:00-06:00 UTC"},
        {"mon-sun 00:00-24:00", "daily 00:00-24:00 UTC"}}) {
    const Schedule once = Schedule::parse(written).value();
    EXPECT_EQ(once.text(), canonical);
    EXPECT_EQ(Schedule::parse(once.text()).value().spans(), once.spans());
  }
}

}  // namespace
}  // namespace claviger::policy
