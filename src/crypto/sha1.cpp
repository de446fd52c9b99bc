// SHA-1 by OpenSSL's plain functions.
#include "crypto/sha1.hpp"

#define OPENSSL_SUPPRESS_DEPRECATED  // as in sha256_state.hpp: the EVP layer allocates
#include <openssl/sha.h>

#include <new>

namespace claviger::crypto {
namespace {

static_assert(sizeof(SHA_CTX) <= 128);
SHA_CTX& context(std::array<std::uint8_t, 128>& state) {
  return *std::launder(reinterpret_cast<SHA_CTX*>(state.data()));
}

}  // namespace

Sha1::Sha1() : state_{} {
  new (state_.data()) SHA_CTX;
  SHA1_Init(&context(state_));
}

Sha1& Sha1::add(ByteView bytes) {
  SHA1_Update(&context(state_), bytes.data(), bytes.size());
  return *this;
}

std::array<std::uint8_t, 20> Sha1::finish() {
  std::array<std::uint8_t, 20> digest{};
  SHA1_Final(digest.data(), &context(state_));
  SHA1_Init(&context(state_));
  return digest;
}

}  // namespace claviger::crypto
