// Ed25519 signatures (RFC 8032), for the checkpoints of the audit tree.
#pragma once

#include <array>
#include <cstdint>

#include "base/encoding.hpp"

namespace claviger::crypto {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// A signing key, derived from a 32-byte seed; the same seed gives the same key. Move-only, wiped.
class SigningKey {
 public:
  static SigningKey from_seed(ByteView seed);  // exactly 32 bytes

  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&& other) noexcept;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey();

  const PublicKey& public_key() const { return public_; }
  Signature sign(ByteView message) const;

 private:
  SigningKey() = default;
  std::array<std::uint8_t, 64> secret_{};
  PublicKey public_{};
};

// True when `signature` was made over `message` by the owner of `key`. Keys and signatures of small order are
// false.
bool verify(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace claviger::crypto
