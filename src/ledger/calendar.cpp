// Window arithmetic on local dates.
#include "ledger/calendar.hpp"

#include <algorithm>

namespace claviger::ledger {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kLastSecond = INT64_MAX / kSecond;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// First instant (UTC seconds) at which the zone's local clock shows midnight of a day, or has passed it.
std::int64_t day_begins(const Zone& zone, std::int64_t day) {
  const std::int64_t local = day * kDay;
  OffsetSpan span = zone.span_at(local - 26 * kHour);  // no offset is as much as 26 hours
  for (;;) {
    const std::int64_t reached = std::max(span.from, local - span.offset);
    if (reached < span.to) return reached;
    span = zone.span_at(span.to);
  }
}

// The local day that begins the window of local day `day`, and the one that begins the next.
struct Days {
  std::int64_t first, next;
};

Days window_days(Window window, std::int64_t day) {
  if (window == Window::day) return {day, day + 1};
  if (window == Window::week) {
    const std::int64_t monday = day - (day + 3 - floor_div(day + 3, 7) * 7);  // 1970-01-01 was a Thursday
    return {monday, monday + 7};
  }
  const CivilDate date = civil_from_days(day);
  const bool december = date.month == 12;
  return {days_from_civil(date.year, date.month, 1),
          days_from_civil(date.year + (december ? 1 : 0), december ? 1 : date.month + 1, 1)};
}

WindowSpan in_seconds(std::int64_t from, std::int64_t to) {
  return {Time{std::max(from, std::int64_t{0}) * kSecond}, to >= kLastSecond ? kNever : Time{to * kSecond}};
}

}  // namespace

WindowSpan window_at(Window window, const Zone& zone, Time at) {
  if (window == Window::total) return {Time{0}, kNever};
  const std::int64_t utc = std::max(at.ns, std::int64_t{0}) / kSecond;
  const OffsetSpan span = zone.span_at(utc);
  const std::int64_t local = utc + span.offset;
  if (window == Window::hour) {
    const std::int64_t hour = floor_div(local, kHour) * kHour - span.offset;
    return in_seconds(std::max(hour, span.from), std::min(hour + kHour, span.to));
  }
  const std::int64_t day = floor_div(local, kDay);
  Days days = window_days(window, day);
  std::int64_t next = day_begins(zone, days.next);
  if (utc >= next) {  // the clock went back over midnight: the next day had begun already
    days = window_days(window, days.next);
    next = day_begins(zone, days.next);
  }
  return in_seconds(day_begins(zone, days.first), next);
}

}  // namespace claviger::ledger
