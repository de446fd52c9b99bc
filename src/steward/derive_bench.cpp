// How fast a journal of a million lines is derived and verified, all of it: usage, money, tree, files.
#include <benchmark/benchmark.h>

#include "base/file_memory.hpp"
#include "journal/verify.hpp"
#include "journal/writer.hpp"
#include "ledger/ledger.hpp"
#include "steward/alert.hpp"
#include "steward/derive.hpp"
#include "steward/usage.hpp"
#include "store/sqlite.hpp"

namespace claviger::steward {
namespace {

constexpr int kLines = 1'000'000;

void write_journal(Folder& folder, Time now) {
  auto writer = journal::Writer::open(folder, "gate0", 1, {now, "bench", "process"}).value();
  for (int n = 0; n < kLines / 2; ++n) {
    const std::string req = "req_" + std::to_string(n);
    const std::string key = "key_" + std::to_string(n % 100);
    journal::Intent i;
    i.at = {now.ns + n * 1'000'000LL};
    i.req = req, i.key = key, i.team = "core", i.project = "search", i.environment = "prod";
    i.provider = "openai", i.route = "openai.chat", i.model = "gpt-5-mini", i.credential = "cred_1";
    i.hold_nanousd = {1'000'000};
    writer->append(i);
    journal::Receipt r;
    r.at = i.at;
    r.req = req, r.intent_at = i.at, r.key = key, r.team = i.team, r.project = i.project;
    r.environment = i.environment, r.provider = i.provider, r.route = i.route, r.endpoint = "chat";
    r.model = i.model, r.credential = i.credential, r.status = 200;
    r.usage.uncached_in = 1000, r.usage.text_out = 200, r.usage.seen = true;
    r.cost_nanousd = {123'456}, r.hold_nanousd = i.hold_nanousd, r.ms = 800;
    writer->append(r);
    if (n % 50 == 0) static_cast<void>(writer->flush());
  }
  static_cast<void>(writer->close(now));
}

void derive_a_million_lines(benchmark::State& state) {
  const SystemClock clock;
  for (auto _ : state) {
    state.PauseTiming();
    MemoryFolder journal, audit;
    auto store = store::SqliteStore::open({}).value();
    static_cast<void>(store::install(*store, {ledger::kSchema, kUsageSchema, kAlertSchema, kDeriveSchema}));
    write_journal(journal, clock.now());
    auto steward = journal::Writer::open(journal, "steward", 1, {clock.now(), "bench", "process"}).value();
    auto ledger = ledger::Ledger::open(*store, 1, usage_sum).value();
    auto deriver = Deriver::open(*store, *ledger, journal, audit, clock, *steward, {}).value();
    state.ResumeTiming();
    static_cast<void>(deriver->catch_up());
    static_cast<void>(deriver->publish());
    state.PauseTiming();
    state.counters["lines"] =
        benchmark::Counter(static_cast<double>(deriver->status().lines), benchmark::Counter::kIsRate);
    deriver.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(derive_a_million_lines)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace claviger::steward
