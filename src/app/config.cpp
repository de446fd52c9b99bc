// Reads claviger.toml, refusing every key it does not know.
#include "app/config.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/config_parts.hpp"
#include "vault/origin.hpp"

namespace claviger::app {
namespace {

constexpr std::string_view kSections[] = {"server",   "upstream", "outside",  "limits",   "prices",
                                          "provider", "price",    "rotation", "key_file", "incident",
                                          "hooks",    "notify",   "watch"};
constexpr std::string_view kServer[] = {"tls_cert", "tls_key", "root_key_file", "public_metrics",
                                        "trusted_proxies"};
constexpr std::string_view kUpstream[] = {"ca_file", "allow_http"};
constexpr std::string_view kOutside[] = {"private_hosts"};
constexpr std::string_view kRotation[] = {"probe_every", "verify_within", "list_settle", "keep_old",
                                          "keep_dead"};
constexpr std::string_view kKeyFile[] = {"path", "reload"};
constexpr std::string_view kPrices[] = {"file"};
constexpr std::string_view kLimits[] = {"default_max_output_tokens"};
constexpr std::string_view kProvider[] = {"dialect",          "base_url",     "key_header",
                                          "max_tokens_field", "stream_usage", "self_hosted"};

Result<void> read_server(const toml::table& file, Config& config) {
  TRY(const toml::table* server, section(file, "server", kServer));
  if (server == nullptr) return {};
  TRY_VOID(read(*server, "tls_cert", config.tls_cert, "a text"));
  TRY_VOID(read(*server, "tls_key", config.tls_key, "a text"));
  TRY_VOID(read(*server, "root_key_file", config.root_key_file, "a text"));
  TRY_VOID(read(*server, "public_metrics", config.public_metrics, "true or false"));
  std::vector<std::string> proxies;
  TRY_VOID(read_texts(*server, "trusted_proxies", proxies));
  for (const std::string& text : proxies) {
    auto network = policy::Cidr::parse(text);
    if (!network)
      return bad(*server->get("trusted_proxies"),
                 fmt::format("'trusted_proxies': {}", told(network.error())));
    config.trusted_proxies.push_back(*network);
  }
  if (config.tls_cert.empty() != config.tls_key.empty())
    return bad(*server, "'tls_cert' and 'tls_key' go together: give both or neither.");
  return {};
}

Result<void> read_upstream(const toml::table& file, Config& config) {
  TRY(const toml::table* upstream, section(file, "upstream", kUpstream));
  if (upstream == nullptr) return {};
  TRY_VOID(read(*upstream, "ca_file", config.ca_file, "a text"));
  return read_texts(*upstream, "allow_http", config.allow_http);
}

// Hosts as read_outside_url compares them.
Result<void> read_outside(const toml::table& file, Config& config) {
  TRY(const toml::table* outside, section(file, "outside", kOutside));
  if (outside == nullptr) return {};
  std::vector<std::string> hosts;
  TRY_VOID(read_texts(*outside, "private_hosts", hosts));
  for (const std::string& host : hosts) {
    const bool colons = host.find(':') != std::string::npos;
    const auto url = vault::parse_base_url(colons ? "https://[" + host + "]" : "https://" + host);
    if (!url || !url->path.empty() || url->port != 443)
      return bad(*outside->get("private_hosts"),
                 fmt::format("'private_hosts': '{}' is not a host; write a name or an address.", host));
    config.private_hosts.push_back(url->host);
  }
  return {};
}

Result<void> read_rotation(const toml::table& file, Config& config) {
  TRY(const toml::table* rotation, section(file, "rotation", kRotation));
  if (rotation == nullptr) return {};
  const auto read_span = [&](std::string_view key, std::int64_t& ms) -> Result<void> {
    std::string text;
    TRY_VOID(read(*rotation, key, text, "a text"));
    if (rotation->get(key) == nullptr) return {};
    const auto span = parse_duration(text);
    if (!span) return bad(*rotation->get(key), fmt::format("'{}': {}", key, told(span.error())));
    ms = std::chrono::duration_cast<std::chrono::milliseconds>(*span).count();
    return {};
  };
  TRY_VOID(read_span("probe_every", config.rotation.probe_ms));
  TRY_VOID(read_span("verify_within", config.rotation.verify_ms));
  TRY_VOID(read_span("list_settle", config.rotation.list_ms));
  TRY_VOID(read_span("keep_old", config.rotation.soak_ms));
  return read_span("keep_dead", config.rotation.retain_ms);
}

// [key_file.CREDENTIAL]: where a server of the operator's own reads its keys.
Result<void> read_key_files(const toml::table& file, Config& config) {
  const toml::node* node = file.get("key_file");
  if (node == nullptr) return {};
  const toml::table* files = node->as_table();
  if (files == nullptr) return bad(*node, "'key_file' is written [key_file.CREDENTIAL].");
  for (const auto& [name, value] : *files) {
    const toml::table* given = value.as_table();
    if (given == nullptr) return bad(value, "'key_file' is written [key_file.CREDENTIAL].");
    TRY_VOID(check_keys(*given, fmt::format("key_file.{}", name.str()), kKeyFile));
    steward::KeyFile made;
    TRY_VOID(read(*given, "path", made.path, "a text"));
    TRY_VOID(read_texts(*given, "reload", made.reload));
    if (!made.path.starts_with('/')) return bad(*given, "'path' is needed, from the root.");
    if (!made.reload.empty() && !made.reload.front().starts_with('/'))
      return bad(*given, "'reload' begins with a program's path, from the root; no shell reads it.");
    config.rotation.key_files.insert_or_assign(std::string(name.str()), std::move(made));
  }
  return {};
}

Result<void> read_limits(const toml::table& file, Config& config) {
  TRY(const toml::table* limits, section(file, "limits", kLimits));
  if (limits == nullptr || !limits->contains("default_max_output_tokens")) return {};
  std::int64_t tokens = 0;
  TRY_VOID(read(*limits, "default_max_output_tokens", tokens, "an integer"));
  if (tokens < 1)
    return bad(*limits->get("default_max_output_tokens"), "'default_max_output_tokens' is at least 1.");
  config.default_max_output_tokens = tokens;
  return {};
}

Result<void> read_prices(const toml::table& file, Config& config) {
  TRY(const toml::table* prices, section(file, "prices", kPrices));
  if (prices == nullptr) return {};
  return read(*prices, "file", config.prices_file, "a text");
}

// [provider.NAME] in the words of provider::parse_providers, which checks the values.
Result<void> read_providers(const toml::table& file, Config& config) {
  const toml::node* node = file.get("provider");
  if (node == nullptr) return {};
  const toml::table* providers = node->as_table();
  if (providers == nullptr) return bad(*node, "'provider' is written [provider.NAME].");
  for (const auto& [name, value] : *providers) {
    const toml::table* given = value.as_table();
    if (given == nullptr) return bad(value, "'provider' is written [provider.NAME].");
    TRY_VOID(check_keys(*given, fmt::format("provider.{}", name.str()), kProvider));
    toml::table row = *given;
    row.insert_or_assign("name", std::string(name.str()));
    if (const auto header = row["key_header"].value<std::string>()) {
      row.insert_or_assign("key_placement", *header == "authorization" ? "bearer" : *header);
      row.erase("key_header");
    }
    std::ostringstream text;
    text << toml::table{{"provider", toml::array{row}}};
    auto parsed = provider::parse_providers(text.str(), provider::OtherTables::refuse);
    if (!parsed) return bad(*given, told(parsed.error()));
    for (provider::Provider& one : *parsed) config.providers.push_back(std::move(one));
  }
  return {};
}

}  // namespace

Result<Config> parse_config(std::string text) try {
  const toml::table file = toml::parse(text);
  TRY_VOID(check_keys(file, "", kSections));
  Config config;
  TRY_VOID(read_server(file, config));
  TRY_VOID(read_upstream(file, config));
  TRY_VOID(read_outside(file, config));
  TRY_VOID(read_rotation(file, config));
  TRY_VOID(read_key_files(file, config));
  TRY_VOID(read_limits(file, config));
  TRY_VOID(read_prices(file, config));
  TRY_VOID(read_providers(file, config));
  TRY_VOID(read_incident(file, config));
  TRY_VOID(read_notify(file, config));
  config.text = std::move(text);
  TRY(const provider::Catalog checked, make_catalog(config));
  return config;
} catch (const toml::parse_error& error) {
  return refuse(Code::configuration,
                fmt::format("Configuration, line {}: {}.", error.source().begin.line, error.description()));
}

namespace {

// The text of a file; nothing when there is none of that name.
Result<std::optional<std::string>> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open() && !std::filesystem::exists(path)) return std::optional<std::string>{};
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.is_open() || file.bad())
    return refuse(Code::configuration, fmt::format("{} cannot be read.", path));
  return std::optional(std::move(text).str());
}

