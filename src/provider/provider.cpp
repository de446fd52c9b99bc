// The provider rows, those of the configuration, and the joining of addresses and paths.
#include "provider/provider.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <toml++/toml.h>

namespace claviger::provider {
namespace {

constexpr std::array<std::pair<KeyPlacement, std::string_view>, 4> kPlacements{
    {{KeyPlacement::bearer, "bearer"},
     {KeyPlacement::x_api_key, "x-api-key"},
     {KeyPlacement::x_goog_api_key, "x-goog-api-key"},
     {KeyPlacement::api_key, "api-key"}}};

std::unexpected<Error> bad_row(std::string_view name, std::string_view what) {
  std::string say = "[[provider]] ";
  say.append(name).append(": ").append(what);
  return refuse(Code::configuration, std::move(say));
}

bool name_chars(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

// Reads the optional text field `key` into `out`; false when it is there and not a text.
bool optional_text(const toml::table& row, std::string_view key, std::string& out) {
  const toml::node* node = row.get(key);
  if (!node) return true;
  const auto text = node->value_exact<std::string>();
  if (text) out = *text;
  return text.has_value();
}

Result<void> apply_choices(const toml::table& row, Provider& out) {
  std::string placement(placement_name(out.key_placement));
  std::string usage = out.stream_usage == StreamUsage::always ? "always" : "on_request";
  if (!optional_text(row, "key_placement", placement) || !optional_text(row, "stream_usage", usage) ||
      !optional_text(row, "base_url", out.default_base_url) ||
      !optional_text(row, "max_tokens_field", out.max_tokens_field))
    return bad_row(out.name, "values are texts.");
  const auto found =
      std::ranges::find(kPlacements, placement, &std::pair<KeyPlacement, std::string_view>::second);
  if (found == kPlacements.end())
    return bad_row(out.name, "key_placement is bearer, x-api-key, x-goog-api-key or api-key.");
  out.key_placement = found->first;
  if (usage != "always" && usage != "on_request")
    return bad_row(out.name, "stream_usage is always or on_request.");
  out.stream_usage = usage == "always" ? StreamUsage::always : StreamUsage::on_request;
  if (out.dialect == Dialect::openai) {
    if (out.max_tokens_field != "max_tokens" && out.max_tokens_field != "max_completion_tokens")
      return bad_row(out.name, "max_tokens_field is max_tokens or max_completion_tokens.");
    out.max_tokens = out.max_tokens_field == "max_tokens" ? MaxTokens::max_tokens_only : MaxTokens::either;
  }
  if (!out.default_base_url.empty())
    if (auto base = parse_base_url(out.default_base_url); !base) return bad_row(out.name, told(base.error()));
  return {};
}

Result<Provider> parse_row(const toml::table& row) {
  constexpr std::array<std::string_view, 7> kKnown{
      "name", "dialect", "base_url", "key_placement", "stream_usage", "self_hosted", "max_tokens_field"};
  const auto name = row["name"].value_exact<std::string>();
  if (!name || !name_chars(*name))
    return bad_row("", "name is missing or has other than a-z 0-9 _ - and dots.");
  for (const auto& [key, value] : row)
    if (std::ranges::find(kKnown, key.str()) == kKnown.end())
      return bad_row(*name, "unknown key \"" + std::string(key.str()) + "\".");
  const auto dialect = parse_dialect(row["dialect"].value_exact<std::string>().value_or(""));
  if (!dialect) return bad_row(*name, "dialect is openai, anthropic, gemini, bedrock or vectors.");
  const auto& builtin = builtin_providers();
  const std::string_view like = dialect_name(*dialect);
  const std::string_view row_like = like == "openai"    ? "openai_compatible"
                                    : like == "vectors" ? "qdrant"
                                                        : like;
  Provider out = *std::ranges::find(builtin, row_like, &Provider::name);
  out.name = *name;
  out.default_base_url.clear();
  if (const toml::node* own = row.get("self_hosted")) {
    if (!own->is_boolean()) return bad_row(*name, "self_hosted is true or false.");
    out.self_hosted = own->value_or(false);
  }
  TRY_VOID(apply_choices(row, out));
  return out;
}

std::string_view without_last_version(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || path.size() - slash < 3) return path;
  const bool version = path[slash + 1] == 'v' && path[slash + 2] >= '0' && path[slash + 2] <= '9';
  return version ? path.substr(0, slash) : path;
}

bool is_version(std::string_view segment) {
  return segment.size() >= 2 && segment[0] == 'v' && segment[1] >= '0' && segment[1] <= '9';
}

// "/v1/chat/completions" -> "/chat/completions"; a path without a version stays.
std::string_view without_first_version(std::string_view path) {
  const std::size_t end = path.find('/', 1);
  if (end == std::string_view::npos || !is_version(path.substr(1, end - 1))) return path;
  return path.substr(end);
}

// The base URL may be the resource, or its /openai or /openai/v1 as portals and SDKs write it.
std::string azure_target(const BaseUrl& base, std::string_view route_path) {
  std::string_view prefix = without_last_version(base.path);
  constexpr std::string_view kOpenai = "/openai";
  if (prefix.ends_with(kOpenai)) prefix.remove_suffix(kOpenai.size());
  std::string out(prefix);
  if (!route_path.starts_with("/openai/")) out += kOpenai;
  return out.append(route_path);
}

bool host_chars(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == ':' || c == '[' || c == ']';
  });
}

