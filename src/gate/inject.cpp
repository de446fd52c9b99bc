// The outgoing head.
#include "gate/inject.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "wire/http1.hpp"

namespace claviger::gate {
namespace {

// Never forwarded: every place a key may stand, what names the client's own account, and what only a proxy
// may say.
constexpr std::array<std::string_view, 21> kWithheld = {
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
};

bool same_name(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y;
         });
}

bool is_withheld(std::string_view name) {
  return wire::is_hop_by_hop(name) ||
         std::any_of(kWithheld.begin(), kWithheld.end(),
                     [&](std::string_view held) { return same_name(name, held); });
}

constexpr std::size_t kSmallBody = 4 * 1024;  // copied behind the head: cheaper than a second piece

// The host of an IPv6 base URL has its brackets already.
void append_host(std::string& out, const provider::BaseUrl& base) {
  out.append("host: ").append(base.host);
  if (base.port != (base.scheme == "https" ? 443 : 80)) out.append(":").append(std::to_string(base.port));
  out.append("\r\n");
}

void append_number(std::string& out, std::size_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

}  // namespace

Result<Outbound> Injector::inject(const Request& request, const Grant& grant, const ledger::Hold&,
                                  vault::Vault& vault) {
  const CredentialEntry& credential = *grant.credential;
  Outbound made;
  std::string& out = made.head_;
  std::size_t room = 768 + request.path.size() + request.query.size() + credential.base.path.size();
  for (const wire::Header& header : request.head.headers)
    room += header.name.size() + header.value.size() + 4;
  if (request.body.size() <= kSmallBody) room += request.body.size() + kSmallBody / 8;  // and edits
  out.reserve(room);
  out.append(request.head.method)
      .append(" ")
      .append(provider::upstream_target(credential.base, request.path));
  if (!request.query.empty()) out.append("?").append(request.query);
  out.append(" HTTP/1.1\r\n");
  append_host(out, credential.base);
  for (const wire::Header& header : request.head.headers)
    if (!is_withheld(header.name) && !request.head.headers.connection_lists(header.name))
      out.append(header.name).append(": ").append(header.value).append("\r\n");
  out.append("accept-encoding: identity\r\n");
  if (request.head.framing != wire::Framing::none) {
    out.append("content-length: ");
    append_number(out, provider::gathered_size(request.body, grant.edits.splices));
    out.append("\r\n");
  }
  const provider::KeyPlacement placement = credential.provider->key_placement;
  out.append(provider::key_header(placement)).append(": ").append(provider::key_prefix(placement));
  TRY(made.version_, vault.append_secret(credential.id, credential.base.origin, out, SecretAccess()));
  out.append("\r\n\r\n");  // which kAfterSecret has room for
  return made;
}

}  // namespace claviger::gate
