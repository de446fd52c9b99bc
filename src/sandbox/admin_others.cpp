// The doubles of OpenRouter's, Pinecone's and x-ai's administration.
#include <algorithm>
#include <map>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "sandbox/admin.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::size_t kOpenrouterPage = 100;

Plan openrouter_error(int status, const std::string& message) {
  return admin_json(status, {{"error", {{"code", status}, {"message", message}}}});
}

Plan pinecone_error(int status, std::string_view code, const std::string& message) {
  return admin_json(status, {{"status", status}, {"error", {{"code", code}, {"message", message}}}});
}

Plan xai_error(int status, const std::string& message) {
  return admin_json(status, {{"code", status}, {"message", message}, {"details", Json::array()}});
}

Json time_or_null(Time time) { return time == kNever ? Json(nullptr) : Json(format_time(time)); }

Json openrouter_key(const AdminKey& key) {
  Json out = {{"hash", key.id},
              {"name", key.name},
              {"label", hint_of(key.secret, 12, 3)},
              {"disabled", key.disabled},
              {"limit", key.extra.contains("limit") ? key.extra["limit"] : Json(nullptr)},
              {"limit_remaining", key.extra.contains("limit") ? key.extra["limit"] : Json(nullptr)},
              {"limit_reset", key.extra.contains("limit_reset") ? key.extra["limit_reset"] : Json(nullptr)},
              {"include_byok_in_limit", false},
              {"usage", 0},
              {"usage_daily", 0},
              {"usage_weekly", 0},
              {"usage_monthly", 0},
              {"byok_usage", 0},
              {"byok_usage_daily", 0},
              {"byok_usage_weekly", 0},
              {"byok_usage_monthly", 0},
              {"workspace_id", "00000000-0000-4000-8000-000000000001"},
              {"creator_user_id", "user_sandbox"},
              {"external_user", nullptr},
              {"created_at", format_time(key.created)},
              {"updated_at", nullptr},
              {"expires_at", time_or_null(key.expires)}};
  return out;
}

Json pinecone_key(const AdminKey& key) {
  return {{"id", key.id},
          {"name", key.name},
          {"project_id", key.owner},
          {"roles", key.extra.value("roles", Json::array({"ProjectEditor"}))},
          {"created_at", format_time(key.created)}};
}

Time known_everywhere(const AdminManners& manners, Time now) {
  return now + std::chrono::milliseconds(manners.create_delay_ms + manners.spread_ms);
}

Json xai_key(const AdminKey& key) {
  Json out = {{"redactedApiKey", hint_of(key.secret, 6, 4)},
              {"userId", "user-sandbox"},
              {"name", key.name},
              {"createTime", format_time(key.created)},
              {"modifyTime", format_time(key.created)},
              {"modifiedBy", "user-sandbox"},
              {"teamId", key.owner},
              {"apiKeyId", key.id},
              {"aclStrings", key.extra.value("acls", Json::array({"api-key:endpoint:*", "api-key:model:*"}))},
              {"apiKeyBlocked", false},
              {"disabled", key.disabled}};
  if (key.expires != kNever) out["expireTime"] = format_time(key.expires);
  return out;
}

}  // namespace

