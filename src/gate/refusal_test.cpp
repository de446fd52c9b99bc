// Tests of refusals as HTTP answers: headers that keep SDKs from hammering, and each dialect's body.
#include "gate/refusal.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

using provider::Dialect;

// A refusal read back as a client would.
struct ReadBack {
  ReadBack(const Error& error, Dialect dialect = Dialect::openai,
           AfterRefusal after = AfterRefusal::keep_alive)
      : bytes(refusal_response(error, dialect, "req_1", after)) {
    const auto size = wire::parse_response_head(bytes, "POST", head);
    EXPECT_TRUE(size && *size > 0) << bytes;
    EXPECT_EQ(head.content_length, bytes.size() - *size);
    body = Json::parse(bytes.substr(*size));
  }
  std::string header(std::string_view name) const { return std::string(head.headers.find(name)); }
  bool has(std::string_view name) const { return head.headers.has(name); }
  std::string bytes;
  wire::ResponseHead head;
  Json body;
};

Error error_of(Code code, std::int64_t retry_after_ms = 0) {
  return {code, Origin::policy, "for operators only", "Said to the client.", retry_after_ms};
}

TEST(RefusalTest, what_never_clears_says_do_not_retry_and_names_no_time) {
  const ReadBack answer(error_of(Code::unknown_key));
  EXPECT_EQ(answer.head.status, 401);
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_FALSE(answer.has("retry-after"));
  EXPECT_FALSE(answer.has("retry-after-ms"));
}

TEST(RefusalTest, a_spent_budget_says_do_not_retry_however_soon_its_window_ends) {
  const ReadBack answer(error_of(Code::budget_exceeded, 1'000));
  EXPECT_EQ(answer.head.status, 429);
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_FALSE(answer.has("retry-after-ms"));
}

TEST(RefusalTest, what_clears_within_seconds_says_when) {
  const ReadBack answer(error_of(Code::rate_limit_exceeded, 1'200));
  EXPECT_FALSE(answer.has("x-should-retry"));
  EXPECT_EQ(answer.header("retry-after-ms"), "1200");
  EXPECT_EQ(answer.header("retry-after"), "2");
}

TEST(RefusalTest, a_wait_that_is_not_known_is_the_shortest) {
  const ReadBack answer(error_of(Code::concurrency_exceeded));
  EXPECT_EQ(answer.header("retry-after-ms"), "50");
  EXPECT_EQ(answer.header("retry-after"), "1");
}

TEST(RefusalTest, a_longer_wait_is_told_but_not_to_be_slept_through) {
  const ReadBack answer(error_of(Code::token_limit_exceeded, 30'000));
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_EQ(answer.header("retry-after-ms"), "30000");
  EXPECT_EQ(answer.header("retry-after"), "30");
}

TEST(RefusalTest, a_wait_of_more_than_a_minute_is_not_told) {
  const ReadBack answer(error_of(Code::rate_limit_exceeded, 60'001));
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_FALSE(answer.has("retry-after"));
}

TEST(RefusalTest, what_the_client_may_repeat_says_nothing_about_retries) {
  const ReadBack answer(error_of(Code::upstream_failed));
  EXPECT_EQ(answer.head.status, 502);
  EXPECT_FALSE(answer.has("x-should-retry"));
  EXPECT_FALSE(answer.has("retry-after"));
}

TEST(RefusalTest, the_connection_is_closed_only_where_its_framing_is_lost) {
  EXPECT_EQ(
      ReadBack(error_of(Code::malformed_request), Dialect::openai, AfterRefusal::close).header("connection"),
      "close");
  EXPECT_FALSE(ReadBack(error_of(Code::unknown_key)).has("connection"));
}

TEST(RefusalTest, each_dialect_has_its_own_body_and_request_id) {
  const ReadBack openai(error_of(Code::model_denied), Dialect::openai);
  EXPECT_EQ(openai.body["error"]["code"], "model_denied");
  EXPECT_EQ(openai.body["error"]["message"], "Said to the client.");
  EXPECT_EQ(openai.header("x-request-id"), "req_1");
  const ReadBack anthropic(error_of(Code::model_denied), Dialect::anthropic);
  EXPECT_EQ(anthropic.body["error"]["type"], "permission_error");
  EXPECT_EQ(anthropic.header("request-id"), "req_1");
  const ReadBack gemini(error_of(Code::model_denied), Dialect::gemini);
  EXPECT_EQ(gemini.body["error"]["status"], "PERMISSION_DENIED");
  EXPECT_EQ(gemini.header("x-request-id"), "req_1");
}

TEST(RefusalTest, no_refusal_is_cached_and_none_shows_what_is_for_operators) {
  for (int i = 0; i < kCodeCount; ++i)
    for (const Dialect dialect : {Dialect::openai, Dialect::anthropic, Dialect::gemini}) {
      const ReadBack answer(error_of(static_cast<Code>(i)), dialect);
      EXPECT_EQ(answer.head.status, http_status(static_cast<Code>(i)));
      EXPECT_EQ(answer.header("cache-control"), "no-store");
      EXPECT_THAT(answer.bytes, testing::Not(testing::HasSubstr("for operators only")));
    }
}

}  // namespace
}  // namespace claviger::gate
