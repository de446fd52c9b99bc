// The doubles of Mistral's, Fireworks' and Cloudflare's administration: keys are made, listed and deleted.
#include <algorithm>

#include "crypto/hash.hpp"
#include "sandbox/admin.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::size_t kMistralPage = 100;
constexpr std::size_t kMistralName = 255;
constexpr std::size_t kCloudflarePage = 50;

std::size_t count_of(const Request& request, std::string_view name, std::size_t otherwise) {
  const std::string text = asked_for(request, name);
  return text.empty() ? otherwise : static_cast<std::size_t>(std::max(0, std::atoi(text.c_str())));
}

Plan mistral_error(int status, const std::string& detail) { return admin_json(status, {{"detail", detail}}); }

Json mistral_key(const AdminKey& key, bool once) {
  const Json expires = key.expires == kNever ? Json(nullptr) : Json(format_time(key.expires).substr(0, 10));
  Json out = {{"key_id", key.id},
              {"key", once ? Json(key.secret) : Json(nullptr)},
              {"name", key.name.empty() ? Json(nullptr) : Json(key.name)},
              {"hidden_key", hint_of(key.secret, 4, 4)},
              {"created_at", format_time(key.created)},
              {"expiration_date", expires},
              {"actions", {{"delete", {{"status", "available"}}}}}};
  if (once) return out;
  out["workspace_id"] = key.extra.value("workspace", Json());
  out["workspace_name"] = "Sandbox";
  out["created_by"] = "sandbox@example.com";
  out["product"] = "API";
  out["last_used"] = key.last_used ? Json(format_time(*key.last_used).substr(0, 10)) : Json(nullptr);
  return out;
}

Plan fireworks_error(int status, int code, const std::string& message) {
  return admin_json(status, {{"code", code}, {"message", message}, {"details", Json::array()}});
}

Json fireworks_key(const AdminKey& key) {
  Json out = {{"keyId", key.id},
              {"displayName", key.name},
              {"createTime", format_time(key.created)},
              {"secure", true},
              {"email", ""},
              {"prefix", key.secret.substr(0, 7)}};
  if (key.expires != kNever) out["expireTime"] = format_time(key.expires);
  return out;
}

Plan cloudflare_answer(const Json& result) {
  return admin_json(
      200, {{"result", result}, {"success", true}, {"errors", Json::array()}, {"messages", Json::array()}});
}

Plan cloudflare_error(int status, int code, const std::string& message) {
  return admin_json(status, {{"result", nullptr},
                             {"success", false},
                             {"errors", {{{"code", code}, {"message", message}}}},
                             {"messages", Json::array()}});
}

std::string_view cloudflare_status(const AdminKey& key, Time now) {
  return now >= key.expires ? "expired" : key.disabled ? "disabled" : "active";
}

Json cloudflare_token(const AdminKey& key, Time now) {
  Json out = {{"id", key.id},
              {"name", key.name},
              {"status", cloudflare_status(key, now)},
              {"issued_on", seconds_time(key.created)},
              {"modified_on", seconds_time(key.created)},
              {"policies", key.extra.value("policies", Json::array())}};
  if (key.expires != kNever) out["expires_on"] = seconds_time(key.expires);
  if (key.last_used) out["last_used_on"] = seconds_time(*key.last_used);
  return out;
}

}  // namespace

// The documents say x-api-key, the specification a bearer: either will do.
Plan Admin::mistral(const AdminAsked& asked) {
  const Request& request = asked.request;
  const auto& path = asked.path;
  if (!is_admin(request.header("authorization"), asked.now) &&
      !is_admin(request.header("x-api-key"), asked.now))
    return mistral_error(401, "Unauthorized");
  if (path.size() < 3 || path[2] != "api-keys") return mistral_error(404, "Not Found");
  if (path.size() == 3 && request.method == "POST") {
    AdminKey key;
    key.provider = "mistral";
    key.owner = asked.body.value("user_id", "");
    key.name = asked.body.value("name", "");
    key.extra["workspace"] = asked.body.value("workspace_uuid", "");
    if (key.owner.empty() || key.extra["workspace"] == "" || key.name.size() > kMistralName)
      return admin_json(422, {{"detail", {{{"type", "missing"}, {"msg", "Field required"}}}}});
    const auto expires = parse_time(asked.body.value("expiration", "") + "T00:00:00Z");
    key.expires = life_of(expires.value_or(kNever), asked.now);  // shortened without a word
    key.secret = new_secret("mistral");
    key.id = key_id("mistral", {}, key.secret);
    const AdminKey* made = keys_.add(std::move(key), asked.now);
    return made ? admin_json(200, mistral_key(*made, true))
                : mistral_error(429, "The double remembers no more keys.");
  }
  if (path.size() == 3) {
    Json keys = Json::array();
    const auto all = keys_.listed("mistral", {}, asked.now);
    const std::size_t most = count_of(request, "limit", kMistralPage);
    for (std::size_t at = count_of(request, "offset", 0); at < all.size() && keys.size() < most; ++at)
      keys.push_back(mistral_key(*all[at], false));
    return admin_json(200, {{"keys", keys}});
  }
  AdminKey* key = keys_.find("mistral", path[3]);
  if (!key) return mistral_error(404, "API key not found");
  if (request.method != "DELETE") return mistral_error(405, "Method Not Allowed");
  keys_.remove(*key, asked.now);
  return mistral_error(200, "API key deleted successfully");
}

