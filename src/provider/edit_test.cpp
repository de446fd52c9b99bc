// Tests of the gate's edits to request bodies: the result is valid JSON, says what it must, and keeps every
// other byte.
#include <gtest/gtest.h>

#include <string>

#include "provider/ask.hpp"
#include "provider/provider.hpp"

namespace claviger::provider {
namespace {

struct Edited {
  std::string body;
  bool usage_inserted = false;
};

Edited edited(std::string_view id, std::string_view provider_name, std::string_view body,
              std::optional<std::int64_t> cap) {
  const Route* row = nullptr;
  for (const Route& one : routes())
    if (one.id == id) row = &one;
  const Catalog catalog = Catalog::make({}, PriceBook{});
  const std::string_view path =
      row->dialect == Dialect::gemini ? "/v1beta/models/g:generateContent" : row->pattern;
  wire::Json json;
  EXPECT_TRUE(wire::scan(body, json)) << body;
  const auto read = read_ask(*row, path, &json);
  EXPECT_TRUE(read) << told(read.error());
  const Edits edits = edit_body(*row, *catalog.find(provider_name), *read, json, cap);
  Edited out;
  out.usage_inserted = edits.usage_inserted;
  for (const std::string_view piece : gather(body, edits.splices)) out.body += piece;
  EXPECT_EQ(gathered_size(body, edits.splices), out.body.size());
  wire::Json again;
  EXPECT_TRUE(wire::scan(out.body, again)) << out.body;
  return out;
}

std::string chat(std::string_view provider_name, std::string_view body, std::optional<std::int64_t> cap) {
  return edited("openai.chat", provider_name, body, cap).body;
}

TEST(Edit, LeavesABodyAloneThatNeedsNothing) {
  const std::string_view body = R"( { "model" : "m" , "max_tokens" : 5 } )";
  EXPECT_EQ(chat("openai", body, std::nullopt), body);
  EXPECT_EQ(chat("openai", body, 5), body);
  EXPECT_FALSE(edited("openai.chat", "openai", body, 5).usage_inserted);
}

TEST(Edit, AsksForUsageOnlyWhereTheClientDidNot) {
  const auto plain = edited("openai.chat", "openai", R"({"model":"m","stream":true})", std::nullopt);
  EXPECT_EQ(plain.body, R"({"stream_options":{"include_usage":true},"model":"m","stream":true})");
  EXPECT_TRUE(plain.usage_inserted);
  const auto asked =
      edited("openai.chat", "openai",
             R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})", std::nullopt);
  EXPECT_FALSE(asked.usage_inserted);
}

TEST(Edit, AsksForUsageInsideTheClientsOptions) {
  EXPECT_EQ(chat("openai", R"({"model":"m","stream":true,"stream_options":{}})", std::nullopt),
            R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(chat("openai", R"({"model":"m","stream":true,"stream_options":{"x":1}})", std::nullopt),
            R"({"model":"m","stream":true,"stream_options":{"include_usage":true,"x":1}})");
  EXPECT_EQ(
      chat("openai", R"({"model":"m","stream":true,"stream_options":{"include_usage":false}})", std::nullopt),
      R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(chat("openai", R"({"model":"m","stream":true,"stream_options":null})", std::nullopt),
            R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})");
}

TEST(Edit, DoesNotAskAProviderThatAlwaysTells) {
  const std::string_view body = R"({"model":"m","stream":true})";
  EXPECT_EQ(chat("mistral", body, std::nullopt), body);
}

TEST(Edit, InsertsTheBoundTheProviderHonours) {
  EXPECT_EQ(chat("openai", R"({"model":"m"})", 9), R"({"max_completion_tokens":9,"model":"m"})");
  EXPECT_EQ(chat("vllm", R"({"model":"m"})", 9), R"({"max_tokens":9,"model":"m"})");
  EXPECT_EQ(edited("openai.responses", "openai", R"({"model":"m"})", 9).body,
            R"({"max_output_tokens":9,"model":"m"})");
  EXPECT_EQ(edited("anthropic.messages", "anthropic", R"({"model":"m"})", 9).body,
            R"({"max_tokens":9,"model":"m"})");
}

TEST(Edit, ClampsEveryFieldThatSaysMore) {
  EXPECT_EQ(chat("openai", R"({"model":"m","max_tokens":90,"max_completion_tokens":8})", 9),
            R"({"model":"m","max_tokens":9,"max_completion_tokens":8})");
  EXPECT_EQ(chat("openai", R"({"model":"m","max_tokens":null})", 9), R"({"model":"m","max_tokens":9})");
  EXPECT_EQ(edited("anthropic.messages", "anthropic", R"({"model":"m","max_tokens":10})", 9).body,
            R"({"model":"m","max_tokens":9})");
}

TEST(Edit, GivesAProviderThatKnowsOnlyMaxTokensTheClientsBound) {
  EXPECT_EQ(chat("ollama", R"({"model":"m","max_completion_tokens":8})", std::nullopt),
            R"({"max_tokens":8,"model":"m","max_completion_tokens":8})");
  EXPECT_EQ(chat("ollama", R"({"model":"m","max_completion_tokens":8})", 5),
            R"({"max_tokens":5,"model":"m","max_completion_tokens":5})");
}

TEST(Edit, PutsGeminisBoundIntoItsConfigInTheClientsSpelling) {
  EXPECT_EQ(edited("gemini.generate", "gemini", "{}", 9).body,
            R"({"generationConfig":{"maxOutputTokens":9}})");
  EXPECT_EQ(edited("gemini.generate", "gemini", R"({"generation_config":{"top_k":1}})", 9).body,
            R"({"generation_config":{"maxOutputTokens":9,"top_k":1}})");
  EXPECT_EQ(edited("gemini.generate", "gemini", R"({"generationConfig":{"max_output_tokens":10}})", 9).body,
            R"({"generationConfig":{"max_output_tokens":9}})");
  EXPECT_EQ(edited("gemini.generate", "gemini", R"({"generationConfig":null})", 9).body,
            R"({"generationConfig":{"maxOutputTokens":9}})");
}

TEST(Edit, DoesBothAtOnce) {
  EXPECT_EQ(chat("vllm", R"({"model":"m","stream":true})", 9).size(),
            std::string_view(
                R"({"max_tokens":9,"stream_options":{"include_usage":true},"model":"m","stream":true})")
                .size());
}

}  // namespace
}  // namespace claviger::provider
