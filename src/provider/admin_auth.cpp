// Putting secrets into calls, and buying tokens with them.
#include "provider/admin_auth.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "crypto/wipe.hpp"
#include "provider/admin_template.hpp"
#include "provider/sigv4.hpp"

namespace claviger::provider {
namespace {

std::unexpected<Error> unfit(std::string_view why) {
  return fail_upstream(Code::credential_unavailable, std::string(why),
                       fmt::format("The secret cannot be used for this call: {}.", why));
}

// The Host header's value: a usual port is left out.
std::string host_of(const BaseUrl& base) {
  const bool usual = base.port == (base.scheme == "https" ? 443 : 80);
  return usual ? base.host : base.host + ":" + std::to_string(base.port);
}

struct Pair {
  std::string_view id, secret;
};
Pair pair_of(std::string_view secret) {
  const std::size_t colon = secret.find(':');
  return {secret.substr(0, colon), secret.substr(colon + 1)};
}

Result<Armed> start(std::string_view url, std::string_view method) {
  Armed out;
  const std::size_t slash = url.find('/', url.find("//") + 2);
  TRY(out.base, parse_base_url(url.substr(0, slash)));
  out.method = method;
  out.path = slash == std::string_view::npos ? "/" : url.substr(slash);
  out.host = host_of(out.base);
  return out;
}

void sign(const AdminCall& call, const AwsKeys& keys, Time now, Armed& out) {
  const std::size_t question = std::min(out.path.find('?'), out.path.size());
  const std::string_view path = out.path;
  const std::string_view body = out.body;
  AwsRequest request{call.method,
                     path.substr(0, question),
                     path.substr(std::min(question + 1, path.size())),
                     out.host,
                     call.region,
                     call.service,
                     now,
                     std::span(&body, 1)};
  for (const auto& [name, value] : out.headers)
    if (name == "content-type") request.headers.emplace_back(name, value);
  std::string lines;
  lines.reserve(1024 + keys.token.size());
  append_signature(keys, request, lines);
  for (std::string_view rest = lines; !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    const std::size_t colon = rest.find(": ");
    out.headers.emplace_back(rest.substr(0, colon), rest.substr(colon + 2, end - colon - 2));
    rest.remove_prefix(end + 2);
  }
  crypto::wipe(lines);
}

void put_into_body(std::string_view secret, std::string& body) {
  const std::size_t mark = body.find(kSecretMark);
  if (mark == std::string::npos) return;
  std::string quoted;
  quoted.reserve(body.size() + secret.size() * 6 + 2);
  append_json_string(quoted, secret);
  std::string made;
  made.reserve(body.size() + quoted.size());
  made.append(body, 0, mark).append(quoted, 1, quoted.size() - 2).append(body, mark + kSecretMark.size());
  crypto::wipe(quoted);
  body = std::move(made);
}

}  // namespace

Armed::~Armed() {
  for (auto& [name, value] : headers) crypto::wipe(value);
  crypto::wipe(body);
}

Result<std::optional<Armed>> token_call(const AdminCall& call, std::string_view secret, Time now) {
  if (call.auth == AdminAuth::google && secret.starts_with('{')) {
    TRY(TokenAsk ask, ask_for_token(secret, now));
    Armed out;
    out.method = "POST";
    out.base = ask.where;
    out.path = std::exchange(out.base.path, {});
    out.host = host_of(out.base);
    out.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    out.body = std::move(ask.body);
    return std::optional(std::move(out));
  }
  const bool pairs = call.auth == AdminAuth::azure || call.auth == AdminAuth::client_pair;
  if (!pairs || !secret.contains(':')) return std::optional<Armed>{};
  if (call.token_url.empty()) return unfit("CLIENT_ID:CLIENT_SECRET needs the parameter tenant_id");
  const Pair pair = pair_of(secret);
  TRY(Armed out, start(call.token_url, "POST"));
  out.body.reserve(512 + pair.secret.size() * 6);
  if (call.auth == AdminAuth::azure) {
    out.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    std::string escaped = url_escaped(pair.secret);
    out.body.append("grant_type=client_credentials&client_id=").append(url_escaped(pair.id));
    out.body.append("&client_secret=").append(escaped);
    out.body.append("&scope=https%3A%2F%2Fmanagement.azure.com%2F.default");
    crypto::wipe(escaped);
  } else {
    out.headers = call.headers;  // the version of the API is required here too (oauth_2026-04.oas.yaml)
    out.headers.emplace_back("content-type", "application/json");
    JsonWriter w(out.body);
    w.open('{').field("client_id", pair.id).field("client_secret", pair.secret);
    w.field("grant_type", "client_credentials").field("audience", "https://api.pinecone.io/").close('}');
  }
  return std::optional(std::move(out));
}

Result<Armed> arm(const AdminCall& call, std::string_view secret, Time now) {
  const bool sound =
      !secret.empty() && std::ranges::all_of(secret, [](char c) { return c > ' ' && c < 0x7f; });
  if (!sound && call.auth != AdminAuth::none)
    return unfit("it is empty or has characters that cannot be sent");
  const bool buys = call.auth == AdminAuth::azure || call.auth == AdminAuth::client_pair;
  if ((buys && secret.contains(':')) || (call.auth == AdminAuth::google && secret.starts_with('{')))
    return unfit("an access token must be bought with it first");
  TRY(Armed out, start(call.base_url + call.path, call.method));
  out.headers = call.headers;
  out.body = call.body;
  put_into_body(secret, out.body);
  const auto add = [&](std::string_view name, std::string_view front) {
    std::string value;
    value.reserve(front.size() + secret.size());
    value.append(front).append(secret);
    out.headers.emplace_back(name, std::move(value));
  };
  switch (call.auth) {
    case AdminAuth::none:
      return out;
    case AdminAuth::x_api_key:
      return add("x-api-key", ""), std::move(out);
    case AdminAuth::api_key:
      return add("api-key", ""), std::move(out);
    case AdminAuth::x_goog_api_key:
      return add("x-goog-api-key", ""), std::move(out);
    case AdminAuth::bearer_and_x_api_key:
      add("x-api-key", "");
      break;
    case AdminAuth::aws:
      if (!secret.contains(':')) break;
      {
        TRY(const AwsKeys keys, parse_aws_keys(secret));
        sign(call, keys, now, out);
        return out;
      }
    case AdminAuth::bearer:
    case AdminAuth::google:
    case AdminAuth::azure:
    case AdminAuth::client_pair:
      break;
  }
  return add("authorization", "Bearer "), std::move(out);
}

Result<std::vector<std::string>> admin_origins(const Adapter& adapter, const Link& link) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view url) -> Result<void> {
    TRY(const BaseUrl base, parse_base_url(url));
    if (std::ranges::find(out, base.origin) == out.end()) out.push_back(base.origin);
    return {};
  };
  Values about{{"name", "x"},          {"id", "x"},          {"operation", "x"},           {"page", "x"},
               {"from", "2026-01-01"}, {"to", "2026-01-02"}, {"old_expires", "2026-01-01"}};
  for (const AdapterCall& one : adapter.calls) {
    if (one.own_key) continue;
    TRY(const AdminCall call, call_of(adapter, one.operation, link, about));
    TRY_VOID(add(call.base_url));
    if (call.token_url.empty()) continue;
    TRY_VOID(add(call.token_url.substr(0, call.token_url.find('/', call.token_url.find("//") + 2))));
  }
  return out;
}

}  // namespace claviger::provider
