// Authorize: what a caller asks, held against its scope and the catalog. Fixes route, credential and
// worst-case cost.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "gate/authenticate.hpp"
#include "gate/request.hpp"
#include "gate/world.hpp"
#include "policy/decide.hpp"
#include "provider/ask.hpp"
#include "provider/price.hpp"

namespace claviger::gate {

// Proof that the caller may send this request, to this credential, at this worst-case cost. Points into the
// World.
class Grant {
 public:
  const provider::Route* route = nullptr;
  const CredentialEntry* credential = nullptr;
  provider::Ask ask;
  std::string named_model;  // as the request names it; ask.model is what that is at the credential
  const provider::Price* price = nullptr;  // nullptr: the route is free
  bool guessed_price = false;  // the model has no price of its own: the provider's dearest stands in, flagged
  provider::Worst worst;
  provider::Edits edits;  // what the gate changes in the body

 private:
  friend Result<Grant> authorize(const Caller&, const Request&, const World&, const ledger::Ledger&, Time);
  Grant() = default;
};

// Where a request of this caller would go: the credential of the provider that was named or that the route's
// dialect implies, in the caller's environment. `credential` is nullptr when the environment has none.
struct Destination {
  const provider::Provider* provider = nullptr;
  const CredentialEntry* credential = nullptr;
};
Result<Destination> find_destination(const KeyEntry& entry, std::string_view named_provider,
                                     provider::Dialect dialect, const World& world);

// The facts of policy's rules, from a key and what it asks. Used by authorize and by explain alike.
policy::Question question(const KeyEntry& entry, const Destination& destination, const provider::Route& route,
                          const provider::Ask& ask, const policy::IpAddress& ip, Time now);

// What the key may, and every key above it: the first refusal. The second form asks those above alone.
Result<void> check_policy(const KeyEntry& entry, const World& world, const policy::Question& asked);
Result<void> check_policy_above(const KeyEntry& entry, const World& world, const policy::Question& asked);
// Whether the key and every key above it may be used now and from there, whatever is asked.
Result<void> may_enter(const KeyEntry& entry, const World& world, const policy::IpAddress& ip, Time now);
// The longest answer that the key and every key above it allow; nullopt: no bound, and none asked.
std::optional<std::int64_t> output_cap(const KeyEntry& entry, const World& world,
                                       std::optional<std::int64_t> asked);

// The price a model is held and billed at. Unknown under a blocking budget, or with no price of the provider
// at all: unpriced_model. `guessed` is set when the provider's dearest stands in.
Result<const provider::Price*> find_price(const KeyEntry& entry, const Destination& destination,
                                          const provider::Ask& ask, const World& world,
                                          const ledger::Ledger& ledger, Time now, bool& guessed);

// Refuses as policy::decide does, and: missing_model, invalid_parameter, route_refused, unpriced_model,
// unbounded_cost, credential_unavailable.
Result<Grant> authorize(const Caller& caller, const Request& request, const World& world,
                        const ledger::Ledger& ledger, Time now);

}  // namespace claviger::gate
