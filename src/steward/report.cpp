// Facts, figures and the two plain forms of a report.
#include "steward/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/hash.hpp"
#include "steward/report_parts.hpp"

namespace claviger::steward {
namespace {

std::int64_t number(wire::JsonValue value) { return value.integer().value_or(0); }
std::string text(wire::JsonValue value) { return value.text().value_or(std::string()); }

ReportRow row_of(wire::JsonValue value) {
  ReportRow row;
  row.name = text(value["name"]);
  row.fresh = value["new"].boolean().value_or(false);
  row.calls = number(value["calls"]);
  row.errors = number(value["errors"]);
  row.input = number(value["input_tokens"]);
  row.output = number(value["output_tokens"]);
  row.cost = {number(value["cost_nanousd"])};
  row.first = text(value["first_call"]);
  row.last = text(value["last_call"]);
  return row;
}

// A cell of a Markdown table or a line of text: nothing in it is markup.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (std::string_view("|`*_<>[]\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out.empty() ? "-" : out;
}

// Quoted, and never a formula to the program that opens it.
std::string cell(std::string_view text) {
  std::string out = "\"";
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) out += '\'';
  for (const char c : text) out.append(c == '"' ? "\"\"" : std::string(1, c));
  return out + '"';
}

// Both sides of what the provider counts, and what did not pass the gate.
void read_provider(wire::JsonValue value, ReportFigures& figures) {
  figures.provider_says = text(value["summary"]);
  if (figures.provider_says.empty()) figures.provider_says = text(value["problem"]);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> counts{
      {{"calls", "Calls"}, {"input_tokens", "Tokens in"}, {"output_tokens", "Tokens out"}}};
  const wire::JsonValue use = value["use"], cost = value["cost"];
  if (use.is_object())
    for (const auto& [name, label] : counts)
      figures.provider.push_back({std::string(label), std::to_string(number(use["provider"][name])),
                                  std::to_string(number(use["gate"][name])),
                                  std::to_string(number(use["past_the_gate"][name]))});
  if (!cost.is_object()) return;
  figures.provider_cost = {{{number(cost["provider_nanousd"])},
                            {number(cost["gate_nanousd"])},
                            {number(cost["past_the_gate_nanousd"])}}};
  figures.provider.push_back({"USD", format_usd(figures.provider_cost[0]),
                              format_usd(figures.provider_cost[1]), format_usd(figures.provider_cost[2])});
}

void write_provider(std::string& out, const ReportFigures& figures) {
  if (figures.provider_says.empty()) return;
  out += fmt::format("\n### At the provider\n\n{}\n", plain(figures.provider_says));
  if (figures.provider.empty()) return;
  out += "\n| | the provider counts | passed the gate | past the gate |\n|---|---:|---:|---:|\n";
  for (const auto& [label, theirs, ours, past] : figures.provider)
    out += fmt::format("| {} | {} | {} | {} |\n", label, theirs, ours, past);
}

void write_tables(std::string& out, const ReportFigures& figures) {
  for (const ReportTable& table : figures.tables) {
    if (table.rows.empty()) continue;
    out += fmt::format("\n### {}\n\n| {} | calls | errors | tokens in | tokens out | USD | first | last |\n",
                       table.title, table.column);
    out += "|---|---:|---:|---:|---:|---:|---|---|\n";
    for (const ReportRow& row : table.rows)
      out += fmt::format("| {}{} | {} | {} | {} | {} | {} | {} | {} |\n", plain(row.name),
                         row.fresh ? " **new**" : "", row.calls, row.errors, row.input, row.output,
                         format_usd(row.cost), row.first, row.last);
  }
}

}  // namespace

ReportSums sums_of(const ReportFacts& facts) {
  crypto::Sha256 timeline;
  for (const IncidentEvent& one : facts.events)
    timeline.add(
        fmt::format("{} {} {} {} {}\n", one.at.ns, one.what, one.actor, position_of(one), one.detail));
  return {hex(timeline.finish()), hex(crypto::sha256(facts.incident.accounting))};
}

