// Tests of names and of the error bodies that official SDKs parse.
#include "provider/dialect.hpp"

#include <gtest/gtest.h>

#include "wire/json.hpp"

namespace claviger::provider {
namespace {

Error budget_error() {
  return {Code::budget_exceeded, Origin::policy, "SECRET DETAIL", "The day's budget of team a is spent.", 0};
}

wire::Json scanned(std::string_view text) {
  wire::Json json;
  EXPECT_TRUE(wire::scan(text, json)) << text;
  return json;
}

TEST(Dialect, UnknownNamesAreNotParsed) {
  EXPECT_FALSE(parse_dialect("OpenAI"));
  EXPECT_FALSE(parse_endpoint("none"));
  EXPECT_FALSE(parse_endpoint(""));
}

TEST(Dialect, EveryNameIsReadBack) {
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic, Dialect::gemini})
    EXPECT_EQ(parse_dialect(dialect_name(dialect)), dialect);
  for (const Endpoint endpoint : {Endpoint::chat, Endpoint::responses, Endpoint::embeddings, Endpoint::models,
                                  Endpoint::messages, Endpoint::count_tokens, Endpoint::generate_content})
    EXPECT_EQ(parse_endpoint(endpoint_name(endpoint)), endpoint);
}

TEST(ErrorBody, NeverCarriesTheDetailForOperators) {
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic, Dialect::gemini}) {
    EXPECT_EQ(error_body(dialect, budget_error(), "r1").body.find("SECRET"), std::string::npos);
    EXPECT_EQ(stream_error(dialect, Endpoint::chat, budget_error(), "r1").find("SECRET"), std::string::npos);
  }
}

TEST(ErrorBody, OfOpenaiHasMessageTypeParamAndCode) {
  const std::string body = error_body(Dialect::openai, budget_error(), "r1").body;
  const wire::Json json = scanned(body);
  const auto error = json.root()["error"];
  EXPECT_EQ(error["message"].text(), "The day's budget of team a is spent.");
  EXPECT_EQ(error["type"].text(), "insufficient_quota");
  EXPECT_EQ(error["code"].text(), "budget_exceeded");
  EXPECT_TRUE(error["param"].is_null());
}

TEST(ErrorBody, OfOpenaiNamesTheModelParameter) {
  const std::string body =
      error_body(Dialect::openai, {Code::model_denied, Origin::policy, {}, {}, 0}, "r").body;
  EXPECT_EQ(scanned(body).root()["error"]["param"].text(), "model");
}

TEST(ErrorBody, OfAnthropicHasItsErrorTypes) {
  const struct {
    Code code;
    std::string_view type;
  } rows[] = {{Code::invalid_json, "invalid_request_error"}, {Code::unknown_key, "authentication_error"},
              {Code::model_denied, "permission_error"},      {Code::unknown_route, "not_found_error"},
              {Code::budget_exceeded, "rate_limit_error"},   {Code::internal, "api_error"},
              {Code::upstream_timeout, "timeout_error"},     {Code::overloaded, "overloaded_error"}};
  for (const auto& row : rows) {
    const std::string body =
        error_body(Dialect::anthropic, {row.code, Origin::client, {}, {}, 0}, "req_7").body;
    const wire::Json json = scanned(body);
    EXPECT_EQ(json.root()["type"].text(), "error");
    EXPECT_EQ(json.root()["error"]["type"].text(), row.type) << code_name(row.code);
    EXPECT_EQ(json.root()["request_id"].text(), "req_7");
  }
}

TEST(ErrorBody, OfGeminiHasStatusNamesAndTheHttpCode) {
  const struct {
    Code code;
    std::string_view status;
    std::int64_t http;
  } rows[] = {
      {Code::invalid_json, "INVALID_ARGUMENT", 400},  {Code::unknown_key, "UNAUTHENTICATED", 401},
      {Code::model_denied, "PERMISSION_DENIED", 403}, {Code::budget_exceeded, "RESOURCE_EXHAUSTED", 429},
      {Code::unknown_route, "NOT_FOUND", 404},        {Code::internal, "INTERNAL", 500},
      {Code::store_unavailable, "UNAVAILABLE", 503},  {Code::upstream_timeout, "DEADLINE_EXCEEDED", 504}};
  for (const auto& row : rows) {
    const std::string body = error_body(Dialect::gemini, {row.code, Origin::client, {}, {}, 0}, "req_7").body;
    const wire::Json json = scanned(body);
    EXPECT_EQ(json.root()["error"]["status"].text(), row.status);
    EXPECT_EQ(json.root()["error"]["code"].integer(), row.http);
    EXPECT_TRUE(json.root()["error"]["details"].is_array());
  }
}

TEST(StreamError, OfChatIsOneDataFrame) {
  const std::string frame = stream_error(Dialect::openai, Endpoint::chat, budget_error(), "r");
  EXPECT_TRUE(frame.starts_with("data: {\"error\":{"));
  EXPECT_TRUE(frame.ends_with("}\n\n"));
}

TEST(StreamError, OfResponsesIsAnErrorEventWithItsSequenceNumber) {
  const std::string frame = stream_error(Dialect::openai, Endpoint::responses, budget_error(), "r", 42);
  ASSERT_TRUE(frame.starts_with("event: error\ndata: "));
  const wire::Json json = scanned(std::string_view(frame).substr(19, frame.size() - 21));
  EXPECT_EQ(json.root()["type"].text(), "error");
  EXPECT_EQ(json.root()["code"].text(), "budget_exceeded");
  EXPECT_EQ(json.root()["sequence_number"].integer(), 42);
  EXPECT_TRUE(json.root()["param"].is_null());
}

TEST(StreamError, OfAnthropicIsAnErrorEvent) {
  const std::string frame = stream_error(Dialect::anthropic, Endpoint::messages, budget_error(), "r");
  EXPECT_TRUE(
      frame.starts_with("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\""));
}

TEST(StreamError, OfGeminiIsADataFrameWithTheExactPrefix) {
  const std::string frame = stream_error(Dialect::gemini, Endpoint::generate_content, budget_error(), "r");
  EXPECT_TRUE(frame.starts_with("data: {\"error\":{\"code\":429,"));
}

TEST(RequestId, HasEachProtocolsHeader) {
  EXPECT_EQ(request_id_header(Dialect::openai), "x-request-id");
  EXPECT_EQ(request_id_header(Dialect::anthropic), "request-id");
}

}  // namespace
}  // namespace claviger::provider
