// Reserve: a grant's worst case is held at every budget and limit of its key, all or nothing.
#pragma once

#include "base/clock.hpp"
#include "gate/authorize.hpp"
#include "ledger/ledger.hpp"

namespace claviger::gate {

// Refuses as Ledger::reserve does. Dropping the Hold gives everything back.
inline Result<ledger::Hold> reserve(const Caller& caller, const Grant& grant, ledger::Ledger& ledger,
                                    Time now) {
  return ledger.reserve(caller.entry().account, grant.worst.money, grant.worst.tokens, now);
}

}  // namespace claviger::gate
