// Tests of the verdicts: what each provider's error is about, as captured and documented.
#include "provider/verdict.hpp"

#include <gtest/gtest.h>

namespace claviger::provider {
namespace {

TEST(Verdict, tells_a_dead_key_from_a_limited_one_and_from_the_requests_own_fault) {
  const struct {
    int status;
    std::string_view body;
    Finding finding;
  } rows[] = {
      {401, R"({"error":{"message":"Incorrect API key provided: sk-ab***yz","code":"invalid_api_key"}})",
       Finding::refused},
      {401,
       R"({"error":{"message":"You have insufficient permissions for this operation. Missing scopes: x"}})",
       Finding::good},
      {401, "", Finding::refused},
      {400, R"({"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}})",
       Finding::refused},
      {400, "Incorrect API key provided: xx***yy. You can obtain an API key from https://console.x.ai.",
       Finding::refused},
      {400, R"({"error":{"message":"max_tokens is too large"}})", Finding::good},
      {400, R"({"type":"error","error":{"message":"Your credit balance is too low to access the API"}})",
       Finding::no_money},
      {400, R"({"error":{"code":"blocked_api_access"}})", Finding::no_money},
      {402, R"({"error":{"message":"Insufficient Balance","code":"invalid_request_error"}})",
       Finding::no_money},
      {403, R"({"error":{"message":"Key limit exceeded (total limit), ask"}})", Finding::no_money},
      {403, R"({"Message":"Authentication failed: Please make sure your API Key is valid."})",
       Finding::refused},
      {403, R"({"__type":"UnrecognizedClientException","message":"The security token included is invalid."})",
       Finding::refused},
      {403, R"({"error":{"message":"context length exceeded"}})", Finding::good},
      {404, "", Finding::good},
      {429, R"({"error":{"type":"insufficient_quota","code":"credit_balance_exhausted"}})",
       Finding::no_money},
      {429, R"({"error":{"message":"Rate limit reached"}})", Finding::limited},
      {498, "invalid token", Finding::refused},
      {500, "", Finding::fault},
      {529, R"({"type":"error","error":{"type":"overloaded_error"}})", Finding::fault},
  };
  for (const auto& row : rows)
    EXPECT_EQ(verdict(row.status, row.body), row.finding) << row.status << row.body;
}

TEST(Verdict, an_error_of_the_request_itself_is_not_worth_another_credential) {
  EXPECT_FALSE(worth_another(verdict(400, "bad")));
  EXPECT_FALSE(worth_another(verdict(404, "")));
  EXPECT_TRUE(worth_another(verdict(401, "")));
  EXPECT_TRUE(worth_another(verdict(503, "")));
  EXPECT_EQ(finding_name(verdict(429, "")), "limited");
}

}  // namespace
}  // namespace claviger::provider
