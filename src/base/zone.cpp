// Reads TZif files and answers which offset holds at a time.
#include "base/zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace claviger {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::size_t kLargestFile = 256 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Big-endian numbers off the front of a byte view; `bad` once it ran out.
struct ByteReader {
  ByteView bytes;
  bool bad = false;

  std::uint64_t take(std::size_t count) {
    if (bytes.size() < count) {
      bad = true;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
    bytes = bytes.subspan(count);
    return value;
  }
  std::int64_t take_int32() { return static_cast<std::int32_t>(static_cast<std::uint32_t>(take(4))); }
  std::int64_t take_int64() { return static_cast<std::int64_t>(take(8)); }
  void skip(std::size_t count) {
    if (bytes.size() < count) bad = true;
    bytes = bytes.subspan(bad ? bytes.size() : count);
  }
};

struct TzifHead {
  std::uint64_t version = 0, isut = 0, isstd = 0, leap = 0, times = 0, types = 0, chars = 0;
};

bool take_head(ByteReader& in, TzifHead& head) {
  if (in.take(4) != 0x545a6966) return false;  // "TZif"
  head.version = in.take(1);
  in.skip(15);
  for (std::uint64_t* field : {&head.isut, &head.isstd, &head.leap, &head.times, &head.types, &head.chars})
    *field = in.take(4);
  return !in.bad && head.types > 0;
}

// Parts of a POSIX TZ string (IEEE Std 1003.1 section 8.3, with the extensions of RFC 9636 section 3.3.1).
struct RuleReader {
  std::string_view text;

  bool take(char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  }
  bool take_name() {
    const bool quoted = take('<');
    std::size_t n = 0;
    while (n < text.size() && (quoted ? text[n] != '>' : is_letter(text[n]))) ++n;
    text.remove_prefix(n);
    return n >= 3 && (!quoted || take('>'));
  }
  bool take_number(int& value) {
    if (text.empty() || !is_digit(text.front())) return false;
    value = 0;
    while (!text.empty() && is_digit(text.front()) && value < 100'000) {
      value = value * 10 + (text.front() - '0');
      text.remove_prefix(1);
    }
    return true;
  }
  // [+-]hh[:mm[:ss]] in seconds.
  bool take_time(std::int64_t& seconds) {
    const bool minus = take('-');
    if (!minus) take('+');
    int part = 0;
    if (!take_number(part) || part > 167) return false;
    seconds = part * 3600L;
    for (const std::int64_t unit : {60L, 1L}) {
      if (!take(':')) break;
      if (!take_number(part) || part > 59) return false;
      seconds += part * unit;
    }
    if (minus) seconds = -seconds;
    return true;
  }
  bool take_rule(ZoneRule& rule) {
    if (take('M')) {
      rule.kind = ZoneRule::Kind::month_week_day;
      if (!take_number(rule.month) || !take('.') || !take_number(rule.week) || !take('.')) return false;
      if (!take_number(rule.day) || rule.month < 1 || rule.month > 12) return false;
      if (rule.week < 1 || rule.week > 5 || rule.day > 6) return false;
    } else {
      rule.kind = take('J') ? ZoneRule::Kind::julian : ZoneRule::Kind::day_of_year;
      if (!take_number(rule.day) || rule.day > 365) return false;
    }
    return !take('/') || take_time(rule.second);
  }
};

bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

// Local second, counted as if UTC, at which the rule fires in a year.
std::int64_t rule_in_year(const ZoneRule& rule, std::int64_t year) {
  std::int64_t day = days_from_civil(year, 1, 1);
  if (rule.kind == ZoneRule::Kind::julian) {
    day += rule.day - 1 + (is_leap(year) && rule.day >= 60 ? 1 : 0);
  } else if (rule.kind == ZoneRule::Kind::day_of_year) {
    day += rule.day;
  } else {
    const std::int64_t first = days_from_civil(year, rule.month, 1);
    const std::int64_t weekday = ((first % 7) + 11) % 7;  // 0 = Sunday; 1970-01-01 was a Thursday
    day = first + (rule.day - weekday + 7) % 7 + (rule.week - 1) * 7;
    const std::int64_t next =
        rule.month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, rule.month + 1, 1);
    while (day >= next) day -= 7;
  }
  return day * kDay + rule.second;
}

std::unexpected<Error> unknown_zone(std::string_view name) {
  return refuse(Code::invalid_input,
                fmt::format("'{}' is not a known time zone: write UTC, an offset like +05:30, or a name like "
                            "Europe/Berlin",
                            name));
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || !is_letter(name.front()) || name.contains("..")) return false;
  return std::ranges::all_of(name, [](char c) {
    return is_letter(c) || is_digit(c) || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

// "+hh:mm" in seconds; false when it is not one.
bool read_offset(std::string_view text, std::int64_t& seconds) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  for (const std::size_t i : {1, 2, 4, 5})
    if (!is_digit(text[i])) return false;
  const int hours = (text[1] - '0') * 10 + (text[2] - '0');
  const int minutes = (text[4] - '0') * 10 + (text[5] - '0');
  if (hours > 15 || minutes > 59) return false;
  seconds = (hours * 60L + minutes) * (text[0] == '-' ? -60 : 60);
  return true;
}

}  // namespace

std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

CivilDate civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t of_era = days - era * 146'097;
  const std::int64_t year = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const int shifted = static_cast<int>((5 * of_year + 2) / 153);
  const int day = static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1);
  const int month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {year + era * 400 + (month <= 2), month, day};
}

