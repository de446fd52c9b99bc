// What is left of a key's own limits, for the headers of its answers.
#include "ledger/book.hpp"

namespace claviger::ledger {
namespace {

Allowance::One left_of(SlidingMinute& minute, std::int64_t limit, Time now) {
  const std::int64_t left = std::max<std::int64_t>(limit - minute.sum(now), 0);
  // When all of it is there again: as soon as nothing of this minute counts any more.
  return {limit, left, left == limit ? 0 : minute.wait_ms(now, limit, limit)};
}

}  // namespace

Allowance Book::allowance(Seat& seat, Time now) {
  store::Lock lock(mutex_);
  Allowance out;
  if (!seat.limited()) return out;
  Limiter& limits = limiter(seat);
  if (seat.rpm != kNoRate) out.requests = left_of(limits.requests, seat.rpm, now);
  if (seat.tpm != kNoRate) out.tokens = left_of(limits.tokens, seat.tpm, now);
  return out;
}

Allowance Ledger::allowance(const Account& account, Time now) const {
  return account ? book_->allowance(*account.seat_, now) : Allowance{};
}

}  // namespace claviger::ledger
