// What the deriver's tests stand on: store, folders and clock that outlive simulated starts.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/file_memory.hpp"
#include "journal/verify.hpp"
#include "journal/writer.hpp"
#include "ledger/ledger.hpp"
#include "steward/alert.hpp"
#include "steward/derive.hpp"
#include "steward/usage.hpp"
#include "store/faulty.hpp"
#include "store/sqlite.hpp"

namespace claviger::steward {

class RigClock final : public Clock {
 public:
  Time now() const override { return {ns}; }
  std::int64_t monotonic_ns() const override { return ns; }
  std::int64_t ns = 1'790'000'000'000'000'000;  // 2026-09-21T13:33:20Z
};

// Success, or what the error says.
template <class T>
testing::AssertionResult ok(const Result<T>& result) {
  if (result) return testing::AssertionSuccess();
  return testing::AssertionFailure() << code_name(result.error().code) << ": " << result.error().detail;
}

struct Rig {
  Rig() {
    EXPECT_TRUE(store::install(*sqlite, {ledger::kSchema, kUsageSchema, kAlertSchema, kDeriveSchema}));
  }

  // One start of the program up to the end of recovery. False when a fault struck.
  bool start(std::size_t batch_lines = 7) {
    stop();
    const auto next = next_epoch(store, journal);
    if (!next) return false;
    epoch = *next;
    auto opened = journal::Writer::open(journal, "steward", epoch, {clock.now(), "0.1.0", "process"});
    if (!opened) return false;
    steward = std::move(*opened);
    auto money = ledger::Ledger::open(store, epoch, usage_sum);
    if (!money) return false;
    ledger = std::move(*money);
    DeriverOptions options;
    options.origin = "test.example/log";
    options.sign_seed = {1};
    options.batch_lines = batch_lines;
    auto made = Deriver::open(store, *ledger, journal, audit, clock, *steward, options);
    if (!made) return false;
    deriver = std::move(*made);
    if (!deriver->recover()) return false;
    if (!store.write([&](store::Tx& tx) { return ledger->recover(tx, epoch); })) return false;
    auto gate_writer =
        journal::Writer::open(journal, "gate0", epoch, {clock.now(), "0.1.0", "process"}, 4000);
    if (!gate_writer) return false;
    gate = std::move(*gate_writer);
    return true;
  }
  // The process ends without a word.
  void stop() {
    deriver.reset();
    gate.reset();
    steward.reset();
    ledger.reset();
  }

  journal::Intent intent(std::string_view req, std::int64_t hold) const {
    journal::Intent i;
    i.at = clock.now();
    i.req = req, i.key = "k1", i.team = "core", i.project = "search", i.environment = "prod";
    i.provider = "openai", i.route = "chat", i.model = "gpt-5", i.credential = "cred_1";
    i.hold_nanousd = {hold};
    return i;
  }
  static journal::Receipt receipt(const journal::Intent& i, std::int64_t cost) {
    journal::Receipt r;
    r.at = i.at;
    r.req = i.req, r.intent_at = i.at, r.key = i.key, r.team = i.team, r.project = i.project;
    r.environment = i.environment, r.provider = i.provider, r.route = i.route, r.endpoint = "chat";
    r.model = i.model, r.credential = i.credential;
    r.status = 200;
    r.cost_nanousd = {cost};
    r.hold_nanousd = i.hold_nanousd;
    r.usage.uncached_in = 10, r.usage.text_out = 2, r.usage.seen = true;
    return r;
  }

  UsageRow total() {
    const auto rows = usage_query(*sqlite, {}, Time{0}, {clock.ns + 3'600'000'000'000}).value();
    return rows.empty() ? UsageRow{} : rows.front();
  }
  Nanousd settled(std::string_view budget) {
    std::int64_t sum = 0;
    EXPECT_TRUE(sqlite->read([&](store::Tx& tx) -> Result<void> {
      TRY(const auto rows, tx.query("SELECT COALESCE(SUM(settled), 0) FROM budget_window WHERE budget = ?1",
                                    {store::value(budget)}));
      sum = rows.at(0).integer(0);
      return {};
    }));
    return {sum};
  }

  std::unique_ptr<store::SqliteStore> sqlite = store::SqliteStore::open({}).value();
  store::FaultyStore store{*sqlite};
  MemoryFolder journal, audit;
  RigClock clock;
  std::uint64_t epoch = 0;
  std::unique_ptr<journal::Writer> steward, gate;
  std::unique_ptr<ledger::Ledger> ledger;
  std::unique_ptr<Deriver> deriver;
};

}  // namespace claviger::steward
