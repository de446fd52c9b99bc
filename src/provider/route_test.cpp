// Tests of the route table: what is shut, what is open, and paths that must not be read in two ways.
#include "provider/route.hpp"

#include <gtest/gtest.h>

#include <set>

namespace claviger::provider {
namespace {

constexpr auto kAbsent = Speaker::any;
constexpr auto kPresent = Speaker::anthropic;

Code refused_with(std::string_view method, std::string_view path, Speaker version = kAbsent) {
  const RouteMatch found = match(method, path, version);
  EXPECT_FALSE(found.verdict) << method << " " << path;
  return found.verdict ? Code::internal : found.verdict.error().code;
}

std::string_view served_as(std::string_view method, std::string_view path, Speaker version = kAbsent) {
  const RouteMatch found = match(method, path, version);
  EXPECT_TRUE(found.verdict) << method << " " << path << ": " << told(found.verdict.error());
  return found.verdict ? found.route->id : "";
}

TEST(Route, PathsNotInNormalFormAreRefused) {
  for (const std::string_view path : {"",
                                      "v1/models",
                                      "//v1/models",
                                      "/v1//models",
                                      "/v1/./models",
                                      "/v1/files/../models",
                                      "/v1/models/..",
                                      "/v1/models/%2e%2e",
                                      "/v1/models/a%2Fb",
                                      "/v1/models/a%5cb",
                                      "/v1\\models",
                                      "/v1/models/%00",
                                      "/v1/models/%0a",
                                      "/v1/models/%7f",
                                      "/v1/models/%252e",
                                      "/v1/models/%zz",
                                      "/v1/models/%4",
                                      "/v1/models/a b",
                                      "/v1/models/\x80",
                                      "/v1/models?x",
                                      "/v1/models#x"})
    EXPECT_EQ(refused_with("GET", path), Code::malformed_request) << path;
}

TEST(Route, PathsThatNobodyKnowsAreUnknown) {
  for (const std::string_view path :
       {"/", "/v1", "/v2/chat/completions", "/v1/%63hat/completions", "/V1/models", "/v1/chat/completionsx",
        "/healthz", "/v1beta/models/x:frobnicate"})
    EXPECT_EQ(refused_with("POST", path), Code::unknown_route) << path;
}

TEST(Route, OtherMethodsAreRefusedAndTheRightOneIsNamed) {
  const RouteMatch found = match("PUT", "/v1/embeddings", kAbsent);
  ASSERT_FALSE(found.verdict);
  EXPECT_EQ(found.verdict.error().code, Code::unsupported_method);
  EXPECT_NE(told(found.verdict.error()).find("POST"), std::string_view::npos);
  EXPECT_EQ(refused_with("post", "/v1/chat/completions"), Code::unsupported_method);
}

TEST(Route, KnownButShutPathsAreRefusedEachWithItsSentence) {
  const struct {
    std::string_view path, word;
  } rows[] = {{"/v1/files", "Files"},
              {"/v1/files/file-1/content", "Files"},
              {"/v1/uploads/u/parts", "Uploads"},
              {"/v1/batches", "Batches"},
              {"/v1/fine_tuning/jobs", "Fine-tuning"},
              {"/v1/assistants", "Assistants"},
              {"/v1/threads/t/runs", "Threads"},
              {"/v1/vector_stores/v/files", "Vector stores"},
              {"/v1/containers", "Containers"},
              {"/v1/conversations/c", "Conversations"},
              {"/v1/realtime/client_secrets", "Realtime"},
              {"/v1/live/sessions", "Live"},
              {"/v1/videos", "Video"},
              {"/v1/skills", "Skills"},
              {"/v1/agents/sessions", "agents"},
              {"/v1/decisions", "Decisions"},
              {"/v1/evals", "Evals"},
              {"/v1/images/others", "Of images"},
              {"/v1/audio/voices", "Voices"},
              {"/v1/audio/others", "Of audio"},
              {"/v1beta/agents/a", "Hosted agents"},
              {"/v1beta/webhooks/w:rotateSigningSecret", "Webhooks"},
              {"/v1beta/files:register", "Files"},
              {"/v1/organization/admin_api_keys", "organization"},
              {"/v1/organization", "organization"},
              {"/v1/projects/p/api_keys", "projects"},
              {"/v1/responses/resp_1/input_items", "input items"},
              {"/v1/responses/resp_1/cancel", "Background"},
              {"/v1/responses/compact", "Compacting"},
              {"/v1/responses/resp_1", "Stored responses"},
              {"/v1beta/files/f", "Files"},
              {"/upload/v1beta/files", "Uploads"},
              {"/v1beta/cachedContents", "Cached contents"},
              {"/v1beta/tunedModels/t:generateContent", "Tuned"},
              {"/v1beta/operations/o", "operations"},
              {"/v1beta/models/gemini-2.5-pro:batchGenerateContent", "Batches"},
              {"/v1beta/models/veo-3:predictLongRunning", "Video"},
              {"/v1/messages/batches", "Message batches"},
              {"/v1/messages/batches/b/results", "Message batches"},
              {"/v1/organizations/api_keys", "organization"}};
  for (const auto& row : rows)
    for (const std::string_view method : {"GET", "POST", "DELETE"}) {
      const RouteMatch found = match(method, row.path, kAbsent);
      ASSERT_FALSE(found.verdict) << row.path;
      EXPECT_EQ(found.verdict.error().code, Code::route_refused) << method << " " << row.path;
      EXPECT_NE(told(found.verdict.error()).find(row.word), std::string_view::npos) << row.path;
    }
}

TEST(Route, AdministrationIsShutForAnthropicCallersToo) {
  EXPECT_EQ(refused_with("GET", "/v1/organization/costs", kPresent), Code::route_refused);
  EXPECT_EQ(refused_with("GET", "/v1/organizations/users", kPresent), Code::route_refused);
}

TEST(Route, PicturesSoundModerationsAndOldCompletionsAreServed) {
  EXPECT_EQ(served_as("POST", "/v1/images/generations"), "openai.images.generations");
  EXPECT_EQ(served_as("POST", "/v1/images/edits"), "openai.images.edits");
  EXPECT_EQ(served_as("POST", "/v1/images/variations"), "openai.images.variations");
  EXPECT_EQ(served_as("POST", "/v1/audio/transcriptions"), "openai.audio.transcriptions");
  EXPECT_EQ(served_as("POST", "/v1/audio/translations"), "openai.audio.translations");
  EXPECT_EQ(served_as("POST", "/v1/audio/speech"), "openai.audio.speech");
  EXPECT_EQ(served_as("POST", "/v1/moderations"), "openai.moderations");
  EXPECT_EQ(served_as("POST", "/v1/completions"), "openai.completions");
  EXPECT_EQ(served_as("POST", "/v1beta/models/imagen-4.0-generate-001:predict"), "gemini.predict");
}

TEST(Route, EveryMeterHasANameAndASentence) {
  std::set<std::string_view> names;
  for (const Meter meter :
       {Meter::free, Meter::usage, Meter::bound, Meter::images, Meter::seconds, Meter::characters}) {
    EXPECT_TRUE(names.insert(meter_name(meter)).second);
    EXPECT_TRUE(meter_sentence(meter).ends_with('.'));
  }
}

TEST(Route, AWebSocketToResponsesIsRefused) {
  EXPECT_EQ(refused_with("GET", "/v1/responses"), Code::route_refused);
}

TEST(Route, EveryRefusedRowHasAReasonAndEveryServedRowAnEndpoint) {
  std::set<std::string_view> ids;
  for (const Route& row : routes()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_EQ(row.why_refused.empty(), row.served) << row.id;
    EXPECT_EQ(row.endpoint == Endpoint::none, !row.served) << row.id;
    EXPECT_TRUE(row.served || row.why_refused.ends_with('.')) << row.id;
  }
}

TEST(Route, TheServedPathsAreOpen) {
  EXPECT_EQ(served_as("POST", "/v1/chat/completions"), "openai.chat");
  EXPECT_EQ(served_as("POST", "/v1/responses"), "openai.responses");
  EXPECT_EQ(served_as("POST", "/v1/responses/input_tokens"), "openai.responses.input_tokens");
  EXPECT_EQ(served_as("POST", "/v1/embeddings"), "openai.embeddings");
  EXPECT_EQ(served_as("POST", "/v1/messages"), "anthropic.messages");
  EXPECT_EQ(served_as("POST", "/v1/messages/count_tokens", kPresent), "anthropic.count_tokens");
  EXPECT_EQ(served_as("GET", "/v1beta/models"), "gemini.models");
}

TEST(Route, ModelsBelongToTheProtocolThatAsks) {
  EXPECT_EQ(served_as("GET", "/v1/models"), "openai.models");
  EXPECT_EQ(served_as("GET", "/v1/models", kPresent), "anthropic.models");
  EXPECT_EQ(served_as("GET", "/v1/models/gpt-4o"), "openai.model");
  EXPECT_EQ(served_as("GET", "/v1/models/claude-opus-5", kPresent), "anthropic.model");
  EXPECT_EQ(served_as("POST", "/v1/chat/completions", kPresent), "openai.chat");
}

TEST(Route, GeminiNamesTheModelInThePath) {
  for (const std::string_view version : {"/v1beta", "/v1"}) {
    const std::string path = std::string(version) + "/models/gemini-2.5-pro:streamGenerateContent";
    const RouteMatch found = match("POST", path, kAbsent);
    ASSERT_TRUE(found.verdict);
    EXPECT_EQ(found.model, "gemini-2.5-pro");
    EXPECT_TRUE(found.route->streams);
    EXPECT_EQ(found.route->dialect, Dialect::gemini);
  }
  EXPECT_EQ(match("POST", "/v1beta/models/gemini-embedding-001:embedContent", kAbsent).route->meter,
            Meter::bound);
  EXPECT_EQ(refused_with("POST", "/v1beta/models/:generateContent"), Code::unknown_route);
}

TEST(Route, TheDialectOfAnErrorIsKnownWithoutARoute) {
  EXPECT_EQ(match("POST", "/v1/nothing", kAbsent).dialect, Dialect::openai);
  EXPECT_EQ(match("POST", "/v1/nothing", kPresent).dialect, Dialect::anthropic);
  EXPECT_EQ(match("POST", "/v1beta/nothing", kAbsent).dialect, Dialect::gemini);
  EXPECT_EQ(match("POST", "/v1/messages/x/y", kAbsent).dialect, Dialect::anthropic);
}

const Route& route_of(std::string_view id) {
  for (const Route& row : routes())
    if (row.id == id) return row;
  return routes().front();
}

TEST(Query, TwoKeysAreRefused) {
  EXPECT_EQ(query_key("key=a&key=a").error().code, Code::conflicting_keys);
  EXPECT_EQ(query_key("key=a&%6bey=b").error().code, Code::conflicting_keys);
  EXPECT_EQ(query_key("key=%zz").error().code, Code::malformed_request);
}

TEST(Query, TheKeyIsFoundDecoded) {
  EXPECT_EQ(query_key("alt=sse&key=clv%5Fabc"), "clv_abc");
  EXPECT_EQ(query_key("monkey=1"), "");
  EXPECT_EQ(query_key(""), "");
}

TEST(Query, NoCredentialGoesUpstream) {
  EXPECT_EQ(upstream_query(route_of("gemini.generate"), "key=clv_1&prettyPrint=true&%6bey=x&access_token=y"),
            "prettyPrint=true");
  EXPECT_EQ(upstream_query(route_of("anthropic.messages"), "beta=true&key=x"), "beta=true");
}

TEST(Query, GeminiStreamsThatCannotBeMeteredAreRefused) {
  const Route& stream = route_of("gemini.stream");
  for (const std::string_view query : {"", "alt=json", "alt=sse&alt=json", "alt=sse&$alt=json",
                                       "alt=sse&fields=x", "alt=sse&$fields=x", "alt=sse&%66ields=x"})
    EXPECT_EQ(upstream_query(stream, query).error().code, Code::invalid_parameter) << query;
  EXPECT_EQ(upstream_query(stream, "alt=sse&key=k"), "alt=sse");
}

TEST(Query, GeminiAnswersInOtherFormsAreRefused) {
  EXPECT_FALSE(upstream_query(route_of("gemini.generate"), "alt=proto"));
  EXPECT_FALSE(upstream_query(route_of("gemini.generate"), "alt=sse"));
  EXPECT_TRUE(upstream_query(route_of("gemini.generate"), "alt=json"));
}

TEST(PercentDecoding, IsStrict) {
  EXPECT_FALSE(percent_decode("%"));
  EXPECT_FALSE(percent_decode("a%2"));
  EXPECT_FALSE(percent_decode("%g0"));
  EXPECT_EQ(percent_decode("a%20b+c"), "a b+c");
}

}  // namespace
}  // namespace claviger::provider
