// ES256: a signature made elsewhere, and what is not one.
#include "crypto/ecdsa.hpp"

#include <gtest/gtest.h>

#include <string>

namespace claviger::crypto {
namespace {

constexpr std::string_view kMessage = "a message of somebody else";
constexpr std::string_view kPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExz67JCiiW6Z5OL5MIV7qOVHWSysI\n"
    "dV37Br8cfL8876dkTtZSTblnlKqLDcDD+w87tNy5YF/dvPgTLy/y8QUzFw==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kOtherCurve =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEoiw2WUsGKPI84BJhi1JKlEDyLyTDPyp0\n"
    "5wmyizDBm82W35cf1C2G1TELREWSEpgN/D3lEtyIANFAnU81vh30fQ9+hjPNV/vH\n"
    "M4RMNQP124LA7aD+ZZNyrfT1FSDkbmsN\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kSignature =
    "MEUCIDSylxz4rtVnc3LAJQTV2fPbCXSxOcBxyMVzLRhZpL0kAiEA1zwAK/cZaZx7xyElOjR47Eg/fmXQph2KE/whr8CCVuo=";

TEST(Ecdsa, a_signature_of_the_key_over_the_message_is_taken) {
  EXPECT_TRUE(is_p256_key(kPem));
  EXPECT_TRUE(es256_verify(kPem, kMessage, *unbase64(kSignature)));
}

TEST(Ecdsa, another_message_another_signature_and_no_signature_are_refused) {
  EXPECT_FALSE(es256_verify(kPem, "another message", *unbase64(kSignature)));
  Bytes forged = *unbase64(kSignature);
  forged.back() ^= 1;
  EXPECT_FALSE(es256_verify(kPem, kMessage, forged));
  EXPECT_FALSE(es256_verify(kPem, kMessage, {}));
}

TEST(Ecdsa, only_keys_on_p256_are_keys) {
  EXPECT_FALSE(is_p256_key("no key"));
  EXPECT_FALSE(is_p256_key(kOtherCurve));
  EXPECT_FALSE(es256_verify("no key", kMessage, *unbase64(kSignature)));
}

}  // namespace
}  // namespace claviger::crypto
