// From a head and a body to a request.
#include "gate/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/limits.hpp"
#include "gate/world.hpp"

namespace claviger::gate {
namespace {

constexpr std::string_view kProviderPrefix = "/p/";
constexpr std::string_view kAzurePrefix = "/openai/";

// "Bearer x" -> "x"; any other scheme is shown whole, so that it is refused as not ours.
std::string_view without_bearer(std::string_view value) {
  constexpr std::string_view kBearer = "bearer ";
  if (value.size() <= kBearer.size()) return value;
  for (std::size_t i = 0; i < kBearer.size(); ++i)
    if ((value[i] | 0x20) != (kBearer[i] | 0x20)) return value;
  value.remove_prefix(kBearer.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

provider::Speaker speaker_of(const wire::Headers& headers) {
  if (headers.has("anthropic-version")) return provider::Speaker::anthropic;
  if (headers.has("x-goog-api-key") || headers.has("x-goog-api-client")) return provider::Speaker::gemini;
  return provider::Speaker::any;
}

// The dialect of a provider (or credential) named in the path; the path's own guess when there is none.
const provider::Provider* named_provider(std::string_view name, const World& world) {
  if (const provider::Provider* found = world.catalog->find(name)) return found;
  for (const CredentialEntry& entry : world.credentials)
    if (entry.name == name) return entry.provider;
  return world.catalog->find(provider::builtin_name(name));
}

// "/p/NAME/chat/completions" may leave out the version segment that every route begins with.
std::string with_version(std::string_view rest, provider::Dialect dialect) {
  const bool bare = dialect == provider::Dialect::bedrock || dialect == provider::Dialect::vectors;
  if (bare || rest.starts_with("/v1/") || rest.starts_with("/v1beta/") || rest.starts_with(kAzurePrefix))
    return std::string(rest);
  return (dialect == provider::Dialect::gemini ? "/v1beta" : "/v1") + std::string(rest);
}

// A client that wants to leave HTTP would speak unmetered; other upgrades (h2c) may be passed over.
bool wants_websocket(const wire::Headers& headers) {
  std::string wish(headers.find("upgrade"));
  for (char& c : wish)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return wish.find("websocket") != std::string::npos || headers.has("sec-websocket-key");
}

// InvokeModel takes options in the head, beside the body: tiers, guardrails and whatever else may come. What
// the gate has no price of does not pass it.
Result<void> refuse_bedrock_options(const wire::Headers& headers) {
  constexpr std::string_view kOptions = "x-amzn-bedrock-";
  constexpr std::array<std::string_view, 2> kHarmless{"accept", "content-type"};
  for (const wire::Header& header : headers) {
    if (!wire::same_name(header.name.substr(0, kOptions.size()), kOptions)) continue;
    const std::string_view option = header.name.substr(kOptions.size());
    const bool harmless = std::ranges::any_of(
        kHarmless, [option](std::string_view name) { return wire::same_name(option, name); });
    if (!harmless)
      return refuse(Code::invalid_parameter,
                    fmt::format("The header {} is refused, since what it asks of Bedrock has no known price: "
                                "leave it out.",
                                header.name.substr(0, 64)));
  }
  return {};
}

Result<void> read_named(Request& request, std::string_view path, const World& world) {
  path.remove_prefix(kProviderPrefix.size());
  const std::size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  const provider::Provider* named = named_provider(name, world);
  if (named == nullptr || slash == std::string_view::npos)
    return refuse(Code::unknown_route,
                  fmt::format("There is no provider or credential named '{}' here.", name));
  request.provider = name;
  const bool azure = named->path_form == provider::PathForm::azure;
  if (path.substr(slash).starts_with(kAzurePrefix) && !azure)
    return refuse(Code::unknown_route, fmt::format("Provider '{}' has no Azure paths.", name));
  request.path = with_version(path.substr(slash), named->dialect);
  request.match.dialect = named->dialect;
  return {};
}

// Views into the head: taken again when it has moved.
void show_keys(Request& request) {
  const wire::Headers& headers = request.head.headers;
  request.shown_keys = {without_bearer(headers.find("authorization")), headers.find("x-api-key"),
                        headers.find("x-goog-api-key"), headers.find("api-key"), request.query_key};
}

// What the body is, by the route and by what its sender says. A form sent where JSON is expected would be
// read by a provider as something that the gate has not seen.
Result<void> scan_body(Request& request) {
  const wire::Headers& headers = request.head.headers;
  const std::string_view type = headers.find("content-type");
  const bool form = type.size() > 9 && (type[0] | 0x20) == 'm' && (type[1] | 0x20) == 'u';
  const provider::BodyKind kind = request.route().body;
  if (form && kind == provider::BodyKind::json)
    return refuse(Code::unsupported_encoding,
                  "This route takes JSON: send it with Content-Type: application/json.");
  if (!form && kind == provider::BodyKind::form)
    return refuse(Code::unsupported_encoding, "This route takes a form: send it as multipart/form-data.");
  if (!form) {
    TRY_VOID(wire::scan(request.body, request.json));
    request.has_json = true;
    return {};
  }
  TRY_VOID(wire::read_form(type, request.body, request.form));
  request.has_form = true;
  return {};
}

}  // namespace

Result<void> read_target(Request& request, const World& world) {
  const wire::Headers& headers = request.head.headers;
  const std::string_view target = request.head.target;
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const std::string_view query =
      mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  const provider::Speaker speaker = speaker_of(headers);
  if (path.starts_with(kProviderPrefix)) {
    request.match.dialect = provider::match(request.head.method, path, speaker).dialect;
    TRY_VOID(read_named(request, path, world));
  } else {
    request.path = path;
    if (path.starts_with(kAzurePrefix)) request.provider = "azure_openai";
  }
  const provider::Dialect expected = request.match.dialect;
  request.match = provider::match(request.head.method, request.path, speaker);
  const bool other_dialect = !request.provider.empty() && request.match.dialect != expected;
  if (other_dialect) request.match.dialect = expected;
  if (!request.match.verdict) return std::unexpected(request.match.verdict.error());
  if (wants_websocket(headers))
    return refuse(
        Code::route_refused,
        "WebSockets are refused because the gate meters only HTTP answers: send the request with POST.");
  if (other_dialect)
    return refuse(Code::unknown_route,
                  fmt::format("Provider '{}' does not serve this path.", request.provider));
  if (request.match.dialect == provider::Dialect::bedrock) TRY_VOID(refuse_bedrock_options(headers));
  TRY(request.query_key, provider::query_key(query));
  TRY(request.query, provider::upstream_query(request.route(), query));
  show_keys(request);
  return {};
}

Result<policy::IpAddress> came_through(const policy::IpAddress& peer, std::span<const policy::Cidr> trusted,
                                       const wire::Headers& headers) {
  std::vector<std::string_view> list;
  std::vector<std::string_view> forwarded;
  for (const wire::Header& header : headers) {
    if (wire::same_name(header.name, "x-forwarded-for")) list.push_back(header.value);
    if (wire::same_name(header.name, "forwarded")) forwarded.push_back(header.value);
  }
  return policy::client_address(peer, trusted, {list, forwarded});
}

void read_own_target(Request& request) {
  const std::string_view target = request.head.target;
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  request.match.dialect = provider::match(request.head.method, "/", speaker_of(request.head.headers)).dialect;
  show_keys(request);
}

net::Task<Result<void>> read_body(net::ServerConnection& connection, Request& request) {
  const std::string_view encoding = request.head.headers.find("content-encoding");
  if (!encoding.empty() && encoding != "identity") co_return refuse(Code::unsupported_encoding);
  const auto body = co_await connection.read_body(request.head, limits::kRequestBody);
  show_keys(request);
  if (!body) co_return std::unexpected(body.error());
  request.body = *body;
  if (request.head.method != "POST" && request.head.method != "PUT") {
    if (!request.body.empty()) co_return refuse(Code::malformed_request, "This request may not have a body.");
    co_return Result<void>();
  }
  co_return scan_body(request);
}

}  // namespace claviger::gate
