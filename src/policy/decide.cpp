// The rules, in the order in which the first refusal counts.
#include "policy/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::policy {
namespace {

// What a rule looks at: who asks from where and when, or what is asked.
enum class About : std::uint8_t { caller, request };

// One rule: when it allows, and what is said either way. A rule's sentences name values, never secrets.
struct Rule {
  std::string_view name;
  Code code;
  About about;
  bool (*allows)(const Scope&, const Question&);
  std::string (*why)(const Scope&, const Question&);  // said of the state that `allows` found
  std::string (*to_change)(const Scope&, const Question&);
};

bool holds_glob(const std::vector<std::string>& globs, std::string_view text) {
  return globs.empty() ||
         std::ranges::any_of(globs, [&](const auto& glob) { return glob_match(glob, text); });
}

std::string listed(const std::vector<std::string>& words) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < words.size() && i < kShown; ++i)
    text.append(i == 0 ? "" : ", ").append(words[i]);
  if (words.size() > kShown) text += fmt::format(" and {} more", words.size() - kShown);
  return text;
}

std::string listed(const std::vector<Cidr>& cidrs) {
  std::vector<std::string> words;
  for (const Cidr& cidr : cidrs) words.push_back(cidr.text());
  return listed(words);
}

bool not_revoked(const Scope&, const Question& q) { return q.standing != Standing::revoked; }
std::string say_revoked(const Scope&, const Question& q) {
  return q.standing == Standing::revoked ? "The key has been revoked." : "The key has not been revoked.";
}
std::string change_revoked(const Scope&, const Question&) { return "Revocation is final: create a new key."; }

bool not_frozen(const Scope&, const Question& q) { return q.standing != Standing::frozen; }
std::string say_frozen(const Scope&, const Question& q) {
  return q.standing == Standing::frozen ? "The key is frozen." : "The key is not frozen.";
}
std::string change_frozen(const Scope&, const Question&) { return "Unfreeze the key."; }

bool not_expired(const Scope&, const Question& q) { return q.expires == kNever || q.now < q.expires; }
std::string say_expired(const Scope& scope, const Question& q) {
  if (q.expires == kNever) return "The key does not expire.";
  return fmt::format("The key {} on {}.", not_expired(scope, q) ? "expires" : "expired",
                     format_time(q.expires));
}
std::string change_expired(const Scope&, const Question&) { return "Create a new key."; }

bool endpoint_in_scope(const Scope& scope, const Question& q) {
  return scope.endpoints.empty() || std::ranges::find(scope.endpoints, q.endpoint) != scope.endpoints.end();
}
std::string say_endpoint(const Scope& scope, const Question& q) {
  if (scope.endpoints.empty()) return "The key's scope does not limit endpoints.";
  return fmt::format("The key may {}use the endpoint '{}': its scope lists {}.",
                     endpoint_in_scope(scope, q) ? "" : "not ", q.endpoint, listed(scope.endpoints));
}
std::string change_endpoint(const Scope&, const Question& q) {
  return fmt::format("Use a key whose scope lists the endpoint '{}'.", q.endpoint);
}

bool model_in_scope(const Scope& scope, const Question& q) {
  return q.model.empty() || holds_glob(scope.models, q.model);
}
std::string say_model(const Scope& scope, const Question& q) {
  if (scope.models.empty()) return "The key's scope does not limit models.";
  if (q.model.empty()) return "This endpoint names no model.";
  return fmt::format("The key may {}use the model '{}': its scope lists {}.",
                     model_in_scope(scope, q) ? "" : "not ", q.model, listed(scope.models));
}
std::string change_model(const Scope&, const Question& q) {
  return fmt::format("Use a key whose scope covers the model '{}'.", q.model);
}

bool network_in_scope(const Scope& scope, const Question& q) {
  return scope.cidrs.empty() ||
         std::ranges::any_of(scope.cidrs, [&](const Cidr& c) { return c.contains(q.ip); });
}
std::string say_network(const Scope& scope, const Question& q) {
  if (scope.cidrs.empty()) return "The key's scope does not limit networks.";
  return fmt::format("The key may {}be used from {}: its scope lists {}.",
                     network_in_scope(scope, q) ? "" : "not ", q.ip.text(), listed(scope.cidrs));
}
std::string change_network(const Scope&, const Question& q) {
  return fmt::format("Call from a listed network, or use a key whose scope covers {}.", q.ip.text());
}

bool hours_in_scope(const Scope& scope, const Question& q) {
  return scope.schedules.empty() ||
         std::ranges::any_of(scope.schedules, [&](const Schedule& one) { return one.contains(q.now); });
}
std::string say_hours(const Scope& scope, const Question& q) {
  if (scope.schedules.empty()) return "The key's scope does not limit its hours.";
  std::vector<std::string> words;
  for (const Schedule& one : scope.schedules) words.push_back(one.text());
  return fmt::format("The key may {}be used at {}: its scope lists {}.",
                     hours_in_scope(scope, q) ? "" : "not ", format_time(q.now), listed(words));
}
std::string change_hours(const Scope&, const Question&) { return "Come back within the hours listed."; }

const std::string* tool_out_of_scope(const Scope& scope, const Question& q) {
  if (scope.tools.empty()) return nullptr;
  const auto at =
      std::ranges::find_if(q.tools, [&](const auto& tool) { return !holds_glob(scope.tools, tool); });
  return at == q.tools.end() ? nullptr : &*at;
}
bool tools_in_scope(const Scope& scope, const Question& q) { return tool_out_of_scope(scope, q) == nullptr; }
std::string say_tools(const Scope& scope, const Question& q) {
  if (scope.tools.empty()) return "The key's scope does not limit tools.";
  if (const std::string* tool = tool_out_of_scope(scope, q))
    return fmt::format("The key may not offer the tool '{}': its scope lists {}.", *tool,
                       listed(scope.tools));
  return fmt::format("The request offers no tool beyond {}.", listed(scope.tools));
}
std::string change_tools(const Scope& scope, const Question& q) {
  const std::string* tool = tool_out_of_scope(scope, q);
  return fmt::format("Leave the tool out, or use a key whose scope covers '{}'.", tool ? *tool : "");
}

