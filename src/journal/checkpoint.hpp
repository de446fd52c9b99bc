// The signed statement of how many lines there are and what their tree's root is: a C2SP checkpoint.
//
//   <origin>\n<size>\n<base64 root>\n\n— <origin> <base64(key hash || signature)>\n
// A signed note with an Ed25519 key (type 1); further signature lines of others are passed over.
// The verifier key is "<origin>+<key hash, 8 hex>+<base64(0x01 || public key)>".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "crypto/sign.hpp"

namespace claviger::journal {

inline constexpr std::string_view kCheckpointFile = "checkpoint";
inline constexpr std::string_view kPublicKeyFile = "key.pub";

struct Checkpoint {
  std::string origin;  // no spaces, no '+'
  std::uint64_t size = 0;
  Digest root{};
};

struct VerifierKey {
  std::string origin;
  crypto::PublicKey key{};
};

std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key);
std::string write_verifier_key(const std::string& origin, const crypto::PublicKey& key);

// The statement without looking at signatures. Refuses with corrupt.
Result<Checkpoint> read_checkpoint(std::string_view note);
Result<VerifierKey> read_verifier_key(std::string_view text);
// True when one of the note's signatures is by `key`, under its origin.
bool is_signed_by(std::string_view note, const VerifierKey& key);

}  // namespace claviger::journal
