// AES-256-GCM by OpenSSL, Argon2id by libsodium.
#include "crypto/aead.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/check.hpp"

namespace claviger::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const {
    EVP_CIPHER_CTX_free(context);
  }  // cleanses the key schedule
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

enum class Way : std::uint8_t { seal, open };

// A context keyed and fed with `aad`. What may fail here is memory and misuse, never the data.
Context begin(Way way, const Key& key, const std::uint8_t* nonce, ByteView aad) {
  Context context(EVP_CIPHER_CTX_new());
  check(context != nullptr, "memory for a cipher");
  const int ready =
      EVP_CipherInit_ex2(context.get(), EVP_aes_256_gcm(), key.data(), nonce, way == Way::seal, nullptr);
  check(ready == 1, "AES-256-GCM takes its key");
  int length = 0;
  if (!aad.empty())
    check(EVP_CipherUpdate(context.get(), nullptr, &length, aad.data(), static_cast<int>(aad.size())) == 1,
          "AES-256-GCM takes associated data");
  return context;
}

}  // namespace

Bytes aead_seal(const Key& key, ByteView plain, ByteView aad, Rng& rng) {
  check(plain.size() < INT32_MAX && aad.size() < INT32_MAX, "what is sealed fits an int");
  Bytes sealed(plain.size() + kAeadOverhead);
  rng.fill(std::span(sealed).first(kAeadNonce));
  const Context context = begin(Way::seal, key, sealed.data(), aad);
  std::uint8_t* const text = sealed.data() + kAeadNonce;
  int length = 0;
  if (!plain.empty())
    check(EVP_CipherUpdate(context.get(), text, &length, plain.data(), static_cast<int>(plain.size())) == 1,
          "AES-256-GCM seals");
  int rest = 0;
  check(EVP_CipherFinal_ex(context.get(), text + length, &rest) == 1, "AES-256-GCM seals to the end");
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTag, text + plain.size()) == 1,
        "AES-256-GCM gives its tag");
  return sealed;
}

Result<WipedBytes> aead_open(const Key& key, ByteView sealed, ByteView aad) {
  if (sealed.size() < kAeadOverhead || sealed.size() > INT32_MAX || aad.size() > INT32_MAX)
    return fail(Code::corrupt, "a sealed text has an impossible length");
  const Context context = begin(Way::open, key, sealed.data(), aad);
  const ByteView text = sealed.subspan(kAeadNonce, sealed.size() - kAeadOverhead);
  WipedBytes plain(text.size());
  std::uint8_t none = 0;
  std::uint8_t* const out = plain.empty() ? &none : plain.data();
  int length = 0;
  if (!text.empty())
    check(EVP_CipherUpdate(context.get(), out, &length, text.data(), static_cast<int>(text.size())) == 1,
          "AES-256-GCM opens");
  std::array<std::uint8_t, kAeadTag> tag;
  std::ranges::copy(sealed.last(kAeadTag), tag.begin());
  check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTag, tag.data()) == 1,
        "AES-256-GCM takes a tag");
  int rest = 0;
  if (EVP_CipherFinal_ex(context.get(), out + length, &rest) != 1)
    return fail(Code::corrupt,
                "a sealed text does not open: it was changed, moved, or belongs to another key");
  return plain;
}

Result<Key> argon2id(std::string_view passphrase, ByteView salt, Argon2Cost cost) {
  static_assert(kArgon2Salt == crypto_pwhash_argon2id_SALTBYTES);
  check(salt.size() == kArgon2Salt, "Argon2id's salt has 16 bytes");
  if (cost.passes < 1 || cost.passes > 32 || cost.memory_kib < 8 || cost.memory_kib > 1024 * 1024)
    return refuse(
        Code::invalid_input,
        fmt::format("An Argon2id cost of {} passes and {} KiB is out of bounds: 1 to 32 passes, 8 KiB to "
                    "1 GiB.",
                    cost.passes, cost.memory_kib));
  const char* const text = passphrase.empty() ? "" : passphrase.data();  // libsodium wants no null pointer
  Key key;
  const int made = crypto_pwhash_argon2id(key.writable().data(), key.size(), text, passphrase.size(),
                                          salt.data(), cost.passes, std::size_t{cost.memory_kib} * 1024,
                                          crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (made != 0)
    return fail(Code::internal, fmt::format("Argon2id could not get {} KiB of memory", cost.memory_kib));
  return key;
}

}  // namespace claviger::crypto
