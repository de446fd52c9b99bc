// Webhooks of GitHub: secret scanning alerts of own repositories, and the partner programme's reports of keys
// found in public. Each is proven by its signature over the body before the body is read, and taken once.
#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "console/incident_parts.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/equal.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "identity/token.hpp"
#include "steward/hook_alerts.hpp"
#include "wire/json.hpp"

namespace claviger::console {
namespace {

using std::chrono::milliseconds;

std::string_view header(const Session& s, std::string_view name) {
  const auto& list = s.request.signature;
  const auto at = std::ranges::find(list, name, [](const auto& one) { return std::string_view(one.first); });
  return at == list.end() ? std::string_view() : std::string_view(at->second);
}

std::unexpected<Error> unsigned_body(std::string_view why) {
  return refuse(Code::unauthenticated, fmt::format("The signature does not prove the body: {}", why));
}

// sha256=HEX over the body, with one of the secrets. All are tried, in time that does not tell which fits.
Result<std::string> check_hmac(const Session& s, std::string_view shown) {
  if (s.parts.hooks->github.empty())
    return refuse(Code::not_found,
                  "No secret for GitHub's webhooks is configured: set secret_file in [hooks.github].");
  constexpr std::string_view kScheme = "sha256=";
  const auto bytes = shown.starts_with(kScheme) ? unhex(shown.substr(kScheme.size())) : std::nullopt;
  Digest given{};
  if (!bytes || bytes->size() != given.size()) return unsigned_body("X-Hub-Signature-256 is no sha256=HEX.");
  std::ranges::copy(*bytes, given.begin());
  bool fits = false;
  for (const crypto::HmacSha256& secret : s.parts.hooks->github)
    fits |= crypto::constant_time_equal(secret.mac(s.request.body), given);
  if (!fits) return unsigned_body("it was made with another secret, or over another body.");
  return fmt::format("github/{}", hex(given));
}

Result<std::string> check_partner(const Session& s, std::string_view identifier) {
  const auto key = s.parts.hooks->partner.find(identifier);
  if (key == s.parts.hooks->partner.end())
    return unsigned_body("its public key is not configured: add [[hooks.github.key]].");
  const auto signature = unbase64(header(s, "github-public-key-signature"));
  if (!signature || !crypto::es256_verify(key->second, s.request.body, *signature))
    return unsigned_body("it was made with another key, or over another body.");
  return fmt::format("partner/{}", hex(crypto::sha256(s.request.body)));
}

// A delivery is taken once, whatever it is called: its name is not under the signature.
Result<void> check_fresh(Session& s, const std::string& body, const std::string& delivery) {
  bool known = false;
  TRY_VOID(s.parts.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const bool by_body, steward::hook_known(tx, body));
    TRY(const bool by_name, steward::hook_known(tx, delivery));
    known = by_body || (!delivery.empty() && by_name);
    return {};
  }));
  if (known) return refuse(Code::conflict, "This delivery was taken before.");
  return {};
}

Result<void> keep(Session& s, const std::string& body, const std::string& delivery) {
  return s.parts.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(steward::keep_hook(tx, body, s.now));
    return delivery.empty() ? Result<void>{} : steward::keep_hook(tx, delivery, s.now);
  });
}

std::optional<Time> time_of(wire::JsonValue value) {
  const auto text = value.text();
  const auto at = text ? parse_time(*text) : Result<Time>(std::unexpected(Error{}));
  return at ? std::optional(*at) : std::nullopt;
}

// Hashes a secret that stands in the body; no copy of it stays.
Digest hash_of(std::string secret) {
  const Digest digest = crypto::sha256(secret);
  crypto::wipe(secret);
  return digest;
}

Result<void> check_age(const Session& s, const std::optional<Time>& made) {
  if (!made) return unsigned_body("the event does not say when it was made.");
  if (*made < s.now + -milliseconds(limits::kHookAgeMs))
    return unsigned_body("the event is too old to be told from a repetition.");
  if (*made > s.now + milliseconds(limits::kHookAheadMs)) return unsigned_body("the event is of the future.");
  return {};
}

