// The rules that must hold after every step of the simulated world.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "journal/reader.hpp"
#include "journal/verify.hpp"
#include "steward/usage.hpp"
#include "world.hpp"

namespace claviger::sim {
namespace {

using ledger::Budget;
using store::Tx;

}  // namespace

void World::check_admitted(const Request& admitted) {
  oracle_.follow(program_->ledger->budgets());
  for (const auto& [id, watched] : oracle_.watched()) {
    if (!concerns(watched.budget, admitted.path)) continue;
    const std::int64_t limit = watched.budget.limit->value;
    if (limit == 0) return broken(fmt::format("admitted under budget {} of 0", id));
    const std::int64_t committed = oracle_.committed(watched, admitted.reserved_at);
    if (committed > limit)
      return broken(fmt::format("budget {} of {} is overspent: {} committed", id, limit, committed));
  }
}

// After the wall clock went back a limiter counts all it knows as of the key's next request, and can no
// longer tell which second a request's tokens were held in: then it may refuse more. No minute, wherever it
// begins, holds more than the limit. Tokens may run over by what answers used beyond what was held for them,
// but no request is admitted on top of that.
void World::check_rates(const Request& admitted) {
  check_rates_of(admitted.path.key, admitted);
  for (const std::string& above : admitted.path.above) check_rates_of(above, admitted);
}

void World::check_rates_of(std::string_view key, const Request& admitted) {
  const ledger::RateLimits& limits = rates_[static_cast<std::size_t>(key.back() - '0')];
  const Minute minute = oracle_.minute(key, admitted.epoch, admitted.at, 60);
  if (limits.concurrency && minute.in_flight > *limits.concurrency)
    return broken(fmt::format("{} requests of {} in flight", minute.in_flight, key));
  if (limits.rpm && minute.requests > *limits.rpm)
    return broken(fmt::format("{} requests of {} in a minute", minute.requests, key));
  if (limits.tpm && minute.tokens > *limits.tpm && !clock_went_back_)
    return broken(fmt::format("{} tokens of {} in a minute", minute.tokens, key));
}

void World::check_refused(const ledger::AccountPath& path, std::int64_t worst, std::int64_t tokens,
                          const Error& error) {
  if (error.code == Code::store_unavailable) return;
  if (error.code != Code::budget_exceeded) return check_rate_refused(path, tokens, error.code);
  const bool from_later =
      std::ranges::any_of(oracle_.requests, [&](const Request& one) { return one.reserved_at > now(); });
  if (limbo_ || from_later) return;
  oracle_.follow(program_->ledger->budgets());
  for (const auto& [id, watched] : oracle_.watched()) {
    if (!concerns(watched.budget, path)) continue;
    if (watched.budget.limit->value == 0) return;
    if (oracle_.committed(watched, now()) + worst > watched.budget.limit->value) return;
  }
  broken(fmt::format("refused though it fits: {}", error.say));
}

// The limiter counts whole seconds: what it refuses must be too much within one second more than a minute.
void World::check_rate_refused(const ledger::AccountPath& path, std::int64_t tokens, Code code) {
  const auto has_cause = [&](std::string_view key) {
    const ledger::RateLimits& limits = rates_[static_cast<std::size_t>(key.back() - '0')];
    const Minute minute = oracle_.minute(key, program_->epoch, Time{machine_.clock.monotonic_ns()}, 61);
    return (code == Code::concurrency_exceeded && limits.concurrency &&
            minute.in_flight >= *limits.concurrency) ||
           (code == Code::rate_limit_exceeded && limits.rpm && minute.requests >= *limits.rpm) ||
           (code == Code::token_limit_exceeded && limits.tpm && minute.tokens + tokens > *limits.tpm);
  };
  const bool right = has_cause(path.key) || std::ranges::any_of(path.above, has_cause);
  if (!right && !clock_went_back_)
    broken(fmt::format("{} refused with {} without cause", path.key, code_name(code)));
}

void World::check_store() {
  const auto answer = machine_.sqlite->read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT w.budget, w.from_ns, w.to_ns, w.settled, w.leased, "
                 "coalesce(sum(l.granted - l.reported), 0) FROM budget_window w LEFT JOIN lease l "
                 "ON l.budget = w.budget AND l.from_ns = w.from_ns GROUP BY w.budget, w.from_ns"));
    for (const store::Row& row : rows) {
      if (row.integer(4) != row.integer(5))
        broken(fmt::format("budget {}: {} leased, but {} in leases", row.text(0), row.integer(4),
                           row.integer(5)));
      const auto watched = oracle_.watched().find(row.text(0));
      if (watched == oracle_.watched().end()) continue;
      const ledger::WindowSpan span{Time{row.integer(1)}, Time{row.integer(2)}};
      const std::int64_t billed = oracle_.billed(watched->second.budget, span);
      const std::int64_t covered = row.integer(3) + row.integer(4) + oracle_.uncovered(watched->second, span);
      if (billed > covered)
        broken(fmt::format("budget {}: {} billed, but {} settled and leased", row.text(0), billed, covered));
    }
    return {};
  });
  if (!answer) broken("the store cannot be read: " + answer.error().detail);
}

