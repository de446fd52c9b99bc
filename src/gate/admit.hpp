// Admit: authenticate, authorize and reserve as one plain call on one World; nothing slips between check and
// use.
#pragma once

#include "base/clock.hpp"
#include "gate/authenticate.hpp"
#include "gate/authorize.hpp"
#include "gate/docket.hpp"
#include "gate/reserve.hpp"
#include "gate/world.hpp"

namespace claviger::gate {

// The proofs of an admitted request. Keep the World it was admitted on alive with it.
struct Admission {
  Caller caller;
  Grant grant;
  ledger::Hold hold;
};

// The docket learns who it is and what is asked, also when a later room refuses.
Result<Admission> admit(const Request& request, const World& world, const crypto::HmacSha256& pepper,
                        ledger::Ledger& ledger, Time now, Docket& docket);

}  // namespace claviger::gate
