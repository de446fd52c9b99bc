// Routes of incidents.
#include "console/incident_parts.hpp"

#include <fmt/format.h>

#include "steward/report.hpp"

namespace claviger::console {
namespace {

constexpr std::int64_t kPage = 1'000, kPageMost = 10'000;

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
Json or_null(const std::optional<Time>& at) { return at ? Json(format_time(*at)) : Json(nullptr); }

Json milliseconds(const std::optional<Time>& from, const std::optional<Time>& to) {
  if (!from || !to) return nullptr;
  return std::chrono::duration_cast<std::chrono::milliseconds>(*to - *from).count();
}

Result<Answer> detail_answer(Session& s, const steward::Incident& incident, int status = 200) {
  TRY(Json shown, incident_detail(s, incident));
  return Answer{status, std::move(shown), {}, {}};
}

}  // namespace

Json render(const steward::Incident& it) {
  using enum steward::IncidentState;
  return {{"id", it.id},
          {"subject", it.subject()},
          {"state", steward::name_of(it.state)},
          {"name", it.name},
          {"owner", it.owner},
          {"environment", it.environment},
          {"provider", it.provider},
          {"version", it.version},
          {"proof", steward::name_of(it.proof)},
          {"source", it.source},
          {"drill", it.drill},
          {"containment", steward::name_of(it.containment)},
          {"rotation", or_null(it.rotation)},
          {"rotation_problem", or_null(it.rotation_problem)},
          {"first_exposed", format_time(it.first_exposed)},
          {"detected", format_time(it.detected())},
          {"contained", or_null(it.when(contained))},
          {"accounted", or_null(it.when(accounted))},
          {"replaced", or_null(it.when(replaced))},
          {"closed", or_null(it.when(closed))},
          {"detect_ms", milliseconds(it.first_exposed, it.detected())},
          {"contain_ms", milliseconds(it.detected(), it.when(contained))},
          {"account_ms", milliseconds(it.when(contained), it.when(accounted))},
          {"replace_ms", milliseconds(it.detected(), it.when(replaced))},
          {"reports", it.reports},
          {"accepted", it.accepted},
          {"resolution", or_null(it.resolution)},
          {"closed_by", or_null(it.closed_by)}};
}

Result<Json> incident_detail(Session& s, const steward::Incident& it) {
  Json shown = render(it);
  TRY(const bool opens, s.parts.incidents->opens(it));
  shown["opens"] = opens;
  TRY(const auto places, s.parts.incidents->places(it.id));
  Json& where = shown["places"] = Json::array();
  for (const steward::IncidentPlace& one : places)
    where.push_back({{"at", format_time(one.at)}, {"place", one.place}, {"source", one.source}});
  TRY(const auto events, s.parts.incidents->events(it.id));
  Json& line = shown["timeline"] = Json::array();
  for (const steward::IncidentEvent& one : events)
    line.push_back(
        {{"at", format_time(one.at)},
         {"what", one.what},
         {"actor", one.actor},
         {"detail", one.detail},
         {"journal",
          one.seq == 0 ? Json(nullptr) : Json(fmt::format("{}/{}/{}", one.producer, one.epoch, one.seq))}});
  shown["accounting"] = it.accounting.empty() ? Json(nullptr) : Json::parse(it.accounting, nullptr, false);
  return shown;
}

Result<Answer> list_incidents(Session& s) {
  steward::IncidentFilter filter;
  const std::string& state = s.query.text("state");
  filter.open = state == "open";
  if (!state.empty() && !filter.open) {
    filter.state = steward::incident_state(state);
    if (!filter.state)
      return refuse(Code::invalid_input,
                    "state: one of open, detected, contained, accounted, replaced, closed");
  }
  TRY(filter.limit, s.query.number("limit", kPage, kPageMost));
  TRY(const auto list, s.parts.incidents->list(filter));
  Json shown = Json::array();
  for (const steward::Incident& it : list) shown.push_back(render(it));
  return Answer{200, {{"incidents", std::move(shown)}}, {}, {}};
}

Result<Answer> declare_incident(Session& s) {
  TRY(const auto exposed, read_exposure(s));
  TRY(const steward::Incident it,
      s.parts.incidents->declare(s.body.text("subject"), steward::Proof::declared, s.body.text("reason"),
                                 exposed.value_or(s.now), doer_of(s),
                                 s.body.boolean("drill").value_or(false)));
  return detail_answer(s, it, 201);
}

Result<Answer> show_incident(Session& s) {
  TRY(const steward::Incident it, s.parts.incidents->get(s.subject));
  return detail_answer(s, it);
}

Result<Answer> contain_incident(Session& s) {
  TRY(const steward::Incident it, s.parts.incidents->contain(s.subject, doer_of(s)));
  return detail_answer(s, it);
}

Result<Answer> close_incident(Session& s) {
  if (s.body.text("resolution").empty())
    return refuse(Code::invalid_input, "resolution: say what was found out");
  TRY(const steward::Incident it,
      s.parts.incidents->close(s.subject, s.body.text("resolution"),
                               s.body.boolean("accepted").value_or(false), doer_of(s)));
  return detail_answer(s, it);
}

Result<Answer> report_incident(Session& s) {
  const std::string& format = s.query.text("format");
  steward::ReportFacts facts;
  TRY(facts.incident, s.parts.incidents->get(s.subject));
  TRY(facts.events, s.parts.incidents->events(s.subject));
  TRY(facts.places, s.parts.incidents->places(s.subject));
  facts.tree_size = s.parts.deriver.status().lines;
  facts.made = s.now;
  if (format == "markdown")
    return Answer{200, {}, steward::report_markdown(facts), "text/markdown; charset=utf-8"};
  if (format == "html") return Answer{200, {}, steward::report_html(facts), "text/html; charset=utf-8"};
  if (format == "csv") return Answer{200, {}, steward::report_csv(facts), "text/csv; charset=utf-8"};
  if (!format.empty() && format != "json")
    return refuse(Code::invalid_input, "format: one of json, markdown, html, csv");
  TRY(Json shown, incident_detail(s, facts.incident));
  const steward::ReportSums sums = steward::sums_of(facts);
  shown["report"] = {{"made", format_time(facts.made)},
                     {"journal_lines", facts.tree_size},
                     {"timeline_sha256", sums.timeline},
                     {"accounting_sha256", sums.accounting}};
  return Answer{200, std::move(shown), {}, {}};
}

}  // namespace claviger::console
