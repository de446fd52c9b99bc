// Secrets on their way into calls, and nowhere else.
#include "steward/envoy.hpp"

#include <array>
#include <memory>

#include "crypto/equal.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "provider/admin_auth.hpp"
#include "provider/service_account.hpp"
#include "vault/origin.hpp"

namespace claviger::steward {
namespace {

struct Wiped {
  std::string text;
  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { crypto::wipe(text); }
};

OutsideCall packed(provider::Armed armed) {
  OutsideCall call;
  call.method = std::move(armed.method);
  call.base = armed.base.origin + armed.base.path;
  call.target = std::move(armed.path);
  call.headers = std::move(armed.headers);
  call.body = std::move(armed.body);
  call.reach = Reach::provider;
  call.most = limits::kAdminAnswer;
  return call;
}

}  // namespace

void Envoy::send(Outside& outside, const provider::AdminCall& call, const Bearer& bearer,
                 Outside::Done done) const {
  const SecretAccess access;
  Wiped secret;
  const auto base = provider::parse_base_url(call.base_url);
  if (!base) return done(std::unexpected(base.error()));
  const auto opened =
      vault_.append_version(bearer.credential, bearer.version, base->origin, secret.text, access);
  if (!opened) return done(std::unexpected(opened.error()));
  auto buying = provider::token_call(call, secret.text, clock_.now());
  if (!buying) return done(std::unexpected(std::move(buying).error()));
  if (!*buying) {
    auto armed = provider::arm(call, secret.text, clock_.now());
    if (!armed) return done(std::unexpected(std::move(armed).error()));
    return outside.send(packed(std::move(*armed)), std::move(done));
  }
  // The secret goes to the seller of tokens: that must be one of its origins, too.
  Wiped again;
  const auto sold =
      vault_.append_version(bearer.credential, bearer.version, (*buying)->base.origin, again.text, access);
  if (!sold) return done(std::unexpected(sold.error()));
  outside.send(packed(std::move(**buying)),
               [&outside, call, done = std::move(done), &clock = clock_](Result<OutsideAnswer> answer) {
                 if (!answer) return done(std::unexpected(std::move(answer).error()));
                 auto token = provider::read_token(answer->status, answer->body);
                 if (!token) return done(std::unexpected(std::move(token).error()));
                 const SecretAccess pass;
                 const std::span<const char> text = token->token.open(pass);
                 auto armed = provider::arm(call, {text.data(), text.size()}, clock.now());
                 if (!armed) return done(std::unexpected(std::move(armed).error()));
                 outside.send(packed(std::move(*armed)), done);
               });
}

Result<std::string> Envoy::open(const vault::Credential& credential, std::int64_t version) const {
  TRY(const auto base, vault::parse_base_url(credential.base_url, vault::PlainHttp::allowed));
  std::string secret;
  TRY_VOID(vault_.append_version(credential.id, version, base.origin(), secret, SecretAccess()));
  return secret;
}

std::optional<bool> Envoy::shows(const provider::Adapter& adapter, const provider::ListedKey& key,
                                 const vault::Credential& credential, std::int64_t version) const {
  auto secret = open(credential, version);
  if (!secret) return std::nullopt;
  const auto fits = provider::fits_hint(adapter, key, *secret);
  crypto::wipe(*secret);
  return fits;
}

bool Envoy::is_secret(const vault::Credential& credential, std::int64_t version, const Secret& secret) const {
  auto stored = open(credential, version);
  if (!stored) return false;
  const SecretAccess access;
  const std::span<const char> text = secret.open(access);
  const bool same = crypto::constant_time_equal(crypto::sha256(as_bytes(*stored)),
                                                crypto::sha256(as_bytes({text.data(), text.size()})));
  crypto::wipe(*stored);
  return same;
}

Digest Envoy::sha256(const Secret& secret) const {
  const SecretAccess access;
  const std::span<const char> text = secret.open(access);
  return crypto::sha256(as_bytes({text.data(), text.size()}));
}

Secret Envoy::make_secret() const {
  std::array<std::uint8_t, 32> random{};
  rng_.fill(random);
  std::string text = "sk-claviger-" + base62(random, 43);
  crypto::wipe(std::span<std::uint8_t>(random));
  return Secret::take(text);
}

Result<std::string> Envoy::lines(const vault::Credential& credential,
                                 const std::vector<std::int64_t>& versions) const {
  std::string all;
  all.reserve(versions.size() * (vault::kSecretBytes + 1));
  for (const std::int64_t version : versions) {
    auto secret = open(credential, version);
    if (!secret) {
      crypto::wipe(all);
      return secret;
    }
    all.append(*secret).append("\n");
    crypto::wipe(*secret);
  }
  return all;
}

}  // namespace claviger::steward
