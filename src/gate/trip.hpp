// Trip: the credentials that one request may be sent with, one after the other, and what their answers prove.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/limits.hpp"
#include "gate/admit.hpp"
#include "gate/docket.hpp"
#include "gate/inject.hpp"
#include "gate/lane.hpp"
#include "gate/request.hpp"
#include "net/task.hpp"
#include "provider/verdict.hpp"
#include "wire/http1.hpp"

namespace claviger::gate {

// What is left to try when a credential fails a request. Lives in forward's frame.
struct Trip {
  std::vector<const CredentialEntry*> others;  // not asked yet
  int attempts = 1;
  std::optional<ledger::Hold> hold{};  // of the next exposure; none: the one there was came to an end

  bool goes_on() const { return !others.empty() && attempts < limits::kUpstreamAttempts; }
};

// The credential that the request goes to first, and those that may take its place: of the same provider and
// environment, where the request means the same model there. One that was asked for by name has none. Takes
// the admission's hold.
Trip plan_trip(Lane& lane, const Request& request, Admission& admission, const World& world, Docket& docket);
// The next one's turn, after one that failed.
void move_on(Lane& lane, Admission& admission, Docket& docket, Trip& trip);

// Tells the bench; what it changes is put on record, when it is about the key or its account.
void note(Lane& lane, const CredentialEntry& credential, provider::Finding finding,
          std::int64_t retry_after_ms = 0);
// What the provider asks for, within bounds; 0 when it does not.
std::int64_t retry_after_ms(const wire::Headers& headers);

// What a secret, a token or a signature of now is made from.
Keyring keyring(Lane& lane);
// Sees to it that the credential's token lives, where it needs one. Nothing is exposed yet. Whoever asked for
// it in vain tells the bench; the others who waited are only refused, as is (overloaded) who finds
// limits::kTokenWaits waiting.
net::Task<Result<void>> ready_token(Lane& lane, const CredentialEntry& credential);

}  // namespace claviger::gate
