// Reading weekly hours, and asking them.
#include "policy/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace claviger::policy {
namespace {

constexpr int kDay = 24 * 60;
constexpr int kWeek = 7 * kDay;
constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
using DaySet = std::array<bool, 7>;

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return refuse(
      Code::invalid_input,
      fmt::format("schedule: '{}': {}; write it like mon-fri 08:00-18:00 Europe/Berlin", text, why));
}

// The text up to the next blank, taken off the front with the blanks around it.
std::string_view take_word(std::string_view& text) {
  const auto skip = [&] { text.remove_prefix(std::min(text.find_first_not_of(' '), text.size())); };
  skip();
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  skip();
  return word;
}

std::optional<std::size_t> day_named(std::string_view name) {
  if (name.size() != 3) return std::nullopt;
  std::string lower;
  for (const char c : name) lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  const auto at = std::ranges::find(kDays, lower);
  if (at == kDays.end()) return std::nullopt;
  return static_cast<std::size_t>(at - kDays.begin());
}

// "mon-fri", "fri-mon", "sat,sun", "daily".
std::optional<DaySet> read_days(std::string_view text) {
  DaySet days{};
  if (text == "daily") return days.fill(true), days;
  do {
    const std::string_view part = text.substr(0, text.find(','));
    const bool more = part.size() < text.size();
    text.remove_prefix(part.size() + (more ? 1 : 0));
    if (more && text.empty()) return std::nullopt;
    const std::size_t dash = part.find('-');
    const auto first = day_named(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day_named(part.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    for (std::size_t day = *first;; day = (day + 1) % days.size()) {
      days[day] = true;
      if (day == *last) break;
    }
  } while (!text.empty());
  return days;
}

// "08:00" as minutes; 24:00 is the day's end.
std::optional<int> read_minute(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > kDay) return std::nullopt;
  return hour * 60 + minute;
}

std::string clock_text(int minute) { return fmt::format("{:02}:{:02}", minute / 60, minute % 60); }

// Runs of three days and more as a range.
std::string days_text(const DaySet& days) {
  if (std::ranges::all_of(days, [](bool on) { return on; })) return "daily";
  std::string text;
  for (std::size_t i = 0; i < days.size(); ++i) {
    if (!days[i]) continue;
    std::size_t last = i;
    while (last + 1 < days.size() && days[last + 1]) ++last;
    if (!text.empty()) text += ',';
    text += kDays[i];
    if (last > i + 1) text.append("-").append(kDays[last]);
    if (last > i + 1) i = last;
  }
  return text;
}

std::vector<WeekSpan> spans_of(const DaySet& days, int from, int to) {
  std::vector<WeekSpan> spans;
  const int length = to > from ? to - from : to + kDay - from;
  for (std::size_t day = 0; day < days.size(); ++day) {
    if (!days[day]) continue;
    const int begin = static_cast<int>(day) * kDay + from;
    const int end = begin + length;
    spans.push_back({begin, std::min(end, kWeek)});
    if (end > kWeek) spans.push_back({0, end - kWeek});
  }
  return united(std::move(spans));
}

}  // namespace

std::vector<WeekSpan> united(std::vector<WeekSpan> spans) {
  std::ranges::sort(spans, {}, &WeekSpan::from);
  std::vector<WeekSpan> out;
  for (const WeekSpan& span : spans) {
    if (!out.empty() && span.from <= out.back().to)
      out.back().to = std::max(out.back().to, span.to);
    else
      out.push_back(span);
  }
  return out;
}

bool all_within(const std::vector<WeekSpan>& inner, const std::vector<WeekSpan>& outer) {
  return std::ranges::all_of(inner, [&](const WeekSpan& span) {
    return std::ranges::any_of(outer,
                               [&](const WeekSpan& o) { return o.from <= span.from && span.to <= o.to; });
  });
}

Result<Schedule> Schedule::parse(std::string_view text) {
  const std::string_view whole = text;
  const std::string_view days_word = take_word(text);
  const std::string_view hours = take_word(text);
  const std::string_view zone_word = take_word(text);
  if (!text.empty()) return bad(whole, "there is something after the time zone");
  const auto days = read_days(days_word);
  if (!days) return bad(whole, "the days are of mon, tue, wed, thu, fri, sat, sun, or daily");
  const std::size_t dash = hours.find('-');
  const auto from = read_minute(hours.substr(0, dash));
  const auto to = dash == std::string_view::npos ? std::nullopt : read_minute(hours.substr(dash + 1));
  if (!from || !to || *from == kDay) return bad(whole, "the hours are two times from 00:00 to 24:00");
  if (*from == *to) return bad(whole, "the hours are empty");
  Schedule made;
  made.zone_name_ = zone_word.empty() ? "UTC" : zone_word;
  auto zone = Zone::load(made.zone_name_);
  if (!zone) return bad(whole, told(zone.error()));
  made.zone_ = std::make_shared<const Zone>(*std::move(zone));
  made.spans_ = spans_of(*days, *from, *to);
  made.text_ =
      fmt::format("{} {}-{} {}", days_text(*days), clock_text(*from), clock_text(*to), made.zone_name_);
  return made;
}

bool Schedule::contains(Time at) const {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kDaySeconds = 86'400;
  const auto floor_div = [](std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
  const std::int64_t utc = floor_div(at.ns, kSecond);
  const std::int64_t local = utc + zone_->span_at(utc).offset;
  const std::int64_t day = floor_div(local, kDaySeconds);
  const std::int64_t weekday = day + 3 - floor_div(day + 3, 7) * 7;  // 1970-01-01 was a Thursday
  const auto minute = static_cast<int>(weekday * kDay + (local - day * kDaySeconds) / 60);
  return std::ranges::any_of(spans_,
                             [&](const WeekSpan& span) { return span.from <= minute && minute < span.to; });
}

}  // namespace claviger::policy