bool tier_in_scope(const Scope& scope, const Question& q) {
  return !scope.max_tier || !q.tier || *q.tier <= *scope.max_tier;
}
std::string say_tier(const Scope& scope, const Question& q) {
  if (!scope.max_tier) return "The key's scope does not limit the service tier.";
  if (!q.tier) return "This endpoint knows no service tiers.";
  return fmt::format("The request asks for the service tier {}; the key's scope allows up to {}.",
                     tier_name(*q.tier), tier_name(*scope.max_tier));
}
std::string change_tier(const Scope& scope, const Question&) {
  return fmt::format("Ask for service_tier {}.", tier_name(scope.max_tier.value_or(Tier::standard)));
}

bool environment_reaches(const Scope&, const Question& q) { return q.reach == Reach::credential; }
std::string say_environment(const Scope&, const Question& q) {
  return fmt::format("The environment '{}' has {} credential for the provider '{}'.", q.environment,
                     q.reach == Reach::credential ? "a" : "no", q.provider);
}
std::string change_environment(const Scope&, const Question& q) {
  return fmt::format("Add an enabled credential for '{}' to the environment '{}'.", q.provider,
                     q.environment);
}

bool choices_in_scope(const Scope& scope, const Question& q) {
  return !scope.max_choices || q.choices <= *scope.max_choices;
}
std::string say_choices(const Scope& scope, const Question& q) {
  if (!scope.max_choices) return "The key's scope does not limit the number of answers.";
  return fmt::format("The request asks for {} answers; the key's scope allows {}.", q.choices,
                     *scope.max_choices);
}
std::string change_choices(const Scope& scope, const Question&) {
  return fmt::format("Ask for at most {} answers.", scope.max_choices.value_or(1));
}

// Never refuses: a larger wish is lowered on its way to the provider. It stands here so that explain tells.
bool output_any(const Scope&, const Question&) { return true; }
std::string say_output(const Scope& scope, const Question& q) {
  if (!scope.max_output_tokens) return "The key's scope does not limit the length of answers.";
  if (q.max_output && *q.max_output <= *scope.max_output_tokens)
    return fmt::format("The request asks for {} output tokens; the key's scope allows {}.", *q.max_output,
                       *scope.max_output_tokens);
  return fmt::format("The gate bounds the answer to {} output tokens.", *scope.max_output_tokens);
}
std::string change_nothing(const Scope&, const Question&) { return {}; }

constexpr Rule kRules[] = {
    {"key.revoked", Code::revoked_key, About::caller, not_revoked, say_revoked, change_revoked},
    {"key.frozen", Code::frozen_key, About::caller, not_frozen, say_frozen, change_frozen},
    {"key.expires", Code::expired_key, About::caller, not_expired, say_expired, change_expired},
    {"scope.endpoints", Code::endpoint_denied, About::request, endpoint_in_scope, say_endpoint,
     change_endpoint},
    {"scope.models", Code::model_denied, About::request, model_in_scope, say_model, change_model},
    {"scope.cidrs", Code::network_denied, About::caller, network_in_scope, say_network, change_network},
    {"scope.schedules", Code::time_denied, About::caller, hours_in_scope, say_hours, change_hours},
    {"scope.max_choices", Code::capability_denied, About::request, choices_in_scope, say_choices,
     change_choices},
    {"scope.max_output_tokens", Code::capability_denied, About::request, output_any, say_output,
     change_nothing},
    {"scope.tools", Code::capability_denied, About::request, tools_in_scope, say_tools, change_tools},
    {"scope.max_tier", Code::capability_denied, About::request, tier_in_scope, say_tier, change_tier},
    {"environment", Code::environment_denied, About::request, environment_reaches, say_environment,
     change_environment},
};

// What the caller is has status 401 and is the caller's fault; what the caller may do is policy.
Origin origin_of(Code code) { return http_status(code) == 401 ? Origin::client : Origin::policy; }

std::unexpected<Error> refused_by(const Rule& rule, const Scope& scope, const Question& question) {
  std::string say =
      fmt::format("{} {} (rule {})", rule.why(scope, question), rule.to_change(scope, question), rule.name);
  return std::unexpected(Error{rule.code, origin_of(rule.code), std::string(rule.name), std::move(say), 0});
}

}  // namespace

Result<void> decide(const Scope& scope, const Question& question) {
  for (const Rule& rule : kRules)
    if (!rule.allows(scope, question)) return refused_by(rule, scope, question);
  return {};
}

Result<void> may_enter(const Scope& scope, const Question& question) {
  for (const Rule& rule : kRules)
    if (rule.about == About::caller && !rule.allows(scope, question))
      return refused_by(rule, scope, question);
  return {};
}

std::vector<RuleVerdict> explain(const Scope& scope, const Question& question) {
  std::vector<RuleVerdict> verdicts;
  for (const Rule& rule : kRules) {
    RuleVerdict verdict{rule.name, rule.code, rule.allows(scope, question), rule.why(scope, question), {}};
    if (!verdict.allowed) verdict.to_change = rule.to_change(scope, question);
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

std::optional<std::int64_t> output_cap(const Scope& scope, std::optional<std::int64_t> asked) {
  if (!scope.max_output_tokens) return asked;
  return asked ? std::min(*asked, *scope.max_output_tokens) : *scope.max_output_tokens;
}

}  // namespace claviger::policy