std::string position_of(const IncidentEvent& event) {
  return event.seq == 0 ? std::string("-") : fmt::format("{}/{}/{}", event.producer, event.epoch, event.seq);
}

ReportFigures figures_of(const ReportFacts& facts) {
  ReportFigures figures;
  wire::Json read;
  if (facts.incident.accounting.empty() || !wire::scan(facts.incident.accounting, read)) return figures;
  const wire::JsonValue root = read.root();
  figures.there = true;
  figures.summary = text(root["summary"]);
  figures.from = text(root["from"]);
  figures.to = text(root["to"]);
  figures.total = row_of(root);
  figures.refused = number(root["refused"]);
  figures.estimated = number(root["estimated"]);
  figures.baseline_days = number(root["baseline"]["days"]);
  figures.baseline_calls = number(root["baseline"]["calls_per_day"]);
  figures.baseline_cost = {number(root["baseline"]["cost_nanousd_per_day"])};
  constexpr std::array<std::array<std::string_view, 3>, 5> tables{{{"models", "Models", "model"},
                                                                   {"addresses", "Addresses", "address"},
                                                                   {"agents", "Programs", "user agent"},
                                                                   {"endpoints", "Endpoints", "endpoint"},
                                                                   {"keys", "Keys", "key"}}};
  for (const auto& [name, title, column] : tables) {
    ReportTable table{std::string(title), std::string(column), {}};
    for (const wire::JsonValue row : root[name].elements()) table.rows.push_back(row_of(row));
    figures.tables.push_back(std::move(table));
  }
  read_provider(root["provider"], figures);
  for (const wire::JsonValue hour : root["hours"].elements())
    figures.hours.push_back({text(hour["hour"]), number(hour["calls"]), {number(hour["cost_nanousd"])}});
  return figures;
}

