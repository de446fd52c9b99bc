// Tests of reading requests: what is refused, what cannot be bounded, what is asked.
#include "provider/ask.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.hpp"

namespace claviger::provider {
namespace {

const Route& route(std::string_view id) {
  for (const Route& row : routes())
    if (row.id == id) return row;
  ADD_FAILURE() << id;
  return routes().front();
}

constexpr std::string_view kGeminiPath = "/v1beta/models/gemini-2.5-pro:generateContent";

Result<Ask> ask(std::string_view id, std::string_view body, std::string_view path = {}) {
  const Route& row = route(id);
  wire::Json json;
  const auto scanned = wire::scan(body, json);
  EXPECT_TRUE(scanned) << body;
  return read_ask(row, path.empty() ? row.pattern : path, &json);
}
Result<Ask> gemini(std::string_view body) { return ask("gemini.generate", body, kGeminiPath); }

Code code_of(const Result<Ask>& result) {
  EXPECT_FALSE(result) << "was not refused";
  return result ? Code::internal : result.error().code;
}

std::string with(std::string_view fields) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + std::string(fields) + "}";
}
std::string responses_with(std::string_view fields) {
  return R"({"model":"m","input":"hi",)" + std::string(fields) + "}";
}

TEST(Ask, WithoutAModelIsRefused) {
  EXPECT_EQ(code_of(ask("openai.chat", R"({"messages":[]})")), Code::missing_model);
  EXPECT_EQ(code_of(ask("openai.chat", R"({"model":""})")), Code::missing_model);
  EXPECT_EQ(code_of(ask("openai.chat", R"({"model":null})")), Code::missing_model);
  EXPECT_EQ(code_of(ask("anthropic.messages", "{}")), Code::missing_model);
}

TEST(Ask, WithAnUnusableModelNameIsRefused) {
  EXPECT_EQ(code_of(ask("openai.chat", R"({"model":7})")), Code::invalid_parameter);
  EXPECT_EQ(code_of(ask("openai.chat", R"({"model":"a\nb"})")), Code::invalid_parameter);
  EXPECT_EQ(code_of(ask("openai.chat", R"({"model":")" + std::string(257, 'm') + "\"}")),
            Code::invalid_parameter);
  EXPECT_EQ(code_of(ask("gemini.generate", "{}", "/v1beta/models/a%0ab:generateContent")),
            Code::invalid_parameter);
  EXPECT_EQ(code_of(ask("gemini.generate", "{}", "/v1beta/models/a%4:generateContent")),
            Code::invalid_parameter);
}

TEST(Ask, WithoutAJsonObjectIsRefused) {
  EXPECT_EQ(code_of(ask("openai.chat", "[]")), Code::invalid_parameter);
  EXPECT_EQ(code_of(read_ask(route("openai.chat"), "/v1/chat/completions", nullptr)),
            Code::invalid_parameter);
}

TEST(Ask, WithParametersOfTheWrongTypeIsRefused) {
  for (const std::string_view fields :
       {R"("max_tokens":"100")", R"("max_tokens":-1)", R"("max_tokens":1e2)", R"("max_tokens":99999999999)",
        R"("max_completion_tokens":1.5)", R"("n":0)", R"("n":129)", R"("n":"2")", R"("best_of":1000)",
        R"("stream":1)", R"("stream":"true")", R"("stream_options":[])",
        R"("stream_options":{"include_usage":1})", R"("service_tier":1)", R"("modalities":"audio")"})
    EXPECT_EQ(code_of(ask("openai.chat", with(fields))), Code::invalid_parameter) << fields;
}

TEST(Ask, WithAFieldInAnotherCaseIsRefused) {
  for (const std::string_view fields :
       {R"("Model":"dear")", R"("MAX_TOKENS":9)", R"("Stream":true)", R"("N":9)"})
    EXPECT_EQ(code_of(ask("openai.chat", with(fields))), Code::invalid_parameter) << fields;
}

TEST(Ask, ThatNamesFurtherModelsIsRefused) {
  EXPECT_EQ(code_of(ask("openai.chat", with(R"("models":["dear"])"))), Code::invalid_parameter);
  EXPECT_EQ(code_of(ask("anthropic.messages", with(R"("fallbacks":[{"model":"dear"}])"))),
            Code::invalid_parameter);
  EXPECT_EQ(
      code_of(ask("anthropic.messages", with(R"("tools":[{"type":"advisor_20260301","model":"dear"}])"))),
      Code::invalid_parameter);
  EXPECT_EQ(code_of(gemini(R"({"model":"models/dear","contents":[]})")), Code::invalid_parameter);
  EXPECT_EQ(code_of(ask("gemini.batch_embed", R"({"requests":[{"model":"models/dear","content":{}}]})",
                        "/v1beta/models/e:batchEmbedContents")),
            Code::invalid_parameter);
}

