// The report as one HTML page: no script, no request to anywhere, charts as inline SVG.
#include <fmt/format.h>

#include <algorithm>

#include "steward/report_parts.hpp"

namespace claviger::steward {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
td,th{padding:.25rem .5rem;border-bottom:1px solid #e4e4e4;
 text-align:left;vertical-align:top;overflow-wrap:anywhere}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.new{background:#a8071a;color:#fff;border-radius:3px;padding:0 .3rem;font-size:.8rem}
svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#555}
.bar{fill:#2457a6}.mark{fill:#a8071a}.rail{stroke:#999}
@media print{body{margin:0;max-width:none}}
</style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

// Calls by hour, at most as many bars as fit; a bar then stands for several hours.
std::string chart_of(const std::vector<ReportHour>& hours) {
  constexpr std::size_t kBars = 96;
  constexpr std::int64_t kWidth = 960, kHeight = 140;
  if (hours.empty()) return {};
  const std::size_t each = (hours.size() + kBars - 1) / kBars;
  std::vector<std::int64_t> bars((hours.size() + each - 1) / each, 0);
  for (std::size_t i = 0; i < hours.size(); ++i) bars[i / each] += hours[i].calls;
  const std::int64_t most = std::max<std::int64_t>(1, *std::ranges::max_element(bars));
  const auto step = kWidth / static_cast<std::int64_t>(bars.size());
  std::string out =
      fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="Calls by hour">)", kWidth, kHeight + 24);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const std::int64_t height = bars[i] * kHeight / most;
    out += fmt::format(
        R"(<rect class="bar" x="{}" y="{}" width="{}" height="{}"><title>{}: {} calls</title></rect>)",
        static_cast<std::int64_t>(i) * step, kHeight - height, std::max<std::int64_t>(1, step - 1), height,
        escaped(hours[i * each].hour), bars[i]);
  }
  return out +
         fmt::format(
             R"(<text x="0" y="{0}">{1}</text><text x="{2}" y="{0}" text-anchor="end">{3}</text></svg>)",
             kHeight + 16, escaped(hours.front().hour), kWidth, escaped(hours.back().hour));
}

// The stamps on a rail, evenly spaced: their distances in time differ by orders of magnitude.
std::string rail_of(const Incident& it) {
  std::string out = R"(<svg viewBox="0 0 960 70" role="img" aria-label="States">
<line class="rail" x1="60" y1="20" x2="900" y2="20"/>)";
  const auto stamps = stamps_of(it);
  for (std::size_t i = 0; i < stamps.size(); ++i) {
    const std::size_t x = 60 + i * 168;
    const bool there = stamps[i].second != "not yet";
    out += fmt::format(
        R"(<circle cx="{0}" cy="20" r="6" class="{1}"/><text x="{0}" y="44" text-anchor="middle">{2}</text>
<text x="{0}" y="60" text-anchor="middle">{3}</text>)",
        x, there ? "mark" : "bar", escaped(stamps[i].first), escaped(stamps[i].second));
  }
  return out + "</svg>\n";
}

void write_table(std::string& out, const ReportTable& table) {
  if (table.rows.empty()) return;
  out += fmt::format(
      "<h3>{}</h3><table><tr><th>{}</th><th class=n>calls</th><th class=n>errors</th>"
      "<th class=n>tokens in</th><th class=n>tokens out</th><th class=n>USD</th></tr>\n",
      table.title, table.column);
  for (const ReportRow& row : table.rows)
    out += fmt::format(
        "<tr><td>{}{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td>"
        "<td class=n>{}</td></tr>\n",
        escaped(row.name), row.fresh ? " <span class=new>new</span>" : "", row.calls, row.errors, row.input,
        row.output, format_usd(row.cost));
  out += "</table>\n";
}

void write_provider(std::string& out, const ReportFigures& figures) {
  if (figures.provider_says.empty()) return;
  out += fmt::format("<h3>At the provider</h3><p>{}</p>\n", escaped(figures.provider_says));
  if (figures.provider.empty()) return;
  out +=
      "<table><tr><th></th><th class=n>the provider counts</th><th class=n>passed the gate</th>"
      "<th class=n>past the gate</th></tr>\n";
  for (const auto& [label, theirs, ours, past] : figures.provider)
    out += fmt::format("<tr><td>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>\n",
                       label, theirs, ours, past);
  out += "</table>\n";
}

void write_use(std::string& out, const ReportFigures& figures) {
  out += "<h2>Use while it was exposed</h2>\n";
  if (!figures.there) {
    out += "<p>The figures are not there yet.</p>\n";
    return;
  }
  out += fmt::format(
      "<p>{}</p><p>{} to {}: {} calls, {} errors, {} tokens in, {} out, {} USD; {} calls were "
      "refused.</p>\n",
      escaped(figures.summary), figures.from, figures.to, figures.total.calls, figures.total.errors,
      figures.total.input, figures.total.output, format_usd(figures.total.cost), figures.refused);
  if (figures.baseline_days > 0)
    out += fmt::format("<p>Usual in the {} days before: {} calls and {} USD a day.</p>\n",
                       figures.baseline_days, figures.baseline_calls, format_usd(figures.baseline_cost));
  write_provider(out, figures);
  out += chart_of(figures.hours);
  for (const ReportTable& table : figures.tables) write_table(out, table);
}

}  // namespace

std::string report_html(const ReportFacts& facts) {
  const Incident& it = facts.incident;
  std::string out(kHead);
  out += fmt::format("<title>Incident {0}</title></head><body>\n<h1>Incident {0}{1}</h1>\n", escaped(it.id),
                     it.drill ? " (drill)" : "");
  out += rail_of(it);
  out += "<table>\n";
  for (const auto& [label, value] : facts_of(facts))
    out += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(label), escaped(value));
  out += "</table>\n<h2>Where it was found</h2>\n<ul>\n";
  for (const IncidentPlace& place : facts.places)
    out += fmt::format("<li>{} ({}, {})</li>\n", escaped(place.place), escaped(place.source),
                       format_time(place.at));
  out += facts.places.empty() ? "<li>No place was named.</li></ul>\n" : "</ul>\n";
  out +=
      "<h2>Timeline</h2>\n<table><tr><th>time</th><th>what</th><th>by</th><th></th><th>journal "
      "line</th></tr>\n";
  for (const IncidentEvent& event : facts.events)
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                       format_time(event.at), escaped(event.what), escaped(event.actor),
                       escaped(event.detail), escaped(position_of(event)));
  out += "</table>\n";
  write_use(out, figures_of(facts));
  return out + "</body></html>\n";
}

}  // namespace claviger::steward
