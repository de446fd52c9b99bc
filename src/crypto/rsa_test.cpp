// Tests of RS256 with a key made for the test.
#include "crypto/rsa.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <string>

namespace claviger::crypto {
namespace {

struct Pair {
  std::string secret, open;
};

Pair make_pair(unsigned bits) {
  EVP_PKEY* key = EVP_RSA_gen(bits);
  const auto text = [](BIO* bio) {
    char* data = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio, &data));
    std::string out(data, size);
    BIO_free(bio);
    return out;
  };
  BIO* secret = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
  BIO* open = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(open, key);
  EVP_PKEY_free(key);
  return {text(secret), text(open)};
}

TEST(Rs256, refuses_what_is_no_strong_rsa_key_without_quoting_it) {
  const Pair weak = make_pair(1024);
  for (const std::string& pem :
       {std::string(), std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n"), weak.secret}) {
    const auto signature = rs256_sign(pem, "message");
    ASSERT_FALSE(signature);
    EXPECT_EQ(signature.error().code, Code::invalid_input);
    if (!pem.empty()) EXPECT_EQ(signature.error().say.find(pem), std::string::npos);
  }
}

TEST(Rs256, a_signature_holds_for_its_message_and_key_alone) {
  const Pair mine = make_pair(2048), other = make_pair(2048);
  auto signature = rs256_sign(mine.secret, "message");
  ASSERT_TRUE(signature);
  EXPECT_TRUE(rs256_verify(mine.open, "message", *signature));
  EXPECT_FALSE(rs256_verify(mine.open, "messages", *signature));
  EXPECT_FALSE(rs256_verify(other.open, "message", *signature));
  EXPECT_FALSE(rs256_verify("", "message", *signature));
  signature->front() ^= 1;
  EXPECT_FALSE(rs256_verify(mine.open, "message", *signature));
}

}  // namespace
}  // namespace claviger::crypto
