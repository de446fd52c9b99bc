// SHA-256, and the key derivation built on it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/encoding.hpp"
#include "crypto/wipe.hpp"

namespace claviger::crypto {

Digest sha256(ByteView bytes);
inline Digest sha256(std::string_view text) { return sha256(as_bytes(text)); }

// SHA-256 of pieces. After finish() it is ready for the next message.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256& add(ByteView bytes);
  Sha256& add(std::string_view text) { return add(as_bytes(text)); }
  Digest finish();

 private:
  alignas(8) std::array<std::uint8_t, 128> state_;  // OpenSSL's SHA256_CTX, kept out of this header
};

// HKDF-SHA-256 (RFC 5869), extract and expand. At most 255 * 32 bytes of `out`.
void hkdf_sha256(ByteView key, ByteView salt, ByteView info, std::span<std::uint8_t> out);
// The usual case: a 256-bit subkey of a 256-bit key, told apart by its label.
Key hkdf_key(ByteView key, std::string_view label);

}  // namespace claviger::crypto
