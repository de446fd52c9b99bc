// Tests of Bedrock's bodies: what is asked, what was used, and how an answer is bounded.
#include <gtest/gtest.h>

#include "provider/ask.hpp"
#include "provider/provider.hpp"
#include "provider/usage.hpp"

namespace claviger::provider {
namespace {

const Route& route(std::string_view path) {
  const RouteMatch found = match("POST", path, Speaker::any);
  EXPECT_TRUE(found.verdict) << path;
  return *found.route;
}
constexpr std::string_view kConverse = "/model/anthropic.claude-v1%3A0/converse";
constexpr std::string_view kInvoke = "/model/meta.llama3/invoke";

Result<Ask> read(std::string_view path, std::string_view body) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json)) << body;
  return read_ask(route(path), path, &json);
}
std::string edited(std::string_view path, std::string_view body, std::int64_t cap) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json));
  const auto ask = read_ask(route(path), path, &json);
  EXPECT_TRUE(ask) << ask.error().say;
  const Catalog catalog = Catalog::make({}, PriceBook{});
  const Edits edits = edit_body(route(path), *catalog.find("bedrock"), *ask, json, cap);
  std::string out;
  for (const std::string_view piece : gather(body, edits.splices)) out += piece;
  return out;
}
Usage used(Endpoint endpoint, std::string_view body) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json));
  return read_usage(Dialect::bedrock, endpoint, json);
}

TEST(BedrockRoutes, model_names_with_colons_are_decoded_and_live_streams_are_shut) {
  EXPECT_EQ(read(kConverse, R"({"messages":[]})")->model, "anthropic.claude-v1:0");
  for (const std::string_view verb : {"converse-stream", "invoke-with-response-stream"}) {
    const auto found = match("POST", "/model/m/" + std::string(verb), Speaker::any);
    ASSERT_TRUE(found.verdict) << verb;
    EXPECT_TRUE(found.route->streams) << verb;
  }
  const std::string_view live = "/model/m/invoke-with-bidirectional-stream";
  EXPECT_EQ(match("POST", live, Speaker::any).verdict.error().code, Code::route_refused);
}

TEST(BedrockAsk, what_the_gate_knows_no_price_of_is_unbounded) {
  for (const std::string_view body :
       {R"({"guardrailConfig":{"guardrailIdentifier":"g"}})", R"({"additionalModelRequestFields":{"x":1}})",
        R"({"performanceConfig":{"latency":"optimized"}})", R"({"serviceTier":{"type":"priority"}})",
        R"({"toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]}})",
        R"({"messages":[{"content":[{"image":{"source":{"s3Location":{"uri":"s3://b/k"}}}}]}]})"})
    EXPECT_FALSE(read(kConverse, body)->unbounded.empty()) << body;
  EXPECT_EQ(read(kConverse, R"({"promptVariables":{"a":{"text":"b"}}})").error().code, Code::route_refused);
}

TEST(BedrockAsk, counts_pictures_tools_files_and_cache_points) {
  const auto ask =
      read(kConverse,
           R"({"inferenceConfig":{"maxTokens":7},"system":[{"text":"s"},{"cachePoint":{"ttl":"1h"}}],)"
           R"("toolConfig":{"tools":[{"toolSpec":{"name":"f"}}]},"messages":[{"role":"user","content":[)"
           R"({"image":{"format":"png","source":{"bytes":"aGk="}}},{"toolResult":{"content":[)"
           R"({"document":{"source":{"bytes":"aGk="}}}]}}]}]})");
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->max_output, 7);
  EXPECT_EQ(ask->images, 1);
  EXPECT_TRUE(ask->has_tools);
  EXPECT_TRUE(ask->hidden_input);
  EXPECT_EQ(ask->cache_write, CacheWrite::one_hour);
}

TEST(BedrockAsk, an_invoke_body_must_bound_its_answer_in_its_models_own_way) {
  EXPECT_EQ(read(kInvoke, R"({"prompt":"hi"})").error().code, Code::invalid_parameter);
  EXPECT_EQ(read(kInvoke, R"({"prompt":"hi","max_gen_len":9})")->max_output, 9);
  EXPECT_EQ(read(kInvoke, R"({"inferenceConfig":{"max_new_tokens":8}})")->max_output, 8);
  EXPECT_EQ(read(kInvoke, R"({"textGenerationConfig":{"maxTokenCount":6}})")->max_output, 6);
  EXPECT_EQ(read("/model/amazon.titan-embed-text-v2%3A0/invoke", R"({"inputText":"hi"})")->max_output, 0);
  EXPECT_TRUE(read(kInvoke, R"({"max_gen_len":9,"images":["aGk="]})")->hidden_input);
  const auto claude = read("/model/anthropic.claude/invoke",
                           R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[]})");
  ASSERT_TRUE(claude) << claude.error().say;
  EXPECT_EQ(claude->max_output, 5);
}

TEST(BedrockAsk, an_invoke_body_is_bounded_by_whichever_field_its_model_reads_and_in_all_its_answers) {
  EXPECT_EQ(read(kInvoke, R"({"max_completion_tokens":9})")->max_output, 9);
  EXPECT_EQ(read(kInvoke, R"({"max_tokens":5,"max_completion_tokens":9})")->max_output, 9);
  EXPECT_EQ(read(kInvoke, R"({"max_tokens":5})")->choices, 1);
  EXPECT_EQ(read(kInvoke, R"({"max_tokens":5,"n":4})")->choices, 4);
  EXPECT_EQ(read(kInvoke, R"({"max_tokens":5,"num_generations":3})")->choices, 3);
  for (const std::string_view body :
       {R"({"max_tokens":5,"n":"4"})", R"({"max_tokens":5,"num_generations":0})",
        R"({"max_completion_tokens":"9"})"})
    EXPECT_EQ(read(kInvoke, body).error().code, Code::invalid_parameter) << body;
}

