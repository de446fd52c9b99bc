// Tests of reading usage: shapes as the official SDKs' types describe them, sums checked against the
// provider's own.
#include "provider/usage.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/rng.hpp"

namespace claviger::provider {
namespace {

Usage read(Dialect dialect, Endpoint endpoint, const std::string& body) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json)) << body;
  return read_usage(dialect, endpoint, json);
}
Usage chat(const std::string& usage) {
  return read(Dialect::openai, Endpoint::chat, R"({"usage":)" + usage + "}");
}
Usage messages(const std::string& usage) {
  return read(Dialect::anthropic, Endpoint::messages, R"({"type":"message","usage":)" + usage + "}");
}
Usage gemini(const std::string& metadata) {
  return read(Dialect::gemini, Endpoint::generate_content, R"({"usageMetadata":)" + metadata + "}");
}

TEST(Usage, ThatIsMissingIsNotSeen) {
  EXPECT_FALSE(read(Dialect::openai, Endpoint::chat, "{}").seen);
  EXPECT_FALSE(read(Dialect::openai, Endpoint::chat, R"({"usage":null})").seen);
  EXPECT_FALSE(read(Dialect::openai, Endpoint::chat, R"({"usage":7})").seen);
  EXPECT_FALSE(read(Dialect::openai, Endpoint::responses, R"({"usage":null,"status":"in_progress"})").seen);
  EXPECT_FALSE(read(Dialect::anthropic, Endpoint::messages, R"({"type":"error"})").seen);
  EXPECT_FALSE(read(Dialect::gemini, Endpoint::embeddings, R"({"embedding":{"values":[]}})").seen);
  EXPECT_FALSE(read(Dialect::openai, Endpoint::chat, "[]").seen);
}

TEST(Usage, OfZeroIsTrusted) {
  const Usage usage = chat(R"({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})");
  EXPECT_TRUE(usage.seen);
  EXPECT_EQ(usage.total_tokens(), 0);
  EXPECT_FALSE(usage.mismatch);
}

TEST(Usage, ThatDoesNotAddUpIsFlaggedAndTheLargerReadingTaken) {
  const Usage more = chat(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":20})");
  EXPECT_TRUE(more.mismatch);
  EXPECT_EQ(more.total_tokens(), 20);
  const Usage less = chat(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":12})");
  EXPECT_TRUE(less.mismatch);
  EXPECT_EQ(less.total_tokens(), 15);
  EXPECT_TRUE(chat(R"({"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":11}})").mismatch);
  EXPECT_TRUE(messages(R"({"input_tokens":1,"cache_creation_input_tokens":9,"output_tokens":1,)"
                       R"("cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":2}})")
                  .mismatch);
  EXPECT_TRUE(gemini(R"({"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":99})").mismatch);
}

TEST(Usage, WithNegativeOrFractionalCountsReadsThemAsNothing) {
  EXPECT_EQ(chat(R"({"prompt_tokens":-10,"completion_tokens":1.5})").total_tokens(), 0);
}

TEST(ChatUsage, TakesCachedWrittenAndAudioTokensOutOfTheInput) {
  const Usage usage = chat(R"({"prompt_tokens":1000,"completion_tokens":300,"total_tokens":1300,)"
                           R"("prompt_tokens_details":{"cached_tokens":400,"cache_write_tokens":100,)"
                           R"("audio_tokens":50,"image_tokens":30,)"
                           R"("text_tokens":420,"unknown":7},)"
                           R"("completion_tokens_details":{"reasoning_tokens":120,"audio_tokens":40,)"
                           R"("rejected_prediction_tokens":9}})");
  EXPECT_EQ(usage.uncached_in, 420);
  EXPECT_EQ(usage.cache_read, 400);
  EXPECT_EQ(usage.cache_write_30m, 100);
  EXPECT_EQ(usage.audio_in, 50);
  EXPECT_EQ(usage.image_in, 30);
  EXPECT_EQ(usage.text_out, 260);
  EXPECT_EQ(usage.reasoning_out, 120);
  EXPECT_EQ(usage.audio_out, 40);
  EXPECT_EQ(usage.total_in(), 1000);
  EXPECT_EQ(usage.total_out(), 300);
  EXPECT_FALSE(usage.mismatch);
}

TEST(ChatUsage, OfAProviderThatLeavesThoughtsOutOfTheOutputAddsThem) {
  const Usage usage = chat(R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,)"
                           R"("completion_tokens_details":{"reasoning_tokens":100}})");
  EXPECT_EQ(usage.text_out, 105);
  EXPECT_EQ(usage.reasoning_out, 100);
  EXPECT_FALSE(usage.mismatch);
}

