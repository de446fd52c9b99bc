// The sandbox provider's front: who may ask, what is refused, what is booked.
#include "sandbox/provider.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include "crypto/hash.hpp"
#include "sandbox/refusal.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::size_t kPlausibleKey = 16;

Plan json_plan(int status, std::string body) {
  Plan plan;
  plan.status = status;
  plan.headers.emplace_back("content-type", "application/json");
  plan.length = body.size();
  plan.pieces.push_back({std::move(body), 0, 0});
  return plan;
}

Plan refusal(const Asked& asked, int status, std::string_view code, std::string_view message) {
  return json_plan(status, refusal_body(asked.dialect, status, code, message));
}

Json google_info(std::string_view reason) {
  return {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
          {"reason", reason},
          {"domain", "googleapis.com"},
          {"metadata", {{"service", "generativelanguage.googleapis.com"}}}};
}

// Of a key that lives but may not do this. OpenAI's status is 401, as for a dead one.
Plan narrowed(const Asked& asked) {
  if (asked.dialect == provider::Dialect::gemini)
    return json_plan(403, Json{{"error",
                                {{"code", 403},
                                 {"message", "Requests to this API are blocked."},
                                 {"status", "PERMISSION_DENIED"},
                                 {"details", Json::array({google_info("API_KEY_SERVICE_BLOCKED")})}}}}
                              .dump());
  return json_plan(401, Json{{"error",
                              {{"message",
                                "You have insufficient permissions for this operation. Missing scopes: "
                                "api.model.request."},
                               {"type", "invalid_request_error"},
                               {"param", nullptr},
                               {"code", nullptr}}}}
                            .dump());
}

Plan faulty_status(const Asked& asked, const Fault& fault) {
  const bool limited = fault.status == 429;
  Plan plan = refusal(asked, fault.status, limited ? "rate_limit_exceeded" : "server_error",
                      limited ? "Rate limit reached (sandbox)." : "The sandbox was told to fail.");
  if (fault.retry_after_ms > 0) {
    plan.headers.emplace_back("retry-after", std::to_string((fault.retry_after_ms + 999) / 1000));
    plan.headers.emplace_back("retry-after-ms", std::to_string(fault.retry_after_ms));
  }
  return plan;
}

// What real providers add to every answer: a gateway must not hand the second half on.
void add_usual_headers(const Asked& asked, std::string_view id, Plan& plan) {
  const bool anthropic = asked.dialect == provider::Dialect::anthropic;
  plan.headers.emplace_back(anthropic ? "request-id" : "x-request-id", "req_" + std::string(id));
  plan.headers.emplace_back("set-cookie", "__cf_bm=sandbox; path=/");
  plan.headers.emplace_back(anthropic ? "anthropic-organization-id" : "openai-organization", "org-sandbox");
  plan.headers.emplace_back(
      anthropic ? "anthropic-ratelimit-requests-remaining" : "x-ratelimit-remaining-requests", "9999");
}

std::string field_of(const std::string& json, const char* name) {
  const auto body = nlohmann::json::parse(json, nullptr, false);
  if (!body.is_object() || !body.contains(name) || !body[name].is_string()) return {};
  return body[name].get<std::string>();
}

std::string entry_name(std::uint64_t entry) {
  std::string digits = std::to_string(entry);
  return "sandbox" + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
}

}  // namespace

Provider::Provider(const provider::PriceBook& prices, const Clock& clock, const Options& options)
    : prices_(prices),
      clock_(clock),
      key_file_(options.key_file),
      good_keys_(options.keys.begin(), options.keys.end()),
      admin_(options.admin_key) {}

Result<Provider> Provider::make(const provider::PriceBook& prices, const Clock& clock,
                                const Options& options) {
  Provider made(prices, clock, options);
  TRY_VOID(made.read_key_file());
  if (!options.script.empty()) {
    TRY(made.script_, Script::parse(options.script));
  }
  return made;
}

// A server of the operator's own knows the keys of its file, as they were when it was told to read them.
Result<void> Provider::read_key_file() {
  if (key_file_.empty()) return {};
  std::ifstream file(key_file_);
  if (!file) return refuse(Code::invalid_input, "The key file cannot be read.");
  good_keys_.clear();
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) good_keys_.insert(line);
  return {};
}

// A key that an admin API knows is as good as that says; any other is good when it is one of the given ones
// or, without such, when its shape is plausible.
Standing Provider::standing(std::string_view key, provider::Dialect dialect, bool models_only) {
  if (revoked_keys_.contains(key)) return Standing::refused;
  // A virtual key of the gate has no business here, whatever its shape.
  const bool plausible = key.size() >= kPlausibleKey && !key.starts_with("clv") &&
                         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
  const bool any = good_keys_.empty() && key_file_.empty();
  const bool good = any ? plausible : good_keys_.contains(key);
  return admin_.met(key, dialect, models_only, good, clock_.now());
}

