// May this caller do this, through which credential, and what may it cost at worst?
#include "gate/authorize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace claviger::gate {
namespace {

bool generates(provider::Endpoint endpoint) {
  return endpoint == provider::Endpoint::converse || endpoint == provider::Endpoint::invoke ||
         endpoint == provider::Endpoint::chat || endpoint == provider::Endpoint::responses ||
         endpoint == provider::Endpoint::messages || endpoint == provider::Endpoint::generate_content ||
         endpoint == provider::Endpoint::completions;
}

// What is not known to be cheaper counts as the dearest.
std::optional<policy::Tier> tier_of(const provider::Route& route, const provider::Ask& ask) {
  if (ask.tier.empty() && !generates(route.endpoint)) return std::nullopt;
  if (ask.tier == "flex") return policy::Tier::flex;
  constexpr std::array<std::string_view, 8> kStandard{"",
                                                      "auto",
                                                      "default",
                                                      "standard",
                                                      "standard_only",
                                                      "on_demand",
                                                      "unspecified",
                                                      "service_tier_unspecified"};
  return std::ranges::find(kStandard, ask.tier) != kStandard.end() ? policy::Tier::standard
                                                                   : policy::Tier::priority;
}

// How many tokens the answer may have: the lesser of wish and scope; without either, what a limit needs to be
// hard.
std::optional<std::int64_t> choose_output_cap(const KeyEntry& entry, const provider::Ask& ask,
                                              const provider::Price* price, const World& world,
                                              bool blocking) {
  std::optional<std::int64_t> cap = output_cap(entry, world, ask.max_output);
  if (cap) return cap;
  if (entry.key.rates.tpm) cap = std::max<std::int64_t>(1, *entry.key.rates.tpm / 4);
  const bool needs_bound = blocking || cap.has_value();
  if (needs_bound && world.default_max_output)
    cap = std::min(cap.value_or(INT64_MAX), *world.default_max_output);
  if (needs_bound && price != nullptr && price->max_output)
    cap = std::min(cap.value_or(INT64_MAX), *price->max_output);
  return cap;
}

// What the refusal of a key above says to who calls with a key below it.
std::unexpected<Error> refused_above(std::string_view id, Error error) {
  error.say = fmt::format("The key '{}' above this one may not: {}", id, told(error));
  error.detail = "keys.above";
  return std::unexpected(std::move(error));
}

// Holds each key above `entry` against the same question, put as if it were asked with that key.
Result<void> check_above(const KeyEntry& entry, const World& world, policy::Question asked,
                         Result<void> (*check)(const policy::Scope&, const policy::Question&)) {
  for (const std::string_view id : identity::Lineage(entry.key.lineage)) {
    const KeyEntry* above = world.keys.find(id);
    if (above == nullptr)
      return refuse(Code::revoked_key, fmt::format("The key '{}' above this one can no longer be used.", id));
    asked.standing = standing_of(above->key.state);
    asked.expires = above->key.expires;
    if (auto allowed = check(above->scope, asked); !allowed) return refused_above(id, allowed.error());
  }
  return {};
}

}  // namespace

Result<void> check_policy(const KeyEntry& entry, const World& world, const policy::Question& asked) {
  TRY_VOID(policy::decide(entry.scope, asked));
  return check_policy_above(entry, world, asked);
}

Result<void> check_policy_above(const KeyEntry& entry, const World& world, const policy::Question& asked) {
  return check_above(entry, world, asked, policy::decide);
}

Result<void> may_enter(const KeyEntry& entry, const World& world, const policy::IpAddress& ip, Time now) {
  policy::Question asked;
  asked.standing = standing_of(entry.key.state);
  asked.expires = entry.key.expires;
  asked.ip = ip;
  asked.now = now;
  TRY_VOID(policy::may_enter(entry.scope, asked));
  return check_above(entry, world, asked, policy::may_enter);
}

std::optional<std::int64_t> output_cap(const KeyEntry& entry, const World& world,
                                       std::optional<std::int64_t> asked) {
  asked = policy::output_cap(entry.scope, asked);
  for (const std::string_view id : identity::Lineage(entry.key.lineage))
    if (const KeyEntry* above = world.keys.find(id)) asked = policy::output_cap(above->scope, asked);
  return asked;
}

Result<Destination> find_destination(const KeyEntry& entry, std::string_view named_provider,
                                     provider::Dialect dialect, const World& world) {
  Destination destination;
  const std::string_view name = named_provider.empty() ? provider::dialect_name(dialect) : named_provider;
  destination.provider = world.catalog->find(name);
  if (destination.provider == nullptr)
    destination.credential = world.credential_named(name, entry.key.environment);
  if (destination.provider == nullptr && destination.credential == nullptr &&
      !world.has_credential_named(name))
    destination.provider = world.catalog->find(provider::builtin_name(name));
  if (destination.provider != nullptr) {
    destination.credential = world.credential_for(destination.provider->name, entry.key.environment);
    return destination;
  }
  if (destination.credential == nullptr)
    return deny(Code::environment_denied,
                fmt::format("No credential or provider named '{}' is open to environment '{}'.", name,
                            entry.key.environment));
  destination.provider = destination.credential->provider;
  return destination;
}

