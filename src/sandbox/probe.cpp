// The table of probes, after the providers' documents and captured answers.
#include "sandbox/probe.hpp"

#include <array>

namespace claviger::sandbox {
namespace {

constexpr std::string_view kOpenrouterGood =
    R"({"data":{"label":"sk-or-v1-abc...def","limit":null,"limit_remaining":null,"usage":0,)"
    R"("is_free_tier":false,"is_management_key":false}})";
constexpr std::string_view kOpenrouterBad = R"({"error":{"message":"User not found.","code":401}})";
constexpr std::string_view kXaiGood =
    R"({"redacted_api_key":"xai-...wxyz","user_id":"user-sandbox","name":"sandbox","team_id":"team_sandbox",)"
    R"("acls":["api-key:endpoint:*","api-key:model:*"],"api_key_id":"sandbox","team_blocked":false,)"
    R"("api_key_blocked":false,"api_key_disabled":false})";
constexpr std::string_view kXaiBad =
    R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided: xx***yy. )"
    R"(You can obtain an API key from https://console.x.ai."})";
constexpr std::string_view kAzureGood =
    R"({"data":[{"id":"gpt-4o","object":"model","status":"succeeded"}],"object":"list"})";
constexpr std::string_view kAzureBad =
    R"({"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API )"
    R"(endpoint. Make sure to provide a valid key for an active subscription and use a correct regional )"
    R"(API endpoint for your resource."}})";
constexpr std::string_view kBedrockBad =
    R"({"Message":"Authentication failed: Please make sure your API Key is valid."})";

constexpr std::array kProbes = std::to_array<Probe>({
    {"/api/v1/key", "GET", "authorization", kOpenrouterGood, 401, kOpenrouterBad},
    {"/v1/key", "GET", "authorization", kOpenrouterGood, 401, kOpenrouterBad},
    {"/v1/api-key", "GET", "authorization", kXaiGood, 400, kXaiBad},
    {"/indexes", "GET", "api-key", R"({"indexes":[]})", 401,
     R"({"error":{"code":"UNAUTHENTICATED","message":"Invalid API Key"},"status":401})"},
    {"/openai/models", "GET", "api-key", kAzureGood, 401, kAzureBad},
    {"/azure/openai/models", "GET", "api-key", kAzureGood, 401, kAzureBad},
    {"/foundation-models", "GET", "authorization", R"({"modelSummaries":[]})", 403, kBedrockBad},
    {"/v1/check-api-key", "POST", "authorization",
     R"({"valid":true,"organization_id":"sandbox","owner_id":"x"})", 401,
     R"({"message":"invalid api token"})"},
    {"/v1/whoami", "GET", "authorization", R"({"project_id":"sandbox","organization_id":"sandbox"})", 401,
     R"({"error":{"message":"Invalid API key provided","code":"invalid_api_key"}})"},
    {"/user/balance", "GET", "authorization", R"({"is_available":true,"balance_infos":[]})", 401,
     R"({"error":{"message":"Authentication Fails","type":"authentication_error"}})"},
    {"/api/whoami-v2", "GET", "authorization",
     R"({"type":"user","name":"sandbox","auth":{"accessToken":{"displayName":"sandbox"}}})", 401,
     R"({"error":"Invalid credentials in Authorization header"})"},
});

}  // namespace

const Probe* probe_of(const Request& request) {
  for (const Probe& probe : kProbes)
    if (probe.path == request.path() && probe.method == request.method) return &probe;
  return nullptr;
}

std::string_view key_of(const Probe& probe, const Request& request) {
  const std::string_view value = request.header(probe.header);
  if (probe.header != "authorization") return value;
  return value.starts_with("Bearer ") ? value.substr(7) : std::string_view();
}

Plan probe_plan(const Probe& probe, bool good) {
  Plan plan;
  plan.status = good ? 200 : probe.refusal;
  plan.headers.emplace_back("content-type", "application/json");
  const std::string_view body = good ? probe.good : probe.bad;
  plan.length = body.size();
  plan.pieces.push_back({std::string(body), 0, 0});
  return plan;
}

}  // namespace claviger::sandbox
