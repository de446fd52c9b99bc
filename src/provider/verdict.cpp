// The table of answers that prove something about a key.
#include "provider/verdict.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <vector>

#include "provider/provider.hpp"
#include "wire/json.hpp"

namespace claviger::provider {
namespace {

// Who hears a row: the words of some are a probe's alone, because elsewhere they may mean anything.
enum class Heard : std::uint8_t { by_all, by_probes };

// What stands in the answer, in lower case and without blanks, and what that proves. The first row that fits
// counts. Sources are the providers' own pages, SDKs and captured answers.
struct Row {
  std::string_view provider;
  int status;
  std::string_view words;
  Verdict verdict;
  Heard heard = Heard::by_all;
};

constexpr auto kProbes = Heard::by_probes;
constexpr std::array kRows = std::to_array<Row>({
    {"openai", 200, "\"object\":\"list\"", Verdict::valid},
    {"openai", 401, "missingscopes", Verdict::scope_limited},
    {"openai", 401, "insufficientpermissions", Verdict::scope_limited},
    {"openai", 401, "ipnotauthorized", Verdict::ip_blocked},
    {"openai", 401, "\"invalid_api_key\"", Verdict::invalid},
    {"openai", 401, "memberofanorganization", Verdict::invalid},
    {"openai", 429, "insufficient_quota", Verdict::no_quota},
    {"openai", 429, "credit_balance_exhausted", Verdict::no_quota},
    {"openai", 429, "usage_limit_exceeded", Verdict::no_quota},
    {"openai", 429, "spend_limit_exceeded", Verdict::no_quota},
    {"openai", 429, "exceededyourcurrentquota", Verdict::no_quota},
    {"openai", 429, "rate_limit_exceeded", Verdict::rate_limited},
    {"anthropic", 200, "\"data\":[", Verdict::valid},
    {"anthropic", 400, "creditbalanceistoolow", Verdict::no_quota},  // the older form
    {"anthropic", 400, "organization_on_hold", Verdict::provider_blocked},
    {"anthropic", 400, "claude_code_key_creator_not_member", Verdict::invalid},
    {"anthropic", 401, "\"authentication_error\"", Verdict::invalid},
    {"anthropic", 402, "\"billing_error\"", Verdict::no_quota},
    {"anthropic", 403, "\"permission_error\"", Verdict::scope_limited},
    {"anthropic", 429, "spend_limit_reached", Verdict::no_quota},
    {"anthropic", 429, "\"rate_limit_error\"", Verdict::rate_limited},
    {"gemini", 200, "\"models\":[", Verdict::valid},
    {"gemini", 400, "apikeyexpired", Verdict::expired},
    {"gemini", 400, "api_key_invalid", Verdict::invalid},
    {"gemini", 400, "apikeynotvalid", Verdict::invalid},
    {"gemini", 403, "api_key_ip_address_blocked", Verdict::ip_blocked},
    {"gemini", 403, "api_key_service_blocked", Verdict::scope_limited},
    {"gemini", 403, "api_key_http_referrer_blocked", Verdict::scope_limited},
    {"gemini", 403, "reportedasleaked", Verdict::provider_blocked},
    {"gemini", 429, "resource_exhausted", Verdict::rate_limited},
    {"vertex", 200, "\"email\":", Verdict::valid},
    {"vertex", 400, "\"invalid_grant\"", Verdict::invalid},
    {"vertex", 403, "permission_denied", Verdict::scope_limited, kProbes},
    {"azure_openai", 200, "\"data\":[", Verdict::valid},
    {"azure_openai", 401, "invalidsubscriptionkey", Verdict::invalid},
    {"azure_openai", 403, "authenticationtypedisabled", Verdict::provider_blocked},
    {"azure_openai", 403, "virtualnetwork/firewall", Verdict::ip_blocked},
    {"bedrock", 200, "\"modelsummaries\":", Verdict::valid},
    {"bedrock", 200, "<listaccesskeysresult>", Verdict::valid},
    {"bedrock", 403, "accessdenied", Verdict::scope_limited, kProbes},
    {"bedrock", 403, "unrecognizedclient", Verdict::invalid},
    {"bedrock", 403, "invalidclienttokenid", Verdict::invalid},
    {"bedrock", 403, "securitytokenincluded", Verdict::invalid},
    {"bedrock", 403, "apikeyisvalid", Verdict::invalid},  // "Please make sure your API Key is valid."
    {"bedrock", 403, "expiredtoken", Verdict::expired},
    {"bedrock", 403, "invalidsignature", Verdict::unknown},  // a wrong secret, or a wrong clock
    {"bedrock", 403, "signaturedoesnotmatch", Verdict::unknown},
    {"bedrock", 429, "throttling", Verdict::rate_limited},
    {"groq", 200, "\"object\":\"list\"", Verdict::valid},
    {"groq", 400, "blocked_api_access", Verdict::no_quota},
    {"groq", 401, "\"invalid_api_key\"", Verdict::invalid},
    {"mistral", 200, "\"object\":\"list\"", Verdict::valid},
    {"mistral", 401, "\"unauthorized\"", Verdict::invalid},
    {"openrouter", 200, "\"data\":{", Verdict::valid},
    {"openrouter", 401, "usernotfound", Verdict::invalid},
    {"openrouter", 402, "\"error\":{", Verdict::no_quota},
    {"openrouter", 403, "keylimitexceeded", Verdict::no_quota},
    {"together", 200, "\"project", Verdict::valid},
    {"together", 401, "invalidapikey", Verdict::invalid},
    {"together", 402, "\"error\"", Verdict::no_quota},
    {"cohere", 200, "\"valid\":true", Verdict::valid},
    {"cohere", 200, "\"valid\":false", Verdict::invalid},
    {"cohere", 401, "invalidapitoken", Verdict::invalid},
    {"cohere", 498, "", Verdict::invalid},
    {"deepseek", 200, "\"is_available\":true", Verdict::valid},
    {"deepseek", 200, "\"is_available\":false", Verdict::no_quota},
    {"deepseek", 401, "\"authentication_error\"", Verdict::invalid},
    {"x-ai", 200, "\"api_key_blocked\":true", Verdict::provider_blocked},
    {"x-ai", 200, "\"team_blocked\":true", Verdict::provider_blocked},
    {"x-ai", 200, "\"api_key_disabled\":true", Verdict::invalid},
    {"x-ai", 200, "\"api_key_id\":", Verdict::valid},
    {"x-ai", 400, "incorrectapikey", Verdict::invalid},
    {"x-ai", 401, "incorrectapikey", Verdict::invalid},
    {"x-ai", 403, "api_key_blocked", Verdict::provider_blocked},
    {"x-ai", 403, "team_blocked", Verdict::provider_blocked},
    {"huggingface", 200, "\"accesstoken\":", Verdict::valid},
    {"huggingface", 401, "isexpired", Verdict::expired},
    {"huggingface", 401, "invalidcredentialsinauthorizationheader", Verdict::invalid},
    {"huggingface", 401, "invalidusernameorpassword", Verdict::invalid},
    {"pinecone", 200, "\"indexes\":", Verdict::valid},
    {"pinecone", 401, "\"unauthenticated\"", Verdict::invalid},
    {"pinecone", 403, "\"forbidden\"", Verdict::scope_limited, kProbes},
    {"fireworks", 200, "\"object\":\"list\"", Verdict::valid},
    {"fireworks", 401, "unauthenticated", Verdict::invalid},
    {"fireworks", 401, "apikeyyouprovidedisinvalid", Verdict::invalid},
    {"cloudflare", 200, "\"status\":\"active\"", Verdict::valid},
    {"cloudflare", 200, "\"status\":\"disabled\"", Verdict::invalid},
    {"cloudflare", 200, "\"status\":\"expired\"", Verdict::expired},
    {"cloudflare", 401, "\"code\":1000", Verdict::invalid},
    {"vllm", 200, "\"object\":\"list\"", Verdict::valid},
    {"vllm", 401, "\"unauthorized\"", Verdict::invalid},
    {"llamacpp", 200, "\"default_generation_settings\":", Verdict::valid},
    {"llamacpp", 401, "invalidapikey", Verdict::invalid},
});

// Lower case, without blanks: how providers space their JSON changes.
std::string folded(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (const char c : body) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

// What an error says of itself, folded. What stands elsewhere in it may be the client's.
struct Said {
  std::vector<std::string> codes;      // out of the provider's own list
  std::vector<std::string> sentences;  // may quote
};

void add_texts(wire::JsonValue object, std::initializer_list<std::string_view> names,
               std::vector<std::string>& out) {
  for (const std::string_view name : names)
    if (const auto text = object[name].exists() ? object[name].text() : std::nullopt)
      out.push_back(folded(*text));
}

void add_fields(wire::JsonValue object, Said& out) {
  if (!object.is_object()) return;
  add_texts(object, {"code", "type", "__type", "status", "reason", "error_code"}, out.codes);
  add_texts(object, {"message", "Message", "detail", "error", "error_description"}, out.sentences);
}

// A text that is no JSON is a sentence; JSON that broke off says nothing.
Said read_said(std::string_view body) {
  Said out;
  wire::Json json;
  if (!wire::scan(body, json, wire::Duplicates::allow)) {
    const std::string text = folded(body);
    if (!text.starts_with('{') && !text.starts_with('[')) out.sentences.push_back(text);
    return out;
  }
  wire::JsonValue root = json.root();
  if (root.is_array() && root.size() > 0) root = *root.elements().begin();  // Gemini, in answer to a stream
  add_fields(root, out);
  const wire::JsonValue error = root["error"];
  add_fields(error, out);
  const wire::JsonValue details = error["details"];
  add_fields(details, out);
  for (const wire::JsonValue one : details.elements()) add_fields(one, out);
  return out;
}

enum class Where : std::uint8_t { anywhere, at_the_beginning };

bool begins(std::string_view sentence, std::string_view words) {
  // How the providers' sentences lead up to the words of the rows.
  constexpr std::array<std::string_view, 6> kLeads{
      "", "your", "yourapikeywas", "the", "accessdenieddueto", "authenticationfailed:pleasemakesureyour"};
  return std::ranges::any_of(kLeads, [&](std::string_view lead) {
    return sentence.starts_with(lead) && sentence.substr(lead.size()).starts_with(words);
  });
}

bool says(const Said& said, std::string_view words, Where where) {
  if (words.starts_with('"')) words = words.substr(1, words.size() - 2);  // rows quote whole codes
  return std::ranges::any_of(said.codes, [&](std::string_view code) { return code.contains(words); }) ||
         std::ranges::any_of(said.sentences, [&](std::string_view sentence) {
           return where == Where::anywhere ? sentence.contains(words) : begins(sentence, words);
         });
}

// A key that may not be used from here, or not for the service at all, is refused as far as traffic goes; one
// that lacks a scope has only been asked for the wrong thing.
Finding finding_of(const Row& row) {
  if (row.verdict == Verdict::no_quota) return Finding::no_money;
  if (row.verdict == Verdict::rate_limited) return Finding::limited;
  if (row.verdict >= Verdict::invalid || row.verdict == Verdict::ip_blocked) return Finding::refused;
  const bool never = row.provider == "gemini" && row.verdict == Verdict::scope_limited;
  return never ? Finding::refused : Finding::good;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  constexpr std::array<std::string_view, 9> kNames{
      "valid",   "valid_scope_limited", "valid_no_quota", "valid_ip_blocked", "valid_rate_limited", "invalid",
      "expired", "blocked_by_provider", "unknown"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Verdict classify(std::string_view provider, int status, std::string_view body) {
  const std::string_view builtin = builtin_name(provider);
  if (!builtin.empty()) provider = builtin;
  const std::string text = folded(body);
  for (const Row& row : kRows)
    if (row.provider == provider && row.status == status && text.contains(row.words)) return row.verdict;
  return Verdict::unknown;
}

std::string_view finding_name(Finding finding) {
  constexpr std::array<std::string_view, 6> kNames{"good",    "refused", "no_money",
                                                   "limited", "fault",   "unreachable"};
  return kNames[static_cast<std::size_t>(finding)];
}

std::string_view words_of(const Provider& provider) {
  const bool own = std::ranges::any_of(kRows, [&](const Row& row) { return row.provider == provider.name; });
  return own || provider.dialect == Dialect::openai ? std::string_view(provider.name)
                                                    : dialect_name(provider.dialect);
}

Finding verdict(std::string_view provider, int status, std::string_view body) {
  if (status < 400) return Finding::good;
  const bool of_the_request = status == 400 || status == 403;
  const Said said = read_said(body);
  for (const Row& row : kRows) {
    const bool heard = row.heard == Heard::by_all && row.status == status;
    if (!heard || (of_the_request && row.provider != provider)) continue;
    if (says(said, row.words, of_the_request ? Where::at_the_beginning : Where::anywhere))
      return finding_of(row);
  }
  if (status == 401) return Finding::refused;
  if (status == 402) return Finding::no_money;
  if (status == 429) return Finding::limited;
  return status >= 500 ? Finding::fault : Finding::good;
}

}  // namespace claviger::provider
