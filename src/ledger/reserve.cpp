// Reserving: all refusals in a fixed order, then what must succeed. Money first from memory, then from the
// store.
#include <algorithm>

#include "base/check.hpp"
#include "ledger/book.hpp"
#include "ledger/escrow.hpp"
#include "ledger/refusal.hpp"

namespace claviger::ledger {
namespace {

std::int64_t bounded_tokens(std::int64_t tokens) { return std::min(tokens, SlidingMinute::kMost); }

}  // namespace

Chain Book::resolve(Seat& seat) {
  if (seat.nodes_seen != nodes_generation_) {
    seat.above.clear();
    for (const std::string& name : seat.names) {
      const auto found = nodes_.find(name);
      seat.above.push_back(found == nodes_.end() ? nullptr : found->second.get());
    }
    seat.own = seat.above.back();
    seat.above.pop_back();
    seat.nodes_seen = nodes_generation_;
  }
  Chain chain;
  chain.add(org_);
  chain.add(seat.team);
  chain.add(seat.project);
  for (Node* node : seat.above) chain.add(node);
  chain.add(seat.own);
  return chain;
}

Lease& Book::lease_at(Line& line, Time at) {
  if (line.current && line.current->span.contains(at)) [[likely]]
    return *line.current;
  for (const auto& lease : line.leases)
    if (lease->span.contains(at)) return *(line.current = lease.get());
  auto fresh = std::make_unique<Lease>();
  fresh->line = &line;
  fresh->span = window_at(line.budget.window, *line.zone, at);
  fresh->number = next_number_++;
  fresh->last_used = at;
  line.current = fresh.get();
  line.leases.push_back(std::move(fresh));
  if (!line.active) active_.push_back(&line);
  line.active = true;
  return *line.current;
}

Lease* Book::first_short(const Chain& chain, std::int64_t worst, Time at) {
  for (const Node* node : chain) {
    for (Line* line : node->blocking) {
      Lease& lease = lease_at(*line, at);
      if (!lease.covers(worst)) return &lease;
    }
  }
  return nullptr;
}

// What is known without asking: the store's last answer, that it just failed, that we are closing.
Result<void> Book::check_asking(const Seat& seat, const Lease& lease, std::int64_t worst, Time now) {
  if (closed_) return fail(Code::shutting_down, "the ledger is closed");
  if (lease.knows_left(now, news_) && lease.free() + lease.left < worst)
    return over_budget(seat.key, lease.line->budget, lease.span, worst, lease.free() + lease.left, now);
  if (now < retry_store_at_ && retry_store_at_.ns - now.ns <= kStoreBackoffNs)
    return store_failed("the store failed a moment ago", (retry_store_at_.ns - now.ns) / 1'000'000 + 1);
  return {};
}

void Book::find_limiters(Seat& seat) {
  if (seat.limiters_seen == limiters_generation_) return;
  for (Gauge& gauge : seat.gauges) {
    auto found = limiters_.find(gauge.key);
    if (found == limiters_.end()) found = limiters_.emplace(gauge.key, std::make_unique<Limiter>()).first;
    gauge.limiter = found->second.get();
  }
  seat.limiters_seen = limiters_generation_;
}

Result<void> Book::check_gauge(const Gauge& gauge, const Seat& seat, std::int64_t tokens, Time now) {
  Limiter& limits = *gauge.limiter;
  limits.last_used = now;
  const std::string_view whose = gauge.key == seat.key ? std::string_view{} : std::string_view(gauge.key);
  if (gauge.concurrency != kNoRate && limits.in_flight >= gauge.concurrency)
    return too_many_at_once(whose, gauge.concurrency);
  if (gauge.rpm != kNoRate && limits.requests.sum(now) + 1 > gauge.rpm)
    return too_many_requests(whose, gauge.rpm, limits.requests.wait_ms(now, 1, gauge.rpm));
  if (gauge.tpm == kNoRate) return {};
  const std::int64_t asked = bounded_tokens(tokens);
  if (gauge.tpm == 0 || limits.tokens.sum(now) + asked > gauge.tpm)
    return too_many_tokens(whose, gauge.tpm, tokens,
                           gauge.tpm == 0 ? 0 : limits.tokens.wait_ms(now, asked, gauge.tpm));
  return {};
}

Result<void> Book::check_rates(Seat& seat, std::int64_t tokens, Time now) {
  if (seat.gauges.empty()) return {};
  find_limiters(seat);
  for (const Gauge& gauge : seat.gauges) TRY_VOID(check_gauge(gauge, seat, tokens, now));
  return {};
}

// A ticket with its place in the limiter; its leases are still to be added.
Ticket* Book::make_ticket(Seat& seat, std::int64_t worst, std::int64_t tokens, Time now) {
  if (spare_tickets_.empty()) {
    tickets_.emplace_back();
    spare_tickets_.reserve(tickets_.size());  // so that giving one back never allocates
    spare_tickets_.push_back(&tickets_.back());
  }
  Ticket* ticket = spare_tickets_.back();
  spare_tickets_.pop_back();
  ticket->worst = worst;
  ++counters_.held;
  if (seat.gauges.empty()) return ticket;
  find_limiters(seat);
  ticket->tokens = bounded_tokens(tokens);
  for (const Gauge& gauge : seat.gauges) {
    Limiter& limits = *gauge.limiter;
    ticket->marks.push_back({&limits, limits.requests.add(now, 1)});
    limits.tokens.add(now, ticket->tokens);
    ++limits.in_flight;
    ++limits.tickets;
  }
  return ticket;
}

Result<Book::Taken> Book::reserve(Seat& seat, std::int64_t worst, std::int64_t tokens, Time now) {
  check(worst >= 0 && tokens >= 0, "a worst case is not negative");
  {
    store::Lock lock(mutex_);
    const Chain chain = resolve(seat);
    const Time at = std::max(now, floor_);
    TRY_VOID(check_zero(seat, chain, now));
    const Lease* lacking = first_short(chain, worst, at);
    if (!lacking) {
      TRY_VOID(check_rates(seat, tokens, now));
      return take(seat, chain, worst, tokens, now, at);
    }
    TRY_VOID(check_asking(seat, *lacking, worst, now));
  }
  return reserve_asking(seat, worst, tokens, now);
}

Result<void> Book::check_zero(const Seat& seat, const Chain& chain, Time now) {
  for (const Node* node : chain) {
    for (const Line* line : node->blocking)
      if (line->budget.limit->value == 0) [[unlikely]]
        return budget_is_zero(seat.key, line->budget, window_at(line->budget.window, *line->zone, now), now);
  }
  return {};
}

// Cannot fail: every lease of the chain has `worst` free, and the limiter has room.
Book::Taken Book::take(Seat& seat, const Chain& chain, std::int64_t worst, std::int64_t tokens, Time now,
                       Time at) {
  latest_ = std::max(latest_, at);
  Ticket* ticket = nullptr;
  if (!seat.gauges.empty()) ticket = make_ticket(seat, worst, tokens, now);
  for (const Node* node : chain) {
    for (Line* line : node->blocking) {
      if (!ticket) ticket = make_ticket(seat, worst, tokens, now);
      Lease& lease = *line->current;
      lease.held += worst;
      ++lease.holds;
      lease.drawn = true;
      lease.last_used = now;
      ticket->leases.push_back(&lease);
    }
  }
  return {ticket, at};
}

// Holds what there is at every level, so that nobody else takes it while the store is asked for the rest.
std::vector<Want> Book::earmark(const Chain& chain, std::int64_t worst, Time now, Time at) {
  latest_ = std::max(latest_, at);
  std::vector<Want> wants;
  for (const Node* node : chain) {
    for (Line* line : node->blocking) {
      Lease& lease = lease_at(*line, at);
      Want want;
      want.lease = &lease;
      want.worst = worst;
      want.free = lease.free();
      want.take = std::clamp(want.free, std::int64_t{0}, worst);
      want.asks = !lease.covers(worst);
      want.spare_at_risk = lease.recall;
      lease.held += want.take;
      ++lease.holds;
      lease.last_used = now;
      lease.asked = lease.asked || want.asks;
      wants.push_back(want);
    }
  }
  return wants;
}

// The store's part for one budget. What the row grants beyond what memory knows of is the fruit of an earlier
// commit whose fate was not told, or an overrun that is settled by now. A lease that is over the limit gives
// back what it has to spare.
Result<void> Book::grant(store::Tx& tx, Want& want, const Want*& refused) {
  const Lease& lease = *want.lease;
  const Budget& budget = lease.line->budget;
  TRY(const auto limit, blocking_limit(tx, budget.id));
  if (!limit) return fail(Code::corrupt, "a budget in force is not in the store");
  TRY(const WindowRow window, open_window(tx, budget, lease.span, usage_));
  const LeaseName name{epoch_, lease.number};
  TRY(const auto row, lease_money(tx, name));
  if (!row && lease.granted != 0) return fail(Code::corrupt, "a lease is not in the store");
  if (!row) TRY_VOID(insert_lease(tx, name, budget.id, lease.span.from, lease.line->counts_from));
  const LeaseMoney known = row.value_or(LeaseMoney{});
  const std::int64_t untold = known.granted - lease.granted + known.beyond - lease.overrun_settled;
  const std::int64_t free = want.free + untold;
  const std::int64_t left = window.left(*limit);
  const std::int64_t slice = std::min(left / 2, *limit / 20);
  std::int64_t more = 0;
  if (free + left < want.worst) {
    want.left = left + untold;
    want.over = left < 0;
    refused = &want;
    return deny(Code::budget_exceeded);
  }
  if (free < want.worst)
    more = std::max(want.worst - free, slice);
  else if (left < 0)
    more = want.give_back(-left, known.granted);
  if (more != 0) TRY_VOID(grow_lease(tx, name, more));
  want.granted = known.granted + more;
  want.overrun_settled = known.beyond;
  want.left = left - more;
  want.slice = more;
  return {};
}

// Memory follows a commit that is known to have happened.
void Book::adopt(const Want& want, Time now) {
  Lease& lease = *want.lease;
  check(want.granted >= lease.granted || want.spare_at_risk, "only a recalled lease shrinks");
  lease.opened = true;
  lease.granted = want.granted;
  lease.overrun_settled = want.overrun_settled;
  lease.learn_left(want.left, now, news_);
  lease.recall = want.left < 0;
  if (want.slice > 0) lease.slice = want.slice;
}

void Book::withdraw(const Want& want) {
  want.lease->held -= want.take;
  --want.lease->holds;
}

// Memory after a commit whose fate is not known: no more than the least the store may hold.
void Book::doubt(const Want& want) {
  if (want.asks) want.lease->granted -= want.at_risk();
  want.lease->left_until = Time{0};
}

Result<Book::Taken> Book::reserve_asking(Seat& seat, std::int64_t worst, std::int64_t tokens, Time now) {
  store::Lock asking(granting_);
  if (auto known = settle_doubts(); !known) {
    store::Lock lock(mutex_);
    note_store_failure(now);
    return store_failed(std::move(known.error().detail), kStoreBackoffNs / 1'000'000);
  }
  std::vector<Want> wants;
  Time at;
  {
    store::Lock lock(mutex_);
    // Everything may have changed while this thread waited for its turn.
    const Chain chain = resolve(seat);
    at = std::max(now, floor_);
    TRY_VOID(check_zero(seat, chain, now));
    const Lease* lacking = first_short(chain, worst, at);
    if (!lacking) {
      TRY_VOID(check_rates(seat, tokens, now));
      return take(seat, chain, worst, tokens, now, at);
    }
    TRY_VOID(check_asking(seat, *lacking, worst, now));
    wants = earmark(chain, worst, now, at);
    ++counters_.grants;
  }
  const Want* refused = nullptr;
  const Result<void> answer = store_.write([&](store::Tx& tx) -> Result<void> {
    refused = nullptr;
    for (Want& want : wants)
      if (want.asks) TRY_VOID(grant(tx, want, refused));
    return {};
  });
  store::Lock lock(mutex_);
  if (answer) {
    for (Want& want : wants) {
      if (want.asks) adopt(want, now);
      want.lease->held += want.worst - want.take;
      want.lease->drawn = true;
      want.take = want.worst;
      want.asks = false;
    }
    auto room = check_rates(seat, tokens, now);
    if (!room) {
      for (const Want& want : wants) withdraw(want);
      return std::unexpected(std::move(room).error());
    }
    Ticket* ticket = make_ticket(seat, worst, tokens, now);
    for (const Want& want : wants) ticket->leases.push_back(want.lease);
    return Taken{ticket, at};
  }
  for (const Want& want : wants) withdraw(want);
  if (refused && answer.error().code == Code::budget_exceeded) return refuse_for_good(seat, *refused, now);
  for (const Want& want : wants) doubt(want);
  note_store_failure(now);
  return store_failed(answer.error().detail, kStoreBackoffNs / 1'000'000);
}

// The store was asked and the budget has no more: its answer serves the next ones, too.
std::unexpected<Error> Book::refuse_for_good(const Seat& seat, const Want& refused, Time now) {
  Lease& lease = *refused.lease;
  lease.learn_left(refused.left, now, news_);
  lease.recall = refused.over;
  return over_budget(seat.key, lease.line->budget, lease.span, refused.worst, lease.free() + lease.left, now);
}

void Book::note_store_failure(Time now) {
  ++counters_.store_failures;
  retry_store_at_ = now + std::chrono::nanoseconds(kStoreBackoffNs);
}

// What both ways out of a ticket share: its seat is free again, and the ticket is.
void Book::end_ticket(Ticket& ticket) {
  for (const Mark& mark : ticket.marks) {
    --mark.limiter->in_flight;
    --mark.limiter->tickets;
  }
  ticket.marks.clear();
  ticket.leases.clear();
  spare_tickets_.push_back(&ticket);
}

void Book::release(Ticket& ticket) {
  store::Lock lock(mutex_);
  for (Lease* lease : ticket.leases) {
    lease->held -= ticket.worst;
    --lease->holds;
  }
  for (const Mark& mark : ticket.marks) {
    mark.limiter->requests.correct(mark.second, -1);
    mark.limiter->tokens.correct(mark.second, -ticket.tokens);
  }
  ++counters_.released;
  end_ticket(ticket);
}

Posting Book::post(Ticket& ticket, Posting posting) {
  store::Lock lock(mutex_);
  const std::int64_t cost = posting.cost.value;
  for (Lease* lease : ticket.leases) {
    lease->held -= ticket.worst;
    --lease->holds;
    lease->used += cost;
    lease->overrun += std::max(cost - ticket.worst, std::int64_t{0});
  }
  for (const Mark& mark : ticket.marks)
    mark.limiter->tokens.correct(mark.second, bounded_tokens(posting.tokens) - ticket.tokens);
  ++counters_.posted;
  counters_.presumed += posting.presumed ? 1 : 0;
  counters_.overruns += posting.overrun ? 1 : 0;
  if (posting.overrun) counters_.overrun += posting.cost - posting.hold;
  end_ticket(ticket);
  return posting;
}

}  // namespace claviger::ledger
