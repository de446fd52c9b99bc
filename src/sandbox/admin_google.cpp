// The double of Google's API Keys API: creations are operations, and a key's secret can be read again.
#include <algorithm>

#include "sandbox/admin.hpp"

namespace claviger::sandbox {
namespace {

Plan google_error(int status, std::string_view name, const std::string& message) {
  return admin_json(status, {{"error", {{"code", status}, {"message", message}, {"status", name}}}});
}

Json key_json(const AdminKey& key) {
  Json out = {{"name", key.id},
              {"uid", key.id.substr(key.id.rfind('/') + 1)},
              {"displayName", key.name},
              {"createTime", format_time(key.created)},
              {"updateTime", format_time(key.created)},
              {"etag", "W/\"sandbox\""}};
  if (key.extra.contains("restrictions")) out["restrictions"] = key.extra["restrictions"];
  return out;
}

// The rights of a key that is restricted to other services than the Gemini API are none.
void restrict(AdminKey& key, const Json& restrictions) {
  key.extra["restrictions"] = restrictions;
  bool allowed = !restrictions.contains("apiTargets");
  if (!allowed)
    for (const Json& target : restrictions["apiTargets"])
      allowed = allowed || target.value("service", "") == "generativelanguage.googleapis.com";
  key.extra["scopes"] = allowed ? Json::array() : Json::array({"none"});
}

std::string joined(const std::vector<std::string>& path, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to && i < path.size(); ++i)
    out.append(out.empty() ? "" : "/").append(path[i]);
  return out;
}

}  // namespace

Plan Admin::google(const AdminAsked& asked) {
  const Request& request = asked.request;
  const auto& path = asked.path;
  if (!is_admin(request.header("authorization"), asked.now))
    return google_error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
  if (path[1] == "operations") {
    const auto at = operations_.find(joined(path, 1, path.size()));
    if (at == operations_.end()) return google_error(404, "NOT_FOUND", "Requested entity was not found.");
    Json out = at->second;
    if (asked.now.ns < out.value("ready", std::int64_t{0})) return admin_json(200, {{"name", at->first}});
    out.erase("ready");
    return admin_json(200, out);
  }
  if (path[1] == "keys:lookupKey") {
    const std::string secret = asked_for(request, "keyString");
    for (const AdminKey& key : keys_.all())
      if (key.provider == "gemini" && key.secret == secret)
        return admin_json(200, {{"parent", key.id.substr(0, key.id.rfind("/keys/"))}, {"name", key.id}});
    return google_error(403, "PERMISSION_DENIED", "The caller does not have permission.");
  }
  // projects/P/locations/global/keys[/K[/keyString]]
  if (path.size() < 6 || path[3] != "locations" || path[5] != "keys")
    return google_error(404, "NOT_FOUND", "Method not found.");
  if (path.size() == 6 && request.method == "POST") return google_key_made(asked);
  if (path.size() == 6) {
    const std::string size = asked_for(request, "pageSize"), page = asked_for(request, "pageToken");
    const auto most =
        static_cast<std::size_t>(size.empty() ? 50 : std::clamp(std::atoi(size.c_str()), 1, 300));
    const auto keys = keys_.listed("gemini", path[2], asked.now);
    std::size_t at = static_cast<std::size_t>(std::max(0, std::atoi(page.c_str())));
    Json out = Json::object();
    for (std::size_t shown = 0; at < keys.size() && shown < most; ++at, ++shown)
      out["keys"].push_back(key_json(*keys[at]));
    if (at < keys.size()) out["nextPageToken"] = std::to_string(at);
    return admin_json(200, out);
  }
  AdminKey* key = keys_.find("gemini", joined(path, 1, 7));
  if (!key) return google_error(404, "NOT_FOUND", "Requested entity was not found.");
  if (path.size() == 8 && path[7] == "keyString") return admin_json(200, {{"keyString", key->secret}});
  if (request.method == "GET") return admin_json(200, key_json(*key));
  if (request.method == "DELETE") keys_.remove(*key, asked.now);
  if (request.method == "PATCH" && asked.body.contains("restrictions"))
    restrict(*key, asked.body["restrictions"]);
  Json response = key_json(*key);
  response["@type"] = "type.googleapis.com/google.api.apikeys.v2.Key";
  if (key->removed) response["deleteTime"] = format_time(asked.now);
  return admin_json(200,
                    {{"name", "operations/akmf.p7-" + fresh(12)}, {"done", true}, {"response", response}});
}

Plan Admin::google_key_made(const AdminAsked& asked) {
  const std::string project = asked.path[2];
  std::string wanted = asked_for(asked.request, "keyId");
  if (wanted.empty()) {
    wanted = "k" + fresh(16);
    std::ranges::transform(wanted, wanted.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  const bool plain = wanted.size() <= 63 && wanted.front() >= 'a' && wanted.front() <= 'z' &&
                     wanted.back() != '-' &&
                     wanted.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (!plain) return google_error(400, "INVALID_ARGUMENT", "key_id is invalid.");
  AdminKey key;
  key.provider = "gemini";
  key.owner = project;
  key.id = "projects/" + project + "/locations/global/keys/" + wanted;
  if (keys_.find("gemini", key.id))
    return google_error(409, "ALREADY_EXISTS", "Requested entity already exists.");
  key.name = asked.body.value("displayName", "");
  key.secret = new_secret("gemini");
  AdminKey* made = keys_.add(std::move(key), asked.now);
  if (!made) return google_error(429, "RESOURCE_EXHAUSTED", "The double remembers no more keys.");
  if (asked.body.contains("restrictions")) restrict(*made, asked.body["restrictions"]);
  const std::string name = "operations/akmf.p7-" + fresh(12);
  Json response = key_json(*made);
  response["@type"] = "type.googleapis.com/google.api.apikeys.v2.Key";
  operations_[name] = {{"name", name},
                       {"done", true},
                       {"response", response},
                       {"ready", asked.now.ns + keys_.manners.create_delay_ms * 500'000}};
  return admin_json(200, {{"name", name}});
}

}  // namespace claviger::sandbox