TEST(ChatUsage, KnowsDeepseeksCacheHits) {
  const Usage usage = chat(R"({"prompt_tokens":10,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2,)"
                           R"("completion_tokens":1,"total_tokens":11})");
  EXPECT_EQ(usage.cache_read, 8);
  EXPECT_EQ(usage.uncached_in, 2);
}

TEST(ChatUsage, TakesTheTierOfTheAnswer) {
  const auto tier = [](std::string_view name) {
    return read(Dialect::openai, Endpoint::chat,
                R"({"usage":{"prompt_tokens":1},"service_tier":")" + std::string(name) + "\"}")
        .tier;
  };
  EXPECT_EQ(tier("default"), ServiceTier::standard);
  EXPECT_EQ(tier("priority"), ServiceTier::priority);
  EXPECT_EQ(tier("flex"), ServiceTier::flex);
  EXPECT_EQ(tier("ultrafast"), ServiceTier::ultrafast);
  EXPECT_EQ(tier("brand_new"), ServiceTier::other);
}

TEST(ResponsesUsage, ReadsCacheWriteClassesAndToolUsage) {
  const Usage usage =
      read(Dialect::openai, Endpoint::responses,
           R"({"object":"response","service_tier":"default","usage":{"input_tokens":1000,)"
           R"("input_tokens_details":{"cached_tokens":200,"cache_write_tokens":300,)"
           R"("cache_write_tokens_details":{"ttl_30m_tokens":250,"ttl_12h_tokens":50}},"output_tokens":80,)"
           R"("output_tokens_details":{"reasoning_tokens":64},"total_tokens":1080},)"
           R"("tool_usage":{"image_gen":{"input_tokens":11,"output_tokens":22,"total_tokens":33},)"
           R"("web_search":{"num_requests":3}}})");
  EXPECT_EQ(usage.uncached_in, 500);
  EXPECT_EQ(usage.cache_read, 200);
  EXPECT_EQ(usage.cache_write_30m, 250);
  EXPECT_EQ(usage.cache_write_12h, 50);
  EXPECT_EQ(usage.text_out, 80);
  EXPECT_EQ(usage.reasoning_out, 64);
  EXPECT_EQ(usage.hosted_in, 11);
  EXPECT_EQ(usage.hosted_out, 22);
  EXPECT_EQ(usage.tool_calls, 3);
  EXPECT_FALSE(usage.mismatch);
}

TEST(EmbeddingsUsage, IsAllInput) {
  const Usage usage =
      read(Dialect::openai, Endpoint::embeddings, R"({"usage":{"prompt_tokens":8,"total_tokens":8}})");
  EXPECT_EQ(usage.uncached_in, 8);
  EXPECT_EQ(usage.total_out(), 0);
  EXPECT_FALSE(usage.mismatch);
}

TEST(MessagesUsage, KeepsCachesApartFromTheInput) {
  const Usage usage =
      messages(R"({"input_tokens":10,"output_tokens":90,"cache_read_input_tokens":700,)"
               R"("cache_creation_input_tokens":30,)"
               R"("cache_creation":{"ephemeral_5m_input_tokens":20,)"
               R"("ephemeral_1h_input_tokens":10},"service_tier":"standard",)"
               R"("speed":"standard","inference_geo":"us","output_tokens_details":{"thinking_tokens":60},)"
               R"("server_tool_use":{"web_search_requests":2,"web_fetch_requests":5}})");
  EXPECT_EQ(usage.uncached_in, 10);
  EXPECT_EQ(usage.cache_read, 700);
  EXPECT_EQ(usage.cache_write_5m, 20);
  EXPECT_EQ(usage.cache_write_1h, 10);
  EXPECT_EQ(usage.text_out, 90);
  EXPECT_EQ(usage.reasoning_out, 60);
  EXPECT_EQ(usage.tool_calls, 2);
  EXPECT_TRUE(usage.us_geo);
  EXPECT_EQ(usage.total_in(), 740);
  EXPECT_FALSE(usage.mismatch);
}

TEST(MessagesUsage, WithoutASplitCountsWritesAsFiveMinutes) {
  const Usage usage = messages(R"({"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":9,)"
                               R"("cache_creation":null})");
  EXPECT_EQ(usage.cache_write_5m, 9);
  EXPECT_FALSE(usage.mismatch);
}

TEST(MessagesUsage, OfSeveralIterationsIsTheirSum) {
  const Usage usage = messages(R"({"input_tokens":10,"output_tokens":5,"iterations":[)"
                               R"({"type":"compaction","input_tokens":100,"output_tokens":50},)"
                               R"({"type":"message","input_tokens":10,"output_tokens":5}]})");
  EXPECT_EQ(usage.uncached_in, 110);
  EXPECT_EQ(usage.text_out, 55);
}

