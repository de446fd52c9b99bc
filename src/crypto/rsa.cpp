// RS256 over OpenSSL.
#include "crypto/rsa.hpp"

#include "crypto/openssl_key.hpp"

namespace claviger::crypto {
namespace {

using openssl::Bio;
using openssl::Context;
using openssl::Key;
using openssl::reader;

constexpr int kFewestBits = 2048;

// A key that asks for a passphrase is not read: nobody could type it.
int no_passphrase(char*, int, int, void*) { return -1; }

bool is_strong_rsa(const Key& key) {
  return key && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA &&
         EVP_PKEY_get_bits(key.get()) >= kFewestBits;
}

}  // namespace

Result<Bytes> rs256_sign(std::string_view pem, std::string_view message) {
  const Bio bio = reader(pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!is_strong_rsa(key))
    return refuse(Code::invalid_input, "The private key is no RSA key of at least 2048 bits in PEM.");
  const Context context(EVP_MD_CTX_new());
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
  std::size_t size = signature.size();
  const ByteView bytes = as_bytes(message);
  const bool done = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) == 1;
  if (!done) return fail(Code::internal, "RS256 could not sign");
  signature.resize(size);
  return signature;
}

bool rs256_verify(std::string_view public_pem, std::string_view message, ByteView signature) {
  const Bio bio = reader(public_pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
  if (!is_strong_rsa(key)) return false;
  const Context context(EVP_MD_CTX_new());
  const ByteView bytes = as_bytes(message);
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
}

}  // namespace claviger::crypto
