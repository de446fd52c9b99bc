// OpenSSL's plain SHA-256 functions on a state that can be copied: the EVP layer allocates and costs more
// than the hash.
#pragma once

#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_* are deprecated for want of FIPS routing, not of correctness
#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "base/encoding.hpp"

namespace claviger::crypto {

static_assert(std::is_trivially_copyable_v<SHA256_CTX> && sizeof(SHA256_CTX) <= 128);

using HashState = std::array<std::uint8_t, 128>;  // as the public headers keep it: SHA256_CTX and padding

inline void hash_begin(SHA256_CTX& state) { SHA256_Init(&state); }
inline void hash_add(SHA256_CTX& state, ByteView bytes) { SHA256_Update(&state, bytes.data(), bytes.size()); }
inline Digest hash_end(SHA256_CTX& state) {
  Digest digest;
  SHA256_Final(digest.data(), &state);
  return digest;
}

}  // namespace claviger::crypto
