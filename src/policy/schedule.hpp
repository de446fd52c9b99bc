// Weekly hours in a time zone: when a key may be used.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/zone.hpp"

namespace claviger::policy {

// Minutes of a week, [from, to), counted from Monday 00:00 on the wall clock of the zone.
struct WeekSpan {
  int from = 0;
  int to = 0;
  friend bool operator==(const WeekSpan&, const WeekSpan&) = default;
};

// "mon-fri 08:00-18:00 Europe/Berlin": days (mon-fri, sat,sun, daily), hours, and a time zone (UTC when it is
// left out). Hours that end before they begin go on over midnight. The wall clock counts: when it is put
// back, an hour comes twice.
class Schedule {
 public:
  // Refuses invalid_input with what is wrong and how it is written.
  static Result<Schedule> parse(std::string_view text);
  bool contains(Time at) const;
  // Canonical: reads back as the same.
  const std::string& text() const { return text_; }
  const std::string& zone() const { return zone_name_; }
  // In order, without overlap or touch.
  const std::vector<WeekSpan>& spans() const { return spans_; }
  friend bool operator==(const Schedule& a, const Schedule& b) { return a.text_ == b.text_; }

 private:
  std::string text_;
  std::string zone_name_;
  std::vector<WeekSpan> spans_;
  std::shared_ptr<const Zone> zone_;
};

// Sorted, with overlapping and touching spans made one.
std::vector<WeekSpan> united(std::vector<WeekSpan> spans);
// True when each span lies within one of `outer`, which is united.
bool all_within(const std::vector<WeekSpan>& inner, const std::vector<WeekSpan>& outer);

}  // namespace claviger::policy