policy::Question question(const KeyEntry& entry, const Destination& destination, const provider::Route& route,
                          const provider::Ask& ask, const policy::IpAddress& ip, Time now) {
  policy::Question asked;
  asked.standing = standing_of(entry.key.state);
  asked.expires = entry.key.expires;
  asked.environment = entry.key.environment;
  asked.provider = destination.provider->name;
  asked.reach = destination.credential == nullptr ? policy::Reach::none : policy::Reach::credential;
  asked.model = ask.model;
  asked.endpoint = provider::endpoint_name(route.endpoint);
  asked.ip = ip;
  asked.max_output = ask.max_output;
  asked.choices = ask.choices;
  asked.tools = ask.tools;
  asked.tier = tier_of(route, ask);
  asked.now = now;
  return asked;
}

Result<const provider::Price*> find_price(const KeyEntry& entry, const Destination& destination,
                                          const provider::Ask& ask, const World& world,
                                          const ledger::Ledger& ledger, Time now, bool& guessed) {
  const provider::PriceBook& prices = world.catalog->prices();
  const provider::Price* price = prices.find(destination.provider->name, ask.model, now);
  const std::string& like = destination.provider->prices_like;
  if (price == nullptr && !like.empty()) price = prices.find(like, ask.model, now);
  if (price != nullptr) return price;
  price = prices.dearest(like.empty() ? destination.provider->name : like);
  guessed = true;
  if (price != nullptr && !ledger.has_blocking_budget(entry.account)) return price;
  return deny(
      Code::unpriced_model,
      fmt::format(
          "No price is known for model '{}' of provider '{}', so a budget could not hold: add a [[price]] "
          "row to claviger.toml (0 is a price).",
          ask.model, destination.provider->name));
}

// What a vector database's operation costs is the operator's to say; nothing stands in for it.
Result<void> price_request(Grant& grant, const Destination& destination, const World& world, Time now) {
  grant.price = world.catalog->prices().find(destination.provider->name, grant.ask.model, now);
  if (grant.price == nullptr || !grant.price->request)
    return deny(Code::unpriced_model,
                fmt::format("No price a request is known for '{}' of provider '{}': add a [[price]] row with "
                            "request = \"...\" to claviger.toml (USD; 0 is a price).",
                            grant.ask.model, destination.provider->name));
  grant.worst.money = *grant.price->request;
  return {};
}

Result<Grant> authorize(const Caller& caller, const Request& request, const World& world,
                        const ledger::Ledger& ledger, Time now) {
  const KeyEntry& entry = caller.entry();
  const provider::Route& route = request.route();
  Grant grant;
  grant.route = &route;
  TRY(const Destination destination, find_destination(entry, request.provider, route.dialect, world));
  TRY(grant.ask, provider::read_ask(route, request.path, request.has_json ? &request.json : nullptr,
                                    request.has_form ? &request.form : nullptr));
  grant.named_model = grant.ask.model;
  if (destination.credential != nullptr)
    grant.ask.model = destination.credential->model_behind(grant.ask.model);
  TRY_VOID(check_policy(entry, world, question(entry, destination, route, grant.ask, request.ip, now)));
  grant.credential = destination.credential;
  if (!grant.credential->usable)
    return fail_upstream(Code::credential_unavailable, "disabled",
                         fmt::format("The credential '{}' is disabled: an administrator must enable it.",
                                     grant.credential->name));
  if (route.meter == provider::Meter::free) return grant;

  if (route.meter == provider::Meter::request) {
    TRY_VOID(price_request(grant, destination, world, now));
    return grant;
  }
  const bool blocking = ledger.has_blocking_budget(entry.account);
  TRY(grant.price, find_price(entry, destination, grant.ask, world, ledger, now, grant.guessed_price));
  std::optional<std::int64_t> cap;
  if (generates(route.endpoint)) cap = choose_output_cap(entry, grant.ask, grant.price, world, blocking);
  grant.edits = provider::edit_body(route, *destination.provider, grant.ask, request.json, cap);
  if (cap) grant.ask.max_output = cap;
  grant.worst =
      provider::worst_case(*grant.price, grant.ask, static_cast<std::int64_t>(request.body.size()), now);
  if (blocking && !grant.ask.unbounded.empty())
    return deny(Code::unbounded_cost, grant.ask.unbounded.front());
  if (blocking && !grant.worst.unbounded.empty()) return deny(Code::unbounded_cost, grant.worst.unbounded);
  return grant;
}

}  // namespace claviger::gate
