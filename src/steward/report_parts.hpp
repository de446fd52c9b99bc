// What the forms of a report share: its tables, read out of the stored accounting. Internal to this folder.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/money.hpp"
#include "steward/report.hpp"
#include "wire/json.hpp"

namespace claviger::steward {

struct ReportRow {
  std::string name;
  bool fresh = false;  // not seen before the exposure
  std::int64_t calls = 0, errors = 0, input = 0, output = 0;
  Nanousd cost;
  std::string first, last;
};
struct ReportTable {
  std::string title;   // "Models"
  std::string column;  // "model"
  std::vector<ReportRow> rows;
};
struct ReportHour {
  std::string hour;
  std::int64_t calls = 0;
  Nanousd cost;
};
struct ReportFigures {
  bool there = false;
  std::string summary, from, to;
  ReportRow total;
  std::int64_t refused = 0, estimated = 0, baseline_days = 0, baseline_calls = 0;  // a day
  Nanousd baseline_cost;                                                           // a day
  std::vector<ReportTable> tables;
  std::vector<ReportHour> hours;
  // At the provider: label, its figure, the gate's, the difference. Empty: nobody was asked, or not yet.
  std::vector<std::array<std::string, 4>> provider;
  std::array<Nanousd, 3> provider_cost;  // the same of the last, when it is there
  std::string provider_says;             // in a sentence, or what stood in the way
};
ReportFigures figures_of(const ReportFacts& facts);

// "1.2 s", "3 m 20 s", "5 h 2 m"; "not yet" without an end.
std::string span_text(const std::optional<Time>& from, const std::optional<Time>& to);
// "what it means" of each stamp: label and time, in order.
std::vector<std::pair<std::string, std::string>> stamps_of(const Incident& incident);
// Label and value: whose secret, how it is known, how it was contained.
std::vector<std::pair<std::string, std::string>> facts_of(const ReportFacts& facts);
std::string position_of(const IncidentEvent& event);

}  // namespace claviger::steward
