// An accounting as JSON, beside its subject's baseline.
#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "steward/accounting.hpp"
#include "store/store.hpp"
#include "wire/json.hpp"

namespace claviger::steward {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400;

void write_sums(JsonWriter& out, const AccountSums& sums) {
  out.field("calls", sums.calls);
  out.field("errors", sums.errors);
  out.field("input_tokens", sums.input_tokens);
  out.field("output_tokens", sums.output_tokens);
  out.field("cost_nanousd", sums.cost.value);
  out.field("estimated", sums.estimated);
  if (sums.calls == 0) {
    out.key("first_call").null();
    out.key("last_call").null();
    return;
  }
  out.field("first_call", format_time(sums.first));
  out.field("last_call", format_time(sums.last));
}

// Dearest first, then by name. `usual`: what was seen before; absent: not known of this kind.
void write_rows(JsonWriter& out, std::string_view title, const AccountRows& rows,
                const std::set<std::string>* usual) {
  std::vector<const AccountRows::value_type*> order;
  for (const auto& row : rows) order.push_back(&row);
  std::ranges::sort(order, [](const auto* a, const auto* b) {
    if (a->second.cost != b->second.cost) return a->second.cost > b->second.cost;
    return a->first < b->first;
  });
  out.key(title).open('[');
  for (const auto* row : order) {
    out.open('{');
    out.field("name", row->first);
    if (usual != nullptr) out.field_bool("new", !usual->contains(row->first));
    write_sums(out, row->second);
    out.close('}');
  }
  out.close(']');
}

std::int64_t count_new(const AccountRows& rows, const std::set<std::string>& usual) {
  return std::ranges::count_if(rows, [&](const auto& row) { return !usual.contains(row.first); });
}

std::string summary_of(const Accounting& it, const Baseline& baseline) {
  const bool any = it.total.calls > 0;
  std::string text = "No call was let in with it while it was exposed";
  if (any)
    text = fmt::format("{} calls for {} USD from {} addresses while it was exposed", it.total.calls,
                       format_usd(it.total.cost), it.addresses.size());
  if (any && baseline.days > 0 && it.ask.owned == Owned::key)
    text += fmt::format("; {} addresses and {} models were not seen before",
                        count_new(it.addresses, baseline.addresses), count_new(it.models, baseline.models));
  if (!it.ask.below.empty()) text += fmt::format("; {} child keys were made below it", it.ask.below.size());
  return text + ".";
}

Result<void> read_key_baseline(store::Tx& tx, const AccountAsk& ask, std::int64_t from, std::int64_t to,
                               Baseline& out) {
  TRY(const auto rows,
      tx.query("SELECT provider, model, sum(requests), sum(cost_nanousd), min(hour) FROM usage "
               "WHERE key = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY provider, model",
               {ask.id, from, to}));
  std::int64_t first = to;
  for (const store::Row& row : rows) {
    out.models.insert(row.text(0) + "/" + row.text(1));
    out.calls += row.integer(2);
    out.cost = saturating_add(out.cost, {row.integer(3)});
    first = std::min(first, row.integer(4));
  }
  out.days = (to - first + kDay - 1) / kDay;
  TRY(const auto places, tx.query("SELECT DISTINCT address FROM usage_address WHERE key = ?1 AND day >= ?2 "
                                  "AND day < ?3 AND address != ''",
                                  {ask.id, from / kDay, to / kDay}));
  for (const store::Row& row : places) out.addresses.insert(row.text(0));
  return {};
}

Result<void> read_credential_baseline(store::Tx& tx, const AccountAsk& ask, std::int64_t from,
                                      std::int64_t to, Baseline& out) {
  TRY(const auto rows, tx.query("SELECT coalesce(sum(requests), 0), coalesce(sum(cost_nanousd), 0), "
                                "coalesce(min(hour), ?3) FROM usage_credential "
                                "WHERE credential = ?1 AND hour >= ?2 AND hour < ?3",
                                {ask.id, from, to}));
  out.calls = rows.at(0).integer(0);
  out.cost = {rows.at(0).integer(1)};
  out.days = (to - rows.at(0).integer(2) + kDay - 1) / kDay;
  return {};
}

}  // namespace

// The hour and the day in which the exposure began are not counted: they are of both.
Result<Baseline> baseline_of(store::Store& store, const AccountAsk& ask) {
  const std::int64_t to = ask.from.ns / kSecond / 3'600 * 3'600;
  const std::int64_t from = to - limits::kBaselineDays * kDay;
  Baseline baseline;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    baseline = {};
    return ask.owned == Owned::key ? read_key_baseline(tx, ask, from, to, baseline)
                                   : read_credential_baseline(tx, ask, from, to, baseline);
  }));
  return baseline;
}

std::string to_json(const Accounting& it, const Baseline& baseline) {
  const bool of_key = it.ask.owned == Owned::key;
  const bool known = baseline.days > 0 && of_key;
  std::string text;
  JsonWriter out(text);
  out.open('{');
  out.field("summary", summary_of(it, baseline));
  out.field("from", format_time(it.ask.from));
  out.field("to", format_time(it.ask.to));
  write_sums(out, it.total);
  out.field("refused", it.refused);
  write_rows(out, "models", it.models, known ? &baseline.models : nullptr);
  write_rows(out, "endpoints", it.endpoints, nullptr);
  write_rows(out, "addresses", it.addresses, known ? &baseline.addresses : nullptr);
  write_rows(out, "agents", it.agents, nullptr);
  if (!of_key || !it.ask.below.empty()) write_rows(out, "keys", it.keys, nullptr);
  out.key("hours").open('[');
  for (const auto& [hour, sums] : it.hours) {
    out.open('{');
    out.field("hour", format_time({hour * kSecond}));
    out.field("calls", sums.calls);
    out.field("cost_nanousd", sums.cost.value);
    out.close('}');
  }
  out.close(']');
  out.key("baseline").open('{');
  const std::int64_t days = std::max<std::int64_t>(baseline.days, 1);
  out.field("days", baseline.days);
  out.field("calls", baseline.calls);
  out.field("cost_nanousd", baseline.cost.value);
  out.field("calls_per_day", baseline.calls / days);
  out.field("cost_nanousd_per_day", baseline.cost.value / days);
  out.close('}');
  out.field("lines", it.lines);
  out.field("unreadable", it.unreadable);
  out.close('}');
  return text;
}

std::string account_sentence(std::string_view json) {
  wire::Json read;
  if (!wire::scan(json, read)) return {};
  return read.root()["summary"].text().value_or(std::string());
}

std::string summary_json(const Incident& it) {
  std::string text;
  JsonWriter out(text);
  out.open('{');
  out.field("incident", it.id);
  out.field("subject", it.subject());
  out.field("name", it.name);
  out.field("owner", it.owner);
  out.field("environment", it.environment);
  out.field("state", name_of(it.state));
  out.field("containment", name_of(it.containment));
  out.field("proof", name_of(it.proof));
  out.field("source", it.source);
  out.field("first_exposed", format_time(it.first_exposed));
  for (std::size_t i = 0; i < kIncidentStates; ++i)
    if (it.reached[i]) out.field(name_of(static_cast<IncidentState>(i)), format_time(*it.reached[i]));
  if (!it.rotation.empty()) out.field("rotation", it.rotation);
  out.field_bool("drill", it.drill);
  out.close('}');
  return text;
}

}  // namespace claviger::steward
