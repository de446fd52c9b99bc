// Builds one start of the program, and ends it.
#include "program.hpp"

#include "base/check.hpp"
#include "steward/alert.hpp"
#include "steward/usage.hpp"

namespace claviger::sim {
namespace {

constexpr std::size_t kSegmentBytes = 12'000;  // small, so that every run crosses segments

}  // namespace

Machine::Machine() : sqlite(store::SqliteStore::open({}).value()), store(*sqlite) {
  const auto installed = store::install(
      *sqlite, {ledger::kSchema, steward::kUsageSchema, steward::kAlertSchema, steward::kDeriveSchema});
  check(installed.has_value(), "the schema can be installed");
}

Result<std::unique_ptr<Program>> Program::start(Machine& machine, std::size_t batch_lines) {
  auto program = std::make_unique<Program>();
  TRY(program->epoch, steward::next_epoch(machine.store, machine.journal));
  const journal::Start first{machine.clock.now(), "sim", "process"};
  TRY(program->steward,
      journal::Writer::open(machine.journal, "steward", program->epoch, first, kSegmentBytes));
  TRY_VOID(program->steward->flush());
  TRY(program->ledger, ledger::Ledger::open(machine.store, program->epoch, steward::usage_sum));
  steward::DeriverOptions options;
  options.origin = "sim.example/log";
  options.sign_seed = {1};
  options.batch_lines = batch_lines;
  TRY(program->deriver, steward::Deriver::open(machine.store, *program->ledger, machine.journal,
                                               machine.audit, machine.clock, *program->steward, options));
  TRY_VOID(program->deriver->recover());
  TRY_VOID(machine.store.write([&](store::Tx& tx) { return program->ledger->recover(tx, program->epoch); }));
  TRY(program->gate, journal::Writer::open(machine.journal, "gate0", program->epoch, first, kSegmentBytes));
  return program;
}

Result<void> Program::stop(Machine& machine) {
  TRY_VOID(ledger->close());
  TRY_VOID(gate->close(machine.clock.now()));
  TRY([[maybe_unused]] const std::size_t lines, deriver->catch_up());
  TRY_VOID(deriver->publish());
  return steward->close(machine.clock.now());
}

}  // namespace claviger::sim
