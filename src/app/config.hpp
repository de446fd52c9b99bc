// The configuration file, claviger.toml: read strictly, every key known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "policy/ip.hpp"
#include "provider/provider.hpp"
#include "steward/channel.hpp"
#include "steward/incident.hpp"
#include "steward/rotation.hpp"

namespace claviger::app {

// One [[notify]]; its secrets are where it says.
struct ChannelConfig {
  std::string name;
  steward::ChannelKind kind = steward::ChannelKind::slack;
  std::vector<std::string> events;
  std::string url, url_file, url_env, secret_file, secret_env;
  std::string server, tls = "starttls", user, from;  // smtp
  std::vector<std::string> to;
};

// One [[watch]]: a git repository whose new commits are scanned, or a folder whose growing files are.
struct WatchConfig {
  std::string name, repository, folder;
};

struct Config {
  // [server]
  std::string tls_cert;  // PEM chain; with tls_key: the gate and the admin API speak TLS
  std::string tls_key;
  std::string root_key_file;
  bool public_metrics = false;                // /metrics without a token
  std::vector<policy::Cidr> trusted_proxies;  // hops whose X-Forwarded-For or Forwarded is believed
  // [upstream]
  std::string ca_file;                  // PEM; besides the system's
  std::vector<std::string> allow_http;  // hosts that a credential may name with http://
  // [outside]
  std::vector<std::string> private_hosts;  // that notifications may go to although they are private, or http
  // [rotation], [key_file.CREDENTIAL]
  steward::RotationSettings rotation;
  // [limits]
  std::optional<std::int64_t> default_max_output_tokens;  // where neither key nor request has one
  // [prices]
  std::string prices_file;  // imported prices; empty: prices.toml in the data directory when it is there
  std::string prices;       // what that file holds
  // [provider.NAME]
  std::vector<provider::Provider> providers;
  // [incident]
  steward::Contain contain = steward::Contain::rotate_first;
  // [hooks.github]
  std::string github_secret_file;  // secrets of its webhooks, one a line; empty: none are taken
  std::string github_token_file;   // that reads alerts which do not show their secret; empty: people do
  std::string github_api_url = "https://api.github.com";
  struct HookKey {
    std::string id, pem_file;
  };
  std::vector<HookKey> github_keys;     // [[hooks.github.key]]: of the partner programme
  std::vector<ChannelConfig> channels;  // [[notify]]
  std::vector<WatchConfig> watches;     // [[watch]]
  // The whole text, for [[price]].
  std::string text;
};

// Refuses configuration with the key, its line and the nearest known key.
Result<Config> parse_config(std::string text);
// The file `path`, or an empty configuration when `path` is empty; and the imported prices, of the file that
// it names or of prices.toml in `data`, which may be empty.
Result<Config> load_config(const std::string& path, const std::string& data = {});
// Where imported prices lie: as configured, else in the data directory.
std::string prices_path(const Config& config, const std::string& data);
// The built-in providers and prices with the configuration's over them.
Result<provider::Catalog> make_catalog(const Config& config);

}  // namespace claviger::app