Plan Admin::openrouter(const AdminAsked& asked, const Book& book) {
  const Request& request = asked.request;
  if (!is_admin(request.header("authorization"), asked.now))
    return openrouter_error(401, "Invalid management key");
  auto path = asked.path;
  if (!path.empty() && path.front() == "api") path.erase(path.begin());
  if (path.at(1) == "activity") return openrouter_activity(asked, book);
  if (path.size() == 2 && request.method == "POST") {
    AdminKey key;
    key.provider = "openrouter";
    key.name = asked.body.value("name", "");
    if (key.name.empty()) return openrouter_error(400, "name is required");
    key.secret = new_secret("openrouter");
    key.id = key_id("openrouter", {}, key.secret);
    for (const char* kept : {"limit", "limit_reset"})
      if (asked.body.contains(kept)) key.extra[kept] = asked.body[kept];
    if (const auto expires = parse_time(asked.body.value("expires_at", ""))) key.expires = *expires;
    key.expires = life_of(key.expires, asked.now);
    const AdminKey* made = keys_.add(std::move(key), asked.now);
    if (!made) return openrouter_error(429, "The double remembers no more keys.");
    return admin_json(201, {{"key", made->secret}, {"data", openrouter_key(*made)}});
  }
  if (path.size() == 2) {
    const bool all = asked_for(request, "include_disabled") == "true";
    auto keys = keys_.listed("openrouter", {}, asked.now);
    std::erase_if(keys, [all](const AdminKey* key) { return key->disabled && !all; });
    Json data = Json::array();
    const auto from = static_cast<std::size_t>(std::max(0, std::atoi(asked_for(request, "offset").c_str())));
    for (std::size_t at = from; at < keys.size() && data.size() < kOpenrouterPage; ++at)
      data.push_back(openrouter_key(*keys[at]));
    return admin_json(200, {{"data", data}, {"total_count", keys.size()}});
  }
  AdminKey* key = keys_.find("openrouter", path[2]);
  if (!key) return openrouter_error(404, "API key not found");
  if (request.method == "DELETE") {
    keys_.remove(*key, asked.now);
    return admin_json(200, {{"deleted", true}});
  }
  if (request.method == "PATCH") {
    key->name = asked.body.value("name", key->name);
    for (const char* kept : {"limit", "limit_reset"})
      if (asked.body.contains(kept)) key->extra[kept] = asked.body[kept];
    if (asked.body.value("disabled", key->disabled))
      keys_.disable(*key, asked.now);
    else
      keys_.enable(*key, asked.now);
  }
  return admin_json(200, {{"data", openrouter_key(*key)}});
}

Plan Admin::openrouter_activity(const AdminAsked& asked, const Book& book) {
  const std::string day = asked_for(asked.request, "date"), hash = asked_for(asked.request, "api_key_hash");
  struct Sums {
    std::int64_t input = 0, output = 0, requests = 0, cost = 0;
  };
  std::map<std::pair<std::string, std::string>, Sums> rows;
  for (const Entry& entry : book.entries()) {
    const AdminKey* key = keys_.by_sha256(entry.key_sha256);
    const std::string date = format_time(entry.at).substr(0, 10);
    if (!key || key->provider != "openrouter" || (!day.empty() && day != date)) continue;
    if (entry.model.empty()) continue;  // a list of models is no use
    if (!hash.empty() && key->id != hash) continue;
    Sums& sum = rows[{date, entry.model}];
    sum.input += entry.spent.input;
    sum.output += entry.spent.output;
    sum.cost += entry.cost_nanousd;
    ++sum.requests;
  }
  Json data = Json::array();
  for (const auto& [row, sum] : rows)
    data.push_back({{"date", row.first},
                    {"model", row.second},
                    {"model_permaslug", row.second},
                    {"endpoint_id", "00000000-0000-4000-8000-000000000002"},
                    {"provider_name", "Sandbox"},
                    {"usage", static_cast<double>(sum.cost) / 1e9},
                    {"byok_usage_inference", 0},
                    {"requests", sum.requests},
                    {"prompt_tokens", sum.input},
                    {"completion_tokens", sum.output},
                    {"reasoning_tokens", 0}});
  return admin_json(200, {{"data", data}});
}

Plan Admin::pinecone(const AdminAsked& asked) {
  const Request& request = asked.request;
  const auto& path = asked.path;
  if (!is_admin(request.header("authorization"), asked.now))
    return pinecone_error(401, "UNAUTHENTICATED", "Invalid credentials");
  const bool of_project = path.size() == 4 && path[1] == "projects" && path[3] == "api-keys";
  if (of_project && request.method == "POST") {
    AdminKey key;
    key.provider = "pinecone";
    key.owner = path[2];
    key.name = asked.body.value("name", "");
    if (key.name.empty() || key.name.size() > 80)
      return pinecone_error(400, "INVALID_ARGUMENT", "name: 1 to 80");
    key.secret = new_secret("pinecone");
    key.id = key_id("pinecone", key.owner, key.secret);
    if (asked.body.contains("roles")) key.extra["roles"] = asked.body["roles"];
    const AdminKey* made = keys_.add(std::move(key), asked.now);
    if (!made) return pinecone_error(429, "RESOURCE_EXHAUSTED", "The double remembers no more keys.");
    return admin_json(201, {{"key", pinecone_key(*made)}, {"value", made->secret}});
  }
  if (of_project) {
    Json data = Json::array();
    for (const AdminKey* key : keys_.listed("pinecone", path[2], asked.now))
      data.push_back(pinecone_key(*key));
    return admin_json(200, {{"data", data}});
  }
  AdminKey* key = path.size() == 3 && path[1] == "api-keys" ? keys_.find("pinecone", path[2]) : nullptr;
  if (!key) return pinecone_error(404, "NOT_FOUND", "API key not found");
  if (request.method == "DELETE") {
    keys_.remove(*key, asked.now);
    return admin_json(202, {});
  }
  if (request.method == "PATCH") {
    key->name = asked.body.value("name", key->name);
    if (asked.body.contains("roles")) key->extra["roles"] = asked.body["roles"];
  }
  return admin_json(200, pinecone_key(*key));
}