TEST(Ask, ThatHangsOnStoredObjectsIsRefused) {
  for (const std::string_view fields : {R"("background":true)", R"("previous_response_id":"resp_1")",
                                        R"("conversation":"conv_1")", R"("conversation":{"id":"conv_1"})"})
    EXPECT_EQ(code_of(ask("openai.responses", responses_with(fields))), Code::route_refused) << fields;
  EXPECT_EQ(code_of(ask("openai.responses", R"({"model":"m","input":[{"type":"item_reference","id":"i"}]})")),
            Code::route_refused);
  EXPECT_EQ(
      code_of(
          ask("openai.responses",
              R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]})")),
      Code::route_refused);
  EXPECT_EQ(code_of(ask("anthropic.messages",
                        R"({"model":"m","messages":[{"role":"user","content":[{"type":"document",)"
                        R"("source":{"type":"file","file_id":"f"}}]}]})")),
            Code::route_refused);
  EXPECT_EQ(code_of(ask("anthropic.messages", with(R"("container":"c_1")"))), Code::route_refused);
  EXPECT_EQ(code_of(gemini(R"({"cachedContent":"cachedContents/x"})")), Code::route_refused);
  EXPECT_EQ(code_of(gemini(R"({"cached_content":"cachedContents/x"})")), Code::route_refused);
  EXPECT_EQ(code_of(gemini(R"({"contents":[{"parts":[{"file_data":{"file_uri":)"
                           R"("https://generativelanguage.googleapis.com/v1beta/files/f"}}]}]})")),
            Code::route_refused);
}

TEST(Ask, OfGeminiWithAFieldInBothSpellingsIsRefused) {
  EXPECT_EQ(code_of(gemini(R"({"generationConfig":{"maxOutputTokens":1},"generation_config":{}})")),
            Code::invalid_parameter);
  EXPECT_EQ(code_of(gemini(R"({"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}})")),
            Code::invalid_parameter);
}

TEST(Ask, NamesEveryToolTheRequestOffers) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(
      ask("openai.chat", with(R"("tools":[{"type":"function","function":{"name":"look"}},)"
                              R"({"type":"web_search_preview_2025_03_11"}],"functions":[{"name":"act"}])"))
          ->tools,
      (Names{"function:look", "web_search_preview", "function:act"}));
  EXPECT_EQ(ask("openai.responses",
                responses_with(R"("tools":[{"type":"function","name":"look"},{"type":"namespace","tools":)"
                               R"([{"type":"function","name":"inner"}]}],"prompt":{"id":"p"})"))
                ->tools,
            (Names{"function:look", "function:inner", "prompt"}));
  EXPECT_EQ(ask("anthropic.messages",
                with(R"("tools":[{"name":"look"},{"type":"web_search_20260318","name":"w"}])"))
                ->tools,
            (Names{"function:look", "web_search"}));
  EXPECT_EQ(gemini(R"({"tools":[{"functionDeclarations":[{"name":"look"}]},{"googleSearch":{}}]})")->tools,
            (Names{"function:look", "google_search"}));
  EXPECT_EQ(ask("openai.chat", with(R"("tools":{"0":{"type":"function"}})"))->tools, Names{"unreadable"});
}

TEST(Unbounded, ChatNamesWhatTheProviderWouldDoByItself) {
  for (const std::string_view fields : {R"("web_search_options":{})", R"("search_parameters":{"mode":"on"})",
                                        R"("tools":[{"type":"web_search"}])", R"("moderation":{"model":"x"})",
                                        R"("prompt_cache_options":{"ttl":"12h"})"}) {
    const auto read = ask("openai.chat", with(fields));
    ASSERT_TRUE(read) << fields;
    EXPECT_EQ(read->unbounded.size(), 1u) << fields;
  }
}

