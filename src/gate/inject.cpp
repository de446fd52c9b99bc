// The outgoing head.
#include "gate/inject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "crypto/wipe.hpp"
#include "provider/sigv4.hpp"
#include "wire/http1.hpp"

namespace claviger::gate {
namespace {

// Never forwarded: every place a key may stand, what names the client's own account, and what only a proxy
// may say.
constexpr wire::NameSet kWithheld(std::to_array<std::string_view>({
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "cookie",
    "host",
    "content-length",
    "transfer-encoding",
    "expect",
    "accept-encoding",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "via",
    "openai-organization",
    "openai-project",
    "x-forwarded-port",
    "proxy-authorization",
    "x-goog-user-project",
    "ocp-apim-subscription-key",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "x-amz-access-token",
}));

constexpr std::size_t kSignatureRoom = 1024;  // around a key or token: it must not grow behind it
// A key of ours goes to no provider, also where a misspelt header brings it.
constexpr std::string_view kOurKeys = "clv_";

constexpr std::size_t kSpareForSecret = 16 * 1024 + 64;  // in a buffer of its own

bool is_withheld(std::string_view name) { return wire::is_hop_by_hop(name) || kWithheld.contains(name); }

constexpr std::size_t kSmallBody = 4 * 1024;  // copied behind the head: cheaper than a second piece

// The host of an IPv6 base URL has its brackets already.
std::string host_of(const provider::BaseUrl& base) {
  const bool usual = base.port == (base.scheme == "https" ? 443 : 80);
  return usual ? base.host : base.host + ":" + std::to_string(base.port);
}

// A secret on its way into a signature.
struct Scratch {
  Scratch() { text.reserve(kSpareForSecret); }
  ~Scratch() { crypto::wipe(text); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string text;
};

std::unexpected<Error> unfit(const CredentialEntry& credential, std::string_view why) {
  return fail_upstream(Code::credential_unavailable, std::string(why),
                       fmt::format("The credential '{}' cannot be used: {}.", credential.name, why));
}

// A document, or a line end, in a header would be another header.
bool fits_a_header(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// The signature, or the bearer key that Bedrock takes instead.
Result<void> append_aws(const CredentialEntry& credential, const provider::AwsRequest& request,
                        std::string_view secret, std::string& out) {
  if (secret.find(':') == std::string_view::npos) {
    out.append("authorization: Bearer ").append(secret).append("\r\n");
    return {};
  }
  if (request.region.empty())
    return unfit(credential, "its region is not known: claviger credential set NAME --parameter region=R");
  const auto keys = provider::parse_aws_keys(secret);
  if (!keys) return unfit(credential, told(keys.error()));
  provider::append_signature(*keys, request, out);
  return {};
}

void append_number(std::string& out, std::size_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

}  // namespace

Result<Outbound> Injector::inject(const Request& request, const Grant& grant, const ledger::Hold&,
                                  const Keyring& keys) {
  const CredentialEntry& credential = *grant.credential;
  Outbound made;
  std::string& out = made.head_;
  std::size_t room = 768 + request.path.size() + request.query.size() + credential.base.path.size();
  for (const wire::Header& header : request.head.headers)
    room += header.name.size() + header.value.size() + 4;
  if (request.body.size() <= kSmallBody) room += request.body.size() + kSmallBody / 8;  // and edits
  out.reserve(room);
  const std::string target =
      provider::upstream_target(credential.base, request.path, credential.provider->path_form);
  const std::string host = host_of(credential.base);
  out.append(request.head.method).append(" ").append(target);
  if (!request.query.empty()) out.append("?").append(request.query);
  out.append(" HTTP/1.1\r\n");
  out.append("host: ").append(host).append("\r\n");
  for (const wire::Header& header : request.head.headers)
    if (!is_withheld(header.name) && !request.head.headers.connection_lists(header.name) &&
        header.value.find(kOurKeys) == std::string_view::npos)
      out.append(header.name).append(": ").append(header.value).append("\r\n");
  out.append("accept-encoding: identity\r\n");
  if (request.head.framing != wire::Framing::none) {
    out.append("content-length: ");
    append_number(out, provider::gathered_size(request.body, grant.edits.splices));
    out.append("\r\n");
  }
  if (credential.provider->proof == provider::Proof::aws) {
    Scratch secret;
    TRY(made.version_,
        keys.vault.append_secret(credential.id, credential.base.origin, secret.text, SecretAccess()));
    out.reserve(out.size() + secret.text.size() + kSignatureRoom);
    std::string_view region = vault::parameter(credential.parameters, "region");
    if (region.empty()) region = provider::region_of_host(credential.base.host);
    const auto body = provider::gather(request.body, grant.edits.splices);
    TRY_VOID(append_aws(credential,
                        {request.head.method, target, request.query, host, region, "bedrock", keys.now, body},
                        secret.text, out));
  } else if (credential.provider->proof == provider::Proof::service_account) {
    made.version_ = credential.version;
    const bool had = keys.tokens.with(credential, keys.now, [&](const Secret& token) {
      const std::span<const char> text = token.open(SecretAccess());
      out.reserve(out.size() + text.size() + kSignatureRoom);
      out.append("authorization: Bearer ").append(text.data(), text.size()).append("\r\n");
    });
    if (!had) return unfit(credential, "its access token has just expired");
  } else {
    const provider::KeyPlacement placement = credential.provider->key_placement;
    out.append(provider::key_header(placement)).append(": ").append(provider::key_prefix(placement));
    const std::size_t from = out.size();
    TRY(made.version_, keys.vault.append_secret(credential.id, credential.base.origin, out, SecretAccess()));
    if (!fits_a_header(std::string_view(out).substr(from)))
      return unfit(credential, "its secret is a document, and this provider takes a key");
    out.append("\r\n");
  }
  out.append("\r\n");
  return made;
}

Result<provider::TokenAsk> Injector::token_ask(const CredentialEntry& credential, vault::Vault& vault,
                                               Time now) {
  const SecretAccess access;
  Scratch secret;
  TRY([[maybe_unused]] const std::int64_t version,
      vault.append_secret(credential.id, credential.base.origin, secret.text, access));
  TRY(const provider::BaseUrl where, provider::token_endpoint(secret.text));
  Scratch again;  // opened once more for the token endpoint's own origin: the vault knows which are allowed
  TRY([[maybe_unused]] const std::int64_t same,
      vault.append_secret(credential.id, where.origin, again.text, access));
  return provider::ask_for_token(secret.text, now);
}

}  // namespace claviger::gate