Plan Admin::xai(const AdminAsked& asked) {
  const Request& request = asked.request;
  const auto& path = asked.path;
  if (!is_admin(request.header("authorization"), asked.now)) return xai_error(401, "Invalid management key");
  const auto expiry = [&](const char* name) {
    return parse_time(asked.body.value(name, "")).value_or(kNever);
  };
  const bool of_team = path.size() == 4 && path[1] == "teams" && path[3] == "api-keys";
  if (of_team && request.method == "POST") {
    AdminKey key;
    key.provider = "x-ai";
    key.owner = path[2];
    key.name = asked.body.value("name", "");
    key.secret = new_secret("x-ai");
    key.id = key_id("x-ai", key.owner, key.secret);
    key.extra["acls"] = asked.body.value("acls", Json::array());
    if (key.extra["acls"].empty()) key.extra["scopes"] = Json::array({"none"});  // such a key can do nothing
    key.expires = life_of(expiry("expireTime"), asked.now);
    AdminKey* made = keys_.add(std::move(key), asked.now);
    if (!made) return xai_error(429, "The double remembers no more keys.");
    made->extra["spread"] = known_everywhere(keys_.manners, asked.now).ns;
    Json out = xai_key(*made);
    out["apiKey"] = made->secret;
    return admin_json(200, out);
  }
  if (of_team) {
    Json list = Json::array();
    for (const AdminKey* key : keys_.listed("x-ai", path[2], asked.now)) list.push_back(xai_key(*key));
    return admin_json(200, {{"apiKeys", list}, {"paginationToken", ""}});
  }
  AdminKey* key = path.size() >= 3 && path[1] == "api-keys" ? keys_.find("x-ai", path[2]) : nullptr;
  if (!key) return xai_error(404, "API key not found");
  if (path.size() == 4 && path[3] == "propagation") {
    const bool far = asked.now.ns >= key->extra.value("spread", std::int64_t{0});
    const bool here = keys_.standing(key->secret, asked.now) != Standing::early;
    return admin_json(200, {{"icPropagation", {{"us-east-1.api.x.ai", here}, {"eu-west-1.api.x.ai", far}}}});
  }
  if (path.size() == 4 && path[3] == "rotate" && request.method == "POST") {
    Time old = expiry("oldSecretExpireTime");
    if (old == kNever) old = asked.now + std::chrono::hours(24);
    if (old > asked.now + std::chrono::hours(24 * 7))
      return xai_error(400, "oldSecretExpireTime: at most 7 days");
    keys_.renew(*key, new_secret("x-ai"), old, asked.now);
    key->extra["spread"] = known_everywhere(keys_.manners, asked.now).ns;
    Json out = xai_key(*key);
    out["apiKey"] = key->secret;
    return admin_json(200, out);
  }
  if (request.method == "DELETE") {
    keys_.remove(*key, asked.now);
    return admin_json(200, Json::object());
  }
  const Json& change = asked.body.contains("apiKey") ? asked.body["apiKey"] : Json::object();
  if (request.method == "PUT" && asked.body.value("fieldMask", "").contains("disabled")) {
    if (change.value("disabled", false))
      keys_.disable(*key, asked.now);
    else
      keys_.enable(*key, asked.now);
  }
  return admin_json(200, xai_key(*key));
}

}  // namespace claviger::sandbox