TEST(Unbounded, ResponsesNamesWhatTheProviderWouldDoByItself) {
  for (const std::string_view fields :
       {R"("tools":[{"type":"web_search"}])", R"("tools":[{"type":"web_search_preview"}])",
        R"("tools":[{"type":"file_search"}])", R"("tools":[{"type":"code_interpreter"}])",
        R"("tools":[{"type":"image_generation"}])", R"("tools":[{"type":"mcp"}])",
        R"("tools":[{"type":"shell","environment":{"type":"container_auto"}}])",
        R"("tools":[{"type":"namespace","tools":[{"type":"web_search"}]}])",
        R"("tools":{"type":"web_search"})", R"("prompt":{"id":"p"})", R"("multi_agent":{})",
        R"("context_management":[{"type":"compaction"}])", R"("reasoning":{"mode":"pro"})",
        R"("service_tier":"ultrafast")"}) {
    const auto read = ask("openai.responses", responses_with(fields));
    ASSERT_TRUE(read) << fields;
    EXPECT_EQ(read->unbounded.size(), 1u) << fields;
  }
  const auto smuggled =
      ask("openai.responses",
          R"({"model":"m","input":[{"type":"additional_tools","tools":[{"type":"web_search"}]}]})");
  ASSERT_TRUE(smuggled);
  EXPECT_EQ(smuggled->unbounded.size(), 1u);
}

TEST(Unbounded, MessagesNameWhatTheProviderWouldDoByItself) {
  for (const std::string_view fields :
       {R"("tools":[{"type":"web_search_20260318","name":"web_search"}])",
        R"("tools":[{"type":"code_execution_20260521","name":"x"}])",
        R"("tools":[{"type":"tool_search_tool_bm25_20251119","name":"x"}])",
        R"("mcp_servers":[{"url":"https://x"}])", R"("speed":"fast")", R"("service_tier":"priority")",
        R"("inference_geo":"eu")", R"("container":{"skills":[]})", R"("compaction":{})",
        R"("context_management":{"edits":[{"type":"compact_20260112"}]})",
        R"("cache_control":{"type":"ephemeral","ttl":"12h"})"}) {
    const auto read = ask("anthropic.messages", with(fields));
    ASSERT_TRUE(read) << fields;
    EXPECT_EQ(read->unbounded.size(), 1u) << fields;
  }
}

