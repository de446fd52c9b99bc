// The end of an exposure.
#include "gate/settle.hpp"

namespace claviger::gate {
namespace {

Docket::Ending ending_of(const Reply& reply, const ledger::Posting& posting) {
  Docket::Ending ending;
  ending.status = reply.status_sent;
  ending.outcome = reply.outcome;
  ending.usage = reply.usage;
  ending.cost = posting.cost;
  ending.presumed = posting.presumed;
  ending.estimated = posting.presumed;
  return ending;
}

}  // namespace

Docket::Ending settle(ledger::Exposure&& exposure, const Grant& grant, const Reply& reply) {
  const bool not_billed = grant.route->meter == provider::Meter::free || reply.status >= 300;
  if (not_billed) return ending_of(reply, ledger::post(std::move(exposure), Nanousd{0}, 0));

  if (reply.whole && reply.usage.seen) {
    const Nanousd cost = provider::cost(*grant.price, reply.usage, exposure.reserved_at());
    const std::int64_t tokens = reply.usage.total_tokens();
    Docket::Ending ending = ending_of(reply, ledger::post(std::move(exposure), cost, tokens));
    ending.estimated =
        grant.guessed_price || reply.usage.mismatch || !provider::priced_fully(*grant.price, reply.usage);
    return ending;
  }
  if (reply.whole && grant.route->meter == provider::Meter::bound) {
    const Nanousd bound = exposure.worst();
    Docket::Ending ending = ending_of(reply, ledger::post(std::move(exposure), bound, grant.worst.tokens));
    ending.estimated = true;
    return ending;
  }
  return ending_of(reply, ledger::post_presumed(std::move(exposure)));
}

}  // namespace claviger::gate