// GitHub's events do not show the secret itself as a rule: it is read with a token, or people are told.
Result<void> leave_to_read(Session& s, wire::JsonValue root, const std::string& place) {
  const wire::JsonValue alert = root["alert"];
  steward::HookAlert left;
  left.repository = root["repository"]["full_name"].text().value_or("");
  left.number = alert["number"].integer().value_or(0);
  left.kind = alert["secret_type"].text().value_or("(not said)");
  left.place = place;
  left.found = time_of(alert["created_at"]).value_or(s.now);
  return s.parts.store.write([&](store::Tx& tx) { return steward::put_hook_alert(tx, left, s.now); });
}

Result<steward::LeakAnswer> take_alert(Session& s, wire::JsonValue root) {
  const wire::JsonValue alert = root["alert"];
  auto made = time_of(alert["updated_at"]);
  if (!made) made = time_of(alert["created_at"]);
  TRY_VOID(check_age(s, made));
  const std::string action = root["action"].text().value_or("");
  if (action != "created" && action != "reopened" && action != "publicly_leaked")
    return steward::LeakAnswer{};
  const std::string place =
      alert["html_url"].text().value_or(root["repository"]["full_name"].text().value_or(""));
  auto secret = alert["secret"].text();
  if (!secret || secret->empty()) {
    TRY_VOID(leave_to_read(s, root, place));
    return steward::LeakAnswer{};
  }
  steward::LeakReport report;
  report.source = "github secret scanning";
  report.first_exposed = time_of(alert["created_at"]);
  report.leaks.push_back({hash_of(*std::move(secret)), {place}});
  return s.parts.incidents->report(report, {"github", "hook", s.request.ip});
}

// Only keys of our own shape are looked at; GitHub sends what fits the pattern it was given.
Result<steward::LeakAnswer> take_partner(Session& s, wire::JsonValue root) {
  if (!root.is_array() || root.size() > limits::kMatchBatch)
    return refuse(Code::invalid_input, fmt::format("A list of 1 to {} tokens.", limits::kMatchBatch));
  steward::LeakReport report;
  report.source = "github partner programme";
  for (const wire::JsonValue one : root.elements()) {
    auto token = one["token"].text();
    if (!token || !identity::parse_token(*token)) continue;
    const std::string url = one["url"].text().value_or("");
    report.leaks.push_back({hash_of(*std::move(token)), {url.empty() ? "found in public" : url}});
  }
  if (report.leaks.empty()) return steward::LeakAnswer{};
  return s.parts.incidents->report(report, {"github", "hook", s.request.ip});
}

Result<steward::LeakAnswer> take(Session& s, bool partner) {
  wire::Json read;
  TRY_VOID(wire::scan(s.request.body, read));
  if (partner) return take_partner(s, read.root());
  const std::string_view event = header(s, "x-github-event");
  if (event == "secret_scanning_alert") return take_alert(s, read.root());
  return steward::LeakAnswer{};  // a ping, or an event that says nothing of secrets
}

}  // namespace

Result<Answer> take_github_hook(Session& s) {
  const std::string_view identifier = header(s, "github-public-key-identifier");
  const bool partner = !identifier.empty();
  TRY(const std::string body,
      partner ? check_partner(s, identifier) : check_hmac(s, header(s, "x-hub-signature-256")));
  const std::string_view named = header(s, "x-github-delivery");
  const std::string delivery =
      named.empty() ? std::string() : fmt::format("delivery/{}", named.substr(0, 128));
  TRY_VOID(check_fresh(s, body, delivery));
  TRY(const steward::LeakAnswer taken, take(s, partner));
  TRY_VOID(keep(s, body, delivery));
  return leak_answer(s, taken);
}

}  // namespace claviger::console
