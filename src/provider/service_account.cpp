// The JWT assertion of RFC 7523 in Google's form, and the token endpoint's answer.
#include "provider/service_account.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "crypto/rsa.hpp"
#include "crypto/wipe.hpp"
#include "wire/json.hpp"

namespace claviger::provider {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view kForm =
    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
constexpr std::int64_t kSecond = 1'000'000'000;

std::unexpected<Error> no_account(std::string_view why) {
  return fail_upstream(
      Code::credential_unavailable, std::string(why),
      fmt::format("The credential's secret is no service account's JSON document: {}.", why));
}

std::string base64url(ByteView bytes) {
  std::string text = base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

// The signed part: header and claims.
std::string claims_of(wire::JsonValue root, std::string_view endpoint, Time now) {
  std::string header;
  JsonWriter head(header);
  head.open('{').field("alg", "RS256").field("typ", "JWT");
  head.field("kid", root["private_key_id"].text().value_or("")).close('}');
  std::string claims;
  JsonWriter w(claims);
  w.open('{').field("iss", root["client_email"].text().value_or("")).field("scope", kScope);
  w.field("aud", endpoint).field("iat", now.ns / kSecond);
  w.field("exp", now.ns / kSecond + limits::kTokenLifeMs / 1000).close('}');
  return base64url(as_bytes(header)) + "." + base64url(as_bytes(claims));
}

Result<void> scan_document(std::string_view document, wire::Json& json) {
  if (!wire::scan(document, json) || !json.root().is_object()) return no_account("it is not JSON");
  for (const std::string_view field : {"client_email", "private_key", "token_uri"})
    if (!json.root()[field].is_string()) return no_account(fmt::format("{} is missing", field));
  return {};
}

Result<BaseUrl> endpoint_of(wire::JsonValue root) {
  auto where = parse_base_url(root["token_uri"].text().value_or(""));
  if (!where) return no_account("its token_uri is no address");
  return where;
}

}  // namespace

Result<BaseUrl> token_endpoint(std::string_view document) {
  wire::Json json;
  TRY_VOID(scan_document(document, json));
  return endpoint_of(json.root());
}

Result<TokenAsk> ask_for_token(std::string_view document, Time now) {
  wire::Json json;
  TRY_VOID(scan_document(document, json));
  const wire::JsonValue root = json.root();
  TokenAsk ask;
  TRY(ask.where, endpoint_of(root));
  const std::string to_sign = claims_of(root, root["token_uri"].text().value_or(""), now);
  std::string pem = root["private_key"].text().value_or("");
  const auto signature = crypto::rs256_sign(pem, to_sign);
  crypto::wipe(pem);
  if (!signature) return no_account("its private_key cannot sign");
  ask.body.append(kForm).append(to_sign).append(".").append(base64url(*signature));
  return ask;
}

Result<AccessToken> read_token(int status, std::string& answer) {
  wire::Json json;
  AccessToken made;
  std::string text;
  if (status == 200 && wire::scan(answer, json, wire::Duplicates::allow)) {
    text = json.root()["access_token"].text().value_or("");
    made.life_ms = std::min(json.root()["expires_in"].integer().value_or(0) * 1000, limits::kTokenLifeMs);
  }
  const bool sound = !text.empty() && made.life_ms > 0 &&
                     std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  made.token = Secret::take(text);
  crypto::wipe(answer);
  if (sound) return made;
  return fail_upstream(
      Code::credential_unavailable, fmt::format("token endpoint: status {}", status),
      "The token endpoint gave no access token for the service account: it was disabled, its "
      "key was deleted, or the clock is wrong.");
}

}  // namespace claviger::provider