Result<void> load_prices(Config& config, const std::string& data) {
  const std::string path = prices_path(config, data);
  if (path.empty()) return {};
  TRY(auto text, read_whole(path));
  if (!text && config.prices_file.empty()) return {};
  if (!text) return refuse(Code::configuration, fmt::format("The price file {} does not exist.", path));
  config.prices = *std::move(text);
  if (auto checked = make_catalog(config); !checked)
    return refuse(Code::configuration, fmt::format("{}: {}", path, told(checked.error())));
  return {};
}

}  // namespace

std::string prices_path(const Config& config, const std::string& data) {
  if (!config.prices_file.empty()) return config.prices_file;
  return data.empty() ? std::string() : data + "/prices.toml";
}

Result<Config> load_config(const std::string& path, const std::string& data) {
  std::string text;
  if (!path.empty()) {
    TRY(auto found, read_whole(path));
    if (!found)
      return refuse(Code::configuration, fmt::format("The configuration file {} cannot be read.", path));
    text = *std::move(found);
  }
  auto config = parse_config(std::move(text));
  if (!config) {
    if (!path.empty()) config.error().say = fmt::format("{}: {}", path, told(config.error()));
    return config;
  }
  TRY_VOID(load_prices(*config, data));
  return config;
}

Result<provider::Catalog> make_catalog(const Config& config) {
  TRY(provider::PriceBook prices,
      provider::PriceBook::with_operator_rows(provider::kPricesData, config.text,
                                              provider::OtherTables::ignore, config.prices));
  return provider::Catalog::make(config.providers, std::move(prices));
}

}  // namespace claviger::app
