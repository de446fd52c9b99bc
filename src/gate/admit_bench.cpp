// What the deciding rooms cost a request with everything on: scope, network, limits, budgets at each level.
#include "gate/admit.hpp"

#include <benchmark/benchmark.h>

#include "gate/rig_test.hpp"
#include "gate/settle.hpp"

namespace claviger::gate {
namespace {

constexpr std::int64_t kPlenty = INT64_MAX / 4;

// The tests' rig without a test: one key among a hundred, and a chat request that shows it.
class Rig : public GateTest {
 public:
  Rig() {
    add_credential("openai", "https://api.openai.com/v1");
    Wish wish;
    wish.scope.models = {"pl*"};
    wish.scope.endpoints = {"chat"};
    wish.scope.cidrs = {policy::Cidr::parse("127.0.0.0/8").value()};
    wish.rates = {1'000'000'000, 1'000'000'000, 100'000};
    for (int other = 0; other < 99; ++other) make_key(wish);
    const Known key = make_key(wish);
    for (const std::string& node : {std::string("org"), std::string("team:red"), "key:" + key.id})
      add_budget(node, kPlenty);
    know(keys->get(key.id).value());
    pinned = world();
    asked = chat(*pinned, key.token);
  }
  void TestBody() override {}

  Result<Caller> knock() { return authenticated(*pinned, *asked); }
  Result<Admission> enter(Docket& docket) {
    clock.at.ns += 1'000;
    return admitted(*pinned, *asked, docket);
  }
  const Request& request() const { return asked->request; }
  const World& where() const { return *pinned; }
  const ledger::Ledger& money() const { return *ledger; }
  const Clock& time() const { return clock; }
  std::unique_ptr<journal::Writer> journal = open_journal();

 private:
  std::shared_ptr<World> pinned;
  std::unique_ptr<Asked> asked;
};

void authenticate_a_key(benchmark::State& state) {
  Rig rig;
  for (auto _ : state) benchmark::DoNotOptimize(rig.knock().has_value());
}
BENCHMARK(authenticate_a_key);

void authorize_a_chat(benchmark::State& state) {
  Rig rig;
  const auto caller = rig.knock();
  for (auto _ : state) {
    const auto grant = authorize(*caller, rig.request(), rig.where(), rig.money(), rig.time().now());
    if (!grant) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(grant->worst);
  }
}
BENCHMARK(authorize_a_chat);

void admit_and_release(benchmark::State& state) {
  Rig rig;
  Docket docket(*rig.journal, rig.time(), "req_1");
  for (auto _ : state) {
    const auto admission = rig.enter(docket);
    if (!admission) return state.SkipWithError("refused");
  }
  docket.discard();
}
BENCHMARK(admit_and_release);

void admit_and_settle(benchmark::State& state) {
  Rig rig;
  Docket docket(*rig.journal, rig.time(), "req_1");
  Reply reply;
  reply.status = reply.status_sent = 200;
  reply.outcome = journal::Outcome::completed;
  reply.usage.uncached_in = 5;
  reply.usage.text_out = 2;
  reply.usage.seen = true;
  reply.whole = true;
  for (auto _ : state) {
    auto admission = rig.enter(docket);
    if (!admission) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(
        settle(ledger::Exposure(std::move(admission->hold)), admission->grant, reply).cost);
  }
  docket.discard();
}
BENCHMARK(admit_and_settle);

}  // namespace
}  // namespace claviger::gate
