// What looking at an answer costs: one delta of a stream, and a whole short answer.
#include "gate/meter.hpp"

#include <benchmark/benchmark.h>

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

constexpr std::string_view kDelta =
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"plain\","
    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}],"
    "\"usage\":null}\n\n";
constexpr std::string_view kAnswer =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"plain","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"The gate counts what passes.","refusal":null},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":24,"total_tokens":36}})";

class Rig : public GateTest {
 public:
  explicit Rig(std::string_view body) {
    add_credential("openai", "https://api.openai.com/v1");
    const Known key = make_key();
    pinned = world();
    asked = chat(*pinned, key.token, body);
    grant.emplace(authorized(*pinned, *asked).value());
  }
  void TestBody() override {}
  std::shared_ptr<World> pinned;
  std::unique_ptr<Asked> asked;
  std::optional<Grant> grant;
};

void meter_a_delta(benchmark::State& state) {
  Rig rig(R"({"model":"plain","max_tokens":9,"stream":true,)"
          R"("stream_options":{"include_usage":true},"messages":[]})");
  Meter meter(*rig.grant, Meter::Shape::events);
  for (auto _ : state) benchmark::DoNotOptimize(meter.pass(kDelta, Meter::Rest::follows).data());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kDelta.size()));
}
BENCHMARK(meter_a_delta);

void meter_an_answer(benchmark::State& state) {
  Rig rig(R"({"model":"plain","max_tokens":10,"messages":[]})");
  for (auto _ : state) {
    Meter meter(*rig.grant, Meter::Shape::json);
    benchmark::DoNotOptimize(meter.pass(kAnswer, Meter::Rest::none).data());
    if (!meter.usage().seen) return state.SkipWithError("no usage");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kAnswer.size()));
}
BENCHMARK(meter_an_answer);

}  // namespace
}  // namespace claviger::gate
