// Micro-benchmarks of what every request goes through in wire.
#include <benchmark/benchmark.h>

#include <string>

#include "wire/chunked.hpp"
#include "wire/http1.hpp"
#include "wire/json.hpp"
#include "wire/sse.hpp"

namespace claviger::wire {
namespace {

const std::string kHead =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:8080\r\nAccept-Encoding: gzip, deflate, zstd\r\n"
    "Connection: keep-alive\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
    "User-Agent: OpenAI/Python 2.8.1\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.8.1\r\n"
    "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
    "X-Stainless-Runtime-Version: 3.11.7\r\nAuthorization: Bearer clv_0123456789ab_"
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG012345\r\nX-Stainless-Async: false\r\n"
    "x-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\nContent-Length: 700\r\n\r\n";

std::string chat_body(std::size_t content) {
  return R"({"model":"gpt-5-mini","temperature":0.7,"max_completion_tokens":512,"stream":true,"messages":[)"
         R"({"role":"system","content":"You are a helpful assistant."},{"role":"user","content":")" +
         std::string(content, 'x') + R"("}],"tools":[{"type":"function","function":{"name":"look_up",)" +
         R"("parameters":{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}}}]})";
}

void request_head(benchmark::State& state) {
  RequestHead head;
  for (auto _ : state) benchmark::DoNotOptimize(parse_request_head(kHead, head).has_value());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kHead.size()));
}
BENCHMARK(request_head);

void json_scan(benchmark::State& state) {
  const std::string body = chat_body(static_cast<std::size_t>(state.range(0)));
  Json json;
  for (auto _ : state) benchmark::DoNotOptimize(scan(body, json).has_value());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(json_scan)->Arg(300)->Arg(200'000);

void sse_event(benchmark::State& state) {
  const std::string frame =
      "data: "
      "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-5-mini\","
      "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n";
  SseReader reader;
  for (auto _ : state) {
    benchmark::DoNotOptimize(reader.feed(frame).has_value());
    benchmark::DoNotOptimize(reader.next().has_value());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(frame.size()));
}
BENCHMARK(sse_event);

void chunked_body(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 100; ++i) append_chunk(body, std::string(200, 'x'));
  body += kLastChunk;
  std::string payload;
  for (auto _ : state) {
    ChunkedDecoder decoder;
    payload.clear();
    benchmark::DoNotOptimize(decoder.feed(body, payload).has_value());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(chunked_body);

}  // namespace
}  // namespace claviger::wire
