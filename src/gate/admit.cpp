// The three rooms that decide, in order.
#include "gate/admit.hpp"

namespace claviger::gate {

Result<Admission> admit(const Request& request, const World& world, const crypto::HmacSha256& pepper,
                        ledger::Ledger& ledger, Time now, Docket& docket) {
  TRY(Caller caller, authenticate(request, world, pepper, now));
  docket.identified(caller.key());
  TRY(Grant grant, authorize(caller, request, world, ledger, now));
  TRY(ledger::Hold hold, reserve(caller, grant, ledger, now));
  return Admission{caller, std::move(grant), std::move(hold)};
}

}  // namespace claviger::gate
