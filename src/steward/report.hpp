// The report of an incident, for people: Markdown, a self-contained HTML page with charts, and the table as
// CSV. Made from what is stored, so that it can be made again and says the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "steward/incident_rows.hpp"

namespace claviger::steward {

struct ReportFacts {
  Incident incident;
  std::vector<IncidentEvent> events;
  std::vector<IncidentPlace> places;
  std::uint64_t tree_size = 0;  // journal lines under the audit tree when it was made
  Time made;
};

// Over timeline and figures as stored, so that two copies of a report can be held against each other.
struct ReportSums {
  std::string timeline, accounting;  // SHA-256 in hex; of an empty text when there is none
};
ReportSums sums_of(const ReportFacts& facts);

std::string report_markdown(const ReportFacts& facts);
std::string report_html(const ReportFacts& facts);
// One line a row of the accounting:
// table,name,new,calls,errors,input_tokens,output_tokens,cost_usd,first,last.
std::string report_csv(const ReportFacts& facts);

}  // namespace claviger::steward
