// The providers' probes, and the answers that prove something.
#include "scan/probe.hpp"

#include <algorithm>
#include <array>

namespace claviger::scan {
namespace {

constexpr std::string_view kBearer = "Bearer ";

constexpr std::array<Probe, 12> kProbes{{
    {"openai", "https://api.openai.com", "GET", "/v1/models", "authorization", kBearer, {}, {}},
    {"anthropic",
     "https://api.anthropic.com",
     "GET",
     "/v1/models?limit=1",
     "x-api-key",
     {},
     "anthropic-version",
     "2023-06-01",
     "sk-ant-api"},
    {"google",
     "https://generativelanguage.googleapis.com",
     "GET",
     "/v1beta/models?pageSize=1",
     "x-goog-api-key",
     {},
     {},
     {},
     "AIza",
     "AQ."},
    {"groq", "https://api.groq.com/openai", "GET", "/v1/models", "authorization", kBearer, {}, {}},
    {"mistral", "https://api.mistral.ai", "GET", "/v1/models", "authorization", kBearer, {}, {}},
    {"openrouter", "https://openrouter.ai/api", "GET", "/v1/key", "authorization", kBearer, {}, {}},
    {"together", "https://api.together.ai", "GET", "/v1/whoami", "authorization", kBearer, {}, {}},
    {"cohere", "https://api.cohere.com", "POST", "/v1/check-api-key", "authorization", kBearer, {}, {}},
    {"deepseek", "https://api.deepseek.com", "GET", "/user/balance", "authorization", kBearer, {}, {}},
    {"xai", "https://api.x.ai", "GET", "/v1/api-key", "authorization", kBearer, {}, {}},
    {"huggingface", "https://huggingface.co", "GET", "/api/whoami-v2", "authorization", kBearer, {}, {}},
    {"pinecone",
     "https://api.pinecone.io",
     "GET",
     "/indexes",
     "api-key",
     {},
     "x-pinecone-api-version",
     "2026-07"},
}};

// What stands in the answer, whatever its spacing, and what that proves. The first row that fits counts.
struct Row {
  std::string_view provider;
  int status;
  std::string_view words;
  Verdict verdict;
};

constexpr std::array kRows = std::to_array<Row>({
    {"openai", 200, "\"object\":\"list\"", Verdict::valid},
    {"openai", 401, "missingscopes", Verdict::valid_scope_limited},
    {"openai", 401, "ipnotauthorized", Verdict::valid_ip_blocked},
    {"openai", 401, "\"invalid_api_key\"", Verdict::invalid},
    {"openai", 429, "insufficient_quota", Verdict::valid_no_quota},
    {"openai", 429, "rate_limit_exceeded", Verdict::valid_rate_limited},
    {"anthropic", 200, "\"data\":[", Verdict::valid},
    {"anthropic", 401, "\"authentication_error\"", Verdict::invalid},
    {"anthropic", 402, "\"billing_error\"", Verdict::valid_no_quota},
    {"anthropic", 403, "\"permission_error\"", Verdict::valid_scope_limited},
    {"anthropic", 429, "spend_limit_reached", Verdict::valid_no_quota},
    {"anthropic", 429, "\"rate_limit_error\"", Verdict::valid_rate_limited},
    {"google", 200, "\"models\":[", Verdict::valid},
    {"google", 400, "apikeyexpired", Verdict::expired},
    {"google", 400, "api_key_invalid", Verdict::invalid},
    {"google", 403, "api_key_ip_address_blocked", Verdict::valid_ip_blocked},
    {"google", 403, "api_key_service_blocked", Verdict::valid_scope_limited},
    {"google", 403, "api_key_http_referrer_blocked", Verdict::valid_scope_limited},
    {"google", 403, "reportedasleaked", Verdict::blocked_by_provider},
    {"google", 429, "resource_exhausted", Verdict::valid_rate_limited},
    {"groq", 200, "\"object\":\"list\"", Verdict::valid},
    {"groq", 400, "blocked_api_access", Verdict::valid_no_quota},
    {"groq", 401, "\"invalid_api_key\"", Verdict::invalid},
    {"mistral", 200, "\"object\":\"list\"", Verdict::valid},
    {"mistral", 401, "\"unauthorized\"", Verdict::invalid},
    {"openrouter", 200, "\"data\":{", Verdict::valid},
    {"openrouter", 401, "usernotfound", Verdict::invalid},
    {"openrouter", 402, "\"error\":{", Verdict::valid_no_quota},
    {"openrouter", 403, "keylimitexceeded", Verdict::valid_no_quota},
    {"together", 200, "\"project", Verdict::valid},
    {"together", 401, "invalidapikey", Verdict::invalid},
    {"together", 402, "\"error\"", Verdict::valid_no_quota},
    {"cohere", 200, "\"valid\":true", Verdict::valid},
    {"cohere", 200, "\"valid\":false", Verdict::invalid},
    {"deepseek", 200, "\"is_available\":true", Verdict::valid},
    {"deepseek", 200, "\"is_available\":false", Verdict::valid_no_quota},
    {"deepseek", 401, "\"authentication_error\"", Verdict::invalid},
    {"xai", 200, "\"api_key_blocked\":true", Verdict::blocked_by_provider},
    {"xai", 200, "\"team_blocked\":true", Verdict::blocked_by_provider},
    {"xai", 200, "\"api_key_disabled\":true", Verdict::invalid},
    {"xai", 200, "\"api_key_id\":", Verdict::valid},
    {"xai", 400, "incorrectapikey", Verdict::invalid},
    {"huggingface", 200, "\"accesstoken\":", Verdict::valid},
    {"huggingface", 401, "isexpired", Verdict::expired},
    {"huggingface", 401, "invalidcredentialsinauthorizationheader", Verdict::invalid},
    {"huggingface", 401, "invalidusernameorpassword", Verdict::invalid},
    {"pinecone", 200, "\"indexes\":", Verdict::valid},
    {"pinecone", 401, "\"unauthenticated\"", Verdict::invalid},
});

// Lower case, without blanks: how providers space their JSON changes.
std::string folded(std::string_view body) {
  std::string out;
  for (const char c : body) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  constexpr std::array<std::string_view, 9> kNames{
      "valid",   "valid_scope_limited", "valid_no_quota", "valid_ip_blocked", "valid_rate_limited", "invalid",
      "expired", "blocked_by_provider", "unknown"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::span<const Probe> probes() { return kProbes; }

const Probe* probe_of(std::string_view provider, std::string_view key) {
  const auto* const at = std::ranges::find(kProbes, provider, &Probe::provider);
  if (at == kProbes.end() || key.find_first_of("\r\n") != std::string_view::npos) return nullptr;
  if (key.starts_with("sk-admin-")) return nullptr;  // of an administrator: it has no models
  const auto begins = [&](std::string_view with) { return !with.empty() && key.starts_with(with); };
  const bool fits =
      at->first_beginning.empty() || begins(at->first_beginning) || begins(at->second_beginning);
  return fits ? &*at : nullptr;
}

Verdict judge_answer(std::string_view provider, int status, std::string_view body) {
  const std::string text = folded(body);
  for (const Row& row : kRows)
    if (row.provider == provider && row.status == status && text.contains(row.words)) return row.verdict;
  return Verdict::unknown;
}

}  // namespace claviger::scan
