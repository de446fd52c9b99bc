// The ledger's background work: leasing ahead of need, giving back, forgetting.
#include <algorithm>

#include "base/check.hpp"
#include "ledger/book.hpp"
#include "ledger/escrow.hpp"

namespace claviger::ledger {
namespace {

constexpr std::size_t kReturnsPerTick = 1'024;

}  // namespace

// Leases ahead, adopts what an unknown commit granted, or gives back what is over the limit.
Result<void> Book::extend(store::Tx& tx, Want& want) {
  const Lease& lease = *want.lease;
  const Budget& budget = lease.line->budget;
  TRY(const auto limit, blocking_limit(tx, budget.id));
  TRY(const auto row, lease_money(tx, {epoch_, lease.number}));
  if (!limit || !row) return fail(Code::corrupt, "a lease is not in the store");
  TRY(const WindowRow window, open_window(tx, budget, lease.span, usage_));
  const std::int64_t left = window.left(*limit);
  std::int64_t more = want.ahead ? std::max(std::min(left / 2, *limit / 20), std::int64_t{0}) : 0;
  if (left < 0) more = want.give_back(-left, row->granted);
  if (more != 0) TRY_VOID(grow_lease(tx, {epoch_, lease.number}, more));
  want.granted = row->granted + more;
  want.overrun_settled = row->beyond;
  want.left = left - more;
  want.slice = more;
  return {};
}

// Goes on through the active lines: which leases need more, which go back.
void Book::choose(std::vector<Want>& more, std::vector<Return>& returns, Time now) {
  std::size_t steps = std::min(kLinesPerTick, active_.size());
  while (steps-- > 0 && !active_.empty()) {
    if (next_active_ >= active_.size()) next_active_ = 0;
    Line& line = *active_[next_active_];
    const Time at = std::max(now, floor_);
    std::erase_if(line.leases, [&](const std::unique_ptr<Lease>& lease) {
      const bool over = at >= lease->span.to;
      const bool idle = now.ns - lease->last_used.ns > kLeaseIdleNs;
      if (lease->holds > 0 || !(over || idle)) return false;
      if (lease->overrun > lease->overrun_settled)
        return false;  // it would be forgotten before it is settled
      if (lease->asked) returns.push_back({lease->number, lease->bound()});
      if (line.current == lease.get()) line.current = nullptr;
      return true;
    });
    if (line.leases.empty()) {
      line.active = false;
      active_[next_active_] = active_.back();
      active_.pop_back();
      continue;
    }
    ++next_active_;
    for (const auto& lease : line.leases) {
      if (!lease->opened) continue;
      const bool low = lease->span.contains(at) && lease->drawn && lease->free() < lease->slice / 4;
      lease->drawn = false;
      const bool owing = lease->overrun > lease->overrun_settled;
      if (!owing && (lease->recall ? lease->free() <= 0 : !low)) continue;
      Want want;
      want.lease = lease.get();
      want.free = lease->free();
      want.asks = true;
      want.ahead = low;
      want.spare_at_risk = lease->recall;
      more.push_back(want);
    }
  }
}

void Book::forget_limiters(Time now) {
  std::vector<std::string> idle;
  const std::size_t buckets = limiters_.bucket_count();
  for (std::size_t i = 0; i < std::min(kLimiterBucketsPerTick, buckets); ++i) {
    next_bucket_ = next_bucket_ + 1 < buckets ? next_bucket_ + 1 : 0;
    for (auto at = limiters_.begin(next_bucket_); at != limiters_.end(next_bucket_); ++at)
      if (at->second->tickets == 0 && now.ns - at->second->last_used.ns > kLimiterIdleNs)
        idle.push_back(at->first);
  }
  for (const std::string& key : idle) limiters_.erase(key);
  if (!idle.empty()) ++limiters_generation_;
}

// Tells the store of leases that ended; those it does not acknowledge are told again.
Result<void> Book::send_returns() {
  const std::size_t count = std::min(returning_.size(), kReturnsPerTick);
  const std::span<const Return> batch(returning_.data(), count);
  auto answer = store_.write([&](store::Tx& tx) -> Result<void> {
    for (const Return& one : batch)
      TRY_VOID(cut_lease(tx, {epoch_, one.number}, one.target, LeaseFate::ends));
    return {};
  });
  if (!answer) return answer;
  returning_.erase(returning_.begin(), returning_.begin() + static_cast<std::ptrdiff_t>(count));
  return {};
}

// Before new money is asked for, the store and memory agree on budgets and on what went back: so at any time
// at most one lease of a window takes reports in place of another.
Result<void> Book::settle_doubts() {
  TRY_VOID(reload_if_needed());
  if (returning_.empty()) return {};
  while (!returning_.empty()) TRY_VOID(send_returns());
  store::Lock lock(mutex_);
  ++news_;  // there may be more to have now than the store last said
  return {};
}

Result<void> Book::top_up(Time now) {
  store::Lock asking(granting_);
  TRY_VOID(reload_if_needed());
  std::vector<Want> wants;
  {
    store::Lock lock(mutex_);
    if (!closed_) choose(wants, returning_, now);
    forget_limiters(now);
    std::erase_if(detached_, [](const std::unique_ptr<Lease>& lease) { return lease->holds == 0; });
  }
  TRY_VOID(settle_doubts());
  if (wants.empty()) return {};
  const auto answer = store_.write([&](store::Tx& tx) -> Result<void> {
    for (Want& want : wants) TRY_VOID(extend(tx, want));
    return {};
  });
  store::Lock lock(mutex_);
  for (const Want& want : wants) {
    if (answer)
      adopt(want, now);
    else
      doubt(want);
  }
  if (!answer) ++counters_.store_failures;
  return answer;
}

Result<void> Book::close() {
  store::Lock asking(granting_);
  {
    store::Lock lock(mutex_);
    closed_ = true;
    for (const Line* line : active_) {
      for (const auto& lease : line->leases) {
        if (!lease->asked) continue;
        lease->granted = std::min(lease->granted, lease->bound());
        returning_.push_back({lease->number, lease->bound()});
      }
    }
  }
  while (!returning_.empty()) TRY_VOID(send_returns());
  return {};
}

Counters Book::counters() {
  store::Lock lock(mutex_);
  return counters_;
}

void Book::check_invariants() {
  store::Lock lock(mutex_);
  const auto sound = [](const Lease& lease) {
    check(lease.used >= 0 && lease.held >= 0 && lease.overrun >= 0, "money in a lease is not negative");
    check(lease.granted >= lease.bound(), "a lease is not spent twice");
    check(lease.overrun >= lease.overrun_settled, "no more overrun is settled than there was");
    check(lease.holds > 0 || lease.held == 0, "nothing is held without a ticket");
  };
  std::size_t places = 0;
  for (const Line* line : active_) {
    for (const auto& lease : line->leases) {
      check(lease->line == line, "a lease knows its line");
      sound(*lease);
      places += lease->holds;
    }
  }
  for (const auto& lease : detached_) places += lease->holds;
  std::size_t pointing = 0;
  for (const Ticket& ticket : tickets_) pointing += ticket.leases.size();
  check(places == pointing, "every hold is counted where its ticket says");
  for (const auto& [name, one] : nodes_)
    for (const Line* line : one->blocking)
      check(line->node == one.get() && is_blocking(line->budget), "index of lines");
}

}  // namespace claviger::ledger
