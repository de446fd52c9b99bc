// [incident] and [hooks] of claviger.toml.
#include <fmt/format.h>

#include "app/config_parts.hpp"
#include "steward/outside.hpp"

namespace claviger::app {
namespace {

constexpr std::string_view kIncident[] = {"contain"};
constexpr std::string_view kHooks[] = {"github"};
constexpr std::string_view kGithub[] = {"secret_file", "token_file", "api_url", "key"};
constexpr std::string_view kKey[] = {"id", "pem_file"};

Result<void> read_policy(const toml::table& file, Config& config) {
  TRY(const toml::table* incident, section(file, "incident", kIncident));
  if (incident == nullptr) return {};
  std::string contain(steward::name_of(config.contain));
  TRY_VOID(read(*incident, "contain", contain, "a text"));
  for (const auto one : {steward::Contain::revoke_first, steward::Contain::rotate_first}) {
    if (contain != steward::name_of(one)) continue;
    config.contain = one;
    return {};
  }
  return bad(*incident->get("contain"), "'contain' is revoke_first or rotate_first.");
}

Result<void> read_partner_keys(const toml::table& github, Config& config) {
  const toml::node* node = github.get("key");
  if (node == nullptr) return {};
  const toml::array* list = node->as_array();
  if (list == nullptr) return bad(*node, "public keys are written [[hooks.github.key]].");
  for (const toml::node& element : *list) {
    const toml::table* table = element.as_table();
    if (table == nullptr) return bad(element, "public keys are written [[hooks.github.key]].");
    TRY_VOID(check_keys(*table, "hooks.github.key", kKey));
    Config::HookKey key;
    TRY_VOID(read(*table, "id", key.id, "a text"));
    TRY_VOID(read(*table, "pem_file", key.pem_file, "a text"));
    if (key.id.empty() || key.pem_file.empty()) return bad(*table, "a key has an 'id' and a 'pem_file'.");
    config.github_keys.push_back(std::move(key));
  }
  return {};
}

Result<void> read_hooks(const toml::table& file, Config& config) {
  TRY(const toml::table* hooks, section(file, "hooks", kHooks));
  if (hooks == nullptr) return {};
  TRY(const toml::table* github, section(*hooks, "github", kGithub));
  if (github == nullptr) return {};
  TRY_VOID(read(*github, "secret_file", config.github_secret_file, "a text"));
  TRY_VOID(read(*github, "token_file", config.github_token_file, "a text"));
  TRY_VOID(read(*github, "api_url", config.github_api_url, "a text"));
  const auto url = steward::read_outside_url(config.github_api_url, config.private_hosts);
  if (!url) return bad(*github, fmt::format("'api_url': {}", told(url.error())));
  while (config.github_api_url.ends_with('/')) config.github_api_url.pop_back();
  return read_partner_keys(*github, config);
}

}  // namespace

Result<void> read_incident(const toml::table& file, Config& config) {
  TRY_VOID(read_policy(file, config));
  return read_hooks(file, config);
}

}  // namespace claviger::app
