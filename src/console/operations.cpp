// Routes for those who run the program: alerts, status, the journal's end, metrics and health.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "console/change.hpp"
#include "console/render.hpp"
#include "journal/reader.hpp"

namespace claviger::console {
namespace {

constexpr std::int64_t kLines = 100;
constexpr std::int64_t kLinesMost = 1'000;

std::int64_t milliseconds(std::chrono::nanoseconds span) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

Result<journal::Filter> read_filter(Session& s) {
  journal::Filter filter;
  filter.key = s.query.text("key");
  const std::string& wanted = s.query.text("kind");
  if (wanted.empty()) return filter;
  std::string names;
  for (const auto kind :
       {journal::Kind::intent, journal::Kind::receipt, journal::Kind::refusal, journal::Kind::admin,
        journal::Kind::alert, journal::Kind::start, journal::Kind::stop}) {
    if (journal::kind_name(kind) == wanted) filter.kind = kind;
    names.append(names.empty() ? "" : ", ").append(journal::kind_name(kind));
  }
  if (!filter.kind) return refuse(Code::invalid_input, fmt::format("kind: one of {}", names));
  return filter;
}

// Ready: the store answers, the journal takes records, and whatever else the program asks of itself.
Result<void> check_ready(const Parts& parts) {
  TRY_VOID(parts.store.read([](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT 1"));
    return {};
  }));
  if (!parts.writer.healthy()) return fail(Code::journal_unavailable, "the steward's journal is failing");
  return parts.ready ? parts.ready() : Result<void>{};
}

Result<void> write_usage(Session& s, Exposition& out) {
  const std::vector<steward::By> by{steward::By::environment, steward::By::provider, steward::By::endpoint};
  TRY(const auto rows, steward::usage_query(s.parts.store, by, Time{0}, s.now + std::chrono::hours(1)));
  const auto each = [&](auto write) {
    for (const steward::UsageRow& row : rows)
      write(row, Exposition::Labels{
                     {"environment", row.group[0]}, {"provider", row.group[1]}, {"endpoint", row.group[2]}});
  };
  out.counter("claviger_requests", "", "Requests that reached a provider, from the journal.");
  each([&](const auto& row, auto labels) { out.sample(labels, row.requests); });
  out.counter("claviger_request_errors", "",
              "Requests among them that did not complete or had status 400 or above.");
  each([&](const auto& row, auto labels) { out.sample(labels, row.errors); });
  out.counter("claviger_estimated", "", "Requests among them whose cost is not the provider's own figure.");
  each([&](const auto& row, auto labels) { out.sample(labels, row.estimated); });
  out.counter("claviger_cost_usd", "usd", "Settled cost.");
  each([&](const auto& row, auto labels) { out.sample_nano(labels, row.cost_nanousd.value); });
  out.counter("claviger_input_tokens", "tokens", "Input tokens of every class.");
  each([&](const auto& row, auto labels) { out.sample(labels, row.usage.total_in()); });
  out.counter("claviger_output_tokens", "tokens", "Output tokens of every class.");
  each([&](const auto& row, auto labels) { out.sample(labels, row.usage.total_out()); });
  return {};
}

Result<void> write_counts(Session& s, Exposition& out) {
  TRY(const auto refusals, steward::refusal_counts(s.parts.store));
  out.counter("claviger_refusals", "", "Requests that never reached a provider, by error code.");
  for (const steward::Count& count : refusals) {
    const std::string_view name = count.name;
    const std::size_t slash = std::min(name.find('/'), name.size());
    out.sample({{"code", name.substr(0, slash)}, {"origin", name.substr(std::min(slash + 1, name.size()))}},
               count.count);
  }
  TRY(const auto outcomes, steward::outcome_counts(s.parts.store));
  out.counter("claviger_outcomes", "", "How requests ended that reached a provider.");
  for (const steward::Count& count : outcomes) out.sample({{"outcome", count.name}}, count.count);
  return {};
}

Result<void> write_keys(Session& s, Exposition& out) {
  TRY(const identity::KeyCounts keys, s.parts.keys.count());
  out.gauge("claviger_keys", "", "Virtual keys by state.");
  out.sample({{"state", "active"}}, keys.active);
  out.sample({{"state", "frozen"}}, keys.frozen);
  out.sample({{"state", "revoked"}}, keys.revoked);
  return {};
}

Result<void> write_incidents(Session& s, Exposition& out) {
  TRY(const auto counts, s.parts.incidents->count());
  out.gauge("claviger_incidents", "", "Incidents by state, without drills.");
  for (std::size_t i = 0; i < counts.size(); ++i)
    out.sample({{"state", steward::name_of(static_cast<steward::IncidentState>(i))}}, counts[i]);
  return {};
}

Result<void> write_budgets(Session& s, Exposition& out) {
  TRY(const auto views, s.parts.ledger.snapshot(s.now));
  const auto family = [&](std::string_view name, std::string_view help, auto amount) {
    out.gauge(name, "usd", help);
    for (const ledger::BudgetView& view : views)
      if (view.budget.limit) out.sample_nano({{"budget", view.budget.id}}, amount(view).value);
  };
  family("claviger_budget_limit_usd", "Limit of a budget.",
         [](const auto& view) { return *view.budget.limit; });
  family("claviger_budget_settled_usd", "Settled in the budget's present window.",
         [](const auto& view) { return view.settled; });
  family("claviger_budget_leased_usd", "Leased beyond that, held included.",
         [](const auto& view) { return view.leased; });
  return {};
}

void write_state(Session& s, Exposition& out) {
  const auto count = [&](std::string_view name, std::string_view help, std::int64_t value) {
    out.counter(name, "", help);
    out.sample({}, value);
  };
  out.gauge("claviger_build_info", "", "The program's version.");
  out.sample({{"version", s.parts.version}}, 1);
  const steward::Status status = s.parts.deriver.status();
  count("claviger_journal_lines", "Journal lines derived since the beginning.",
        static_cast<std::int64_t>(status.lines));
  out.gauge("claviger_journal_lag_seconds", "seconds", "Age of the oldest news that is not derived.");
  out.sample_nano({}, status.lag.count());
  out.gauge("claviger_journal_open_intents", "", "Requests on record that have no receipt yet.");
  out.sample({}, static_cast<std::int64_t>(status.open_intents));
  count("claviger_journal_damaged_lines", "Unreadable lines since the start.",
        static_cast<std::int64_t>(status.damaged_lines));
  count("claviger_journal_sequence_breaks", "Gaps in the sequence since the start.",
        static_cast<std::int64_t>(status.sequence_breaks));
  const ledger::Counters counters = s.parts.ledger.counters();
  count("claviger_holds", "Holds taken since the start.", counters.held);
  count("claviger_holds_presumed", "Exposures that ended at their hold.", counters.presumed);
  count("claviger_holds_overrun", "Postings beyond their hold.", counters.overruns);
  count("claviger_lease_grants", "Transactions that asked the store for money.", counters.grants);
  count("claviger_store_failures", "Failures of the store met by the ledger.", counters.store_failures);
}

Json render(const steward::Status& status) {
  return {{"lines", status.lines},
          {"lag_ms", milliseconds(status.lag)},
          {"pending_bytes", status.pending_bytes},
          {"open_intents", status.open_intents},
          {"damaged_lines", status.damaged_lines},
          {"sequence_breaks", status.sequence_breaks},
          {"presumed", status.presumed},
          {"published_size", status.published_size}};
}

}  // namespace

Result<Answer> list_alerts(Session& s) {
  const std::string& state = s.query.text("state");
  steward::AlertState wanted = steward::AlertState::any;
  if (state == "open")
    wanted = steward::AlertState::open;
  else if (state == "disposed")
    wanted = steward::AlertState::disposed;
  else if (!state.empty())
    return refuse(Code::invalid_input, "state: open or disposed");
  TRY_VOID(s.parts.deriver.catch_up());
  TRY(const auto alerts, steward::alerts(s.parts.store, wanted));
  Json list = Json::array();
  for (const steward::AlertRow& alert : alerts) list.push_back(console::render(alert));
  return Answer{200, {{"alerts", std::move(list)}}, {}, {}};
}

Result<Answer> dispose_alert(Session& s) {
  std::int64_t id = 0;
  const auto read = std::from_chars(s.subject.data(), s.subject.data() + s.subject.size(), id);
  if (read.ec != std::errc{} || read.ptr != s.subject.data() + s.subject.size())
    return refuse(Code::not_found, "There is no such alert.");
  TRY_VOID(identity::check_name("disposition", s.body.text("disposition")));
  TRY_VOID(
      carry_out(s, {"alert.dispose", "alert:" + s.subject, Json(s.body.text("disposition")).dump()}, [&] {
        return s.parts.store.write([&](store::Tx& tx) {
          return steward::dispose_alert(tx, id, s.actor.name, s.body.text("disposition"), s.now);
        });
      }));
  return Answer{204, nullptr, {}, {}};
}

Result<Answer> show_status(Session& s) {
  TRY_VOID(s.parts.deriver.catch_up());
  TRY(const identity::KeyCounts keys, s.parts.keys.count(s.production()));
  Json body{{"version", s.parts.version},
            {"time", format_time(s.now)},
            {"keys", {{"active", keys.active}, {"frozen", keys.frozen}, {"revoked", keys.revoked}}}};
  body["ready"] = check_ready(s.parts).has_value();
  const std::string gate = s.parts.gate_url ? s.parts.gate_url() : std::string();
  body["gate"] = gate.empty() ? Json(nullptr) : Json(gate);
  const bool all = s.production() == identity::Production::shown;  // the rest counts production too
  body["journal"] = all ? render(s.parts.deriver.status()) : Json(nullptr);
  return Answer{200, std::move(body), {}, {}};
}

Result<Answer> tail_journal(Session& s) {
  TRY(const std::int64_t last, s.query.number("last", kLines, kLinesMost));
  TRY(journal::Filter filter, read_filter(s));
  Json lines = Json::array();
  journal::Tail tail(s.parts.journal, std::move(filter), static_cast<std::size_t>(last));
  TRY_VOID(tail.poll([&](std::string_view line) {
    lines.push_back(Json::parse(line, nullptr, false));
    return journal::Next::more;
  }));
  return Answer{200, {{"lines", std::move(lines)}}, {}, {}};
}

Result<Answer> show_metrics(Session& s) {
  Exposition out(exposition_format(s.request.accept));
  TRY_VOID(s.parts.deriver.catch_up());
  write_state(s, out);
  TRY_VOID(write_usage(s, out));
  TRY_VOID(write_counts(s, out));
  TRY_VOID(write_keys(s, out));
  TRY_VOID(write_incidents(s, out));
  TRY_VOID(write_budgets(s, out));
  if (s.parts.gate_metrics) s.parts.gate_metrics(out);
  const std::string type(out.content_type());
  return Answer{200, nullptr, out.take(), type};
}

// Alive: this thread answers. Nothing else is asked, so that a failing store does not get the process killed.
Result<Answer> show_health(Session&) { return Answer{200, {{"status", "ok"}}, {}, {}}; }

Result<Answer> show_ready(Session& s) {
  TRY_VOID(check_ready(s.parts));
  return Answer{200, {{"status", "ready"}}, {}, {}};
}

}  // namespace claviger::console