// Each provider's own words for a key that is wrong, removed or not known yet: they tell these apart nowhere.
Plan Provider::not_accepted(const Asked& asked) const {
  if (!key_file_.empty()) return json_plan(401, R"({"error":"Unauthorized"})");  // as vLLM
  if (asked.dialect == provider::Dialect::anthropic)
    return refusal(asked, 401, "authentication_error", "invalid x-api-key");
  if (asked.dialect == provider::Dialect::gemini && !asked.bearer)
    return json_plan(400, Json{{"error",
                                {{"code", 400},
                                 {"message", "API key not valid. Please pass a valid API key."},
                                 {"status", "INVALID_ARGUMENT"},
                                 {"details", Json::array({google_info("API_KEY_INVALID")})}}}}
                              .dump());
  if (asked.dialect == provider::Dialect::bedrock)
    return json_plan(403, R"({"Message":"Authentication failed: Please make sure your API Key is valid."})");
  const std::string_view maker = admin_.maker_of(asked.key);
  if (maker == "mistral") return json_plan(401, R"({"detail":"Unauthorized"})");
  if (maker == "fireworks")
    return json_plan(401,
                     R"({"error":{"message":"The API key you provided is invalid.","code":"UNAUTHORIZED"}})");
  if (asked.key.starts_with("xai-"))
    return json_plan(400, Json{{"code", "Client specified an invalid argument"},
                               {"error",
                                "Incorrect API key provided: xx***yy. You can obtain an API key from "
                                "https://console.x.ai."}}
                              .dump());
  if (asked.azure)
    return json_plan(401, Json{{"error",
                                {{"code", "401"},
                                 {"message",
                                  "Access denied due to invalid subscription key or wrong API endpoint. "
                                  "Make sure to provide a valid key for an active subscription and use a "
                                  "correct regional API endpoint for your resource."}}}}
                              .dump());
  return refusal(asked, 401, "invalid_api_key", "Incorrect API key provided.");
}

Plan Provider::probed(const Request& request, const Probe& probe) {
  const std::string_view key = key_of(probe, request);
  if (key.empty()) return probe_plan(probe, admin_.met_signed(request, clock_.now()) == Standing::good);
  const Standing standing = this->standing(key, provider::Dialect::openai, true);
  return probe_plan(probe, standing == Standing::good || standing == Standing::narrowed);
}

Result<Fault> Provider::fault_of(const Request& request) {
  Fault fault;
  for (const std::string& words :
       {script_.take(request), std::string(request.header("x-sandbox-fault")), markers_in(request.body)}) {
    Fault own;
    TRY_VOID(add_faults(words, own));
    if (own.status != 0 && !counts_.spend(words, own.times)) continue;
    TRY_VOID(add_faults(words, fault));
  }
  return fault;
}

Plan Provider::plan(const Request& request) {
  if (request.path().starts_with("/_sandbox/")) return control(request);
  if (request.path() == "/token") return access_token(request);
  if (const Probe* probe = probe_of(request)) return probed(request, *probe);
  if (admin_.serves(request)) {
    const auto fault = fault_of(request);
    if (!fault) return json_plan(400, Json{{"error", fault.error().say}}.dump());
    return admin_.plan(request, *fault, book_, clock_.now());
  }
  ++received_;
  Asked asked = read_asked(request);
  const std::uint64_t number = ++last_entry_;
  Open& open = open_[number];
  open.at = clock_.now();
  open.entry = {entry_name(number),
                std::string(request.path()),
                asked.model,
                hex(crypto::sha256(asked.key)),
                {},
                0,
                false,
                open.at};
  Plan plan;
  if (auto fault = fault_of(request); !fault)
    plan = refusal(asked, 400, "invalid_request", fault.error().say);
  else
    plan = answer(request, asked, *fault, open);
  plan.entry = number;
  add_usual_headers(asked, open.entry.id, plan);
  return plan;
}