Plan Admin::fireworks(const AdminAsked& asked) {
  const Request& request = asked.request;
  const auto& path = asked.path;
  if (!is_admin(request.header("authorization"), asked.now))
    return fireworks_error(401, 16, "UNAUTHENTICATED: the API key you provided is invalid.");
  if (path.size() != 6 || path[3] != "users") return fireworks_error(404, 5, "Not Found");
  const std::string owner = path[2] + "/" + path[4];
  if (path[5] == "apiKeys:delete" && request.method == "POST") {
    AdminKey* key = keys_.find("fireworks", asked.body.value("keyId", ""));
    if (!key || key->owner != owner) return fireworks_error(404, 5, "API key not found");
    keys_.remove(*key, asked.now);
    return admin_json(200, Json::object());
  }
  if (path[5] == "apiKeys" && request.method == "POST") {
    const Json wish = asked.body.value("apiKey", Json::object());
    AdminKey key;
    key.provider = "fireworks";
    key.owner = owner;
    key.name = wish.value("displayName", "");
    key.expires = life_of(parse_time(wish.value("expireTime", "")).value_or(kNever), asked.now);
    key.secret = new_secret("fireworks");
    key.id = key_id("fireworks", owner, key.secret);
    const AdminKey* made = keys_.add(std::move(key), asked.now);
    if (!made) return fireworks_error(429, 8, "The double remembers no more keys.");
    Json out = fireworks_key(*made);
    out["key"] = made->secret;
    return admin_json(200, out);
  }
  Json list = Json::array();
  for (const AdminKey* key : keys_.listed("fireworks", owner, asked.now)) list.push_back(fireworks_key(*key));
  return admin_json(200, {{"apiKeys", list}, {"nextPageToken", ""}, {"totalSize", list.size()}});
}

Plan Admin::cloudflare(const AdminAsked& asked) {
  const Request& request = asked.request;
  auto path = asked.path;
  if (path.size() > 2 && path[0] == "client") path.erase(path.begin(), path.begin() + 2);
  if (path.size() < 3 || path[2] != "tokens") return cloudflare_error(404, 7003, "Could not route to it.");
  if (path.size() == 4 && path[3] == "verify") {  // asked with the token itself
    std::string_view bearer = request.header("authorization");
    if (bearer.starts_with("Bearer ")) bearer.remove_prefix(7);
    AdminKey* key = nullptr;
    const Standing standing = keys_.standing(bearer, asked.now, &key);
    const bool known = key != nullptr && key->provider == "cloudflare" && !key->removed;
    if (standing == Standing::good || (known && standing == Standing::refused))
      return cloudflare_answer({{"id", key->id}, {"status", cloudflare_status(*key, asked.now)}});
    return cloudflare_error(401, 1000, "Invalid API Token");
  }
  if (!is_admin(request.header("authorization"), asked.now))
    return cloudflare_error(401, 10000, "Authentication error");
  if (path.size() == 3 && request.method == "POST") {
    AdminKey key;
    key.provider = "cloudflare";
    key.owner = path[1];
    key.name = asked.body.value("name", "");
    key.extra["policies"] = asked.body.value("policies", Json::array());
    if (key.name.empty() || key.extra["policies"].empty())
      return cloudflare_error(400, 1001, "name and policies are required");
    key.expires = life_of(parse_time(asked.body.value("expires_on", "")).value_or(kNever), asked.now);
    key.secret = new_secret("cloudflare");
    key.id = key_id("cloudflare", {}, key.secret);
    const AdminKey* made = keys_.add(std::move(key), asked.now);
    if (!made) return cloudflare_error(429, 10013, "The double remembers no more tokens.");
    Json out = cloudflare_token(*made, asked.now);
    out["value"] = made->secret;
    return cloudflare_answer(out);
  }
  if (path.size() == 3) {
    Json list = Json::array();
    const auto all = keys_.listed("cloudflare", path[1], asked.now);
    const std::size_t page = std::max<std::size_t>(1, count_of(request, "page", 1));
    for (std::size_t at = (page - 1) * kCloudflarePage; at < all.size() && list.size() < kCloudflarePage;
         ++at)
      list.push_back(cloudflare_token(*all[at], asked.now));
    return cloudflare_answer(list);
  }
  AdminKey* key = keys_.find("cloudflare", path[3]);
  if (!key || key->owner != path[1]) return cloudflare_error(404, 1003, "Token not found");
  if (request.method == "DELETE") {
    keys_.remove(*key, asked.now);
    return cloudflare_answer({{"id", key->id}});
  }
  if (request.method == "PUT") {
    key->name = asked.body.value("name", key->name);
    if (asked.body.value("status", "active") == "disabled")
      keys_.disable(*key, asked.now);
    else
      keys_.enable(*key, asked.now);
  }
  return cloudflare_answer(cloudflare_token(*key, asked.now));
}

std::string_view Admin::maker_of(std::string_view secret) const {
  const AdminKey* key = keys_.by_sha256(hex(crypto::sha256(secret)));
  return key == nullptr ? std::string_view() : std::string_view(key->provider);
}

}  // namespace claviger::sandbox
