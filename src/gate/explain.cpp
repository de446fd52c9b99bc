// The gate's rooms, asked instead of passed.
#include "gate/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

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

// Asks a room whose refusal is an Error, and notes its answer as one more rule.
void note(Explanation& out, std::string_view rule, const Result<void>& answer, std::string_view fine) {
  policy::RuleVerdict verdict;
  verdict.rule = rule;
  verdict.allowed = answer.has_value();
  verdict.why = answer ? std::string(fine) : std::string(told(answer.error()));
  if (!answer) verdict.code = answer.error().code;
  out.rules.push_back(std::move(verdict));
}

template <class T>
Result<void> only_verdict(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

}  // namespace

Result<Explanation> explain(const Inquiry& inquiry, const World& world, ledger::Ledger& ledger) {
  const KeyEntry* entry = world.keys.find(inquiry.key_id);
  if (entry == nullptr)
    return refuse(Code::not_found, fmt::format("There is no key with the id '{}'.", inquiry.key_id));
  TRY(const provider::Route* route, route_of(inquiry.endpoint));
  TRY(const policy::IpAddress ip, policy::IpAddress::parse(inquiry.ip.empty() ? "127.0.0.1" : inquiry.ip));
  Explanation out;
  provider::Ask ask;
  ask.model = inquiry.model;
  const auto destination = find_destination(*entry, inquiry.provider, route->dialect, world);
  if (!destination) {
    note(out, "provider", only_verdict(destination), "");
  } else {
    out.rules = policy::explain(entry->scope, question(*entry, *destination, *route, ask, ip, inquiry.at));
    bool guessed = false;
    provider::Worst worst;
    if (route->meter != provider::Meter::free) {
      const auto price = find_price(*entry, *destination, ask, world, ledger, inquiry.at, guessed);
      note(out, "price", only_verdict(price),
           guessed ? "held at the provider's dearest price" : "the model has a price");
      ask.max_output = policy::output_cap(entry->scope, 1);
      if (price) worst = provider::worst_case(**price, ask, kSampleBody, inquiry.at);
    }
    // The hold is dropped at once, which gives everything back.
    note(out, "budgets and limits",
         only_verdict(ledger.reserve(entry->account, worst.money, worst.tokens, inquiry.at)),
         "a small request fits every budget and limit");
  }
  const auto first =
      std::find_if(out.rules.begin(), out.rules.end(), [](const auto& one) { return !one.allowed; });
  out.allowed = first == out.rules.end();
  out.rule = out.allowed ? "allowed" : std::string(first->rule);
  out.why = out.allowed ? "every rule allows it" : first->why;
  return out;
}

}  // namespace claviger::gate