Plan Provider::answer(const Request& request, const Asked& asked, const Fault& fault, Open& open) {
  if (asked.kind == Kind::unknown) return refusal(asked, 404, "unknown_url", "Unknown request URL.");
  if (asked.wrong_method) return refusal(asked, 405, "method_not_allowed", "Not allowed: " + request.method);
  const bool lists = asked.kind == Kind::models || asked.kind == Kind::model;
  Standing standing = Standing::unknown;
  if (asked.dialect == provider::Dialect::bedrock) standing = admin_.met_signed(request, clock_.now());
  if (standing == Standing::unknown) standing = this->standing(asked.key, asked.dialect, lists);
  if (standing == Standing::narrowed) return narrowed(asked);
  if (standing != Standing::good) return not_accepted(asked);
  if (fault.drop) {
    Plan plan;
    plan.ending = Ending::drop;
    return plan;
  }
  if (fault.status != 0) return faulty_status(asked, fault);
  if (lists) return models(asked);
  if (asked.body.is_discarded()) return refusal(asked, 400, "invalid_json", "The body is no JSON object.");
  if (asked.model.empty()) return refusal(asked, 400, "missing_model", "You must provide a model parameter.");
  open.price = price_of(asked);
  if (!open.price && !asked.model.starts_with("local"))
    return refusal(asked, 404, "model_not_found", "The model `" + asked.model + "` does not exist.");
  if (asked.kind == Kind::count_tokens) {
    const char* name = asked.dialect == provider::Dialect::gemini    ? "totalTokens"
                       : asked.dialect == provider::Dialect::bedrock ? "inputTokens"
                                                                     : "input_tokens";
    return json_plan(200, Json{{name, asked.input}}.dump());
  }
  const bool bounded = asked.kind == Kind::messages || asked.kind == Kind::invoke;
  if (bounded && !asked.max_output)
    return refusal(asked, 400, "missing_max_tokens", "max_tokens: Field required");
  if (asked.max_output.value_or(1) < 1 || asked.choices < 1 || asked.choices > 128)
    return refusal(asked, 400, "invalid_value", "The number of tokens or choices cannot be used.");
  if (is_media(asked.kind)) {
    Plan plan = media(asked, fault, open);
    // Made before its first byte leaves, so all of it is billed whatever becomes of it.
    plan.pieces.front().output_tokens = open.entry.spent.output;
    spoil(fault, plan);
    return plan;
  }
  const bool embeds =
      asked.kind == Kind::embeddings || asked.kind == Kind::embed || asked.kind == Kind::batch_embed;
  return embeds ? embedded(asked, fault, open) : generated(asked, fault, open);
}

Plan Provider::models(const Asked& asked) const {
  Json data = Json::array();
  for (const provider::Price& row : prices_.rows()) {
    if (row.provider != provider::dialect_name(asked.dialect) || row.models.empty()) continue;
    const std::string& name = row.models.front();
    if (name.find_first_of("*?") != std::string::npos) continue;
    if (std::any_of(data.begin(), data.end(), [&name](const Json& m) { return m.value("id", "") == name; }))
      continue;
    Json model = {{"id", name}, {"object", "model"}, {"created", 1700000000}, {"owned_by", "sandbox"}};
    if (asked.dialect == provider::Dialect::anthropic)
      model = {
          {"type", "model"}, {"id", name}, {"display_name", name}, {"created_at", "2026-01-01T00:00:00Z"}};
    if (asked.dialect == provider::Dialect::gemini)
      model = {{"name", "models/" + name},
               {"id", name},
               {"displayName", name},
               {"supportedGenerationMethods", {"generateContent", "countTokens"}}};
    if (asked.kind == Kind::model && name == asked.model) return json_plan(200, model.dump());
    data.push_back(std::move(model));
  }
  if (asked.kind == Kind::model)
    return refusal(asked, 404, "model_not_found", "The model `" + asked.model + "` does not exist.");
  if (asked.dialect == provider::Dialect::gemini)
    return json_plan(200, Json{{"models", std::move(data)}}.dump());
  Json list = {{"object", "list"}, {"data", std::move(data)}};
  if (asked.dialect == provider::Dialect::anthropic) list["has_more"] = false;
  return json_plan(200, list.dump());
}

// Bedrock's names bring the maker and a version: "anthropic.claude-haiku-4-5-v1:0". The double bills what the
// maker would.
const provider::Price* Provider::bedrock_price(std::string_view model) const {
  constexpr std::string_view kMaker = "anthropic.";
  if (!model.starts_with(kMaker)) return nullptr;
  model.remove_prefix(kMaker.size());
  if (const std::size_t version = model.rfind("-v"); version != std::string_view::npos)
    model = model.substr(0, version);
  return prices_.find("anthropic", model, clock_.now());
}

const provider::Price* Provider::price_of(const Asked& asked) const {
  if (asked.dialect == provider::Dialect::bedrock) return bedrock_price(asked.model);
  if (asked.dialect != provider::Dialect::openai)
    return prices_.find(provider::dialect_name(asked.dialect), asked.model, clock_.now());
  for (const std::string_view name : {"openai", "mistral", "deepseek", "x-ai", "groq", "cohere"})
    if (const auto* row = prices_.find(name, asked.model, clock_.now())) return row;
  return nullptr;
}

