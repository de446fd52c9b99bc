// Time zones: UTC, fixed offsets, and IANA names read from TZif files (RFC 9636).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace claviger {

// A stretch of time with one offset from UTC: [from, to) in seconds since 1970, offset in seconds east.
struct OffsetSpan {
  std::int64_t from = INT64_MIN;
  std::int64_t to = INT64_MAX;
  std::int64_t offset = 0;
};

// One end of daylight saving time in a POSIX TZ rule: a day of the year and a local second of that day.
struct ZoneRule {
  enum class Kind : std::uint8_t { month_week_day, julian, day_of_year };
  Kind kind = Kind::month_week_day;
  int month = 0, week = 0, day = 0;  // julian: 1..365 without 29 February; day_of_year: 0..365
  std::int64_t second = 7200;        // may be negative or more than a day
};

// A time zone's whole history and future. Immutable.
class Zone {
 public:
  // "UTC", "+05:30", "-08:00", or a name below `folder`. Refuses unknown names with invalid_input.
  static Result<Zone> load(std::string_view name, std::string_view folder = "/usr/share/zoneinfo");
  // The bytes of a TZif file, version 2 or later. corrupt when they cannot be read.
  static Result<Zone> parse(ByteView bytes);
  static Zone fixed(std::int64_t offset_seconds);

  OffsetSpan span_at(std::int64_t utc_seconds) const;

 private:
  struct Transition {
    std::int64_t at;
    std::int64_t offset;
  };
  bool read_footer(std::string_view text);
  OffsetSpan rule_span(std::int64_t utc_seconds) const;

  std::int64_t first_ = 0;               // offset before the first transition
  std::vector<Transition> transitions_;  // ascending
  bool has_rules_ = false;               // daylight saving goes on after the last transition
  std::int64_t standard_ = 0, daylight_ = 0;
  ZoneRule daylight_begins_, daylight_ends_;
};

// Days since 1970-01-01 of a proleptic Gregorian date, and back (Hinnant, "chrono-compatible algorithms").
std::int64_t days_from_civil(std::int64_t year, int month, int day);
struct CivilDate {
  std::int64_t year = 1970;
  int month = 1, day = 1;
};
CivilDate civil_from_days(std::int64_t days);

}  // namespace claviger