Zone Zone::fixed(std::int64_t offset_seconds) {
  Zone zone;
  zone.first_ = offset_seconds;
  return zone;
}

Result<Zone> Zone::load(std::string_view name, std::string_view folder) {
  if (name == "UTC" || name == "Z") return fixed(0);
  std::int64_t offset = 0;
  if (read_offset(name, offset)) return fixed(offset);
  if (!is_zone_name(name)) return unknown_zone(name);
  const std::string path = fmt::format("{}/{}", folder, name);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || error) return unknown_zone(name);
  if (std::filesystem::file_size(path, error) > kLargestFile || error) return unknown_zone(name);
  std::ifstream file(path, std::ios::binary);
  const Bytes bytes(std::istreambuf_iterator<char>(file), {});
  return parse(bytes);
}

Result<Zone> Zone::parse(ByteView bytes) {
  const auto bad = [] { return fail(Code::corrupt, "not a TZif file of version 2 or later"); };
  ByteReader in{bytes};
  TzifHead head;
  if (!take_head(in, head) || head.version < '2') return bad();
  // The first block has 32-bit times; the second, with 64 bits, says all of it again.
  in.skip(head.times * 5 + head.types * 6 + head.chars + head.leap * 8 + head.isstd + head.isut);
  if (in.bad || !take_head(in, head) || head.times > 65'536 || head.types > 256) return bad();
  Zone zone;
  for (std::uint64_t i = 0; i < head.times; ++i) zone.transitions_.push_back({in.take_int64(), 0});
  std::vector<std::size_t> type_of(head.times);
  for (std::size_t& type : type_of) type = in.take(1);
  std::vector<std::int64_t> offsets;
  for (std::uint64_t i = 0; i < head.types; ++i) {
    offsets.push_back(in.take_int32());
    in.skip(2);
  }
  in.skip(head.chars + head.leap * 12 + head.isstd + head.isut);
  if (in.bad) return bad();
  zone.first_ = offsets[0];
  for (std::size_t i = 0; i < type_of.size(); ++i) {
    if (type_of[i] >= offsets.size()) return bad();
    zone.transitions_[i].offset = offsets[type_of[i]];
    if (i > 0 && zone.transitions_[i].at <= zone.transitions_[i - 1].at) return bad();
  }
  const std::string_view rest = as_text(in.bytes);
  const std::size_t end = rest.find('\n', 1);
  if (!rest.starts_with('\n') || end == std::string_view::npos) return bad();
  if (!zone.read_footer(rest.substr(1, end - 1))) return bad();
  return zone;
}

// The rule for all times after the last transition: "CET-1CEST,M3.5.0,M10.5.0/3". Empty: no change any more.
bool Zone::read_footer(std::string_view text) {
  if (text.empty()) return true;
  RuleReader in{text};
  if (!in.take_name() || !in.take_time(standard_)) return false;
  standard_ = -standard_;  // POSIX counts west of Greenwich
  if (in.text.empty()) {
    if (transitions_.empty()) first_ = standard_;
    return true;
  }
  daylight_ = -(standard_ + 3600);
  if (!in.take_name() || (!in.text.starts_with(',') && !in.take_time(daylight_))) return false;
  daylight_ = -daylight_;
  if (!in.take(',') || !in.take_rule(daylight_begins_) || !in.take(',') || !in.take_rule(daylight_ends_))
    return false;
  has_rules_ = true;
  return in.text.empty();
}

// The span by the footer's rules: the changes of the years around, in order, with no offset repeated.
OffsetSpan Zone::rule_span(std::int64_t utc_seconds) const {
  const std::int64_t year = civil_from_days(utc_seconds / kDay).year;
  std::vector<Transition> changes;
  for (std::int64_t y = year - 2; y <= year + 2; ++y) {
    changes.push_back({rule_in_year(daylight_begins_, y) - standard_, daylight_});
    changes.push_back({rule_in_year(daylight_ends_, y) - daylight_, standard_});
  }
  // At one and the same instant the beginning wins: that is how all-year daylight saving is written.
  std::ranges::sort(changes, [&](const Transition& a, const Transition& b) {
    return a.at != b.at ? a.at < b.at : a.offset == standard_ && b.offset != standard_;
  });
  OffsetSpan span{changes.front().at, INT64_MAX, changes.front().offset};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool hidden = i + 1 < changes.size() && changes[i + 1].at == changes[i].at;
    if (hidden || changes[i].offset == span.offset) continue;
    if (changes[i].at > utc_seconds) {
      span.to = changes[i].at;
      break;
    }
    span.from = changes[i].at;
    span.offset = changes[i].offset;
  }
  return span;
}

OffsetSpan Zone::span_at(std::int64_t utc_seconds) const {
  const auto next = std::ranges::upper_bound(transitions_, utc_seconds, {}, &Transition::at);
  OffsetSpan span;
  span.offset = first_;
  if (next != transitions_.begin()) {
    span.from = std::prev(next)->at;
    span.offset = std::prev(next)->offset;
  }
  if (next != transitions_.end()) {
    span.to = next->at;
  } else if (has_rules_) {
    const std::int64_t last = transitions_.empty() ? INT64_MIN : transitions_.back().at;
    const OffsetSpan ruled = rule_span(utc_seconds);
    span.to = ruled.to;
    span.offset = ruled.offset;
    span.from = std::max(ruled.from, last);
  }
  return span;
}

}  // namespace claviger
