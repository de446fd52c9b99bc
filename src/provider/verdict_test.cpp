// Tests of the verdicts: what each provider's error is about, as captured and documented.
#include "provider/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "provider/adapter.hpp"
#include "provider/provider.hpp"

namespace claviger::provider {
namespace {

TEST(Verdict, tells_a_dead_key_from_a_limited_one_and_from_the_requests_own_fault) {
  const struct {
    std::string_view provider;
    int status;
    std::string_view body;
    Finding finding;
  } rows[] = {
      {"openai", 401,
       R"({"error":{"message":"Incorrect API key provided: sk-ab***yz","code":"invalid_api_key"}})",
       Finding::refused},
      {"openai", 401,
       R"({"error":{"message":"You have insufficient permissions for this operation. Missing scopes: x"}})",
       Finding::good},
      {"openai", 401, "", Finding::refused},
      {"gemini", 400,
       R"({"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}})",
       Finding::refused},
      {"x-ai", 400,
       "Incorrect API key provided: xx***yy. You can obtain an API key from https://console.x.ai.",
       Finding::refused},
      {"openai", 400, R"({"error":{"message":"max_tokens is too large"}})", Finding::good},
      {"anthropic", 400,
       R"({"type":"error","error":{"message":"Your credit balance is too low to access the API"}})",
       Finding::no_money},
      {"groq", 400, R"({"error":{"code":"blocked_api_access"}})", Finding::no_money},
      {"deepseek", 402, R"({"error":{"message":"Insufficient Balance","code":"invalid_request_error"}})",
       Finding::no_money},
      {"openrouter", 403, R"({"error":{"message":"Key limit exceeded (total limit), ask"}})",
       Finding::no_money},
      {"bedrock", 403, R"({"Message":"Authentication failed: Please make sure your API Key is valid."})",
       Finding::refused},
      {"bedrock", 403,
       R"({"__type":"UnrecognizedClientException","message":"The security token included is invalid."})",
       Finding::refused},
      {"together", 403, R"({"error":{"message":"context length exceeded"}})", Finding::good},
      {"openai", 404, "", Finding::good},
      {"openai", 429, R"({"error":{"type":"insufficient_quota","code":"credit_balance_exhausted"}})",
       Finding::no_money},
      {"openai", 429, R"({"error":{"message":"Rate limit reached"}})", Finding::limited},
      {"cohere", 498, "invalid token", Finding::refused},
      {"openai", 500, "", Finding::fault},
      {"anthropic", 529, R"({"type":"error","error":{"type":"overloaded_error"}})", Finding::fault},
  };
  for (const auto& row : rows)
    EXPECT_EQ(verdict(row.provider, row.status, row.body), row.finding)
        << row.provider << row.status << row.body;
}

TEST(Verdict, an_error_of_the_request_itself_is_not_worth_another_credential) {
  EXPECT_FALSE(worth_another(verdict("openai", 400, "bad")));
  EXPECT_FALSE(worth_another(verdict("openai", 404, "")));
  EXPECT_TRUE(worth_another(verdict("openai", 401, "")));
  EXPECT_TRUE(worth_another(verdict("openai", 503, "")));
  EXPECT_EQ(finding_name(verdict("openai", 429, "")), "limited");
}

// The ways in which errors quote what a client has sent, with the words of every row in their place.
std::vector<std::string> echoes_of(const std::string& words) {
  return {
      R"({"error":{"message":"Invalid value: ')" + words + R"('.","type":"invalid_request_error",)" +
          R"("param":"messages[0].role","code":"invalid_value"}})",
      R"({"error":{"message":"bad","param":")" + words + R"(","failed_generation":")" + words + R"("}})",
      R"({"error":"'role': unknown variant `)" + words + R"(`","role":")" + words + R"("})",
      R"({"error":{"status":"INVALID_ARGUMENT","message":"Invalid value at 'contents' \")" + words +
          R"(\"","details":[{"fieldViolations":[{"description":")" + words + R"("}]}]}})",
      R"({"message":"1 validation error: )" + words + R"( is no role","value":{"code":")" + words + R"("}})",
      R"({"detail":[{"msg":"Input should be 'user'","input":")" + words + R"(","code":")" + words + R"("}]})",
      "'" + words + "' is not one of ['user']",
  };
}

