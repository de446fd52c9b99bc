// One simulated world: ledger, journal and deriver as the program builds them, on a failing store and failing
// disks, before a provider that bills; a virtual clock.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "oracle.hpp"
#include "program.hpp"

namespace claviger::sim {

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  // Runs to the end. The first broken rule, in words, or nullopt.
  std::optional<std::string> run(std::size_t steps);
  std::size_t step() const { return step_; }
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  struct Held {
    std::size_t request;
    ledger::Hold hold;
  };
  struct Exposed {
    std::size_t request;
    ledger::Exposure exposure;
  };
  // What the files say of one request.
  struct Written {
    bool intent = false;
    std::size_t receipts = 0;
    std::int64_t cost = 0;
    bool presumed = false;
  };

  // world.cpp: what happens
  void act();
  void reserve();
  bool reserve(std::size_t key, std::int64_t worst, std::int64_t tokens);
  void expose();
  void expose(std::list<Held>::iterator at);
  void fail_over();
  void drop();
  void post();
  void write_receipt(std::size_t request, std::int64_t cost, journal::Outcome outcome);
  void derive();
  void tick();
  void pass_time();
  void put_budget();
  void remove_budget();
  void break_store();
  void break_disk();
  void mend();
  void crash();
  void orderly_restart();
  void start();
  ledger::Account account_of(std::size_t key);
  void after_change(const Result<void>& answer, const ledger::Budget& wanted);
  void look_into();
  void settle();

  // world_rules.cpp: what must hold
  void check_admitted(const Request& admitted);
  void check_rates(const Request& admitted);
  void check_rates_of(std::string_view key, const Request& admitted);
  void check_refused(const ledger::AccountPath& path, std::int64_t worst, std::int64_t tokens,
                     const Error& error);
  void check_rate_refused(const ledger::AccountPath& path, std::int64_t tokens, Code code);
  void check_store();
  void check_recovered();
  void check_end();
  void check_files();
  std::map<std::string, Written> read_journal();
  void mark_derived();

  void broken(std::string what);
  void note(std::string what);
  std::int64_t pick(std::int64_t below) {
    return static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(below)));
  }
  Time now() const { return machine_.clock.now(); }
  journal::Intent intent_of(std::size_t request, const std::string& req) const;

  SeededRng rng_;
  Machine machine_;
  std::unique_ptr<Program> program_;
  std::vector<ledger::RateLimits> rates_;  // by key
  std::vector<ledger::Account> accounts_;
  std::list<Held> held_;
  std::list<Exposed> exposed_;
  Oracle oracle_;
  bool down_ = false;
  bool clock_went_back_ = false;  // since the program started
  bool limbo_ = false;            // a change of a budget may or may not have happened
  std::size_t step_ = 0;
  std::vector<std::string> trace_;
  std::optional<std::string> broken_;
};

ledger::AccountPath path_of(std::size_t key);

}  // namespace claviger::sim