TEST(Unbounded, GeminiNamesWhatTheProviderWouldDoByItself) {
  for (const std::string_view body :
       {R"({"tools":[{"googleSearchRetrieval":{}}]})", R"({"tools":[{"googleMaps":{}}]})",
        R"({"tools":[{"codeExecution":{}}]})", R"({"tools":[{"urlContext":{}}]})",
        R"({"automaticContinuation":true})",
        R"({"contents":[{"parts":[{"fileData":{"fileUri":"https://youtu.be/x"}}]}]})"}) {
    const auto read = gemini(body);
    ASSERT_TRUE(read) << body;
    EXPECT_EQ(read->unbounded.size(), 1u) << body;
  }
}

TEST(Ask, NamesOfModelsAndNumbersOfChoicesAreBounded) {
  for (const int over : {-1, 0, 1}) {
    const std::string name(limits::kModelName + static_cast<std::size_t>(over), 'm');
    EXPECT_EQ(ask("openai.chat", R"({"model":")" + name + R"(","messages":[]})").has_value(), over <= 0)
        << over;
    const std::string choices = std::to_string(limits::kMaxChoices + over);
    EXPECT_EQ(ask("openai.chat", with("\"n\":" + choices)).has_value(), over <= 0) << over;
    EXPECT_EQ(gemini(R"({"generationConfig":{"candidateCount":)" + choices + "}}").has_value(), over <= 0);
  }
}

TEST(HostedTools, AreBoundedByMaxToolCallsMaxUsesOrTheModel) {
  const auto responses =
      ask("openai.responses", responses_with(R"("max_tool_calls":3,"tools":[)"
                                             R"({"type":"web_search"},)"
                                             R"({"type":"code_interpreter","container":)"
                                             R"({"type":"auto"}},{"type":"file_search"}])"));
  ASSERT_TRUE(responses);
  EXPECT_TRUE(responses->unbounded.empty());
  EXPECT_EQ(responses->hosted, (HostedCalls{4, 3, 3, 3, false}));
  EXPECT_TRUE(responses->hidden_input);
  const auto messages =
      ask("anthropic.messages", with(R"("tools":[{"type":"web_search_20250305","name":"w","max_uses":12},)"
                                     R"({"type":"web_fetch_20250910","name":"f","max_uses":2}])"));
  ASSERT_TRUE(messages);
  EXPECT_TRUE(messages->unbounded.empty());
  EXPECT_EQ(messages->hosted, (HostedCalls{15, 12, 0, 0, false}));
  const auto few =
      ask("anthropic.messages", with(R"("tools":[{"type":"web_search_20250305","name":"w","max_uses":1}])"));
  EXPECT_EQ(few->hosted.rounds, 10) << "calls that fail are answered by the model too";
  for (const std::string_view body :
       {R"({"tools":[{"googleSearch":{}}]})", R"({"tools":[{"google_search":{}}]})"})
    EXPECT_EQ(gemini(body)->hosted, (HostedCalls{2, 1, 0, 0, true})) << body;
}

TEST(HostedTools, AreCountedToABoundOnly) {
  const std::int64_t most = limits::kToolCalls;
  for (const std::int64_t calls : {most - 1, most, most + 1}) {
    const std::string number = std::to_string(calls);
    const auto responses = ask("openai.responses", responses_with(R"("tools":[{"type":"web_search"}],)"
                                                                  R"("max_tool_calls":)" +
                                                                  number));
    const auto messages =
        ask("anthropic.messages",
            with(R"("tools":[{"type":"web_search_20250305","name":"w","max_uses":)" + number + "}]"));
    EXPECT_EQ(responses->unbounded.empty(), calls <= most) << calls;
    EXPECT_EQ(messages->unbounded.empty(), calls <= most) << calls;
  }
}

TEST(HostedTools, WithoutABoundOrAKnownPriceOfTheirContainerAreUnbounded) {
  for (const std::string_view tool : {R"({"type":"code_interpreter","container":"cntr_1"})",
                                      R"({"type":"code_interpreter","container":{"type":"auto",)"
                                      R"("memory_limit":"16g"}})",
                                      R"({"type":"web_search_preview"})"})
    EXPECT_EQ(
        ask("openai.responses", responses_with(R"("max_tool_calls":1,"tools":[)" + std::string(tool) + "]"))
            ->unbounded.size(),
        1U)
        << tool;
  EXPECT_EQ(ask("anthropic.messages", with(R"("tools":[{"type":"web_search_20250305","name":"w"}])"))
                ->unbounded.size(),
            1U);
}

TEST(Unbounded, InputByUrlHasNoKnownSize) {
  EXPECT_EQ(ask("openai.chat", R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url",)"
                               R"("image_url":{"url":"https://x/y.png"}}]}]})")
                ->unbounded.size(),
            1u);
  EXPECT_EQ(ask("openai.responses", R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file",)"
                                    R"("file_url":"https://x/y.pdf"}]}]})")
                ->unbounded.size(),
            1u);
  EXPECT_EQ(ask("anthropic.messages", R"({"model":"m","messages":[{"role":"user","content":[{"type":"image",)"
                                      R"("source":{"type":"url","url":"https://x"}}]}]})")
                ->unbounded.size(),
            1u);
}

TEST(Ask, OfPlainRequestsIsBounded) {
  const auto chat =
      ask("openai.chat", with(R"("max_tokens":5,"max_completion_tokens":7,"n":3,"stream":true,)"
                              R"("stream_options":{"include_usage":true},"service_tier":"flex",)"
                              R"("tools":[{"type":"function","function":{"name":"image_url"}}])"));
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->model, "m");
  EXPECT_EQ(chat->max_output, 7);
  EXPECT_EQ(chat->choices, 3);
  EXPECT_TRUE(chat->stream);
  EXPECT_TRUE(chat->client_wants_usage);
  EXPECT_TRUE(chat->has_tools);
  EXPECT_TRUE(chat->unbounded.empty());
  EXPECT_FALSE(chat->hidden_input);
}

TEST(Ask, NullIsAsGoodAsAbsent) {
  const auto read =
      ask("openai.chat", with(R"("max_tokens":null,"n":null,"stream":null,"stream_options":null,)"
                              R"("tools":null,"service_tier":null,"web_search_options":null)"));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->max_output);
  EXPECT_TRUE(read->unbounded.empty());
}

TEST(Ask, CountsInlineImagesAndTheirBytes) {
  const auto chat =
      ask("openai.chat", R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url",)"
                         R"("image_url":{"url":"data:image/png;base64,AAAA"}}]}]})");
  ASSERT_TRUE(chat);
  EXPECT_EQ(chat->images, 1);
  EXPECT_EQ(chat->media_bytes, 28);
  const auto blob =
      gemini(R"({"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"AAAA"}}]}]})");
  ASSERT_TRUE(blob);
  EXPECT_EQ(blob->images, 1);
  EXPECT_EQ(blob->media_bytes, 6);
  const auto result =
      ask("anthropic.messages",
          R"({"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","content":[)"
          R"({"type":"image","source":{"type":"base64","data":"AAAA"}}]}]}]})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->images, 1);
}

