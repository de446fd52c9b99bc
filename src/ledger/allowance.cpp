// What is left of a key's own limits, for the headers of its answers.
#include "ledger/book.hpp"

namespace claviger::ledger {
namespace {

Allowance::One left_of(SlidingMinute& minute, std::int64_t limit, Time now) {
  const std::int64_t left = std::max<std::int64_t>(limit - minute.sum(now), 0);
  // All of it is there again as soon as nothing of this minute counts any more.
  return {limit, left, left == limit ? 0 : minute.clear_ms(now)};
}

}  // namespace

Allowance Book::allowance(Seat& seat, Time now) {
  store::Lock lock(mutex_);
  Allowance out;
  if (seat.gauges.empty() || seat.gauges.front().key != seat.key) return out;  // no limits of its own
  find_limiters(seat);
  const Gauge& own = seat.gauges.front();
  if (own.rpm != kNoRate) out.requests = left_of(own.limiter->requests, own.rpm, now);
  if (own.tpm != kNoRate) out.tokens = left_of(own.limiter->tokens, own.tpm, now);
  return out;
}

Allowance Ledger::allowance(const Account& account, Time now) const {
  return account ? book_->allowance(*account.seat_, now) : Allowance{};
}

}  // namespace claviger::ledger
