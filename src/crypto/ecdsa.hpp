// ES256 signatures of others: ECDSA on P-256 with SHA-256.
#pragma once

#include <string_view>

#include "base/encoding.hpp"

namespace claviger::crypto {

// Whether `pem` is a public key on P-256.
bool is_p256_key(std::string_view pem);
// Whether `signature` (DER) over `message` is that of the private key behind the PEM public key.
bool es256_verify(std::string_view pem, std::string_view message, ByteView signature);

}  // namespace claviger::crypto
