// Ed25519 by libsodium.
#include "crypto/sign.hpp"

#include <sodium.h>

#include "base/check.hpp"
#include "crypto/wipe.hpp"

namespace claviger::crypto {

static_assert(sizeof(PublicKey) == crypto_sign_PUBLICKEYBYTES && sizeof(Signature) == crypto_sign_BYTES);

SigningKey SigningKey::from_seed(ByteView seed) {
  check(seed.size() == crypto_sign_SEEDBYTES, "an Ed25519 seed has 32 bytes");
  SigningKey made;
  check(crypto_sign_seed_keypair(made.public_.data(), made.secret_.data(), seed.data()) == 0,
        "a seed gives a key");
  return made;
}

SigningKey::SigningKey(SigningKey&& other) noexcept : secret_(other.secret_), public_(other.public_) {
  wipe(other.secret_);
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  if (this == &other) return *this;
  secret_ = other.secret_;
  public_ = other.public_;
  wipe(other.secret_);
  return *this;
}

SigningKey::~SigningKey() { wipe(secret_); }

Signature SigningKey::sign(ByteView message) const {
  Signature signature;
  check(crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data()) == 0,
        "an Ed25519 key signs");
  return signature;
}

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(), key.data()) == 0;
}

}  // namespace claviger::crypto