// Which receipts the store holds: their intent was read, and is no longer open.
void World::mark_derived() {
  std::uint64_t epoch = 0;
  std::uint64_t next_seq = 1;
  std::set<std::string, std::less<>> open;
  const auto answer = machine_.sqlite->read([&](Tx& tx) -> Result<void> {
    TRY(const auto positions,
        tx.query("SELECT epoch, next_seq FROM journal_position WHERE producer = 'gate0'"));
    if (!positions.empty()) {
      epoch = static_cast<std::uint64_t>(positions[0].integer(0));
      next_seq = static_cast<std::uint64_t>(positions[0].integer(1));
    }
    TRY(const auto intents, tx.query("SELECT req FROM journal_open_intent"));
    for (const store::Row& row : intents) open.emplace(row.text(0));
    return {};
  });
  if (!answer) return broken("the read positions cannot be read: " + answer.error().detail);
  for (std::size_t i = 0; i < oracle_.requests.size(); ++i) {
    Request& one = oracle_.requests[i];
    if (one.derived || one.intent_seq == 0 || one.state == State::dropped) continue;
    const bool read = one.epoch < epoch || (one.epoch == epoch && one.intent_seq < next_seq);
    one.derived = read && !open.contains(fmt::format("r{}", i));
  }
}

std::map<std::string, World::Written> World::read_journal() {
  std::map<std::string, Written> written;
  journal::Parser parser;
  const auto done = journal::export_lines(machine_.journal, {}, [&](std::string_view line) {
    const auto record = parser.parse(line);
    if (!record) return journal::Next::more;
    if (const auto* intent = std::get_if<journal::Intent>(&record->body))
      written[std::string(intent->req)].intent = true;
    if (const auto* receipt = std::get_if<journal::Receipt>(&record->body)) {
      Written& one = written[std::string(receipt->req)];
      ++one.receipts;
      one.cost = receipt->cost_nanousd.value;
      one.presumed = receipt->presumed;
    }
    return journal::Next::more;
  });
  if (!done || done->unreadable > 0) broken("the journal cannot be read");
  return written;
}

// After a start the files know every request that was sent, each with one receipt: its own, or one at the
// hold. What never reached the files was never sent.
void World::check_recovered() {
  const std::map<std::string, Written> files = read_journal();
  for (std::size_t i = 0; i < oracle_.requests.size(); ++i) {
    Request& one = oracle_.requests[i];
    if (one.state == State::dropped) continue;
    const auto found = files.find(fmt::format("r{}", i));
    if (found == files.end()) {
      if (one.sent) broken(fmt::format("r{} was sent, but no intent is on file", i));
      one.state = State::dropped;
      continue;
    }
    const Written& written = found->second;
    if (!written.intent || written.receipts != 1)
      broken(fmt::format("r{}: {} receipts after recovery", i, written.receipts));
    const bool its_own = one.state == State::charged && !written.presumed;
    if (written.cost != (its_own ? one.cost : one.worst))
      broken(fmt::format("r{} is charged {} of {}", i, written.cost, one.worst));
    if (!its_own) one.billed = std::min(one.billed, one.worst);  // nobody is left who saw it run over
    one.state = State::charged;
    one.cost = written.cost;
    if (!one.derived) broken(fmt::format("r{} is not derived after recovery", i));
  }
}

void World::check_end() {
  const auto budgets = program_->ledger->budgets();
  const auto answer = machine_.sqlite->read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT budget, from_ns, to_ns, settled, leased FROM budget_window"));
    for (const store::Row& row : rows) {
      const auto budget = std::ranges::find(budgets, row.text(0), &Budget::id);
      if (budget == budgets.end()) return fail(Code::internal, "a window without a budget");
      const ledger::WindowSpan span{Time{row.integer(1)}, Time{row.integer(2)}};
      const std::int64_t charged = oracle_.charged(*budget, span);
      if (row.integer(3) != charged)
        broken(fmt::format("budget {}: {} settled, {} charged", budget->id, row.integer(3), charged));
      if (oracle_.billed(*budget, span) > charged)
        broken(fmt::format("budget {}: billed more than charged", budget->id));
      if (row.integer(4) != 0) broken(fmt::format("budget {}: {} still leased", budget->id, row.integer(4)));
    }
    return {};
  });
  if (!answer) broken("the end cannot be read: " + answer.error().detail);
  check_files();
}

// Journal, usage tables and proof tell the same story.
void World::check_files() {
  std::int64_t charged = 0;
  std::int64_t requests = 0;
  for (const Request& one : oracle_.requests) {
    if (one.state != State::charged) continue;
    ++requests;
    charged += one.cost;
    if (!one.derived) broken("a receipt is not derived at the end");
  }
  const auto usage = steward::usage_query(*machine_.sqlite, {}, Time{0}, kNever);
  if (!usage) return broken("the usage cannot be read: " + usage.error().detail);
  const steward::UsageRow total = usage->empty() ? steward::UsageRow{} : usage->front();
  if (total.requests != requests || total.cost_nanousd.value != charged)
    broken(fmt::format("usage tells {} requests for {}, not {} for {}", total.requests,
                       total.cost_nanousd.value, requests, charged));
  const auto report = journal::verify(machine_.journal, machine_.audit);
  if (!report || !report->ok()) broken("the journal does not verify");
}

}  // namespace claviger::sim