TEST(Ask, KnowsInputThatBytesDoNotBound) {
  EXPECT_TRUE(ask("openai.chat",
                  R"({"model":"m","messages":[{"role":"user","content":[{"type":"input_audio",)"
                  R"("input_audio":{"data":"AA","format":"wav"}}]}]})")
                  ->audio_in);
  EXPECT_TRUE(ask("openai.responses",
                  R"({"model":"m","input":[{"role":"user","content":[{"type":"input_file",)"
                  R"("file_data":"data:application/pdf;base64,AA"}]}]})")
                  ->hidden_input);
  EXPECT_TRUE(ask("anthropic.messages",
                  R"({"model":"m","messages":[{"role":"user","content":[{"type":"document",)"
                  R"("source":{"type":"base64","data":"AA"}}]}]})")
                  ->hidden_input);
  EXPECT_TRUE(
      ask("anthropic.messages", with(R"("tools":[{"type":"bash_20250124","name":"bash"}])"))->hidden_input);
  EXPECT_TRUE(ask("openai.responses", responses_with(R"("tools":[{"type":"apply_patch"}])"))->hidden_input);
  EXPECT_TRUE(
      gemini(R"({"contents":{"parts":[{"inlineData":{"mimeType":"audio/wav","data":"AA"}}]}})")->audio_in);
}

TEST(Ask, FindsTheDearestCacheWriteAnywhere) {
  EXPECT_EQ(ask("anthropic.messages", with(R"("max_tokens":1)"))->cache_write, CacheWrite::none);
  EXPECT_EQ(ask("anthropic.messages", with(R"("cache_control":{"type":"ephemeral"})"))->cache_write,
            CacheWrite::five_minutes);
  EXPECT_EQ(
      ask("anthropic.messages",
          with(R"("system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],)"
               R"("tools":[{"name":"t","cache_control":{"type":"ephemeral"}}])"))
          ->cache_write,
      CacheWrite::one_hour);
}

TEST(Ask, OfClaudeCodeWithClearingEditsIsBounded) {
  const auto read = ask("anthropic.messages",
                        with(R"("context_management":{"edits":[{"type":"clear_thinking_20251015"}]})"));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->unbounded.empty());
}

TEST(Ask, KnowsGeographyAndZeroOutput) {
  const auto read = ask("anthropic.messages", with(R"("inference_geo":"us","max_tokens":0)"));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->us_geo);
  EXPECT_EQ(read->max_output, 0);
}

TEST(Ask, OfGeminiReadsBothSpellings) {
  const auto read = gemini(R"({"generation_config":{"max_output_tokens":9,"candidate_count":2,)"
                           R"("response_modalities":["IMAGE"]}})");
  ASSERT_TRUE(read) << told(read.error());
  EXPECT_EQ(read->model, "gemini-2.5-pro");
  EXPECT_EQ(read->max_output, 9);
  EXPECT_EQ(read->choices, 2);
  EXPECT_TRUE(read->image_out);
}

TEST(Ask, OfGeminiDecodesTheModelAndKnowsStreams) {
  const auto read = ask("gemini.stream", "{}", "/v1beta/models/gemini%2D2.5-pro:streamGenerateContent");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->model, "gemini-2.5-pro");
  EXPECT_TRUE(read->stream);
}

TEST(Ask, OfPredictionsCountsTheirBytesOnTop) {
  const auto read = ask("openai.chat", with(R"("prediction":{"type":"content","content":"abc"})"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->prediction_bytes, 34);
}

TEST(Ask, OfModelListsNeedsNoBody) {
  EXPECT_EQ(read_ask(route("openai.models"), "/v1/models", nullptr)->model, "");
  EXPECT_EQ(read_ask(route("openai.model"), "/v1/models/gpt-4o", nullptr)->model, "gpt-4o");
}

}  // namespace
}  // namespace claviger::provider
