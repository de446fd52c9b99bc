// Authenticated encryption: AES-256-GCM with a random nonce in front, and passphrases made into keys.
#pragma once

#include <cstdint>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/wipe.hpp"

namespace claviger::crypto {

inline constexpr std::size_t kAeadNonce = 12;
inline constexpr std::size_t kAeadTag = 16;
inline constexpr std::size_t kAeadOverhead = kAeadNonce + kAeadTag;

// nonce (12 random bytes) | ciphertext | tag (16). `aad` is bound but not contained.
// One key seals at most 2^32 messages (SP 800-38D, random nonces).
Bytes aead_seal(const Key& key, ByteView plain, ByteView aad, Rng& rng);

// The plaintext; `corrupt` when key, text or `aad` is not the one it was sealed with.
Result<WipedBytes> aead_open(const Key& key, ByteView sealed, ByteView aad);

// What Argon2id costs: passes and memory. The default takes about 0.2 s and 64 MiB.
struct Argon2Cost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 64 * 1024;
};

inline constexpr std::size_t kArgon2Salt = 16;

// A key from a passphrase. `salt` is kArgon2Salt bytes. Refuses with `invalid_input` a cost out of bounds
// (1..32 passes, 8 KiB..1 GiB: a damaged row must not exhaust memory), with `internal` when memory is short.
Result<Key> argon2id(std::string_view passphrase, ByteView salt, Argon2Cost cost);

// Known answers of every primitive in this folder; `internal` names the one that is wrong. For the start.
Result<void> self_test();

}  // namespace claviger::crypto
