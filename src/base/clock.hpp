// Time as a value that is passed in, so that ledger, journal and vault run under simulation.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger {

// Wall-clock time in nanoseconds since 1970-01-01T00:00:00Z.
struct Time {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(Time, Time) = default;
  friend constexpr Time operator+(Time t, std::chrono::nanoseconds d) { return {t.ns + d.count()}; }
  friend constexpr std::chrono::nanoseconds operator-(Time a, Time b) {
    return std::chrono::nanoseconds(a.ns - b.ns);
  }
};

inline constexpr Time kNever{INT64_MAX};  // an expiry that does not come

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  // Never goes back; for durations and rate limits. Its zero is arbitrary.
  virtual std::int64_t monotonic_ns() const = 0;
};

// The machine's own clocks.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  std::int64_t monotonic_ns() const override;
};

// RFC 3339 in UTC with milliseconds, e.g. 2026-11-20T13:30:00.123Z.
std::string format_time(Time time);
// RFC 3339 with any offset and up to nine decimals, or a plain date (midnight UTC).
Result<Time> parse_time(std::string_view text);
// "30d", "12h", "15m", "90s", "2w"; at most 100 years.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace claviger
