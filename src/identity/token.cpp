// Minting and reading tokens.
#include "identity/token.hpp"

#include <array>
#include <span>

#include "base/check.hpp"
#include "crypto/wipe.hpp"

namespace claviger::identity {
namespace {

constexpr std::string_view kKeyPrefix = "clv_";
constexpr std::string_view kAdminPrefix = "clva_";
constexpr std::size_t kTail = 1 + kSecretLength + kCrcLength;  // after the id

std::string_view prefix(TokenKind kind) { return kind == TokenKind::key ? kKeyPrefix : kAdminPrefix; }

bool is_base62(std::string_view text) {
  for (const char c : text) {
    const bool known = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!known) return false;
  }
  return true;
}

std::string checksum(std::string_view text) {
  const std::uint32_t crc = crc32(text);
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  return base62(bytes, kCrcLength);
}

}  // namespace

std::string mint_for(TokenKind kind, std::string_view id, Rng& rng) {
  check(is_id(id), "a token is minted for a well-formed id");
  std::array<std::uint8_t, 32> secret{};
  rng.fill(secret);
  std::string digits = base62(secret, kSecretLength);
  std::string token;
  token.reserve(kAdminPrefix.size() + kIdLength + kTail);  // grows once: no second copy of the secret is left
  token.append(prefix(kind)).append(id).append("_").append(digits);
  token += checksum(token);
  crypto::wipe(secret);
  crypto::wipe(digits);
  return token;
}

std::string fresh_id(Rng& rng) {
  std::array<std::uint8_t, 16> bytes{};  // more than the id holds, so that no digit is biased
  rng.fill(bytes);
  return base62(bytes, kIdLength);
}

Minted mint(TokenKind kind, Rng& rng) {
  Minted made;
  made.id = fresh_id(rng);
  made.token = mint_for(kind, made.id, rng);
  return made;
}

bool is_id(std::string_view id) { return id.size() == kIdLength && is_base62(id); }

Result<TokenView> parse_token(std::string_view text) {
  for (const TokenKind kind : {TokenKind::key, TokenKind::admin}) {
    const std::string_view head = prefix(kind);
    if (!text.starts_with(head) || text.size() != head.size() + kIdLength + kTail) continue;
    const std::string_view id = text.substr(head.size(), kIdLength);
    const std::string_view secret = text.substr(head.size() + kIdLength + 1, kSecretLength);
    const std::string_view before = text.substr(0, text.size() - kCrcLength);
    if (!is_base62(id) || text[head.size() + kIdLength] != '_' || !is_base62(secret) ||
        checksum(before) != text.substr(before.size()))
      break;
    return TokenView{kind, id};
  }
  return refuse(Code::unknown_key);
}

Digest digest(const crypto::HmacSha256& pepper, std::string_view token) {
  return pepper.mac(as_bytes(token));
}

}  // namespace claviger::identity
