// The table of errors that are about the credential.
#include "provider/verdict.hpp"

#include <algorithm>
#include <array>

namespace claviger::provider {
namespace {

struct Row {
  int status;
  std::string_view words;  // in the body, whatever the case
  Finding finding;
};

// The first row that fits counts. Sources are the providers' own error pages and captured answers.
constexpr std::array<Row, 29> kRows{{
    // The key is good, but not for this: nobody's fault but the request's.
    {401, "missing scopes", Finding::good},
    {401, "insufficient permissions", Finding::good},
    {400, "api_key_invalid", Finding::refused},             // Gemini
    {400, "api key not valid", Finding::refused},           // Gemini
    {400, "api key expired", Finding::refused},             // Gemini
    {400, "incorrect api key", Finding::refused},           // x-ai
    {400, "credit balance is too low", Finding::no_money},  // Anthropic, older form
    {400, "blocked_api_access", Finding::no_money},         // Groq
    {400, "organization_on_hold", Finding::refused},        // Anthropic
    {403, "key limit exceeded", Finding::no_money},         // OpenRouter
    {403, "unrecognizedclient", Finding::refused},          // Bedrock
    {403, "invalidsignature", Finding::refused},
    {403, "security token included", Finding::refused},
    {403, "api key is valid", Finding::refused},  // Bedrock's bearer keys
    {403, "expiredtoken", Finding::refused},
    {403, "api_key_service_blocked", Finding::refused},     // Gemini
    {403, "api_key_ip_address_blocked", Finding::refused},  // Gemini
    {403, "reported as leaked", Finding::refused},          // Gemini
    {403, "api_key_blocked", Finding::refused},             // x-ai
    {403, "team_blocked", Finding::refused},                // x-ai
    {403, "authenticationtypedisabled", Finding::refused},  // Azure
    {429, "insufficient_quota", Finding::no_money},         // OpenAI
    {429, "credit_balance_exhausted", Finding::no_money},
    {429, "usage_limit_exceeded", Finding::no_money},
    {429, "spend_limit_exceeded", Finding::no_money},
    {429, "enforced_spend_limit_reached", Finding::no_money},  // Anthropic
    {429, "contract_spend_limit_reached", Finding::no_money},
    {429, "exceeded your current quota", Finding::no_money},
    {498, "", Finding::refused},  // Cohere
}};

bool holds(std::string_view text, std::string_view words) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::search(text.begin(), text.end(), words.begin(), words.end(), same) != text.end();
}

}  // namespace

std::string_view finding_name(Finding finding) {
  constexpr std::array<std::string_view, 6> kNames{"good",    "refused", "no_money",
                                                   "limited", "fault",   "unreachable"};
  return kNames[static_cast<std::size_t>(finding)];
}

Finding verdict(int status, std::string_view body) {
  for (const Row& row : kRows)
    if (row.status == status && holds(body, row.words)) return row.finding;
  if (status == 401) return Finding::refused;
  if (status == 402) return Finding::no_money;
  if (status == 429) return Finding::limited;
  return status >= 500 ? Finding::fault : Finding::good;
}

}  // namespace claviger::provider
