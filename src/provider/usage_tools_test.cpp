// The provider's own tools and the tier of an answer, whole and streamed.
#include <gtest/gtest.h>

#include <string>

#include "provider/usage.hpp"

namespace claviger::provider {
namespace {

using enum HostedTool;

Usage read(Dialect dialect, Endpoint endpoint, const std::string& body) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json)) << body;
  return read_usage(dialect, endpoint, json);
}

// Every event is {"..."} of one line.
Usage streamed(Dialect dialect, Endpoint endpoint, std::initializer_list<std::string_view> events) {
  StreamMeter meter(dialect, endpoint);
  std::string stream;
  for (const std::string_view event : events) stream.append("data: ").append(event).append("\n\n");
  wire::SseReader reader;
  EXPECT_TRUE(reader.feed(stream));
  while (const auto event = reader.next()) meter.on_event(*event);
  return meter.usage();
}

ToolCounts counts(std::initializer_list<std::pair<HostedTool, std::int64_t>> list) {
  ToolCounts out;
  for (const auto& [tool, count] : list) out[tool] = count;
  return out;
}

constexpr std::string_view kItems =
    R"([{"type":"web_search_call"},{"type":"web_search_call"},{"type":"file_search_call"},)"
    R"({"type":"code_interpreter_call","container_id":"a"},{"type":"image_generation_call"},)"
    R"({"type":"mcp_call"},{"type":"mcp_list_tools"},{"type":"tool_search_call","execution":"server"},)"
    R"({"type":"tool_search_call","execution":"client"},{"type":"function_call"},{"type":"computer_call"},)"
    R"({"type":"shell_call"},{"type":"shell_call","environment":{"container_id":"b"}},)"
    R"({"type":"local_shell_call"},{"type":"custom_tool_call"},{"type":"apply_patch_call"},)"
    R"({"type":"crystal_ball_call"},{"type":"message"}])";

TEST(HostedTools, OfAResponseAreCountedAndTheCallersOwnAreNot) {
  const ToolCounts all = counts({{web_search, 2},
                                 {file_search, 1},
                                 {code_execution, 2},
                                 {image_generation, 1},
                                 {mcp, 1},
                                 {tool_search, 1},
                                 {other, 1}});
  const std::string response = R"({"usage":{"input_tokens":1,"output_tokens":1},"service_tier":"flex",)"
                               R"("output":)" +
                               std::string(kItems) + "}";
  const Usage whole = read(Dialect::openai, Endpoint::responses, response);
  EXPECT_EQ(whole.tools, all);
  EXPECT_EQ(whole.tier, ServiceTier::flex);
  EXPECT_TRUE(whole.tier_named);
  const std::string last = R"({"type":"response.completed","response":)" + response + "}";
  EXPECT_EQ(streamed(Dialect::openai, Endpoint::responses, {last}), whole);
}

TEST(HostedTools, OfAMessageAreCountedInBlocksAndInTheUsage) {
  constexpr std::string_view kBlocks[] = {R"({"type":"server_tool_use","name":"web_search"})",
                                          R"({"type":"server_tool_use","name":"web_search"})",
                                          R"({"type":"server_tool_use","name":"bash_code_execution"})",
                                          R"({"type":"server_tool_use","name":"tool_search_tool_bm25"})",
                                          R"({"type":"mcp_tool_use","name":"any"})",
                                          R"({"type":"tool_use","name":"web_search"})"};
  const std::string usage = R"({"input_tokens":1,"output_tokens":1,"service_tier":"priority",)"
                            R"("server_tool_use":{"web_search_requests":1,"web_fetch_requests":3}})";
  std::string content;
  StreamMeter meter(Dialect::anthropic, Endpoint::messages);
  std::string stream = R"(data: {"type":"message_start","message":{"usage":{"input_tokens":1}}})"
                       "\n\n";
  for (const std::string_view block : kBlocks) {
    content.append(content.empty() ? "" : ",").append(block);
    stream.append(R"(data: {"type":"content_block_start","content_block":)").append(block).append("}\n\n");
  }
  stream.append(R"(data: {"type":"message_delta","usage":)").append(usage).append("}\n\n");
  const Usage whole = read(Dialect::anthropic, Endpoint::messages,
                           R"({"content":[)" + content + R"(],"usage":)" + usage + "}");
  EXPECT_EQ(whole.tools,
            counts({{web_search, 2}, {web_fetch, 3}, {code_execution, 1}, {tool_search, 1}, {mcp, 1}}));
  EXPECT_EQ(whole.tool_calls, 1) << "one of the searches failed, and is not billed";
  EXPECT_TRUE(whole.tier_named);
  EXPECT_EQ(whole.tier, ServiceTier::priority);
  wire::SseReader reader;
  ASSERT_TRUE(reader.feed(stream));
  while (const auto event = reader.next()) meter.on_event(*event);
  EXPECT_EQ(meter.usage(), whole);
}

TEST(HostedTools, OfAGroundedAnswerAreTheMostThatOneEventShows) {
  constexpr std::string_view kFirst =
      R"({"candidates":[{"content":{"parts":[{"executableCode":{"code":"1"}},{"text":"x"}]},)"
      R"("groundingMetadata":{"webSearchQueries":["a"]}}],"usageMetadata":{"promptTokenCount":1}})";
  constexpr std::string_view kLast =
      R"({"candidates":[{"content":{"parts":[{"executableCode":{"code":"2"}}]},)"
      R"("groundingMetadata":{"webSearchQueries":["a","b"]},)"
      R"("urlContextMetadata":{"urlMetadata":[{},{},{}]}}],)"
      R"("usageMetadata":{"promptTokenCount":1,"trafficType":"ON_DEMAND_FLEX"}})";
  const Usage whole = read(Dialect::gemini, Endpoint::generate_content, std::string(kLast));
  EXPECT_EQ(whole.tools, counts({{web_search, 2}, {web_fetch, 3}, {code_execution, 1}}));
  EXPECT_EQ(whole.tier, ServiceTier::flex);
  EXPECT_TRUE(whole.tier_named);
  const Usage stream = streamed(Dialect::gemini, Endpoint::generate_content, {kFirst, kLast});
  EXPECT_EQ(stream.tools, counts({{web_search, 2}, {web_fetch, 3}, {code_execution, 2}}));
  EXPECT_EQ(stream.tool_calls, 2);
}

TEST(Tier, IsNamedByTheAnswerOrNotAtAll) {
  const auto chat = [](std::string_view more) {
    return read(Dialect::openai, Endpoint::chat,
                R"({"usage":{"prompt_tokens":1,"completion_tokens":1})" + std::string(more) + "}");
  };
  EXPECT_FALSE(chat("").tier_named);
  EXPECT_FALSE(chat(R"(,"service_tier":null)").tier_named);
  EXPECT_FALSE(chat(R"(,"service_tier":"auto")").tier_named) << "it is not settled yet";
  EXPECT_TRUE(chat(R"(,"service_tier":"default")").tier_named);
  EXPECT_EQ(chat(R"(,"service_tier":"default")").tier, ServiceTier::standard);
  EXPECT_EQ(chat(R"(,"service_tier":"turbo")").tier, ServiceTier::other);
}

}  // namespace
}  // namespace claviger::provider