TEST(GeminiUsage, BillsThoughtsAsOutputAndTakesTheCacheOutOfTheInput) {
  const Usage usage = gemini(
      R"({"promptTokenCount":1000,"cachedContentTokenCount":600,)"
      R"("candidatesTokenCount":100,"thoughtsTokenCount":250,)"
      R"("toolUsePromptTokenCount":40,"totalTokenCount":1390,)"
      R"("promptTokensDetails":[{"modality":"TEXT","tokenCount":600},{"modality":"AUDIO","tokenCount":300},)"
      R"({"modality":"IMAGE","tokenCount":100}],)"
      R"("cacheTokensDetails":[{"modality":"TEXT","tokenCount":400},{"modality":"AUDIO","tokenCount":200}],)"
      R"("candidatesTokensDetails":[{"modality":"TEXT","tokenCount":70},)"
      R"({"modality":"IMAGE","tokenCount":30}]})");
  EXPECT_EQ(usage.cache_read, 400);
  EXPECT_EQ(usage.cache_read_audio, 200);
  EXPECT_EQ(usage.audio_in, 100);
  EXPECT_EQ(usage.image_in, 100);
  EXPECT_EQ(usage.uncached_in, 240);
  EXPECT_EQ(usage.text_out, 320);
  EXPECT_EQ(usage.reasoning_out, 250);
  EXPECT_EQ(usage.image_out, 30);
  EXPECT_EQ(usage.total_tokens(), 1390);
  EXPECT_FALSE(usage.mismatch);
}

TEST(UsageFields, NameEveryBucketOnce) {
  Usage usage;
  std::int64_t value = 1;
  for (const UsageField& field : kUsageFields) usage.*field.member = value++;
  for (const UsageField& field : kUsageFields)
    for (const UsageField& other : kUsageFields)
      EXPECT_EQ(&field == &other, field.name == other.name) << field.name;
  EXPECT_EQ(usage.code_sessions, static_cast<std::int64_t>(kUsageFields.size()));
}

// Whatever consistent numbers a provider reports, the buckets are disjoint and sum to its totals.
TEST(BucketSums, EqualTheProvidersTotals) {
  SeededRng rng(20261120);
  const auto number = [&](std::int64_t below) {
    return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(below) + 1));
  };
  for (int round = 0; round < 2000; ++round) {
    const std::int64_t prompt = number(100'000), read_part = number(prompt),
                       written = number(prompt - read_part);
    const std::int64_t audio = number(prompt), image = number(prompt);
    const std::int64_t output = number(50'000), reasoning = number(output);
    const std::string text = std::to_string(prompt) + " " + std::to_string(output);
    const Usage openai =
        chat(R"({"prompt_tokens":)" + std::to_string(prompt) + R"(,"completion_tokens":)" +
             std::to_string(output) + R"(,"total_tokens":)" + std::to_string(prompt + output) +
             R"(,"prompt_tokens_details":{"cached_tokens":)" + std::to_string(read_part) +
             R"(,"cache_write_tokens":)" + std::to_string(written) + R"(,"audio_tokens":)" +
             std::to_string(audio) + R"(,"image_tokens":)" + std::to_string(image) +
             R"(},"completion_tokens_details":{"reasoning_tokens":)" + std::to_string(reasoning) + "}}");
    ASSERT_EQ(openai.total_in(), prompt) << text;
    ASSERT_EQ(openai.total_out(), output) << text;
    ASSERT_FALSE(openai.mismatch) << text;
    for (const UsageField& field : kUsageFields) ASSERT_GE(openai.*field.member, 0) << field.name;

    const Usage google = gemini(
        R"({"promptTokenCount":)" + std::to_string(prompt) + R"(,"cachedContentTokenCount":)" +
        std::to_string(read_part) + R"(,"candidatesTokenCount":)" + std::to_string(output) +
        R"(,"thoughtsTokenCount":)" + std::to_string(reasoning) + R"(,"totalTokenCount":)" +
        std::to_string(prompt + output + reasoning) +
        R"(,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":)" + std::to_string(audio) + "}]}");
    ASSERT_EQ(google.total_tokens(), prompt + output + reasoning) << text;
    ASSERT_FALSE(google.mismatch) << text;

    const Usage anthropic =
        messages(R"({"input_tokens":)" + std::to_string(prompt) + R"(,"cache_read_input_tokens":)" +
                 std::to_string(read_part) + R"(,"cache_creation_input_tokens":)" + std::to_string(written) +
                 R"(,"output_tokens":)" + std::to_string(output) + "}");
    ASSERT_EQ(anthropic.total_in(), prompt + read_part + written) << text;
  }
}

}  // namespace
}  // namespace claviger::provider
