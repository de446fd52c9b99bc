// Tests of metering streams and of hiding the usage chunk that the gate asked for.
#include <gtest/gtest.h>

#include <string>

#include "provider/usage.hpp"

namespace claviger::provider {
namespace {

StreamMeter metered(Dialect dialect, Endpoint endpoint, std::string_view stream) {
  StreamMeter meter(dialect, endpoint);
  wire::SseReader reader;
  EXPECT_TRUE(reader.feed(stream));
  while (const auto event = reader.next()) meter.on_event(*event);
  return meter;
}

constexpr std::string_view kChat =
    "data: "
    "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":"
    "null}\n\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}],\"usage\":null}\n\n"
    "data: "
    "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n";
constexpr std::string_view kChatUsage =
    "data: {\"id\":\"c\",\"service_tier\":\"default\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
    "\"completion_tokens\":3,\"total_tokens\":12}}\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";

TEST(StreamMeter, OfACutChatStreamIsNeitherFinishedNorSeen) {
  const StreamMeter meter = metered(Dialect::openai, Endpoint::chat, kChat);
  EXPECT_FALSE(meter.finished());
  EXPECT_FALSE(meter.usage().seen);
  EXPECT_EQ(meter.delivered_bytes(), 5);
}

TEST(StreamMeter, PassesOverWhatIsNoJson) {
  const StreamMeter meter =
      metered(Dialect::openai, Endpoint::chat,
              ": ping\n\ndata: {broken\n\ndata: 7\n\nevent: x\n\ndata: {\"choices\":{}}\n\n");
  EXPECT_FALSE(meter.finished());
  EXPECT_FALSE(meter.failed());
  EXPECT_EQ(meter.delivered_bytes(), 0);
}

TEST(StreamMeter, SeesErrorsInsideTheStream) {
  EXPECT_TRUE(metered(Dialect::openai, Endpoint::chat, "data: {\"error\":{\"message\":\"x\"}}\n\n").failed());
  EXPECT_TRUE(metered(Dialect::openai, Endpoint::responses, "data: {\"type\":\"error\",\"code\":\"x\"}\n\n")
                  .failed());
  EXPECT_TRUE(metered(Dialect::anthropic, Endpoint::messages,
                      "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n")
                  .failed());
  EXPECT_TRUE(
      metered(Dialect::gemini, Endpoint::generate_content, "data: {\"error\":{\"code\":500}}\n\n").failed());
}

TEST(StreamMeter, OfChatTakesTheUsageChunkBeforeDone) {
  const StreamMeter meter = metered(Dialect::openai, Endpoint::chat,
                                    std::string(kChat) + std::string(kChatUsage) + std::string(kDone));
  EXPECT_TRUE(meter.finished());
  EXPECT_TRUE(meter.usage().seen);
  EXPECT_EQ(meter.usage().uncached_in, 9);
  EXPECT_EQ(meter.usage().text_out, 3);
}

TEST(StreamMeter, OfChatTakesTheLastOfContinuousUsageAndGroqsToo) {
  const StreamMeter continuous = metered(
      Dialect::openai, Endpoint::chat,
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\n\n"
      "data: "
      "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}}\n\n");
  EXPECT_EQ(continuous.usage().total_tokens(), 11);
  const StreamMeter groq = metered(
      Dialect::openai, Endpoint::chat,
      "data: {\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}}\n\n");
  EXPECT_EQ(groq.usage().total_tokens(), 6);
}

TEST(StreamMeter, OfResponsesTakesUsageFromEachTerminalEvent) {
  for (const std::string_view end : {"completed", "incomplete", "failed"}) {
    const StreamMeter meter = metered(
        Dialect::openai, Endpoint::responses,
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{"
        "\"usage\":null,\"service_tier\":\"auto\"}}\n\n"
        "event: response.output_text.delta\ndata: "
        "{\"type\":\"response.output_text.delta\",\"sequence_number\":1,"
        "\"delta\":\"Hello\",\"obfuscation\":\"xxxxxxxx\"}\n\n"
        "data: {\"type\":\"response." +
            std::string(end) +
            "\",\"sequence_number\":2,\"response\":{\"service_tier\":"
            "\"priority\",\"usage\":{\"input_tokens\":7,\"input_tokens_details\":{\"cached_tokens\":2,"
            "\"cache_write_tokens\":0},\"output_tokens\":3,\"output_tokens_details\":{\"reasoning_tokens\":1}"
            ","
            "\"total_tokens\":10},\"tool_usage\":{\"web_search\":{\"num_requests\":1}}}}\n\n");
    EXPECT_TRUE(meter.finished()) << end;
    EXPECT_EQ(meter.failed(), end == "failed");
    EXPECT_EQ(meter.usage().total_tokens(), 10);
    EXPECT_EQ(meter.usage().tool_calls, 1);
    EXPECT_EQ(meter.usage().tier, ServiceTier::priority);
    EXPECT_EQ(meter.delivered_bytes(), 5);
    EXPECT_EQ(meter.next_sequence(), 3);
  }
}

TEST(StreamMeter, OfMessagesTakesTheLastValueOfEachFieldAndNeverASum) {
  const std::string start =
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":100,"
      "\"cache_read_input_tokens\":50,\"cache_creation_input_tokens\":20,\"cache_creation\":{"
      "\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":20},\"output_tokens\":1,"
      "\"service_tier\":\"standard\",\"inference_geo\":\"us\"}}}\n\n"
      "event: ping\ndata: {\"type\":\"ping\"}\n\n"
      "data: "
      "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":"
      "\"hm\"}}\n\n"
      "data: "
      "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}"
      "\n\n";
  const StreamMeter cut = metered(Dialect::anthropic, Endpoint::messages, start);
  EXPECT_FALSE(cut.finished());
  EXPECT_TRUE(cut.usage().seen);
  EXPECT_EQ(cut.delivered_bytes(), 7);
  const StreamMeter whole = metered(
      Dialect::anthropic, Endpoint::messages,
      start +
          "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":15}}\n\n"
          "data: {\"type\":\"message_delta\",\"usage\":{\"input_tokens\":100,\"cache_read_input_tokens\":50,"
          "\"cache_creation_input_tokens\":20,\"output_tokens\":40,\"server_tool_use\":{\"web_search_"
          "requests\":2},"
          "\"output_tokens_details\":{\"thinking_tokens\":9}}}\n\n"
          "data: {\"type\":\"message_stop\"}\n\n");
  EXPECT_TRUE(whole.finished());
  EXPECT_EQ(whole.usage().uncached_in, 100);
  EXPECT_EQ(whole.usage().cache_read, 50);
  EXPECT_EQ(whole.usage().cache_write_1h, 20);
  EXPECT_EQ(whole.usage().text_out, 40);
  EXPECT_EQ(whole.usage().reasoning_out, 9);
  EXPECT_EQ(whole.usage().tool_calls, 2);
  EXPECT_TRUE(whole.usage().us_geo);
  EXPECT_FALSE(whole.usage().mismatch);
}

