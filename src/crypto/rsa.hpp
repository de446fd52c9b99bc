// RS256: signatures with an RSA key in PEM, for the assertions by which Google's access tokens are asked for.
#pragma once

#include <string_view>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace claviger::crypto {

// RSASSA-PKCS1-v1_5 with SHA-256. Refuses with invalid_input a text that is no RSA private key of at least
// 2048 bits; the refusal never quotes it. Takes about a millisecond: not for a loop's thread.
Result<Bytes> rs256_sign(std::string_view pem, std::string_view message);
// Whether `signature` over `message` is that of the private key behind the PEM public key.
bool rs256_verify(std::string_view public_pem, std::string_view message, ByteView signature);

}  // namespace claviger::crypto
