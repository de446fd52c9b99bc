// Known answers, so that a broken build or library is found at the start and not in the data.
#include <sodium.h>

#include <algorithm>
#include <utility>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"
#include "crypto/merkle.hpp"
#include "crypto/sign.hpp"

namespace claviger::crypto {
namespace {

Bytes bytes_of(std::string_view digits) { return unhex(digits).value(); }

// FIPS 180-4, "abc".
bool sha256_is_right() {
  return hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
}

// RFC 4231 test case 2.
bool hmac_is_right() {
  return hex(HmacSha256(as_bytes("Jefe")).mac("what do ya want for nothing?")) ==
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
}

// RFC 5869 test case 1.
bool hkdf_is_right() {
  std::array<std::uint8_t, 42> out{};
  hkdf_sha256(Bytes(22, 0x0b), bytes_of("000102030405060708090a0b0c"), bytes_of("f0f1f2f3f4f5f6f7f8f9"), out);
  return hex(out) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
}

// McGrew and Viega, test case 14: key, nonce and one block of plaintext all zero.
bool aead_is_right() {
  const Bytes sealed =
      bytes_of("000000000000000000000000cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  const auto plain = aead_open(Key(), sealed, {});
  return plain && plain->size() == 16 &&
         std::ranges::all_of(*plain, [](std::uint8_t byte) { return byte == 0; });
}

// RFC 8032 section 7.1, test 2.
bool signing_is_right() {
  const SigningKey key =
      SigningKey::from_seed(bytes_of("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  const std::uint8_t message = 0x72;
  const Signature signature = key.sign({&message, 1});
  return hex(signature) ==
             "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" &&
         verify(key.public_key(), {&message, 1}, signature);
}

}  // namespace

Result<void> self_test() {
  if (sodium_init() < 0) return fail(Code::internal, "self-test: libsodium does not start");
  constexpr std::pair<std::string_view, bool (*)()> answers[] = {
      {"SHA-256", sha256_is_right},   {"HMAC-SHA-256", hmac_is_right}, {"HKDF-SHA-256", hkdf_is_right},
      {"AES-256-GCM", aead_is_right}, {"Ed25519", signing_is_right},
  };
  for (const auto& [name, is_right] : answers)
    if (!is_right()) return fail(Code::internal, "self-test: " + std::string(name) + " gives a wrong answer");
  return {};
}

}  // namespace claviger::crypto