TEST(StreamMeter, OfGeminiTakesTheLastUsage) {
  const StreamMeter meter = metered(
      Dialect::gemini, Endpoint::generate_content,
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}],\"role\":\"model\"}}],"
      "\"usageMetadata\":{\"promptTokenCount\":8,\"totalTokenCount\":8}}\r\n\r\n"
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"lo\",\"thoughtSignature\":\"zzz\"}]},"
      "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":2,"
      "\"thoughtsTokenCount\":30,\"totalTokenCount\":40,\"trafficType\":\"ON_DEMAND_FLEX\"}}\r\n\r\n");
  EXPECT_TRUE(meter.finished());
  EXPECT_EQ(meter.usage().uncached_in, 8);
  EXPECT_EQ(meter.usage().text_out, 32);
  EXPECT_EQ(meter.usage().tier, ServiceTier::flex);
  EXPECT_EQ(meter.delivered_bytes(), 5);
}

std::string filtered(std::string_view stream) {
  StreamFilter filter;
  wire::SseReader reader;
  EXPECT_TRUE(reader.feed(stream));
  std::string out;
  while (const auto event = reader.next()) out += filter.on_frame(*event).bytes;
  return out;
}

TEST(StreamFilter, HidesTheUsageChunkAndTheNullsAndNothingElse) {
  const std::string out = filtered(std::string(kChat) + std::string(kChatUsage) + std::string(kDone));
  std::string expected(kChat);
  for (std::size_t at; (at = expected.find(",\"usage\":null")) != std::string::npos;) expected.erase(at, 13);
  EXPECT_EQ(out, expected + std::string(kDone));
}

TEST(StreamFilter, CutsTheMemberWhereverItStands) {
  EXPECT_EQ(filtered("data: {\"usage\":null,\"choices\":[{}]}\n\n"), "data: {\"choices\":[{}]}\n\n");
  EXPECT_EQ(filtered("data: {\"a\":1 , \"usage\" : null , \"b\":2}\r\n\r\n"),
            "data: {\"a\":1  , \"b\":2}\r\n\r\n");
  EXPECT_EQ(filtered("data: {\"usage\":null}\n\n"), "data: {}\n\n");
}

TEST(StreamFilter, LetsEverythingElsePassByteForByte) {
  const std::string_view stream =
      ": ping\n\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":null\"}}]}\n\n"
      "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n"
      "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":1}}\n\n"
      "data: {\"choices\":[{\"usage\":null}]}\n\n"
      "data: {\"error\":{\"message\":\"usage\"}}\n\ndata: [DONE]\n\n";
  EXPECT_EQ(filtered(stream), stream);
}

}  // namespace
}  // namespace claviger::provider