TEST(BedrockAsk, what_converse_knows_no_price_of_is_unbounded_in_an_invoke_body_too) {
  for (const std::string_view more :
       {R"("toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]})",
        R"("service_tier":"priority")", R"("service_tier":"flex")", R"("service_tier":7)",
        R"("serviceTier":{"type":"priority"})", R"("serviceTier":"flex")",
        R"("performanceConfig":{"latency":"optimized"})", R"("performanceConfig":{})",
        R"("guardrailConfig":{"guardrailIdentifier":"g"})"})
    EXPECT_EQ(read(kInvoke, R"({"max_tokens":5,)" + std::string(more) + "}")->unbounded.size(), 1u) << more;
  EXPECT_TRUE(read(kInvoke, R"({"max_tokens":5,"toolConfig":{"tools":[]}})")->has_tools);
  for (const std::string_view usual :
       {R"("toolConfig":{"tools":[{"toolSpec":{"name":"f"}}]})", R"("service_tier":"default")",
        R"("serviceTier":{"type":"default"})", R"("performanceConfig":{"latency":"standard"})"})
    EXPECT_TRUE(read(kInvoke, R"({"max_tokens":5,)" + std::string(usual) + "}")->unbounded.empty()) << usual;
}

TEST(BedrockAsk, a_service_tier_is_told_to_the_keys_scope) {
  EXPECT_EQ(read(kInvoke, R"({"max_tokens":5,"service_tier":"flex"})")->tier, "flex");
  EXPECT_EQ(read(kConverse, R"({"serviceTier":{"type":"priority"}})")->tier, "priority");
  EXPECT_EQ(read(kConverse, R"({"serviceTier":{"type":"default"}})")->tier, "");
  EXPECT_EQ(read(kConverse, R"({"serviceTier":{}})")->tier, "unknown");
}

TEST(BedrockEdit, bounds_the_answer_where_the_model_looks_for_it) {
  EXPECT_EQ(edited(kConverse, R"({})", 5), R"({"inferenceConfig":{"maxTokens":5}})");
  EXPECT_EQ(edited(kConverse, R"({"messages":[]})", 5),
            R"({"inferenceConfig":{"maxTokens":5},"messages":[]})");
  EXPECT_EQ(edited(kConverse, R"({"inferenceConfig":{"topP":1}})", 5),
            R"({"inferenceConfig":{"maxTokens":5,"topP":1}})");
  EXPECT_EQ(edited(kConverse, R"({"inferenceConfig":{"maxTokens":9}})", 5),
            R"({"inferenceConfig":{"maxTokens":5}})");
  EXPECT_EQ(edited(kConverse, R"({"inferenceConfig":{"maxTokens":4}})", 5),
            R"({"inferenceConfig":{"maxTokens":4}})");
  EXPECT_EQ(edited(kInvoke, R"({"max_gen_len":9})", 5), R"({"max_gen_len":5})");
  EXPECT_EQ(edited(kInvoke, R"({"max_completion_tokens":9})", 5), R"({"max_completion_tokens":5})");
}

TEST(BedrockUsage, cached_input_stands_beside_the_input) {
  const Usage usage =
      used(Endpoint::converse,
           R"({"usage":{"inputTokens":30,"outputTokens":10,"totalTokens":40,"cacheReadInputTokens":100,)"
           R"("cacheWriteInputTokens":50,"cacheDetails":[{"ttl":"1h","inputTokens":20},)"
           R"({"ttl":"5m","inputTokens":30}]}})");
  EXPECT_TRUE(usage.seen);
  EXPECT_FALSE(usage.mismatch);
  EXPECT_EQ(usage.uncached_in, 30);
  EXPECT_EQ(usage.cache_read, 100);
  EXPECT_EQ(usage.cache_write_5m, 30);
  EXPECT_EQ(usage.cache_write_1h, 20);
  EXPECT_EQ(usage.text_out, 10);
  EXPECT_TRUE(
      used(Endpoint::converse, R"({"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":9}})").mismatch);
  EXPECT_FALSE(used(Endpoint::converse, R"({"output":{}})").seen);
}

TEST(BedrockUsage, is_read_from_each_models_own_answer) {
  EXPECT_EQ(used(Endpoint::invoke, R"({"usage":{"input_tokens":3,"output_tokens":4}})").text_out, 4);
  EXPECT_EQ(used(Endpoint::invoke, R"({"usage":{"inputTokens":3,"outputTokens":5}})").text_out, 5);
  EXPECT_EQ(used(Endpoint::invoke, R"({"prompt_token_count":3,"generation_token_count":6})").text_out, 6);
  EXPECT_EQ(used(Endpoint::invoke, R"({"inputTextTokenCount":3,"results":[{"tokenCount":7}]})").text_out, 7);
  EXPECT_FALSE(used(Endpoint::invoke, R"({"completion":"hi"})").seen);
}

}  // namespace
}  // namespace claviger::provider
