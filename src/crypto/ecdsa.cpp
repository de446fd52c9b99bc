// ES256 over OpenSSL.
#include "crypto/ecdsa.hpp"

#include <cstring>

#include "crypto/openssl_key.hpp"

namespace claviger::crypto {
namespace {

using openssl::Bio;
using openssl::Context;
using openssl::Key;

// Null unless it is a key on P-256.
Key read_key(std::string_view pem) {
  const Bio bio = openssl::reader(pem);
  Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC) return nullptr;
  char group[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key.get(), group, sizeof(group), &size) != 1) return nullptr;
  return std::strcmp(group, "prime256v1") == 0 ? std::move(key) : nullptr;
}

}  // namespace

bool is_p256_key(std::string_view pem) { return read_key(pem) != nullptr; }

bool es256_verify(std::string_view pem, std::string_view message, ByteView signature) {
  const Key key = read_key(pem);
  if (!key) return false;
  const Context context(EVP_MD_CTX_new());
  const ByteView bytes = as_bytes(message);
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
}

}  // namespace claviger::crypto
