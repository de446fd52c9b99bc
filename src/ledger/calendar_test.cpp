// Tests of time zones and calendar windows.
#include "ledger/calendar.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/rng.hpp"

namespace claviger::ledger {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

Time t(const char* text) { return parse_time(text).value(); }

Zone zone(const char* name) {
  auto loaded = Zone::load(name);
  EXPECT_TRUE(loaded.has_value()) << name;
  return loaded ? *loaded : Zone::fixed(0);
}

void expect_window(Window window, const Zone& in, const char* at, const char* from, const char* to) {
  const WindowSpan span = window_at(window, in, t(at));
  EXPECT_EQ(format_time(span.from), format_time(t(from))) << at;
  EXPECT_EQ(format_time(span.to), format_time(t(to))) << at;
}

TEST(Zone, RefusesNamesThatAreNotThere) {
  for (const char* name : {"", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe",
                           "Europe/../../../etc/passwd", "+5", "+05:60", "+16:00", "CET\n", "utc "}) {
    const auto loaded = Zone::load(name);
    ASSERT_FALSE(loaded.has_value()) << name;
    EXPECT_EQ(loaded.error().code, Code::invalid_input) << name;
  }
}

TEST(Zone, RefusesEveryTruncationOfAFile) {
  std::string bytes = "TZif2";
  bytes.append(15, '\0');
  const auto number = [](int n) { return std::string{'\0', '\0', '\0', static_cast<char>(n)}; };
  const std::string counts = number(0) + number(0) + number(0) + number(0) + number(1) + number(4);
  const std::string body = number(0) + std::string(2, '\0') + "UTC" + '\0';
  const std::string block = bytes + counts + body;
  const std::string whole = block + block + "\nEST5EDT,M3.2.0,M11.1.0\n";
  ASSERT_TRUE(Zone::parse(as_bytes(whole)).has_value());
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(Zone::parse(as_bytes(std::string_view(whole).substr(0, n))).has_value()) << n;
}

TEST(Zone, RefusesBrokenRules) {
  const auto with_footer = [](std::string_view footer) {
    std::string head = "TZif2";
    head.append(15, '\0');
    const std::string block = head + std::string(16, '\0') + std::string{0, 0, 0, 1, 0, 0, 0, 4} +
                              std::string(6, '\0') + "UTC" + '\0';
    return Zone::parse(as_bytes(block + block + "\n" + std::string(footer) + "\n"));
  };
  EXPECT_TRUE(with_footer("<+0330>-3:30").has_value());
  for (const char* footer : {"E5", "EST", "EST5EDT", "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
                             "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,M11.1.0x", "<EST5"})
    EXPECT_FALSE(with_footer(footer).has_value()) << footer;
}

// The C library reads the same files: both must agree at any time, past and future.
TEST(Zone, AgreesWithTheCLibrary) {
  SeededRng rng(11);
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata",
                           "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "Asia/Beirut",
                           "America/Sao_Paulo", "Europe/Dublin", "America/Nuuk", "Antarctica/Troll",
                           "Asia/Gaza", "Africa/Cairo", "America/Havana", "Pacific/Chatham"}) {
    ::setenv("TZ", name, 1);
    ::tzset();
    const Zone loaded = zone(name);
    for (int i = 0; i < 2'000; ++i) {
      const auto at = static_cast<std::time_t>(rng.below(4'100'000'000));  // until 2099
      std::tm broken{};
      ::localtime_r(&at, &broken);
      const OffsetSpan span = loaded.span_at(at);
      ASSERT_EQ(span.offset, broken.tm_gmtoff) << name << ' ' << at;
      ASSERT_TRUE(span.from <= at && at < span.to) << name << ' ' << at;
    }
  }
  ::unsetenv("TZ");
  ::tzset();
}

TEST(Zone, OffsetsChangeExactlyAtTheEndsOfSpans) {
  for (const char* name : {"Europe/Berlin", "America/Havana", "Pacific/Apia", "Africa/Casablanca"}) {
    const Zone loaded = zone(name);
    OffsetSpan span = loaded.span_at(0);
    for (int i = 0; i < 150 && span.to < 4'000'000'000; ++i) {
      EXPECT_EQ(loaded.span_at(span.to - 1).offset, span.offset) << name;
      const OffsetSpan next = loaded.span_at(span.to);
      ASSERT_EQ(next.from, span.to) << name;
      span = next;
    }
  }
}

TEST(Calendar, UtcWindows) {
  const Zone utc = zone("UTC");
  const char* at = "2026-11-20T13:45:10.5Z";  // a Friday
  expect_window(Window::hour, utc, at, "2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z");
  expect_window(Window::day, utc, at, "2026-11-20", "2026-11-21");
  expect_window(Window::week, utc, at, "2026-11-16", "2026-11-23");
  expect_window(Window::month, utc, at, "2026-11-01", "2026-12-01");
  expect_window(Window::month, utc, "2026-12-31T23:59:59.999Z", "2026-12-01", "2027-01-01");
  expect_window(Window::week, utc, "2026-11-16T00:00:00Z", "2026-11-16", "2026-11-23");
  expect_window(Window::week, utc, "2026-11-15T23:59:59Z", "2026-11-09", "2026-11-16");
  expect_window(Window::month, utc, "2028-02-29T12:00:00Z", "2028-02-01", "2028-03-01");
  EXPECT_EQ(window_at(Window::total, utc, t(at)), (WindowSpan{Time{0}, kNever}));
}

TEST(Calendar, FixedOffsetWindows) {
  const Zone india = zone("+05:30");
  expect_window(Window::hour, india, "2026-11-20T13:45:00Z", "2026-11-20T13:30:00Z", "2026-11-20T14:30:00Z");
  expect_window(Window::day, india, "2026-11-20T18:29:59Z", "2026-11-19T18:30:00Z", "2026-11-20T18:30:00Z");
  expect_window(Window::day, zone("-08:00"), "2026-11-20T07:59:00Z", "2026-11-19T08:00:00Z",
                "2026-11-20T08:00:00Z");
}

TEST(Calendar, ADayOfDaylightSavingHas23Or25Hours) {
  const Zone berlin = zone("Europe/Berlin");
  expect_window(Window::day, berlin, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
  expect_window(Window::day, berlin, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
  expect_window(Window::month, berlin, "2026-10-25T12:00:00Z", "2026-09-30T22:00:00Z",
                "2026-10-31T23:00:00Z");
  expect_window(Window::week, berlin, "2026-10-25T12:00:00Z", "2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z");
}

TEST(Calendar, DaylightSavingGoesOnAfterTheFilesLastTransition) {
  expect_window(Window::day, zone("Europe/Berlin"), "2090-07-01T12:00:00Z", "2090-06-30T22:00:00Z",
                "2090-07-01T22:00:00Z");
}

TEST(Calendar, ARepeatedHourIsTwoWindows) {
  const Zone berlin = zone("Europe/Berlin");
  expect_window(Window::hour, berlin, "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z");
  expect_window(Window::hour, berlin, "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z");
}

TEST(Calendar, ADayWhoseMidnightIsSkippedBeginsAtTheJump) {
  // Beirut 2022-03-27: 00:00 became 01:00 local, 2022-03-26T22:00Z.
  expect_window(Window::day, zone("Asia/Beirut"), "2022-03-27T12:00:00Z", "2022-03-26T22:00:00Z",
                "2022-03-27T21:00:00Z");
}

TEST(Calendar, ADayThatIsSkippedAltogetherHasNoWindow) {
  // Samoa left out 2011-12-30 (local): 29 December was followed by the 31st.
  const Zone apia = zone("Pacific/Apia");
  expect_window(Window::day, apia, "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z");
  expect_window(Window::day, apia, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z");
}

TEST(Calendar, WindowsFollowEachOtherWithoutGapOrOverlap) {
  for (const char* name :
       {"UTC", "+05:45", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia",
        "Australia/Lord_Howe", "America/Sao_Paulo", "America/Nuuk", "America/St_Johns", "America/Toronto"}) {
    const Zone loaded = zone(name);
    for (const Window window : {Window::hour, Window::day, Window::week, Window::month}) {
      const int steps = window == Window::hour ? 20'000 : 3'000;
      Time at = t(window == Window::hour  ? "2011-10-01"
                  : window == Window::day ? "2008-01-01"
                                          : "1985-01-01");
      WindowSpan span = window_at(window, loaded, at);
      for (int i = 0; i < steps && span.from.ns < 4'000'000'000 * kSecond; ++i) {
        ASSERT_LT(span.from, span.to);
        ASSERT_EQ(window_at(window, loaded, span.from), span) << name << ' ' << format_time(span.from);
        ASSERT_EQ(window_at(window, loaded, Time{span.to.ns - 1}), span)
            << name << ' ' << format_time(span.to);
        const WindowSpan next = window_at(window, loaded, span.to);
        ASSERT_EQ(next.from, span.to) << name << ' ' << format_time(span.to);
        span = next;
      }
    }
  }
}

TEST(Calendar, TimesBefore1970AreInTheFirstWindow) {
  const Zone utc = zone("UTC");
  EXPECT_TRUE(window_at(Window::day, utc, Time{-1}) == window_at(Window::day, utc, Time{0}));
}

TEST(Calendar, FarFutureDoesNotOverflow) {
  const WindowSpan span = window_at(Window::month, zone("Europe/Berlin"), Time{INT64_MAX - 1});
  EXPECT_LT(span.from.ns, INT64_MAX - 1);
  EXPECT_EQ(span.to, kNever);
}

}  // namespace
}  // namespace claviger::ledger
