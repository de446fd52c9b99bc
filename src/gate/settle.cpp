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

// A text that is spoken at a price a character costs what the request says, whatever its answer reports.
provider::Usage usage_of(const Grant& grant, const Reply& reply) {
  if (!reply.whole || !grant.ask.speaks || !grant.price->characters) return reply.usage;
  provider::Usage usage;
  usage.seen = true;
  usage.characters = grant.ask.characters;
  return usage;
}

}  // namespace

Docket::Ending settle(ledger::Exposure&& exposure, const Grant& grant, const Reply& reply) {
  const bool not_billed = grant.route->meter == provider::Meter::free || reply.status >= 300;
  if (not_billed) return ending_of(reply, ledger::post(std::move(exposure), Nanousd{0}, 0));

  if (grant.route->meter == provider::Meter::request) {
    const Nanousd price = grant.price->request.value_or(exposure.worst());
    return reply.status == 0 ? ending_of(reply, ledger::post_presumed(std::move(exposure)))
                             : ending_of(reply, ledger::post(std::move(exposure), price, 0));
  }
  const provider::Usage usage = usage_of(grant, reply);
  if (reply.whole && usage.seen) {
    const Nanousd cost = provider::cost(*grant.price, usage, exposure.reserved_at(), grant.ask.pictures);
    Docket::Ending ending = ending_of(reply, ledger::post(std::move(exposure), cost, usage.total_tokens()));
    ending.usage = usage;
    ending.estimated = grant.guessed_price || usage.mismatch ||
                       !provider::priced_fully(*grant.price, usage, grant.ask.pictures);
    return ending;
  }
  if (reply.whole && grant.route->meter != provider::Meter::usage) {
    const Nanousd bound = exposure.worst();
    Docket::Ending ending = ending_of(reply, ledger::post(std::move(exposure), bound, grant.worst.tokens));
    ending.estimated = bound.value > 0;  // what is free is free exactly
    return ending;
  }
  return ending_of(reply, ledger::post_presumed(std::move(exposure)));
}

}  // namespace claviger::gate