void Provider::finish(const Plan& plan) {
  const auto open = open_.find(plan.entry);
  if (open == open_.end()) return;
  const std::int64_t output = plan.pieces.empty() ? 0 : plan.pieces.back().output_tokens;
  close(plan, output, plan.status == 200 && plan.ending == Ending::whole);
}

void Provider::abandon(const Plan& plan, std::size_t pieces_sent) {
  if (!open_.contains(plan.entry)) return;
  std::int64_t output = 0;
  if (!plan.streamed && !plan.pieces.empty()) output = plan.pieces.back().output_tokens;
  if (plan.streamed && pieces_sent > 0) output = plan.pieces[pieces_sent - 1].output_tokens;
  close(plan, output, false);
}

void Provider::close(const Plan& plan, std::int64_t output, bool completed) {
  const auto found = open_.find(plan.entry);
  Open open = std::move(found->second);
  open_.erase(found);
  open.entry.spent.output = output;
  open.entry.completed = completed;
  if (open.price) open.entry.cost_nanousd = bill(*open.price, open.entry.spent, open.at);
  book_.add(std::move(open.entry));
}

// The double of Google's token endpoint: an assertion with the claims it must have buys a token.
Plan Provider::access_token(const Request& request) {
  constexpr std::string_view kForm =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  const std::string_view body = request.body;
  const std::size_t dots = static_cast<std::size_t>(std::ranges::count(body, '.'));
  if (request.method != "POST" || !body.starts_with(kForm) || dots != 2)
    return json_plan(400, R"({"error":"invalid_request"})");
  std::string claims(body.substr(kForm.size()));
  claims = claims.substr(claims.find('.') + 1);
  claims.erase(claims.find('.'));
  std::ranges::replace(claims, '-', '+');
  std::ranges::replace(claims, '_', '/');
  claims.append((4 - claims.size() % 4) % 4, '=');
  const auto bytes = unbase64(claims);
  const Json told = bytes ? Json::parse(as_text(*bytes), nullptr, false) : Json();
  const std::int64_t now = clock_.now().ns / 1'000'000'000;
  const bool good = told.is_object() && told.value("aud", "").ends_with("/token") &&
                    !told.value("iss", "").empty() && !told.value("scope", "").empty() &&
                    told.value("iat", now + 999) <= now + 60 && told.value("exp", 0L) > now &&
                    told.value("exp", 0L) - told.value("iat", 0L) <= 3600;
  if (!good || revoked_keys_.contains(told.value("iss", "")))
    return json_plan(400, R"({"error":"invalid_grant"})");
  ++minted_;
  const std::string token = "ya29.sandbox-" + hex(crypto::sha256(body)).substr(0, 40);
  admin_.minted(told.value("iss", ""), token);
  return json_plan(200, Json{{"access_token", token}, {"expires_in", 3599}, {"token_type", "Bearer"}}.dump());
}

Plan Provider::control(const Request& request) {
  const std::string_view path = request.path();
  if (auto plan = admin_.control(request, clock_.now())) return *std::move(plan);
  if (path == "/_sandbox/ledger" && request.method == "GET") return json_plan(200, book_.json());
  if (path == "/_sandbox/stats" && request.method == "GET")
    return json_plan(200,
                     Json{{"received", received_}, {"in_flight", open_.size()}, {"minted", minted_}}.dump());
  if (path == "/_sandbox/revoke" && request.method == "POST") {
    const std::string key = field_of(request.body, "key");
    if (key.empty()) return json_plan(400, R"({"error":"Send {\"key\":\"...\"}."})");
    revoked_keys_.insert(key);
    return json_plan(200, R"({"revoked":true})");
  }
  if (path == "/_sandbox/reload" && request.method == "POST") {
    if (const auto read = read_key_file(); !read)
      return json_plan(500, Json{{"error", std::string(told(read.error()))}}.dump());
    return json_plan(200, Json{{"keys", good_keys_.size()}}.dump());
  }
  if (path == "/_sandbox/script" && request.method == "POST") {
    auto script = Script::parse(request.body);
    if (!script) return json_plan(400, Json{{"error", script.error().say}}.dump());
    script_ = std::move(*script);
    return json_plan(200, R"({"script":true})");
  }
  if (path == "/_sandbox/reset" && request.method == "POST") {
    book_.clear();
    received_ = 0;
    return json_plan(200, R"({"reset":true})");
  }
  return json_plan(404,
                   R"({"error":"There is GET ledger and stats, POST revoke, reload, script and reset."})");
}

}  // namespace claviger::sandbox
