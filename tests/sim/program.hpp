// The program's books as `serve` builds them, on simulated disks, store and clock: one Program is one start.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/file_memory.hpp"
#include "journal/writer.hpp"
#include "ledger/ledger.hpp"
#include "steward/derive.hpp"
#include "store/faulty.hpp"
#include "store/sqlite.hpp"

namespace claviger::sim {

// The wall clock may be put back; the monotonic one goes on.
class VirtualClock final : public Clock {
 public:
  Time now() const override { return now_; }
  std::int64_t monotonic_ns() const override { return passed_ns_; }
  void set(Time now) { now_ = now; }
  void move(std::int64_t ns) {
    now_.ns += ns;
    if (ns > 0) passed_ns_ += ns;
  }

 private:
  Time now_;
  std::int64_t passed_ns_ = 1;
};

// What outlives a start of the program.
struct Machine {
  Machine();
  VirtualClock clock;
  std::unique_ptr<store::SqliteStore> sqlite;
  store::FaultyStore store;
  MemoryFolder journal, audit;
};

struct Program {
  // The order of app/house.cpp, up to the open listener. Any error ends the start; what it has written stays.
  static Result<std::unique_ptr<Program>> start(Machine& machine, std::size_t batch_lines);
  // A good end: leases go back, the journal is derived, each producer says stop. A fault leaves the rest of
  // it to the next start's recovery.
  Result<void> stop(Machine& machine);

  std::uint64_t epoch = 0;
  std::unique_ptr<journal::Writer> steward;
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<steward::Deriver> deriver;
  std::unique_ptr<journal::Writer> gate;
};

}  // namespace claviger::sim
