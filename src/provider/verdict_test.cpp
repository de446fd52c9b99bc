// Tests of the verdicts: what each provider's error is about, as captured and documented.
#include "provider/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "provider/adapter.hpp"

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

TEST(Verdict, an_answer_that_proves_nothing_is_unknown_whatever_its_status) {
  for (const Adapter& adapter : builtin_adapters())
    for (const int status : {200, 301, 400, 401, 402, 403, 404, 429, 500, 503})
      for (const auto* body : {"", "{}", "<html>Access denied (error 1020)</html>", "null", "[]"})
        EXPECT_FALSE(dead(classify(adapter.provider, status, body))) << adapter.provider << status << body;
  EXPECT_EQ(classify("openai", 401, ""), Verdict::unknown);
  EXPECT_EQ(classify("openai", 200, "{}"), Verdict::unknown);
  EXPECT_EQ(classify("stability", 200, R"({"object":"list"})"), Verdict::unknown);
}

TEST(Verdict, every_provider_that_is_probed_has_an_answer_that_means_valid_and_one_that_means_dead) {
  const struct {
    std::string_view provider;
    int good;
    std::string_view valid;
    int bad;
    std::string_view invalid;
  } rows[] = {
      {"openai", 200, R"({"object": "list", "data": []})", 401, R"({"error":{"code":"invalid_api_key"}})"},
      {"anthropic", 200, R"({"data": []})", 401, R"({"error":{"type":"authentication_error"}})"},
      {"google", 200, R"({"models": []})", 400, R"({"error":{"details":[{"reason":"API_KEY_INVALID"}]}})"},
      {"vertex", 200, R"({"email": "a@b"})", 400, R"({"error":"invalid_grant"})"},
      {"azure", 200, R"({"data": []})", 401, "Access denied due to invalid subscription key or wrong"},
      {"bedrock", 200, R"({"modelSummaries": []})", 403, "Please make sure your API Key is valid."},
      {"groq", 200, R"({"object":"list"})", 401, R"({"error":{"code":"invalid_api_key"}})"},
      {"mistral", 200, R"({"object":"list"})", 401, R"({"detail":"Unauthorized"})"},
      {"openrouter", 200, R"({"data":{"label":"x"}})", 401, R"({"error":{"message":"User not found."}})"},
      {"together", 200, R"({"project_id":"x"})", 401, R"({"error":{"message":"Invalid API key"}})"},
      {"cohere", 200, R"({"valid": true})", 200, R"({"valid": false})"},
      {"deepseek", 200, R"({"is_available": true})", 401, R"({"error":{"type":"authentication_error"}})"},
      {"xai", 200, R"({"api_key_id": "1"})", 400, R"({"error":"Incorrect API key provided: xx***yy."})"},
      {"huggingface", 200, R"({"auth":{"accessToken":{}}})", 401,
       "Invalid credentials in Authorization header"},
      {"pinecone", 200, R"({"indexes": []})", 401, R"({"error":{"code":"UNAUTHENTICATED"}})"},
      {"fireworks", 200, R"({"object":"list"})", 401, R"({"code":16,"message":"unauthenticated"})"},
      {"cloudflare", 200, R"({"result":{"status":"active"}})", 401, R"({"errors":[{"code":1000}]})"},
      {"vllm", 200, R"({"object":"list"})", 401, R"({"error":"Unauthorized"})"},
      {"llamacpp", 200, R"({"default_generation_settings":{}})", 401,
       R"({"error":{"message":"Invalid API Key"}})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(classify(row.provider, row.good, row.valid), Verdict::valid) << row.provider;
    EXPECT_EQ(classify(row.provider, row.bad, row.invalid), Verdict::invalid) << row.provider;
  }
  for (const Adapter& adapter : builtin_adapters())
    if (adapter.offers(Operation::probe))
      EXPECT_TRUE(std::ranges::any_of(rows, [&](const auto& row) {
        return find_adapter(row.provider)->provider == adapter.provider;
      })) << adapter.provider;
}

TEST(Verdict, what_looks_like_a_dead_key_and_is_none_is_told_apart) {
  const struct {
    std::string_view provider;
    int status;
    std::string_view body;
    Verdict verdict;
  } rows[] = {
      {"openai", 401, R"({"error":{"message":"Missing scopes: api.model.read","code":null}})",
       Verdict::scope_limited},
      {"openai", 401, "IP not authorized", Verdict::ip_blocked},
      {"openai", 403, R"({"error":{"code":"unsupported_country_region_territory"}})", Verdict::unknown},
      {"openai", 429, R"({"error":{"code":"project_spend_limit_exceeded"}})", Verdict::no_quota},
      {"openai", 429, R"({"error":{"code":"rate_limit_exceeded"}})", Verdict::rate_limited},
      {"anthropic", 400, "Your credit balance is too low to access the Anthropic API", Verdict::no_quota},
      {"anthropic", 402, R"({"error":{"type":"billing_error"}})", Verdict::no_quota},
      {"anthropic", 403, R"({"error":{"type":"permission_error"}})", Verdict::scope_limited},
      {"anthropic", 400, "organization_on_hold", Verdict::provider_blocked},
      {"gemini", 400, R"({"error":{"message":"API key expired. Renew it."}})", Verdict::expired},
      {"gemini", 403, "API_KEY_IP_ADDRESS_BLOCKED", Verdict::ip_blocked},
      {"gemini", 403, "API_KEY_SERVICE_BLOCKED", Verdict::scope_limited},
      {"gemini", 403, "Your API key was reported as leaked.", Verdict::provider_blocked},
      {"bedrock", 403, R"({"__type":"AccessDeniedException"})", Verdict::scope_limited},
      {"bedrock", 403, R"({"__type":"InvalidSignatureException"})", Verdict::unknown},
      {"groq", 400, R"({"error":{"code":"blocked_api_access"}})", Verdict::no_quota},
      {"together", 403, "context too long", Verdict::unknown},
      {"together", 402, R"({"error":{}})", Verdict::no_quota},
      {"openrouter", 403, "Key limit exceeded (total limit)", Verdict::no_quota},
      {"deepseek", 200, R"({"is_available": false})", Verdict::no_quota},
      {"x-ai", 200, R"({"api_key_id":"1","api_key_blocked":true})", Verdict::provider_blocked},
      {"huggingface", 401, R"(User Access Token "x" is expired)", Verdict::expired},
      {"pinecone", 403, R"({"error":{"code":"FORBIDDEN"}})", Verdict::scope_limited},
  };
  for (const auto& row : rows)
    EXPECT_EQ(classify(row.provider, row.status, row.body), row.verdict) << row.provider << row.body;
}

TEST(Verdict, the_same_words_from_another_provider_prove_nothing) {
  EXPECT_EQ(classify("anthropic", 400, R"({"error":{"code":"blocked_api_access"}})"), Verdict::unknown);
  EXPECT_EQ(classify("cohere", 200, R"({"object":"list"})"), Verdict::unknown);
}

TEST(Verdict, words_that_are_a_probes_alone_do_not_judge_traffic) {
  EXPECT_EQ(verdict(403, R"({"error":{"code":"FORBIDDEN"}})"), Finding::good);
  EXPECT_EQ(verdict(403, "InvalidSignatureException"), Finding::refused);
  EXPECT_EQ(verdict(200, R"({"valid":false})"), Finding::good);
  EXPECT_TRUE(alive(Verdict::rate_limited));
  EXPECT_FALSE(alive(Verdict::invalid));
  EXPECT_FALSE(dead(Verdict::unknown));
}

}  // namespace
}  // namespace claviger::provider