std::string span_text(const std::optional<Time>& from, const std::optional<Time>& to) {
  if (!from || !to) return "not yet";
  const std::int64_t ms = std::max<std::int64_t>(0, (to->ns - from->ns) / 1'000'000);
  if (ms < 1'000) return fmt::format("{} ms", ms);
  if (ms < 60'000) return fmt::format("{}.{} s", ms / 1'000, ms % 1'000 / 100);
  const std::int64_t s = ms / 1'000;
  if (s < 3'600) return fmt::format("{} m {} s", s / 60, s % 60);
  if (s < 172'800) return fmt::format("{} h {} m", s / 3'600, s % 3'600 / 60);
  return fmt::format("{} d {} h", s / 86'400, s % 86'400 / 3'600);
}

std::vector<std::pair<std::string, std::string>> stamps_of(const Incident& it) {
  std::vector<std::pair<std::string, std::string>> stamps{{"first exposed", format_time(it.first_exposed)}};
  for (std::size_t i = 0; i < kIncidentStates; ++i)
    stamps.emplace_back(name_of(static_cast<IncidentState>(i)),
                        it.reached[i] ? format_time(*it.reached[i]) : "not yet");
  return stamps;
}

std::vector<std::pair<std::string, std::string>> facts_of(const ReportFacts& facts) {
  const Incident& it = facts.incident;
  using enum IncidentState;
  const ReportSums sums = sums_of(facts);
  return {{"Subject", fmt::format("{} ({})", it.subject(), it.name)},
          {"Owner", it.owner.empty() ? "-" : it.owner},
          {"Environment", it.environment},
          {"Version", std::to_string(it.version)},
          {"State", std::string(name_of(it.state))},
          {"Known by", fmt::format("{}, {} reports, first of {}", name_of(it.proof), it.reports, it.source)},
          {"Containment", std::string(name_of(it.containment))},
          {"Rotation",
           it.rotation.empty() ? (it.rotation_problem.empty() ? "-" : it.rotation_problem) : it.rotation},
          {"Time to detect", span_text(it.first_exposed, it.detected())},
          {"Time to contain", span_text(it.detected(), it.when(contained))},
          {"Time to replace", span_text(it.detected(), it.when(replaced))},
          {"Resolution", it.resolution.empty() ? "-" : fmt::format("{} ({})", it.resolution, it.closed_by)},
          {"Report made", format_time(facts.made)},
          {"Journal lines under the audit tree", std::to_string(facts.tree_size)},
          {"SHA-256 of the timeline", sums.timeline},
          {"SHA-256 of the figures", sums.accounting}};
}

std::string report_markdown(const ReportFacts& facts) {
  const Incident& it = facts.incident;
  std::string out = fmt::format("# Incident {}{}\n\n", it.id, it.drill ? " (drill)" : "");
  out += "| | |\n|---|---|\n";
  for (const auto& [label, value] : facts_of(facts)) out += fmt::format("| {} | {} |\n", label, plain(value));
  out += "\n## Where it was found\n\n";
  for (const IncidentPlace& place : facts.places)
    out += fmt::format("- {} ({}, {})\n", plain(place.place), plain(place.source), format_time(place.at));
  if (facts.places.empty()) out += "No place was named.\n";
  out += "\n## Timeline\n\n| time | what | by | | journal line |\n|---|---|---|---|---|\n";
  for (const IncidentEvent& event : facts.events)
    out += fmt::format("| {} | {} | {} | {} | {} |\n", format_time(event.at), plain(event.what),
                       plain(event.actor), plain(event.detail), position_of(event));
  out += "\n## Use while it was exposed\n\n";
  const ReportFigures figures = figures_of(facts);
  if (!figures.there) return out + "The figures are not there yet.\n";
  out += fmt::format(
      "{}\n\nFrom {} to {}: {} calls, {} errors, {} tokens in, {} tokens out, {} USD ({} of the calls "
      "at an estimated cost); {} calls were refused.\n",
      figures.summary, figures.from, figures.to, figures.total.calls, figures.total.errors,
      figures.total.input, figures.total.output, format_usd(figures.total.cost), figures.estimated,
      figures.refused);
  if (figures.baseline_days > 0)
    out += fmt::format("Usual in the {} days before: {} calls and {} USD a day.\n", figures.baseline_days,
                       figures.baseline_calls, format_usd(figures.baseline_cost));
  write_provider(out, figures);
  write_tables(out, figures);
  return out;
}

std::string report_csv(const ReportFacts& facts) {
  std::string out =
      "table,name,new,calls,errors,input_tokens,output_tokens,cost_usd,first_call,last_call\r\n";
  const auto add = [&](std::string_view table, const ReportRow& row) {
    out +=
        fmt::format("{},{},{},{},{},{},{},{},{},{}\r\n", table, cell(row.name), row.fresh ? "yes" : "no",
                    row.calls, row.errors, row.input, row.output, format_usd(row.cost), row.first, row.last);
  };
  const ReportFigures figures = figures_of(facts);
  if (!figures.there) return out;
  add("total", figures.total);
  for (const ReportTable& table : figures.tables)
    for (const ReportRow& row : table.rows) add(table.column, row);
  const auto whole = [](const std::string& figure) { return std::atoll(figure.c_str()); };
  if (figures.provider.size() >= 3)
    for (const std::size_t side : {1, 2, 3}) {
      ReportRow row;
      row.name = side == 1 ? "counted" : side == 2 ? "passed the gate" : "past the gate";
      row.calls = whole(figures.provider[0][side]);
      row.input = whole(figures.provider[1][side]);
      row.output = whole(figures.provider[2][side]);
      row.cost = figures.provider_cost[side - 1];
      add("provider", row);
    }
  for (const ReportHour& hour : figures.hours) {
    ReportRow row;
    row.name = hour.hour;
    row.calls = hour.calls;
    row.cost = hour.cost;
    add("hour", row);
  }
  return out;
}

}  // namespace claviger::steward
