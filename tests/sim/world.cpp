// What happens in the simulated world, and the rules that must hold after every step of it.
#include "ledger_world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace claviger::sim {
namespace {

using ledger::Budget;
using store::Tx;
using store::value;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kKeys = 5;

constexpr std::string_view kTables =
    "CREATE TABLE IF NOT EXISTS sim_usage (at_ns INTEGER, team TEXT, project TEXT, key TEXT, cost INTEGER) "
    "STRICT;"
    "CREATE TABLE IF NOT EXISTS sim_position (one INTEGER PRIMARY KEY, lines INTEGER) STRICT;"
    "INSERT OR IGNORE INTO sim_position VALUES (1, 0);";

ledger::AccountPath path_of(std::size_t key) {
  return {key % 2 ? "red" : "blue", key % 3 ? "web" : "", fmt::format("k{}", key)};
}

}  // namespace

LedgerWorld::LedgerWorld(std::uint64_t seed)
    : rng_(seed),
      now_(parse_time("2026-10-24T20:00:00Z").value()),
      sqlite_(store::SqliteStore::open({}).value()),
      store_(*sqlite_) {
  now_.ns += pick(40 * 86'400) * kSecond;
  if (!store::install(*sqlite_, {ledger::kSchema, kTables})) broken("the schema cannot be installed");
  start();
  for (std::int64_t i = 3 + pick(5); i > 0; --i) put_budget();
}

void LedgerWorld::broken(std::string what) {
  if (!broken_) broken_ = std::move(what);
}

void LedgerWorld::note(std::string what) { trace_.push_back(fmt::format("{:4} {}", step_, std::move(what))); }

std::optional<std::string> LedgerWorld::run(std::size_t steps) {
  for (step_ = 1; step_ <= steps && !broken_; ++step_) {
    act();
    ledger_->check_invariants();
    check_store();
  }
  if (!broken_) settle();
  if (!broken_) check_end();
  return broken_;
}

void LedgerWorld::act() {
  const std::int64_t dice = pick(1'000);
  if (dice < 340) return reserve();
  if (dice < 520) return expose();
  if (dice < 560) return drop();
  if (dice < 740) return post();
  if (dice < 810) return derive(static_cast<std::size_t>(1 + pick(8)));
  if (dice < 870) return tick();
  if (dice < 920) return pass_time();
  if (dice < 945) return put_budget();
  if (dice < 952) return remove_budget();
  if (dice < 988) return break_store();
  if (dice < 996) return crash();
  orderly_restart();
}

void LedgerWorld::reserve() {
  const auto key = static_cast<std::size_t>(pick(kKeys));
  const ledger::AccountPath path = path_of(key);
  const std::int64_t worst = pick(10) == 0 ? pick(3'000) : pick(200);
  auto hold = ledger_->reserve(accounts_[key], Nanousd{worst}, pick(50), now_);
  note(fmt::format("reserve {} {} -> {}", path.key, worst, hold ? "held" : code_name(hold.error().code)));
  if (!hold) return check_refused(path, worst, hold.error());
  Request admitted{path, epoch_, hold->reserved_at(), worst, 0, 0, State::held, false};
  oracle_.requests.push_back(admitted);
  held_.push_back({oracle_.requests.size() - 1, *std::move(hold)});
  check_admitted(admitted);
}

void LedgerWorld::expose() {
  if (held_.empty()) return;
  const auto at = std::next(held_.begin(), pick(static_cast<std::int64_t>(held_.size())));
  oracle_.requests[at->request].state = State::exposed;  // the intent is in the journal from here on
  exposed_.push_back({at->request, ledger::Exposure(std::move(at->hold))});
  held_.erase(at);
}

void LedgerWorld::drop() {
  if (held_.empty()) return;
  const auto at = std::next(held_.begin(), pick(static_cast<std::int64_t>(held_.size())));
  oracle_.requests[at->request].state = State::dropped;
  held_.erase(at);
}

void LedgerWorld::write_receipt(std::size_t request, std::int64_t cost) {
  oracle_.requests[request].state = State::charged;
  oracle_.requests[request].cost = cost;
  journal_.push_back(request);
}

void LedgerWorld::post() {
  if (exposed_.empty()) return;
  const auto at = std::next(exposed_.begin(), pick(static_cast<std::int64_t>(exposed_.size())));
  Request& request = oracle_.requests[at->request];
  const std::int64_t dice = pick(40);
  request.billed = dice < 15 ? request.worst : pick(request.worst + 1);
  if (dice == 39) request.billed = request.worst + 1 + pick(60);  // the provider breaks its word
  if (dice >= 36 && dice < 39) {
    write_receipt(at->request, request.worst);
    exposed_.erase(at);  // dropped without a posting: the full hold
    return;
  }
  note(fmt::format("post {} of {}", request.billed, request.worst));
  const auto posting = ledger::post(std::move(at->exposure), Nanousd{request.billed}, pick(60));
  if (posting.overrun != (request.billed > request.worst)) broken("an overrun is not flagged");
  write_receipt(at->request, request.billed);
  exposed_.erase(at);
}

std::size_t LedgerWorld::position() {
  std::size_t lines = 0;
  const auto answer = sqlite_->read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT lines FROM sim_position"));
    lines = static_cast<std::size_t>(rows.at(0).integer(0));
    return {};
  });
  if (!answer) broken("the position cannot be read");
  return lines;
}

Result<Nanousd> LedgerWorld::usage(Tx& tx, std::string_view node, Time from, Time to) {
  const std::string_view name = node.substr(node.find(':') + 1);
  const auto sum = [&](std::string_view sql) { return tx.query(sql, {from.ns, to.ns, value(name)}); };
  TRY(const auto rows,
      node == "org"
          ? tx.query("SELECT coalesce(sum(cost), 0) FROM sim_usage WHERE at_ns >= ?1 AND at_ns < ?2",
                     {from.ns, to.ns})
      : node.starts_with("team:")
          ? sum("SELECT coalesce(sum(cost), 0) FROM sim_usage WHERE at_ns >= ?1 AND at_ns < ?2 AND team = ?3")
      : node.starts_with("project:") ? sum("SELECT coalesce(sum(cost), 0) FROM sim_usage WHERE at_ns >= ?1 "
                                           "AND at_ns < ?2 AND project = ?3")
                                     : sum("SELECT coalesce(sum(cost), 0) FROM sim_usage WHERE at_ns >= ?1 "
                                           "AND at_ns < ?2 AND key = ?3"));
  return Nanousd{rows.at(0).integer(0)};
}

void LedgerWorld::derive(std::size_t lines) {
  const std::size_t from = position();
  const std::size_t to = std::min(from + lines, journal_.size());
  std::vector<ledger::Posted> batch;
  for (std::size_t i = from; i < to; ++i) {
    const Request& one = oracle_.requests[journal_[i]];
    batch.push_back({one.path, one.reserved_at, Nanousd{one.cost}, one.epoch, Nanousd{one.worst}});
  }
  if (batch.empty()) return recover();
  const auto answer = store_.write([&](Tx& tx) -> Result<void> {
    TRY_VOID(ledger_->apply(tx, batch));
    for (const ledger::Posted& one : batch)
      TRY_VOID(tx.run("INSERT INTO sim_usage VALUES (?1, ?2, ?3, ?4, ?5)",
                      {one.reserved_at.ns, value(one.path.team), value(one.path.project), value(one.path.key),
                       one.cost.value}));
    TRY_VOID(tx.run("UPDATE sim_position SET lines = ?1", {static_cast<std::int64_t>(to)}));
    return {};
  });
  note(fmt::format("derive {}..{} -> {}", from, to, answer ? "done" : answer.error().detail));
  if (!answer && answer.error().code != Code::store_unavailable)
    broken("deriving failed: " + answer.error().detail);
  const std::size_t reached = position();
  for (std::size_t i = from; i < reached; ++i) oracle_.requests[journal_[i]].derived = true;
  recover();
}

void LedgerWorld::recover() {
  if (recovered_ || position() < recover_from_) return;
  const auto answer = store_.write([&](Tx& tx) { return ledger_->recover(tx, epoch_); });
  note(fmt::format("recover -> {}", answer ? "done" : answer.error().detail));
  recovered_ = answer.has_value();
}

void LedgerWorld::tick() {
  const auto answer = ledger_->top_up(now_);
  note(fmt::format("tick -> {}", answer ? "done" : answer.error().detail));
  if (!answer && answer.error().code != Code::store_unavailable)
    broken("the tick failed: " + answer.error().detail);
  if (!answer || !limbo_) return;
  limbo_ = false;
  oracle_.follow(ledger_->budgets());
}

void LedgerWorld::pass_time() {
  const std::int64_t dice = pick(20);
  std::int64_t seconds = pick(5);
  if (dice > 8) seconds = pick(900);
  if (dice > 13) seconds = pick(4 * 3'600);
  if (dice > 17) seconds = pick(86'400);
  if (dice == 19) seconds = -pick(3'700);
  now_.ns += seconds * kSecond + pick(kSecond);
  note(fmt::format("now {}", format_time(now_)));
}

void LedgerWorld::put_budget() {
  constexpr std::string_view nodes[] = {"org",         "org",    "team:red", "team:blue",
                                        "project:web", "key:k0", "key:k1",   "key:k4"};
  constexpr std::string_view zones[] = {"UTC", "Europe/Berlin", "+05:45", "America/Havana"};
  const auto known = ledger_->budgets();
  Budget budget;
  if (!known.empty() && pick(3) > 0) {
    budget = known[static_cast<std::size_t>(pick(static_cast<std::int64_t>(known.size())))];
  } else {
    budget.id = fmt::format("b{}", pick(12));
    budget.node = nodes[pick(std::ssize(nodes))];
    budget.window = static_cast<ledger::Window>(pick(5));
    budget.time_zone = zones[pick(std::ssize(zones))];
    budget.created = now_;
  }
  budget.action = pick(10) == 0 ? ledger::Action::alert : ledger::Action::block;
  budget.limit = Nanousd{pick(5) == 0 ? pick(100) : pick(4) == 0 ? 20'000 : 200 + pick(3'000)};
  if (pick(12) == 0) budget.limit = Nanousd{0};
  if (pick(12) == 0) budget.limit.reset();
  const auto answer = ledger_->put_budget(budget);
  note(fmt::format("put {} {} {} {} -> {}", budget.id, budget.node, budget.limit ? budget.limit->value : -1,
                   action_name(budget.action), answer ? "done" : answer.error().detail));
  after_change(answer, budget);
}

// A change that failed may have happened. One of a limit is left open, so that requests meet it; others are
// looked into at once, since they decide which requests a budget counts.
void LedgerWorld::after_change(const Result<void>& answer, const Budget& wanted) {
  if (!answer && answer.error().code == Code::conflict && answer.error().origin == Origin::client) return;
  if (!answer && answer.error().code != Code::store_unavailable)
    return broken("a change failed: " + answer.error().detail);
  limbo_ = !answer;
  const auto in_memory = ledger_->budgets();
  const auto found = std::ranges::find(in_memory, wanted.id, &Budget::id);
  const bool same_kind = found != in_memory.end() && is_blocking(*found) == is_blocking(wanted);
  if (answer && (!same_kind || found->limit != wanted.limit)) broken("a budget's change is not in force");
  if (!answer && !same_kind) look_into();
  oracle_.follow(ledger_->budgets());
}

void LedgerWorld::look_into() {
  down_ = false;
  store_.set_up();
  (void)ledger_->top_up(now_);  // a planned fault may stop what follows the reading back
  limbo_ = false;
}

void LedgerWorld::remove_budget() {
  const auto known = ledger_->budgets();
  if (known.empty()) return;
  const std::string id = known[static_cast<std::size_t>(pick(std::ssize(known)))].id;
  const auto answer = ledger_->remove_budget(id);
  note(fmt::format("remove {} -> {}", id, answer ? "done" : told(answer.error())));
  if (!answer && answer.error().code == Code::store_unavailable) look_into();
  oracle_.follow(ledger_->budgets());
}

void LedgerWorld::break_store() {
  if (down_ || pick(4) == 0) {
    down_ = !down_;
    down_ ? store_.set_down() : store_.set_up();
    return note(down_ ? "store down" : "store up");
  }
  const auto fault = static_cast<store::Fault>(pick(3));
  store_.fail_write(static_cast<std::uint64_t>(1 + pick(3)), fault);
  note(fmt::format("one of the next writes meets fault {}", static_cast<int>(fault)));
}

// A new start: what was in flight is known only from the journal.
void LedgerWorld::start() {
  down_ = false;
  store_.set_up();
  ledger_.reset();
  auto opened = ledger::Ledger::open(
      store_, ++epoch_,
      [this](Tx& tx, std::string_view node, Time from, Time to) { return usage(tx, node, from, to); });
  if (!opened) return broken("the ledger cannot be opened: " + opened.error().detail);
  ledger_ = *std::move(opened);
  accounts_.clear();
  for (std::size_t key = 0; key < kKeys; ++key) accounts_.push_back(ledger_->account(path_of(key), {}));
  limbo_ = false;
  oracle_.follow(ledger_->budgets());
}

// Holds and memory are gone. What was sent is billed as the provider likes; an intent without a receipt is
// presumed.
void LedgerWorld::crash() {
  note("crash");
  for (const Held& one : held_) oracle_.requests[one.request].state = State::dropped;
  for (const Exposed& one : exposed_) {
    Request& request = oracle_.requests[one.request];
    request.billed = pick(request.worst + 1);
    write_receipt(one.request, request.worst);
  }
  held_.clear();
  exposed_.clear();
  recover_from_ = journal_.size();
  recovered_ = false;
  start();
}

void LedgerWorld::orderly_restart() {
  note("orderly restart");
  while (!held_.empty()) drop();
  while (!exposed_.empty()) post();
  (void)ledger_->close();  // a store that fails here leaves leases to the recovery
  crash();
}

void LedgerWorld::check_admitted(const Request& admitted) {
  oracle_.follow(ledger_->budgets());
  for (const auto& [id, watched] : oracle_.watched()) {
    if (!concerns(watched.budget, admitted.path)) continue;
    const std::int64_t limit = watched.budget.limit->value;
    if (limit == 0) return broken(fmt::format("admitted under budget {} of 0", id));
    const std::int64_t committed = oracle_.committed(watched, admitted.reserved_at);
    if (committed > limit + oracle_.untold_overruns(watched, admitted.reserved_at, epoch_))
      return broken(fmt::format("budget {} of {} is overspent: {} committed", id, limit, committed));
  }
}

void LedgerWorld::check_refused(const ledger::AccountPath& path, std::int64_t worst, const Error& error) {
  if (error.code == Code::store_unavailable) return;
  if (error.code != Code::budget_exceeded)
    return broken(fmt::format("refused with {}", code_name(error.code)));
  const bool clock_went_back =
      std::ranges::any_of(oracle_.requests, [&](const Request& one) { return one.reserved_at > now_; });
  if (!recovered_ || limbo_ || clock_went_back) return;
  oracle_.follow(ledger_->budgets());
  for (const auto& [id, watched] : oracle_.watched()) {
    if (!concerns(watched.budget, path)) continue;
    if (watched.budget.limit->value == 0) return;
    if (oracle_.committed(watched, now_) + worst > watched.budget.limit->value) return;
  }
  broken(fmt::format("refused though it fits: {}", told(error)));
}

void LedgerWorld::check_store() {
  const auto answer = sqlite_->read([&](Tx& tx) -> Result<void> {
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

// Ends all requests and faults, and derives the journal to its end.
void LedgerWorld::settle() {
  note("settle");
  down_ = false;
  store_.set_up();
  while (!held_.empty()) drop();
  while (!exposed_.empty()) post();
  for (int tries = 0; tries < 20; ++tries) {
    (void)ledger_->top_up(now_);
    (void)ledger_->close();
    derive(journal_.size());
  }
  if (position() != journal_.size() || !recovered_) broken("the journal is not derived to its end");
}

void LedgerWorld::check_end() {
  const auto budgets = ledger_->budgets();
  const auto answer = sqlite_->read([&](Tx& tx) -> Result<void> {
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
}

}  // namespace claviger::sim
