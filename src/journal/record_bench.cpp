// What a record costs the gate's loop, and what reading it back costs the deriver.
#include <benchmark/benchmark.h>

#include "base/file_memory.hpp"
#include "journal/writer.hpp"

namespace claviger::journal {
namespace {

Intent sample_intent() {
  Intent i;
  i.at = {1'790'000'000'123'456'789};
  i.req = "req_01JABCDEFGHJKMNPQRSTVWXYZ0", i.key = "a1B2c3D4e5F6", i.team = "platform", i.project = "search";
  i.environment = "prod", i.provider = "openai", i.route = "openai.chat", i.model = "gpt-5-mini-2026-01-01";
  i.credential = "cred_0123456789a", i.credential_version = 3, i.hold_nanousd = {12'345'678}, i.tokens = 4096;
  i.generation = 17, i.stream = true;
  return i;
}

Receipt sample_receipt() {
  const Intent i = sample_intent();
  Receipt r;
  r.at = {i.at.ns + 812'000'000};
  r.req = i.req, r.intent_at = i.at, r.key = i.key, r.team = i.team, r.project = i.project;
  r.environment = i.environment, r.provider = i.provider, r.route = i.route, r.endpoint = "chat";
  r.model = i.model, r.credential = i.credential, r.status = 200;
  r.usage.uncached_in = 1234, r.usage.cache_read = 1024, r.usage.text_out = 567, r.usage.reasoning_out = 200;
  r.usage.seen = true;
  r.cost_nanousd = {1'234'567}, r.hold_nanousd = i.hold_nanousd, r.price_version = "2026-11-01";
  r.ms = 812, r.ttfb_ms = 99, r.bytes_in = 5'000, r.bytes_out = 2'345;
  r.ip = "10.11.12.13", r.user_agent = "OpenAI/Python 2.1.0";
  return r;
}

template <class T>
void append(benchmark::State& state, const T& record) {
  std::string batch;
  for (auto _ : state) {
    if (batch.size() > 256 * 1024) batch.clear();
    append_line(batch, "gate0", 3, 12'345, record);
    benchmark::DoNotOptimize(batch.data());
  }
}
void append_intent(benchmark::State& state) { append(state, sample_intent()); }
void append_receipt(benchmark::State& state) { append(state, sample_receipt()); }
BENCHMARK(append_intent);
BENCHMARK(append_receipt);

void parse_receipt(benchmark::State& state) {
  std::string line;
  append_line(line, "gate0", 3, 12'345, sample_receipt());
  line.pop_back();
  Parser parser;
  for (auto _ : state) benchmark::DoNotOptimize(parser.parse(line));
}
BENCHMARK(parse_receipt);

}  // namespace
}  // namespace claviger::journal