bool path_chars(std::string_view path) {
  return path.find("//") == std::string_view::npos && path.find("/.") == std::string_view::npos &&
         std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f && c != '\\' && c != '%'; });
}

// "host:port" and "[v6]:port" into host and port.
bool split_authority(std::string_view authority, BaseUrl& out) {
  std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  if (colon != std::string_view::npos && bracket != std::string_view::npos && colon < bracket)
    colon = std::string_view::npos;
  if (colon != std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, out.port);
    if (digits.empty() || read.ec != std::errc{} || read.ptr != end || out.port == 0) return false;
    authority = authority.substr(0, colon);
  }
  if (!host_chars(authority)) return false;
  const bool bare_colon = authority.find(':') != std::string_view::npos && !authority.starts_with('[');
  out.host = authority;
  std::ranges::transform(out.host, out.host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return !bare_colon;
}

}  // namespace

std::string_view key_header(KeyPlacement placement) {
  return placement == KeyPlacement::bearer ? "authorization" : placement_name(placement);
}

std::string_view key_prefix(KeyPlacement placement) {
  return placement == KeyPlacement::bearer ? "Bearer " : "";
}

std::string_view placement_name(KeyPlacement placement) {
  for (const auto& [value, name] : kPlacements)
    if (value == placement) return name;
  return {};
}

Result<std::vector<Provider>> parse_providers(std::string_view toml_text, OtherTables others) try {
  const toml::table file = toml::parse(toml_text);
  if (others == OtherTables::refuse)
    for (const auto& [key, value] : file)
      if (key.str() != "provider")
        return refuse(Code::configuration, "Unknown key \"" + std::string(key.str()) + "\".");
  std::vector<Provider> out;
  const toml::node* rows = file.get("provider");
  if (!rows) return out;
  if (!rows->is_array_of_tables()) return refuse(Code::configuration, "provider is written [[provider]].");
  for (const toml::node& node : *rows->as_array()) {
    TRY(Provider row, parse_row(*node.as_table()));
    if (std::ranges::find(out, row.name, &Provider::name) != out.end())
      return bad_row(row.name, "the name is there twice.");
    out.push_back(std::move(row));
  }
  return out;
} catch (const toml::parse_error& error) {
  return refuse(Code::configuration, "Line " + std::to_string(error.source().begin.line) + ": " +
                                         std::string(error.description()));
}

Result<BaseUrl> parse_base_url(std::string_view url) {
  const auto bad = [](std::string_view why) {
    return refuse(Code::configuration, "The base URL cannot be used: " + std::string(why));
  };
  BaseUrl out;
  if (url.starts_with("https://")) {
    out.scheme = "https";
    out.port = 443;
  } else if (url.starts_with("http://")) {
    out.scheme = "http";
    out.port = 80;
  } else {
    return bad("it starts with https:// or http://.");
  }
  url.remove_prefix(out.scheme.size() + 3);
  if (url.find_first_of("@?#") != std::string_view::npos) return bad("no user, query or fragment.");
  const std::size_t slash = url.find('/');
  std::string_view path = slash == std::string_view::npos ? std::string_view{} : url.substr(slash);
  if (!split_authority(url.substr(0, slash), out)) return bad("host and port are not valid.");
  if (path.ends_with('/')) path.remove_suffix(1);
  if (!path_chars(path)) return bad("its path is not in normal form.");
  out.path = path;
  out.origin = out.scheme + "://" + out.host + ":" + std::to_string(out.port);
  return out;
}

std::string upstream_target(const BaseUrl& base, std::string_view route_path, PathForm form) {
  switch (form) {
    case PathForm::bare:
      return base.path + std::string(without_first_version(route_path));
    case PathForm::azure:
      return azure_target(base, route_path);
    case PathForm::versioned:
      break;
  }
  const std::string_view prefix = without_last_version(base.path);
  std::string out(base.path);
  if (prefix.size() != base.path.size()) {
    // The base names its own version, which takes the place of the route's first segment.
    const std::size_t rest = route_path.find('/', 1);
    out += rest == std::string_view::npos ? std::string_view{} : route_path.substr(rest);
  } else {
    out += route_path;
  }
  return out;
}

Result<std::string> upstream_target(std::string_view base_url, std::string_view route_path) {
  TRY(const BaseUrl base, parse_base_url(base_url));
  return upstream_target(base, route_path);
}

Catalog Catalog::make(std::vector<Provider> extra, PriceBook prices) {
  std::vector<Provider> rows = builtin_providers();
  for (Provider& row : extra) {
    const auto same = std::ranges::find(rows, row.name, &Provider::name);
    same == rows.end() ? rows.push_back(std::move(row)) : void(*same = std::move(row));
  }
  return Catalog(std::move(rows), std::move(prices));
}

const Provider* Catalog::find(std::string_view name) const {
  const auto row = std::ranges::find(providers_, name, &Provider::name);
  return row == providers_.end() ? nullptr : &*row;
}

}  // namespace claviger::provider
