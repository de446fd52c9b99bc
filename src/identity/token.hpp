// The text form of keys and admin tokens: public id, 256 bits of secret and a checksum that scanners
// recognise.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/hmac.hpp"

namespace claviger::identity {

// `clv_` opens the gate, `clva_` the admin API. Neither is accepted in the other's place.
enum class TokenKind : std::uint8_t { key, admin };

inline constexpr std::size_t kIdLength = 12;      // base62, 71 bits, public
inline constexpr std::size_t kSecretLength = 43;  // base62, 256 bits
inline constexpr std::size_t kCrcLength = 6;      // base62 of the CRC-32 of everything before it

struct TokenView {
  TokenKind kind = TokenKind::key;
  std::string_view id;  // points into the parsed text
};

// A fresh token. The caller shows `token` once, stores its digest and forgets it.
struct Minted {
  std::string id;
  std::string token;
};

std::string fresh_id(Rng& rng);
// A token with a fresh id.
Minted mint(TokenKind kind, Rng& rng);
// A token with a fresh secret for an id of fresh_id(): rotation keeps the id.
std::string mint_for(TokenKind kind, std::string_view id, Rng& rng);

// Shape and checksum only, so that a mistyped key never reaches the directory. Refuses unknown_key for either
// kind.
Result<TokenView> parse_token(std::string_view text);
// True when `id` has the shape of an id.
bool is_id(std::string_view id);

// What is stored of a token.
Digest digest(const crypto::HmacSha256& pepper, std::string_view token);

}  // namespace claviger::identity
