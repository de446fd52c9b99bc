// May this key do this now? One table of rules, asked by the gate (first refusal) and by explain (all of
// them).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "policy/ip.hpp"
#include "policy/scope.hpp"

namespace claviger::policy {

enum class Standing : std::uint8_t { active, frozen, revoked };
// Whether the key's environment has a credential for the provider that the request goes to.
enum class Reach : std::uint8_t { credential, none };

// Everything a decision depends on besides the scope. Views must outlive the call only.
struct Question {
  Standing standing = Standing::active;
  Time expires = kNever;
  std::string_view environment;
  std::string_view provider;
  Reach reach = Reach::credential;
  std::string_view model;  // empty: the route names none (list of models), so the model rule does not apply
  std::string_view endpoint;
  IpAddress ip;
  std::optional<std::int64_t> max_output;  // as asked by the client
  std::int64_t choices = 1;
  std::span<const std::string> tools;  // "web_search", "function:NAME", ... as the request offers them
  std::optional<Tier> tier;            // nullopt: this endpoint knows none
  Time now{};
};

// One rule's answer. `rule` is a stable name such as "scope.models".
struct RuleVerdict {
  std::string_view rule;
  Code code = Code::internal;  // with which the gate refuses
  bool allowed = true;
  std::string why;
  std::string to_change;  // what would have to change; empty when allowed
};

// The first refusal in the fixed order of the rules, or nothing. Allocates only to refuse.
Result<void> decide(const Scope& scope, const Question& question);
// The rules that are about who asks from where and when, whatever is asked: state, expiry, network, hours.
Result<void> may_enter(const Scope& scope, const Question& question);
// Every rule's verdict in the same order, by the same code. decide() refuses exactly when one of these is not
// allowed.
std::vector<RuleVerdict> explain(const Scope& scope, const Question& question);

// The most output tokens the gate lets through: the lesser of the cap and the wish; nullopt when neither is
// given.
std::optional<std::int64_t> output_cap(const Scope& scope, std::optional<std::int64_t> asked);

}  // namespace claviger::policy
