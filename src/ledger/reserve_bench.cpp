// Speed of the hot path: one request reserved and posted from memory.
#include <benchmark/benchmark.h>

#include "ledger/ledger.hpp"
#include "store/sqlite.hpp"

namespace claviger::ledger {
namespace {

enum class Kind : std::int64_t { free, limits_only, three_budgets, three_budgets_and_limits };

struct Rig {
  explicit Rig(Kind kind) {
    if (!store::install(*sqlite, {kSchema})) std::abort();
    ledger = Ledger::open(*sqlite, 1, {}).value();
    const bool budgets = kind >= Kind::three_budgets;
    for (const char* node : {"org", "team:red", "key:k1"}) {
      Budget budget;
      budget.id = node;
      budget.node = node;
      budget.limit = Nanousd{INT64_MAX / 4};
      if (budgets && !ledger->put_budget(budget)) std::abort();
    }
    RateLimits limits;
    if (kind == Kind::limits_only || kind == Kind::three_budgets_and_limits)
      limits = {1'000'000'000, 2'000'000'000, 100};
    account = ledger->account({"red", "web", "k1"}, limits);
  }
  std::unique_ptr<store::SqliteStore> sqlite = store::SqliteStore::open({}).value();
  std::unique_ptr<Ledger> ledger;
  Account account;
  Time now = parse_time("2026-11-20T12:00:00Z").value();
};

void reserve_and_post(benchmark::State& state) {
  Rig rig(static_cast<Kind>(state.range(0)));
  for (auto _ : state) {
    rig.now.ns += 1'000;
    auto hold = rig.ledger->reserve(rig.account, Nanousd{1'000}, 1, rig.now);
    if (!hold) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(post(Exposure(*std::move(hold)), Nanousd{900}, 1));
  }
}
BENCHMARK(reserve_and_post)->DenseRange(0, 3)->ArgName("kind");

}  // namespace
}  // namespace claviger::ledger
