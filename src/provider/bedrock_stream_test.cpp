// Tests of metering Bedrock's event streams.
#include "provider/bedrock_stream.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"

namespace claviger::provider {
namespace {

MessageMeter follow(Endpoint endpoint, std::initializer_list<std::string> messages) {
  MessageMeter meter(endpoint);
  wire::EventStreamReader reader;
  for (const std::string& message : messages) EXPECT_TRUE(reader.feed(message));
  for (;;) {
    const auto next = reader.next();
    if (!next || !*next) return meter;
    meter.on_message(**next);
  }
}

std::string event(std::string_view name, std::string_view payload) {
  return wire::event_message("event", name, payload);
}

std::string chunk(std::string_view json) {
  return event("chunk", R"({"bytes":")" + base64(as_bytes(json)) + R"(","p":"abcd"})");
}

TEST(BedrockStream, ConverseEndsWithItsMetadataWhichCarriesTheUsage) {
  const std::string delta = event("contentBlockDelta", R"({"delta":{"text":"hello"}})");
  const std::string stop = event("messageStop", R"({"stopReason":"end_turn"})");
  const MessageMeter cut = follow(Endpoint::converse, {event("messageStart", "{}"), delta, stop});
  EXPECT_FALSE(cut.finished());
  EXPECT_FALSE(cut.usage().seen);
  const MessageMeter whole =
      follow(Endpoint::converse,
             {delta, stop,
              event("metadata", R"({"usage":{"inputTokens":30,"outputTokens":10,"totalTokens":40,)"
                                R"("cacheReadInputTokens":100}})")});
  EXPECT_TRUE(whole.finished());
  EXPECT_EQ(whole.usage().uncached_in, 30);
  EXPECT_EQ(whole.usage().cache_read, 100);
  EXPECT_EQ(whole.usage().text_out, 10);
}

TEST(BedrockStream, AnExceptionIsAFailureAndNoEnd) {
  const MessageMeter meter =
      follow(Endpoint::converse, {wire::event_message("exception", "throttlingException", "{}")});
  EXPECT_TRUE(meter.failed());
  EXPECT_FALSE(meter.finished());
}

TEST(BedrockStream, ChunksOfAnthropicAreMeteredByTheirOwnEvents) {
  const std::string start = chunk(R"({"type":"message_start","message":{"usage":{"input_tokens":7,)"
                                  R"("cache_creation_input_tokens":5,"cache_read_input_tokens":3,)"
                                  R"("output_tokens":1}}})");
  const std::string text =
      chunk(R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"hi"}})");
  const std::string delta = chunk(R"({"type":"message_delta","usage":{"output_tokens":4}})");
  const MessageMeter cut =
      follow(Endpoint::invoke, {start, text, delta, chunk(R"({"type":"message_stop"})")});
  EXPECT_FALSE(cut.finished()) << "the end brings the metrics";
  const std::string end = chunk(R"({"type":"message_stop","amazon-bedrock-invocationMetrics":)"
                                R"({"inputTokenCount":7,"outputTokenCount":4}})");
  const MessageMeter whole = follow(Endpoint::invoke, {start, text, delta, end});
  EXPECT_TRUE(whole.finished());
  EXPECT_EQ(whole.usage().uncached_in, 7);
  EXPECT_EQ(whole.usage().cache_write_5m, 5);
  EXPECT_EQ(whole.usage().cache_read, 3);
  EXPECT_EQ(whole.usage().text_out, 4);
  EXPECT_FALSE(whole.usage().mismatch);
}

TEST(BedrockStream, MetricsThatCountMoreAreBelievedAndFlagged) {
  const MessageMeter meter =
      follow(Endpoint::invoke, {chunk(R"({"type":"message_delta","usage":{"output_tokens":4}})"),
                                chunk(R"({"type":"message_stop","amazon-bedrock-invocationMetrics":)"
                                      R"({"inputTokenCount":9,"outputTokenCount":6}})")});
  EXPECT_EQ(meter.usage().uncached_in, 9);
  EXPECT_EQ(meter.usage().text_out, 6);
  EXPECT_TRUE(meter.usage().mismatch);
}

TEST(BedrockStream, ChunksOfOtherModelsAreMeteredByTheMetrics) {
  const MessageMeter meter =
      follow(Endpoint::invoke, {chunk(R"({"generation":"hello"})"), chunk("no JSON"), event("chunk", "{}"),
                                chunk(R"({"generation":"","stop_reason":"stop",)"
                                      R"("amazon-bedrock-invocationMetrics":)"
                                      R"({"inputTokenCount":9,"outputTokenCount":6}})")});
  EXPECT_TRUE(meter.finished());
  EXPECT_TRUE(meter.usage().seen);
  EXPECT_EQ(meter.usage().uncached_in, 9);
  EXPECT_EQ(meter.usage().text_out, 6);
}

}  // namespace
}  // namespace claviger::provider
