// What happens in the simulated world.
#include "world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace claviger::sim {
namespace {

using ledger::Budget;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kKeys = 5;

}  // namespace

// k2 lies below k0, and k4 below both: they stand where k0 does.
ledger::AccountPath path_of(std::size_t key) {
  const std::size_t place = key == 2 || key == 4 ? 0 : key;
  ledger::AccountPath path{place % 2 ? "red" : "blue", place % 3 ? "web" : "", fmt::format("k{}", key)};
  if (key == 2) path.above = {"k0"};
  if (key == 4) path.above = {"k0", "k2"};
  return path;
}

World::World(std::uint64_t seed) : rng_(seed) {
  machine_.clock.set(parse_time("2026-10-24T20:00:00Z").value());
  machine_.clock.move(pick(40 * 86'400) * kSecond);
  for (std::size_t key = 0; key < kKeys; ++key) {
    ledger::RateLimits limits;
    if (key == 1) limits.rpm = 2 + pick(8);
    if (key == 2) limits.tpm = 60 + pick(200);
    if (key == 3) limits.concurrency = 1 + pick(3);
    if (key == 4 && pick(3) == 0) limits = {5, 150, 2};
    if (key == 0 && pick(3) == 0) limits.rpm = 6 + pick(20);
    rates_.push_back(limits);
  }
  start();
  for (std::int64_t i = 3 + pick(5); i > 0; --i) put_budget();
}

// Holds end before the ledger they came from.
World::~World() {
  held_.clear();
  exposed_.clear();
}

void World::broken(std::string what) {
  if (!broken_) broken_ = std::move(what);
}

void World::note(std::string what) { trace_.push_back(fmt::format("{:4} {}", step_, std::move(what))); }

std::optional<std::string> World::run(std::size_t steps) {
  for (step_ = 1; step_ <= steps && !broken_; ++step_) {
    act();
    if (machine_.journal.dead() || machine_.audit.dead()) crash();
    program_->ledger->check_invariants();
    mark_derived();
    check_store();
  }
  if (!broken_) settle();
  if (!broken_) check_end();
  return broken_;
}

void World::act() {
  const std::int64_t dice = pick(1'000);
  if (dice < 340) return reserve();
  if (dice < 520) return expose();
  if (dice < 560) return drop();
  if (dice < 720) return post();
  if (dice < 740) return fail_over();
  if (dice < 800) return derive();
  if (dice < 855) return tick();
  if (dice < 905) return pass_time();
  if (dice < 930) return put_budget();
  if (dice < 937) return remove_budget();
  if (dice < 967) return break_store();
  if (dice < 985) return break_disk();
  if (dice < 995) return crash();
  orderly_restart();
}

void World::reserve() {
  const auto key = static_cast<std::size_t>(pick(kKeys));
  const std::int64_t worst = pick(10) == 0 ? pick(3'000) : pick(200);
  const std::int64_t tokens = pick(50);
  (void)reserve(key, worst, tokens);
}

// A new request, held for, or false when it was refused.
bool World::reserve(std::size_t key, std::int64_t worst, std::int64_t tokens) {
  const ledger::AccountPath path = path_of(key);
  auto hold = program_->ledger->reserve(accounts_[key], Nanousd{worst}, tokens, now());
  note(fmt::format("reserve {} {} -> {}", path.key, worst, hold ? "held" : code_name(hold.error().code)));
  if (!hold) {
    check_refused(path, worst, tokens, hold.error());
    return false;
  }
  Request admitted{path,  {},    program_->epoch, Time{machine_.clock.monotonic_ns()}, hold->reserved_at(),
                   worst, tokens};
  for (const std::string& above : path.above)
    admitted.lineage.append(admitted.lineage.empty() ? "" : "/").append(above);
  oracle_.requests.push_back(admitted);
  held_.push_back({oracle_.requests.size() - 1, *std::move(hold)});
  check_admitted(admitted);
  check_rates(admitted);
  return true;
}

journal::Intent World::intent_of(std::size_t request, const std::string& req) const {
  const Request& one = oracle_.requests[request];
  journal::Intent intent;
  intent.at = one.reserved_at;
  intent.req = req, intent.key = one.path.key, intent.team = one.path.team, intent.project = one.path.project;
  intent.lineage = one.lineage;
  intent.environment = "prod", intent.provider = "openai", intent.route = "chat", intent.model = "gpt-5";
  intent.credential = "c1";
  intent.hold_nanousd = Nanousd{one.worst};
  intent.tokens = one.tokens;
  return intent;
}

// The gate's order: the intent is on file before the provider sees a byte. When it cannot be written nothing
// is sent, the hold goes back, and a receipt over nothing follows the intent.
void World::expose() {
  if (held_.empty()) return;
  expose(std::next(held_.begin(), pick(std::ssize(held_))));
}

void World::expose(std::list<Held>::iterator at) {
  if (!program_->gate->healthy()) return;
  const std::size_t index = at->request;
  Request& request = oracle_.requests[index];
  const std::string req = fmt::format("r{}", index);
  request.intent_seq = program_->gate->next_seq();
  program_->gate->append(intent_of(index, req));
  const Result<void> on_file = program_->gate->flush();
  if (machine_.journal.dead()) return;
  if (!on_file) {
    note(fmt::format("expose {}: the intent is not on file", req));
    held_.erase(at);
    return write_receipt(index, 0, journal::Outcome::upstream_failed);
  }
  request.state = State::exposed;
  request.sent = true;
  exposed_.push_back({index, ledger::Exposure(std::move(at->hold))});
  held_.erase(at);
}

void World::drop() {
  if (held_.empty()) return;
  const auto at = std::next(held_.begin(), pick(std::ssize(held_)));
  oracle_.requests[at->request].state = State::dropped;
  held_.erase(at);
}

void World::write_receipt(std::size_t request, std::int64_t cost, journal::Outcome outcome) {
  Request& one = oracle_.requests[request];
  one.state = State::charged;
  one.cost = cost;
  const std::string req = fmt::format("r{}", request);
  const journal::Intent intent = intent_of(request, req);
  journal::Receipt receipt;
  receipt.at = now();
  receipt.lineage = intent.lineage;
  receipt.req = intent.req, receipt.intent_at = intent.at, receipt.key = intent.key;
  receipt.team = intent.team, receipt.project = intent.project, receipt.environment = intent.environment;
  receipt.provider = intent.provider, receipt.route = intent.route, receipt.endpoint = intent.route;
  receipt.model = intent.model, receipt.credential = intent.credential;
  receipt.outcome = outcome;
  receipt.cost_nanousd = Nanousd{cost};
  receipt.hold_nanousd = intent.hold_nanousd;
  program_->gate->append(receipt);
  (void)program_->gate->flush();  // a full disk keeps the line in the batch
}

void World::post() {
  if (exposed_.empty()) return;
  const auto at = std::next(exposed_.begin(), pick(std::ssize(exposed_)));
  const std::size_t index = at->request;
  Request& request = oracle_.requests[index];
  const std::int64_t dice = pick(40);
  request.billed = dice < 15 ? request.worst : pick(request.worst + 1);
  if (dice == 39) request.billed = request.worst + 1 + pick(60);  // the provider breaks its word
  if (dice >= 36 && dice < 39) {
    exposed_.erase(at);  // dropped without a posting: the full hold
    return write_receipt(index, request.worst, journal::Outcome::internal);
  }
  note(fmt::format("post {} of {}", request.billed, request.worst));
  request.tokens = pick(60);
  const auto posting = ledger::post(std::move(at->exposure), Nanousd{request.billed}, request.tokens);
  if (posting.overrun != (request.billed > request.worst)) broken("an overrun is not flagged");
  exposed_.erase(at);
  write_receipt(index, request.billed, journal::Outcome::completed);
}

// The provider answers with an error, which costs nothing and is on record; another credential is asked only
// once the money is held anew.
void World::fail_over() {
  if (exposed_.empty()) return;
  const auto at = std::next(exposed_.begin(), pick(std::ssize(exposed_)));
  const std::size_t index = at->request;
  const Request failed = oracle_.requests[index];
  note(fmt::format("r{} fails over", index));
  (void)ledger::post(std::move(at->exposure), Nanousd{0}, 0);
  exposed_.erase(at);
  oracle_.requests[index].tokens = 0;
  write_receipt(index, 0, journal::Outcome::upstream_error);
  const auto key = static_cast<std::size_t>(failed.path.key.back() - '0');
  if (!machine_.journal.dead() && reserve(key, failed.worst, failed.tokens)) expose(std::prev(held_.end()));
}

void World::derive() {
  const auto answer = program_->deriver->tick();
  note(fmt::format("derive -> {}", answer ? "done" : answer.error().detail));
  if (!answer && answer.error().code != Code::store_unavailable && answer.error().code != Code::io_failed)
    broken("deriving failed: " + answer.error().detail);
}

void World::tick() {
  (void)program_->gate->flush();
  const auto answer = program_->ledger->top_up(now());
  note(fmt::format("tick -> {}", answer ? "done" : answer.error().detail));
  if (!answer && answer.error().code != Code::store_unavailable)
    broken("the tick failed: " + answer.error().detail);
  if (!answer || !limbo_) return;
  limbo_ = false;
  oracle_.follow(program_->ledger->budgets());
}

void World::pass_time() {
  const std::int64_t dice = pick(20);
  std::int64_t seconds = pick(5);
  if (dice > 8) seconds = pick(900);
  if (dice > 13) seconds = pick(4 * 3'600);
  if (dice > 17) seconds = pick(86'400);
  if (dice == 19) seconds = -pick(3'700);
  clock_went_back_ = clock_went_back_ || seconds < 0;
  machine_.clock.move(seconds * kSecond + pick(kSecond));
  note(fmt::format("now {}", format_time(now())));
}

void World::put_budget() {
  constexpr std::string_view nodes[] = {"org",    "org",    "team:red", "team:blue", "project:web",
                                        "key:k0", "key:k1", "key:k2",   "key:k4"};
  constexpr std::string_view zones[] = {"UTC", "Europe/Berlin", "+05:45", "America/Havana"};
  const auto known = program_->ledger->budgets();
  Budget budget;
  if (!known.empty() && pick(3) > 0) {
    budget = known[static_cast<std::size_t>(pick(static_cast<std::int64_t>(known.size())))];
  } else {
    budget.id = fmt::format("b{}", pick(12));
    budget.node = nodes[pick(std::ssize(nodes))];
    budget.window = static_cast<ledger::Window>(pick(5));
    budget.time_zone = zones[pick(std::ssize(zones))];
    budget.created = now();
  }
  budget.alert_at = pick(2) == 0 ? std::vector<int>{50, 100} : std::vector<int>{};
  budget.action = pick(10) == 0 ? ledger::Action::alert : ledger::Action::block;
  budget.limit = Nanousd{pick(5) == 0 ? pick(100) : pick(4) == 0 ? 20'000 : 200 + pick(3'000)};
  if (pick(12) == 0) budget.limit = Nanousd{0};
  if (pick(12) == 0) budget.limit.reset();
  const auto answer = program_->ledger->put_budget(budget);
  note(fmt::format("put {} {} {} {} -> {}", budget.id, budget.node, budget.limit ? budget.limit->value : -1,
                   action_name(budget.action), answer ? "done" : answer.error().detail));
  after_change(answer, budget);
}

// A change that failed may have happened. One of a limit is left open, so that requests meet it; others are
// looked into at once, since they decide which requests a budget counts.
void World::after_change(const Result<void>& answer, const Budget& wanted) {
  if (!answer && answer.error().code == Code::conflict && answer.error().origin == Origin::client) return;
  if (!answer && answer.error().code != Code::store_unavailable)
    return broken("a change failed: " + answer.error().detail);
  limbo_ = !answer;
  const auto in_memory = program_->ledger->budgets();
  const auto found = std::ranges::find(in_memory, wanted.id, &Budget::id);
  const bool same_kind = found != in_memory.end() && is_blocking(*found) == is_blocking(wanted);
  if (answer && (!same_kind || found->limit != wanted.limit)) broken("a budget's change is not in force");
  if (!answer && !same_kind) look_into();
  oracle_.follow(program_->ledger->budgets());
}

void World::look_into() {
  down_ = false;
  machine_.store.set_up();
  (void)program_->ledger->top_up(now());  // a planned fault may stop what follows the reading back
  limbo_ = false;
}

void World::remove_budget() {
  const auto known = program_->ledger->budgets();
  if (known.empty()) return;
  const std::string id = known[static_cast<std::size_t>(pick(std::ssize(known)))].id;
  const auto answer = program_->ledger->remove_budget(id);
  note(fmt::format("remove {} -> {}", id, answer ? "done" : told(answer.error())));
  if (!answer && answer.error().code == Code::store_unavailable) look_into();
  oracle_.follow(program_->ledger->budgets());
}

void World::break_store() {
  if (down_ || pick(4) == 0) {
    down_ = !down_;
    down_ ? machine_.store.set_down() : machine_.store.set_up();
    return note(down_ ? "store down" : "store up");
  }
  const auto fault = static_cast<store::Fault>(pick(3));
  machine_.store.fail_write(static_cast<std::uint64_t>(1 + pick(3)), fault);
  note(fmt::format("one of the next writes meets fault {}", static_cast<int>(fault)));
}

// Full disks, deaths inside a write, syncs and replaces that fail.
void World::break_disk() {
  MemoryFolder& folder = pick(3) == 0 ? machine_.audit : machine_.journal;
  const std::string_view which = &folder == &machine_.audit ? "audit" : "journal";
  switch (pick(5)) {
    case 0:
      folder.set_capacity(std::nullopt);
      return note(fmt::format("{} disk has room", which));
    case 1: {
      std::uint64_t used = 0;
      for (const auto names = folder.list().value(); const std::string& name : names)
        used += folder.size(name).value();
      folder.set_capacity(used + static_cast<std::uint64_t>(pick(900)));
      return note(fmt::format("{} disk nearly full", which));
    }
    case 2:
      folder.fail_next_replaces(1);
      return note(fmt::format("{}: the next replace fails", which));
    case 3:
      if (&folder != &machine_.audit) return;
      folder.die_in_replace(static_cast<int>(1 + pick(4)));
      return note("death in a replace of the proof ahead");
    default:
      folder.die_in_append(static_cast<int>(1 + pick(6)), static_cast<std::size_t>(pick(900)));
      return note(fmt::format("{}: death in an append ahead", which));
  }
}

// Everything that was broken works again.
void World::mend() {
  down_ = false;
  machine_.store.set_up();
  machine_.journal.set_capacity(std::nullopt);
  machine_.audit.set_capacity(std::nullopt);
}

// A new start of the program, tried until it succeeds: what was in flight is known only from the journal.
void World::start() {
  for (int tries = 0; tries < 20; ++tries) {
    program_.reset();
    machine_.journal.restart();
    machine_.audit.restart();
    if (tries > 2) mend();
    auto started = Program::start(machine_, static_cast<std::size_t>(1 + pick(12)));
    if (started) {
      program_ = *std::move(started);
      break;
    }
    note("no start: " + started.error().detail);
  }
  if (!program_) {
    for (const std::string& line : trace_) fmt::print("  {}\n", line);
    check(false, "the program starts");
  }
  note(fmt::format("start {}", program_->epoch));
  accounts_.clear();
  for (std::size_t key = 0; key < kKeys; ++key) accounts_.push_back(account_of(key));
  limbo_ = false;
  clock_went_back_ = false;
  mark_derived();
  check_recovered();
  oracle_.follow(program_->ledger->budgets());
}

ledger::Account World::account_of(std::size_t key) {
  const ledger::AccountPath path = path_of(key);
  std::vector<ledger::RateLimits> above;
  for (const std::string& one : path.above)
    above.push_back(rates_[static_cast<std::size_t>(one.back() - '0')]);
  return program_->ledger->account(path, rates_[key], above);
}

// Memory is gone, with the lines that were not on file. What was sent is billed as the provider likes.
void World::crash() {
  note("crash");
  machine_.journal.restart();  // files of the dead process take nothing more
  machine_.audit.restart();
  for (const Exposed& one : exposed_) {
    Request& request = oracle_.requests[one.request];
    request.billed = pick(request.worst + 1);
  }
  held_.clear();
  exposed_.clear();
  start();
}

void World::orderly_restart() {
  note("orderly restart");
  while (!held_.empty()) drop();
  while (!exposed_.empty()) post();
  (void)program_->stop(machine_);  // what fails here is left to the recovery
  crash();
}

// Ends all requests and faults, and derives the journal to its end.
void World::settle() {
  note("settle");
  mend();
  while (!held_.empty()) drop();
  while (!exposed_.empty()) post();
  for (int tries = 0; tries < 20; ++tries) {
    if (machine_.journal.dead() || machine_.audit.dead()) crash();
    mend();
    (void)program_->gate->flush();
    (void)program_->ledger->top_up(now());
    (void)program_->ledger->close();
    (void)program_->deriver->catch_up();
    (void)program_->deriver->publish();
  }
  mark_derived();
}

}  // namespace claviger::sim
