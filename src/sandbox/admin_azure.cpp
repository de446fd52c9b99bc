// The double of Azure's resource manager, as far as the two keys of a Cognitive Services account go.
#include <algorithm>

#include "sandbox/admin.hpp"

namespace claviger::sandbox {
namespace {

Plan azure_error(int status, std::string_view code, const std::string& message) {
  return admin_json(status, {{"error", {{"code", code}, {"message", message}}}});
}

}  // namespace

Plan Admin::azure(const AdminAsked& asked) {
  const Request& request = asked.request;
  const auto& path = asked.path;
  if (!is_admin(request.header("authorization"), asked.now))
    return azure_error(401, "InvalidAuthenticationToken", "The access token is invalid.");
  // subscriptions/S/resourceGroups/G/providers/Microsoft.CognitiveServices/accounts/A/VERB
  const bool known = path.size() == 9 && path[5] == "Microsoft.CognitiveServices" && path[6] == "accounts";
  if (!known || request.method != "POST")
    return azure_error(404, "ResourceNotFound", "The resource was not found.");
  if (asked_for(request, "api-version").empty())
    return azure_error(400, "MissingApiVersionParameter", "The api-version query parameter is required.");
  const std::string account = path[1] + "/" + path[3] + "/" + path[7];
  AdminKey* slots[2] = {};
  for (int i = 0; i < 2; ++i) {
    const std::string id = account + "#key" + std::to_string(i + 1);
    slots[i] = keys_.find("azure_openai", id);
    if (slots[i]) continue;
    AdminKey key;
    key.provider = "azure_openai";
    key.owner = account;
    key.id = id;
    key.name = "Key" + std::to_string(i + 1);
    key.secret = new_secret("azure_openai");
    const AdminManners usual = std::exchange(keys_.manners, {});  // they came with the account
    slots[i] = keys_.add(std::move(key), asked.now);
    keys_.manners = usual;
    if (!slots[i]) return azure_error(429, "TooManyRequests", "The double remembers no more keys.");
  }
  if (path[8] == "regenerateKey") {
    std::string name = asked.body.value("keyName", "");
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name != "key1" && name != "key2")
      return azure_error(400, "InvalidKeyName", "keyName is Key1 or Key2.");
    keys_.renew(*slots[name == "key2" ? 1 : 0], new_secret("azure_openai"), asked.now, asked.now);
  } else if (path[8] != "listKeys") {
    return azure_error(404, "ResourceNotFound", "The resource was not found.");
  }
  return admin_json(200, {{"key1", slots[0]->secret}, {"key2", slots[1]->secret}});
}

}  // namespace claviger::sandbox
