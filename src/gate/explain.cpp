// The gate's rooms, asked instead of passed.
#include "gate/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace claviger::gate {
namespace {

constexpr std::int64_t kSampleBody = 256;  // bytes of the request that is imagined

Result<const provider::Route*> route_of(std::string_view endpoint) {
  const auto wanted = provider::parse_endpoint(endpoint);
  if (wanted)
    for (const provider::Route& route : provider::routes())
      if (route.served && route.endpoint == *wanted) return &route;
  return refuse(Code::invalid_input,
                fmt::format("'{}' is not an endpoint: use one of {}.", endpoint, provider::endpoint_names()));
}

// The request that is imagined, as the gate would have read it.
Result<provider::Ask> ask_of(const Inquiry& inquiry) {
  if (inquiry.choices < 1 || inquiry.choices > limits::kMaxChoices)
    return refuse(Code::invalid_input, fmt::format("n must lie between 1 and {}.", limits::kMaxChoices));
  provider::Ask ask;
  ask.model = inquiry.model;
  ask.tier = inquiry.tier;
  ask.choices = inquiry.choices;
  for (std::string_view left = inquiry.tools; !left.empty();) {
    const std::string_view one = left.substr(0, left.find(','));
    left.remove_prefix(std::min(left.size(), one.size() + 1));
    if (!one.empty()) ask.tools.emplace_back(one);
  }
  return ask;
}

// Asks a room whose refusal is an Error, and notes its answer as one more rule.
void note(Explanation& out, std::string_view rule, const Result<void>& answer, std::string_view fine) {
  policy::RuleVerdict verdict;
  verdict.rule = rule;
  verdict.allowed = answer.has_value();
  verdict.why = answer ? std::string(fine) : std::string(told(answer.error()));
  if (!answer) verdict.code = answer.error().code;
  if (!answer) verdict.to_change = std::string(told(answer.error()));
  out.rules.push_back(std::move(verdict));
}

template <class T>
Result<void> only_verdict(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

std::vector<std::string> nodes_of(const identity::Key& key) {
  std::vector<std::string> nodes{"org"};
  if (!key.team.empty()) nodes.push_back("team:" + key.team);
  if (!key.project.empty()) nodes.push_back("project:" + key.project);
  for (const std::string_view id : identity::Lineage(key.lineage)) nodes.push_back(fmt::format("key:{}", id));
  nodes.push_back("key:" + key.id);
  return nodes;
}

// How the budgets of a node stand. The hold above is what decides; here is why.
Result<void> look_at_budgets(Explanation& out, const std::string& node, Nanousd worst,
                             const Result<void>& held, const ledger::Ledger& ledger, Time at) {
  TRY(const auto views, ledger.snapshot(at, node));
  for (const ledger::BudgetView& view : views) {
    if (!ledger::is_blocking(view.budget)) continue;
    const Nanousd limit = *view.budget.limit;
    const Nanousd left{std::max(limit.value - view.settled.value - view.held.value, std::int64_t{0})};
    policy::RuleVerdict verdict;
    verdict.rule = "budget";
    verdict.allowed = held.has_value() || (limit.value > 0 && left >= worst);
    verdict.code = verdict.allowed ? Code::internal : Code::budget_exceeded;
    verdict.why = fmt::format(
        "The {} budget of {} is {} USD: {} settled, {} held, {} left; a small request may cost {}.",
        ledger::window_name(view.budget.window), node, format_usd(limit), format_usd(view.settled),
        format_usd(view.held), format_usd(left), format_usd(worst));
    if (!verdict.allowed)
      verdict.to_change =
          view.to == kNever
              ? "Have the budget raised."
              : fmt::format("Wait until {}, when it begins anew, or have it raised.", format_time(view.to));
    out.rules.push_back(std::move(verdict));
  }
  return {};
}

// The key's own rates, with what is left of each and the hold's word on it.
void look_at_rates(Explanation& out, const identity::Rates& rates, const Result<void>& held,
                   const ledger::Allowance& allowance) {
  const auto look = [&](std::string_view rule, const std::optional<std::int64_t>& limit, Code code,
                        std::string_view unit, const std::optional<ledger::Allowance::One>& left) {
    if (!limit) return;
    policy::RuleVerdict verdict;
    verdict.rule = rule;
    verdict.allowed = held || held.error().code != code;
    verdict.code = verdict.allowed ? Code::internal : code;
    verdict.why = verdict.allowed
                      ? fmt::format("The key may have {} {}{}, and a small request fits.", *limit, unit,
                                    left ? fmt::format(" and has used {}", *limit - left->left) : "")
                      : std::string(told(held.error()));
    if (!verdict.allowed) verdict.to_change = "Wait, or have the limit raised.";
    out.rules.push_back(std::move(verdict));
  };
  look("limits.rpm", rates.rpm, Code::rate_limit_exceeded, "requests a minute", allowance.requests);
  look("limits.tpm", rates.tpm, Code::token_limit_exceeded, "tokens a minute", allowance.tokens);
  look("limits.concurrency", rates.concurrency, Code::concurrency_exceeded, "requests in flight",
       std::nullopt);
}

}  // namespace

Result<Explanation> explain(const Inquiry& inquiry, const World& world, ledger::Ledger& ledger) {
  const KeyEntry* entry = world.keys.find(inquiry.key_id);
  if (entry == nullptr)
    return refuse(Code::not_found, fmt::format("There is no key with the id '{}'.", inquiry.key_id));
  TRY(const provider::Route* route, route_of(inquiry.endpoint));
  TRY(const policy::IpAddress ip, policy::IpAddress::parse(inquiry.ip.empty() ? "127.0.0.1" : inquiry.ip));
  Explanation out;
  TRY(provider::Ask ask, ask_of(inquiry));
  const auto destination = find_destination(*entry, inquiry.provider, route->dialect, world);
  if (!destination) {
    note(out, "provider", only_verdict(destination), "");
  } else {
    out.rules = policy::explain(entry->scope, question(*entry, *destination, *route, ask, ip, inquiry.at));
    if (!entry->key.lineage.empty())
      note(out, "keys.above",
           check_policy_above(*entry, world, question(*entry, *destination, *route, ask, ip, inquiry.at)),
           "every key above this one allows it");
    bool guessed = false;
    provider::Worst worst;
    if (route->meter != provider::Meter::free) {
      const auto price = find_price(*entry, *destination, ask, world, ledger, inquiry.at, guessed);
      note(out, "price", only_verdict(price),
           guessed ? "held at the provider's dearest price" : "the model has a price");
      ask.max_output = output_cap(*entry, world, 1);
      if (price) worst = provider::worst_case(**price, ask, kSampleBody, inquiry.at);
    }
    const ledger::Allowance allowance = ledger.allowance(entry->account, inquiry.at);
    // The hold is dropped at once, which gives everything back.
    const auto held = only_verdict(ledger.reserve(entry->account, worst.money, worst.tokens, inquiry.at));
    note(out, "budgets and limits", held, "a small request fits every budget and limit");
    for (const std::string& node : nodes_of(entry->key))
      TRY_VOID(look_at_budgets(out, node, worst.money, held, ledger, inquiry.at));
    look_at_rates(out, entry->key.rates, held, allowance);
  }
  const auto first =
      std::find_if(out.rules.begin(), out.rules.end(), [](const auto& one) { return !one.allowed; });
  out.allowed = first == out.rules.end();
  out.rule = out.allowed ? "allowed" : std::string(first->rule);
  out.why = out.allowed ? "every rule allows it" : first->why;
  return out;
}

}  // namespace claviger::gate
