// One simulated world: a ledger over a failing store, a journal, a deriver, a provider that bills; a virtual
// clock.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "ledger/ledger.hpp"
#include "oracle.hpp"
#include "store/faulty.hpp"
#include "store/sqlite.hpp"

namespace claviger::sim {

class LedgerWorld {
 public:
  explicit LedgerWorld(std::uint64_t seed);
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

  void act();
  void reserve();
  void expose();
  void drop();
  void post();
  void derive(std::size_t lines);
  void tick();
  void pass_time();
  void put_budget();
  void remove_budget();
  void break_store();
  void crash();
  void orderly_restart();
  void start();
  void recover();
  void after_change(const Result<void>& answer, const ledger::Budget& wanted);
  void look_into();
  void settle();

  void check_admitted(const Request& admitted);
  void check_refused(const ledger::AccountPath& path, std::int64_t worst, const Error& error);
  void check_store();
  void check_end();
  void broken(std::string what);
  void note(std::string what);
  std::int64_t pick(std::int64_t below) {
    return static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(below)));
  }
  Result<Nanousd> usage(store::Tx& tx, std::string_view node, Time from, Time to);
  void write_receipt(std::size_t request, std::int64_t cost);
  std::size_t position();

  SeededRng rng_;
  Time now_;
  std::unique_ptr<store::SqliteStore> sqlite_;
  store::FaultyStore store_;
  std::uint64_t epoch_ = 0;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::vector<ledger::Account> accounts_;
  std::list<Held> held_;
  std::list<Exposed> exposed_;
  Oracle oracle_;
  std::vector<std::size_t> journal_;  // receipts, by request; survives crashes
  std::size_t recover_from_ = 0;      // once so much of it is derived, older epochs' leases may go
  bool recovered_ = true;
  bool down_ = false;
  bool limbo_ = false;  // a change of a budget may or may not have happened
  std::size_t step_ = 0;
  std::vector<std::string> trace_;
  std::optional<std::string> broken_;
};

}  // namespace claviger::sim