TEST(Verdict, what_a_client_has_sent_benches_no_credential_however_the_error_quotes_it) {
  for (const std::string_view provider :
       {"openai", "anthropic", "gemini", "vertex", "azure_openai", "bedrock", "groq", "openrouter", "x-ai"})
    for (const std::string words : {"incorrect api key",
                                    "Incorrect API key provided: x",
                                    "Your credit balance is too low",
                                    "organization_on_hold",
                                    "claude_code_key_creator_not_member",
                                    "API key expired",
                                    "API_KEY_INVALID",
                                    "API key not valid",
                                    "API_KEY_IP_ADDRESS_BLOCKED",
                                    "Your API key was reported as leaked",
                                    "invalid_grant",
                                    "AuthenticationTypeDisabled",
                                    "Access denied due to Virtual Network/Firewall",
                                    "UnrecognizedClientException",
                                    "InvalidClientTokenId",
                                    "The security token included",
                                    "Please make sure your API Key is valid",
                                    "ExpiredTokenException",
                                    "InvalidSignatureException",
                                    "blocked_api_access",
                                    "Key limit exceeded",
                                    "team_blocked"})
      for (const std::string& body : echoes_of(words))
        for (const int status : {400, 403})
          EXPECT_EQ(verdict(provider, status, body), Finding::good) << provider << status << body;
}

TEST(Verdict, an_answer_to_the_request_itself_is_read_in_its_own_providers_words_only) {
  constexpr std::string_view kIncorrect = R"({"error":"Incorrect API key provided: xx***yy."})";
  EXPECT_EQ(verdict("x-ai", 400, kIncorrect), Finding::refused);
  EXPECT_EQ(verdict("openai", 400, kIncorrect), Finding::good);
  EXPECT_EQ(verdict("my-own", 400, kIncorrect), Finding::good);
  constexpr std::string_view kLeaked = R"({"error":{"message":"Your API key was reported as leaked."}})";
  EXPECT_EQ(verdict("gemini", 403, kLeaked), Finding::refused);
  EXPECT_EQ(verdict("anthropic", 403, kLeaked), Finding::good);
  constexpr std::string_view kHeld = R"({"error":{"details":{"error_code":"organization_on_hold"}}})";
  EXPECT_EQ(verdict("anthropic", 400, kHeld), Finding::refused);
  constexpr std::string_view kListed = R"([{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}])";
  EXPECT_EQ(verdict("gemini", 400, kListed), Finding::refused) << "a list, in answer to a stream";
  EXPECT_EQ(verdict("azure_openai", 403, "Access denied due to Virtual Network/Firewall rules."),
            Finding::refused);
  EXPECT_EQ(verdict("my-own", 429, R"({"error":{"code":"insufficient_quota"}})"), Finding::no_money);
}

TEST(Verdict, a_provider_without_words_of_its_own_speaks_those_of_its_dialect) {
  const auto row = [](std::string name, Dialect dialect) {
    Provider made;
    made.name = std::move(name);
    made.dialect = dialect;
    return made;
  };
  EXPECT_EQ(words_of(row("my-gemini", Dialect::gemini)), "gemini");
  EXPECT_EQ(words_of(row("vertex", Dialect::gemini)), "vertex");
  EXPECT_EQ(words_of(row("my-own", Dialect::openai)), "my-own");
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
  EXPECT_EQ(verdict("pinecone", 403, R"({"error":{"code":"FORBIDDEN"}})"), Finding::good);
  EXPECT_EQ(verdict("bedrock", 403, "InvalidSignatureException"), Finding::refused);
  EXPECT_EQ(verdict("cohere", 200, R"({"valid":false})"), Finding::good);
  EXPECT_TRUE(alive(Verdict::rate_limited));
  EXPECT_FALSE(alive(Verdict::invalid));
  EXPECT_FALSE(dead(Verdict::unknown));
}

}  // namespace
}  // namespace claviger::provider
