// System clocks and RFC 3339.
#include "base/clock.hpp"

#include <fmt/format.h>

#include <ctime>

namespace claviger {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t read(clockid_t which) {
  timespec t{};
  ::clock_gettime(which, &t);
  return static_cast<std::int64_t>(t.tv_sec) * kSecond + t.tv_nsec;
}

// Reads exactly `count` digits from the front of `text`; -1 when they are not there.
int take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Fraction of a second in ns; false when there is a dot with no or too many digits.
bool take_fraction(std::string_view& text, std::int64_t& ns) {
  if (!take(text, '.')) return true;
  std::int64_t scale = kSecond / 10;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9' && digits < 9) {
    ns += (text.front() - '0') * scale;
    scale /= 10;
    ++digits;
    text.remove_prefix(1);
  }
  return digits > 0;
}

// Offset from UTC in seconds: Z or +hh:mm.
bool take_offset(std::string_view& text, std::int64_t& seconds) {
  if (take(text, 'Z') || take(text, 'z')) return true;
  const bool minus = !text.empty() && text.front() == '-';
  if (!minus && !(text.size() > 0 && text.front() == '+')) return false;
  text.remove_prefix(1);
  const int hours = take_number(text, 2);
  if (hours < 0 || hours > 23 || !take(text, ':')) return false;
  const int minutes = take_number(text, 2);
  if (minutes < 0 || minutes > 59) return false;
  seconds = (hours * 3600 + minutes * 60) * (minus ? -1 : 1);
  return true;
}

}  // namespace

Time SystemClock::now() const { return {read(CLOCK_REALTIME)}; }
std::int64_t SystemClock::monotonic_ns() const { return read(CLOCK_MONOTONIC); }

std::string format_time(Time time) {
  using namespace std::chrono;
  const sys_time<nanoseconds> at{nanoseconds(time.ns)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(at - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<Time> parse_time(std::string_view text) {
  const std::string_view whole = text;
  const auto bad = [&] {
    return refuse(Code::invalid_input,
                  fmt::format("'{}' is not a time: write it like 2026-12-31T23:59:59Z or 2026-12-31", whole));
  };
  const int year = take_number(text, 4);
  if (year < 1970 || year > 2261 || !take(text, '-')) return bad();
  const int month = take_number(text, 2);
  if (month < 1 || month > 12 || !take(text, '-')) return bad();
  const int day = take_number(text, 2);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day < 0 ? 0 : day))};
  if (!date.ok()) return bad();
  std::int64_t seconds = std::chrono::sys_days(date).time_since_epoch().count() * 86'400LL;
  if (text.empty()) return Time{seconds * kSecond};
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return bad();
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return bad();
  const int minute = take_number(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return bad();
  const int second = take_number(text, 2);
  std::int64_t ns = 0;
  std::int64_t offset = 0;
  if (second < 0 || second > 60 || !take_fraction(text, ns) || !take_offset(text, offset) || !text.empty())
    return bad();
  seconds += hour * 3600 + minute * 60 + second - offset;
  return Time{seconds * kSecond + ns};
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const std::string_view whole = text;
  const auto bad = [&] {
    return refuse(Code::invalid_input,
                  fmt::format("'{}' is not a duration: write a number and s, m, h, d or w, like 30d", whole));
  };
  std::int64_t count = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 12)
    count = count * 10 + (text[digits++] - '0');
  text.remove_prefix(digits);
  if (digits == 0 || text.size() != 1) return bad();
  std::int64_t unit = 0;
  switch (text.front()) {
    case 's':
      unit = 1;
      break;
    case 'm':
      unit = 60;
      break;
    case 'h':
      unit = 3600;
      break;
    case 'd':
      unit = 86'400;
      break;
    case 'w':
      unit = 604'800;
      break;
    default:
      return bad();
  }
  constexpr std::int64_t kCentury = 100LL * 366 * 86'400;
  if (count > kCentury / unit) return bad();
  return std::chrono::nanoseconds(count * unit * kSecond);
}

}  // namespace claviger
