// The reports of GitLab (secret detection, schema 15) and of JUnit. The secret is in none of them.
#include <fmt/format.h>

#include <array>
#include <string>

#include "base/json_writer.hpp"
#include "scan/report.hpp"
#include "scan/text_form.hpp"

namespace claviger::scan {
namespace {

constexpr std::array<std::string_view, 4> kGitlabSeverities{"Low", "Medium", "High", "Critical"};
constexpr std::string_view kNoCommit = "0000000";  // what GitLab's own analyzer writes outside of git

void append_tool(JsonWriter& json, std::string_view role, const ReportOptions& options) {
  json.key(role).open('{').field("id", "claviger").field("name", "Claviger");
  json.field("version", options.version).key("vendor").open('{').field("name", "Claviger");
  json.close('}').close('}');
}

// GitLab takes a time without its zone.
std::string gitlab_time(Time time) { return format_time(time).substr(0, 19); }

void append_vulnerability(JsonWriter& json, const Finding& finding, const ReportOptions& options) {
  json.open('{');
  json.field("id", fmt::format("{}:{}:{}", fingerprint(finding, options), finding.line, finding.column));
  json.field("name", finding.about).field("description", finding.about + ": " + redacted(finding.secret));
  json.field("severity", kGitlabSeverities[static_cast<std::size_t>(finding.severity)]);
  json.field("solution", finding.advice).key("location").open('{').field("file", finding.file);
  json.field("start_line", finding.line).field("end_line", finding.end_line).key("commit").open('{');
  json.field("sha", finding.commit.empty() ? kNoCommit : std::string_view(finding.commit));
  if (!finding.author.empty()) json.field("author", finding.author);
  if (!finding.date.empty()) json.field("date", finding.date);
  json.close('}').close('}').key("identifiers").open('[').open('{');
  json.field("type", "claviger_rule_id").field("name", "Claviger rule " + finding.rule);
  json.field("value", finding.rule).close('}').close(']').close('}');
}

}  // namespace

std::string gitlab_report(const Outcome& outcome, const ReportOptions& options) {
  std::string out;
  JsonWriter json(out);
  json.open('{').field("version", "15.1.4").key("scan").open('{');
  append_tool(json, "analyzer", options);
  append_tool(json, "scanner", options);
  json.field("type", "secret_detection").field("start_time", gitlab_time(options.started));
  json.field("end_time", gitlab_time(options.ended));
  json.field("status", outcome.stats.errors == 0 ? "success" : "failure");
  if (!outcome.problems.empty()) {
    json.key("messages").open('[');
    for (const Problem& problem : outcome.problems)
      json.open('{').field("level", "fatal").field("value", problem.what + ": " + problem.why).close('}');
    json.close(']');
  }
  json.close('}').key("vulnerabilities").open('[');
  for (const Finding& finding : outcome.findings) append_vulnerability(json, finding, options);
  json.close(']').close('}');
  return out + "\n";
}

std::string junit_report(const Outcome& outcome, const ReportOptions& options) {
  const std::size_t failures = outcome.findings.size(), errors = outcome.problems.size();
  const std::size_t tests = failures + errors == 0 ? 1 : failures + errors;
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\"", tests,
                                         failures, errors, outcome.stats.seconds);
  out +=
      fmt::format("<testsuites name=\"claviger\" {}>\n<testsuite name=\"claviger scan\" {}", counts, counts);
  out += fmt::format(" timestamp=\"{}\" skipped=\"0\">\n", gitlab_time(options.started));
  for (const Finding& f : outcome.findings) {
    out += fmt::format("<testcase classname=\"{}\" name=\"{}:{}:{}\" file=\"{}\" line=\"{}\">",
                       xml_text(f.rule), xml_text(f.file), f.line, f.column, xml_text(f.file), f.line);
    out += fmt::format("<failure message=\"{}\" type=\"{}\">", xml_text(f.about), severity_name(f.severity));
    out += xml_text(fmt::format("{}\n{}", redacted(f.secret), f.advice)) + "</failure></testcase>\n";
  }
  for (const Problem& problem : outcome.problems)
    out += fmt::format(
        "<testcase classname=\"scan\" name=\"{}\"><error message=\"{}\" type=\"unread\"/></testcase>\n",
        xml_text(problem.what), xml_text(problem.why));
  if (failures + errors == 0) out += "<testcase classname=\"scan\" name=\"nothing found\"/>\n";
  return out + "</testsuite>\n</testsuites>\n";
}

}  // namespace claviger::scan
