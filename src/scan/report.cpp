// JSON, JSON lines and CSV, and the choice of a report.
#include "scan/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_writer.hpp"
#include "scan/text_form.hpp"

namespace claviger::scan {
namespace {

constexpr std::array<std::string_view, 7> kFormats{"text",   "json",  "jsonl", "sarif",
                                                   "gitlab", "junit", "csv"};

void text_or_null(JsonWriter& json, std::string_view name, std::string_view value) {
  json.key(name);
  if (value.empty())
    json.null();
  else
    json.text(value);
}

void append_known(JsonWriter& json, const std::optional<Known>& known) {
  json.key("known");
  if (!known) {
    json.null();
    return;
  }
  json.open('{').field("kind", known->kind).field("id", known->id).field("name", known->name);
  text_or_null(json, "owner", known->owner);
  json.field("state", known->state);
  json.key("version");
  if (known->version > 0)
    json.number(known->version);
  else
    json.null();
  text_or_null(json, "environment", known->environment);
  json.close('}');
}

std::string json_report(const Outcome& outcome, const ReportOptions& options) {
  std::string out;
  out += "{\"findings\":[";
  for (const Finding& finding : outcome.findings) {
    out += &finding == outcome.findings.data() ? "\n" : ",\n";
    append_json(out, finding, options);
  }
  out += "],\n\"stats\":";
  JsonWriter json(out);
  const auto count = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  json.open('{').field("bytes", count(outcome.stats.bytes)).field("blobs", count(outcome.stats.blobs));
  json.field("files", count(outcome.stats.files)).key("seconds");
  json.raw(fmt::format("{:.6f}", outcome.stats.seconds));
  json.field("errors", count(outcome.stats.errors)).close('}');
  return out + "}\n";
}

std::string jsonl_report(const Outcome& outcome, const ReportOptions& options) {
  std::string out;
  for (const Finding& finding : outcome.findings) {
    append_json(out, finding, options);
    out += '\n';
  }
  return out;
}

std::string csv_report(const Outcome& outcome, const ReportOptions& options) {
  const bool reveal = options.secrets == Secrets::revealed;
  std::string out =
      "rule,provider,severity,file,line,column,end_line,commit,author,email,date,secret_sha256,redacted,"
      "validated,known";
  out += reveal ? ",secret\r\n" : "\r\n";
  for (const Finding& f : outcome.findings) {
    const std::string known =
        f.known ? fmt::format("{} {} {}", f.known->kind, f.known->id, f.known->state) : "";
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", csv_cell(f.rule), csv_cell(f.provider),
                       severity_name(f.severity), csv_cell(f.file), f.line, f.column, f.end_line,
                       csv_cell(f.commit), csv_cell(f.author), csv_cell(f.email), csv_cell(f.date),
                       hex(f.sha256), csv_cell(redacted(f.secret)), f.validated, csv_cell(known));
    out += reveal ? "," + csv_cell(f.secret) + "\r\n" : "\r\n";
  }
  return out;
}

}  // namespace

std::optional<Format> format_of(std::string_view name) {
  const auto at = std::ranges::find(kFormats, name);
  if (at == kFormats.end()) return std::nullopt;
  return static_cast<Format>(at - kFormats.begin());
}

void append_json(std::string& out, const Finding& finding, const ReportOptions& options) {
  JsonWriter json(out);
  json.open('{').field("rule", finding.rule).field("provider", finding.provider);
  json.field("severity", severity_name(finding.severity)).field("file", finding.file);
  json.field("line", finding.line).field("column", finding.column).field("end_line", finding.end_line);
  text_or_null(json, "commit", finding.commit);
  text_or_null(json, "author", finding.author);
  text_or_null(json, "email", finding.email);
  text_or_null(json, "date", finding.date);
  json.field("secret_sha256", hex(finding.sha256)).field("redacted", redacted(finding.secret));
  if (options.secrets == Secrets::revealed) json.field("secret", finding.secret);
  json.field_bool("validated", finding.validated);
  append_known(json, finding.known);
  if (finding.asked) {
    json.key("verified").open('{').field("verdict", finding.asked->verdict);
    json.field("why", finding.asked->why).close('}');
  }
  if (options.history) {
    text_or_null(json, "first_commit", finding.first_commit);
    text_or_null(json, "last_commit", finding.last_commit);
    json.field_bool("still_in_head", finding.still_in_head.value_or(false));
  }
  json.close('}');
}

std::string fingerprint(const Finding& finding, const ReportOptions& options) {
  std::string text = finding.rule;
  text.append(1, '\0').append(finding.file).append(1, '\0').append(finding.secret);
  return hex(options.fingerprint->mac(text)).substr(0, 32);
}

std::string report(const Outcome& outcome, const ReportOptions& options) {
  switch (options.format) {
    case Format::json:
      return json_report(outcome, options);
    case Format::jsonl:
      return jsonl_report(outcome, options);
    case Format::csv:
      return csv_report(outcome, options);
    case Format::sarif:
      return sarif_report(outcome, options);
    case Format::gitlab:
      return gitlab_report(outcome, options);
    case Format::junit:
      return junit_report(outcome, options);
    case Format::text:
      break;
  }
  return text_report(outcome, options);
}

}  // namespace claviger::scan
