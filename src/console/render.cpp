// JSON of credentials, keys, budgets, tokens, alerts and usage.
#include "console/render.hpp"

#include <fmt/format.h>

#include "policy/scope.hpp"

namespace claviger::console {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json render(const policy::Scope& scope) {
  Json cidrs = Json::array();
  for (const policy::Cidr& cidr : scope.cidrs) cidrs.push_back(cidr.text());
  Json schedules = Json::array();
  for (const policy::Schedule& schedule : scope.schedules) schedules.push_back(schedule.text());
  return {{"models", scope.models},
          {"endpoints", scope.endpoints},
          {"cidrs", std::move(cidrs)},
          {"max_output_tokens", or_null(scope.max_output_tokens)},
          {"max_choices", or_null(scope.max_choices)},
          {"schedules", std::move(schedules)},
          {"tools", scope.tools},
          {"max_tier", scope.max_tier ? Json(policy::tier_name(*scope.max_tier)) : Json(nullptr)}};
}

}  // namespace

Json time_or_null(Time time) { return time == kNever ? Json(nullptr) : Json(format_time(time)); }

Json render(const vault::Credential& credential) {
  Json versions = Json::array();
  for (const vault::CredentialVersion& version : credential.versions)
    versions.push_back({{"number", version.number},
                        {"state", vault::name_of(version.state)},
                        {"created", format_time(version.created)}});
  return {
      {"id", credential.id},
      {"name", credential.name},
      {"provider", credential.provider},
      {"environment", credential.environment},
      {"base_url", credential.base_url},
      {"origins", credential.origins},
      {"owner", credential.owner},
      {"rotate_days", credential.rotate_days},
      {"spend_alert_nanousd", credential.spend_alert ? Json(credential.spend_alert->value) : Json(nullptr)},
      {"kind", vault::name_of(credential.kind)},
      {"state", vault::name_of(credential.state)},
      {"created", format_time(credential.created)},
      {"damaged", credential.damaged},
      {"priority", credential.setting.priority},
      {"weight", credential.setting.weight},
      {"parameters", credential.setting.parameters},
      {"versions", std::move(versions)}};
}

Json render(const identity::Key& key, Time now) {
  const bool expired = key.state != identity::KeyState::revoked && key.expires <= now;
  const auto scope = policy::parse_scope(key.scope);
  const identity::Lineage lineage(key.lineage);
  Json above = Json::array();
  for (const std::string_view id : lineage) above.push_back(id);
  const bool grace = key.previous_digest && now < key.previous_until;
  return {{"id", key.id},
          {"name", key.name},
          {"team", key.team},
          {"project", key.project},
          {"environment", key.environment},
          {"state", expired ? "expired" : identity::key_state_name(key.state)},
          {"expires", time_or_null(key.expires)},
          {"created", format_time(key.created)},
          {"created_by", key.created_by},
          {"scope", scope ? render(*scope) : Json(nullptr)},
          {"rpm", or_null(key.rates.rpm)},
          {"tpm", or_null(key.rates.tpm)},
          {"concurrency", or_null(key.rates.concurrency)},
          {"previous_until", grace ? Json(format_time(key.previous_until)) : Json(nullptr)},
          {"parent", lineage.empty() ? Json(nullptr) : Json(lineage.parent())},
          {"lineage", std::move(above)},
          {"stopped_by", nullptr}};
}

Json render(const ledger::BudgetView& view) {
  const ledger::Budget& budget = view.budget;
  const std::string amount = budget.limit ? format_usd(*budget.limit) + "usd" : "none";
  return {{"id", budget.id},
          {"on", budget.node},
          {"limit", fmt::format("{}/{}", amount, ledger::window_name(budget.window))},
          {"limit_nanousd", budget.limit ? Json(budget.limit->value) : Json(nullptr)},
          {"window", ledger::window_name(budget.window)},
          {"time_zone", budget.time_zone},
          {"action", ledger::action_name(budget.action)},
          {"alert_at", budget.alert_at},
          {"created", format_time(budget.created)},
          {"from", format_time(view.from)},
          {"to", time_or_null(view.to)},
          {"settled_nanousd", view.settled.value},
          {"leased_nanousd", view.leased.value},
          {"held_nanousd", view.held.value}};
}

Json render(const identity::AdminToken& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"role", identity::role_name(token.role)},
          {"created", format_time(token.created)},
          {"expires", time_or_null(token.expires)},
          {"created_by", token.created_by},
          {"rotates", token.rotates.empty() ? Json(nullptr) : Json(token.rotates)}};
}

Json render(const steward::AlertRow& alert) {
  const bool open = !alert.disposed_at.has_value();
  return {{"id", alert.id},
          {"at", format_time(alert.at)},
          {"kind", alert.kind},
          {"subject", alert.subject},
          {"budget", alert.budget},
          {"window_start", format_time(alert.window_start)},
          {"threshold", alert.threshold},
          {"amount_nanousd", alert.amount_nanousd.value},
          {"limit_nanousd", alert.limit_nanousd.value},
          {"message", alert.message},
          {"state", open ? "open" : "disposed"},
          {"disposition", open ? Json(nullptr) : Json(alert.disposition)},
          {"disposed_by", open ? Json(nullptr) : Json(alert.disposed_by)},
          {"disposed_at", open ? Json(nullptr) : Json(format_time(*alert.disposed_at))}};
}

Json render(const steward::UsageRow& row, const std::vector<steward::By>& by) {
  Json out = Json::object();
  for (std::size_t i = 0; i < by.size() && i < row.group.size(); ++i)
    out[std::string(steward::by_name(by[i]))] = row.group[i];
  out["requests"] = row.requests;
  out["errors"] = row.errors;
  out["estimated"] = row.estimated;
  out["presumed"] = row.presumed;
  out["input_tokens"] = row.usage.total_in();
  out["output_tokens"] = row.usage.total_out();
  for (const provider::UsageField& field : provider::kUsageFields)
    out[std::string(field.name)] = row.usage.*field.member;
  out["cost_nanousd"] = row.cost_nanousd.value;
  return out;
}

}  // namespace claviger::console
