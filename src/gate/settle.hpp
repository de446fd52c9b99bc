// Settle: from what a reply showed to what it cost. Nothing that may have reached a provider is ever free by
// accident.
#pragma once

#include "base/clock.hpp"
#include "gate/authorize.hpp"
#include "gate/docket.hpp"
#include "journal/record.hpp"
#include "ledger/ledger.hpp"
#include "provider/usage.hpp"

namespace claviger::gate {

// How an exchange with a provider ended, as forward saw it.
struct Reply {
  int status = 0;       // the provider's; 0 when no answer came
  int status_sent = 0;  // what the client got
  journal::Outcome outcome = journal::Outcome::internal;
  provider::Usage usage;  // as far as it is known
  bool whole = false;     // the answer's own end was seen
};

// Posts the exposure:
// - an answer with status 300 and above, or of a free route: nothing;
// - an answer of a vector database: the price of a request;
// - a whole answer with usage: its price, exact unless the price was a guess or the numbers do not add up;
// - a whole answer of a route whose answers never carry usage: the bound that was held, estimated;
// - everything else (cut, abandoned, silent about usage): the hold, presumed.
Docket::Ending settle(ledger::Exposure&& exposure, const Grant& grant, const Reply& reply);

}  // namespace claviger::gate
