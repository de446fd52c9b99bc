// SARIF 2.1.0, the report that code hosts read. The secret is in none of it: fingerprints are keyed.
#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "base/json_writer.hpp"
#include "scan/report.hpp"
#include "scan/text_form.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kResultsInRun = 25'000;  // GitHub takes no more in one run
constexpr std::array<std::string_view, 4> kLevels{"note", "warning", "error", "error"};
constexpr std::array<std::string_view, 4> kScores{"3.0", "5.5", "8.0", "9.5"};  // security-severity

using Rules = std::map<std::string, std::size_t, std::less<>>;  // id to index

void append_rule(JsonWriter& json, const Finding& finding) {
  const auto severity = static_cast<std::size_t>(finding.severity);
  json.open('{').field("id", finding.rule);
  json.key("shortDescription").open('{').field("text", finding.about).close('}');
  json.key("help").open('{').field("text", finding.advice).close('}');
  json.key("defaultConfiguration").open('{').field("level", kLevels[severity]).close('}');
  json.key("properties").open('{').field("security-severity", kScores[severity]);
  json.field("precision", finding.validated ? "very-high" : "high");
  json.key("tags").open('[').text("security").text("external/cwe/cwe-798").close(']');
  json.close('}').close('}');
}

void append_result(JsonWriter& json, const Finding& finding, std::size_t index,
                   const ReportOptions& options) {
  json.open('{').field("ruleId", finding.rule).field("ruleIndex", static_cast<std::int64_t>(index));
  json.field("kind", "fail").field("level", kLevels[static_cast<std::size_t>(finding.severity)]);
  json.key("message").open('{');
  json.field("text", finding.about + " (" + redacted(finding.secret) + "). " + finding.advice).close('}');
  json.key("locations").open('[').open('{').key("physicalLocation").open('{');
  json.key("artifactLocation").open('{').field("uri", uri_path(finding.file));
  json.field("uriBaseId", "%SRCROOT%").close('}');
  json.key("region").open('{').field("startLine", finding.line).field("startColumn", finding.column);
  json.field("endLine", finding.end_line).close('}').close('}').close('}').close(']');
  json.key("partialFingerprints").open('{');
  json.field("secretHash/v1", fingerprint(finding, options)).close('}');
  json.field("baselineState", "new").key("properties").open('{');
  json.field("provider", finding.provider).field_bool("validated", finding.validated);
  if (finding.known) json.field("known", finding.known->kind + " " + finding.known->id);
  if (!finding.commit.empty()) json.field("commit", finding.commit);
  json.close('}').close('}');
}

void append_run(JsonWriter& json, const Outcome& outcome, std::size_t first, std::size_t end,
                const ReportOptions& options) {
  Rules rules;
  json.open('{').key("tool").open('{').key("driver").open('{').field("name", "Claviger");
  json.field("semanticVersion", options.version).key("rules").open('[');
  for (std::size_t i = first; i < end; ++i)
    if (rules.emplace(outcome.findings[i].rule, rules.size()).second) append_rule(json, outcome.findings[i]);
  json.close(']').close('}').close('}');
  json.key("automationDetails").open('{');
  json.field("id", "claviger-scan/" + std::to_string(first / kResultsInRun + 1) + "/").close('}');
  if (!options.origin.empty()) {
    json.key("versionControlProvenance").open('[').open('{').field("repositoryUri", options.origin);
    if (!options.revision.empty()) json.field("revisionId", options.revision);
    json.key("mappedTo").open('{').field("uriBaseId", "%SRCROOT%").close('}').close('}').close(']');
  }
  json.key("invocations").open('[').open('{');
  json.field_bool("executionSuccessful", outcome.stats.errors == 0);
  json.key("toolExecutionNotifications").open('[');
  for (const Problem& problem : outcome.problems) {
    json.open('{').field("level", "error").key("message").open('{');
    json.field("text", problem.what + ": " + problem.why).close('}').close('}');
  }
  json.close(']').close('}').close(']').key("results").open('[');
  for (std::size_t i = first; i < end; ++i)
    append_result(json, outcome.findings[i], rules.find(outcome.findings[i].rule)->second, options);
  json.close(']').close('}');
}

}  // namespace

std::string sarif_report(const Outcome& outcome, const ReportOptions& options) {
  std::string out;
  JsonWriter json(out);
  json.open('{');
  json.field("$schema", "https://json.schemastore.org/sarif-2.1.0.json").field("version", "2.1.0");
  json.key("runs").open('[');
  std::size_t first = 0;
  do {
    const std::size_t end = std::min(first + kResultsInRun, outcome.findings.size());
    append_run(json, outcome, first, end, options);
    first = end;
  } while (first < outcome.findings.size());
  json.close(']').close('}');
  return out + "\n";
}

}  // namespace claviger::scan
