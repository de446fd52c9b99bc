// What sealed bytes are bound to: associated data of length-prefixed fields, and the one shape of each sealed
// thing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/aead.hpp"
#include "vault/credential.hpp"

namespace claviger::vault {

// Fields each with its length in front, so that no two lists of fields give the same bytes.
class Bound {
 public:
  explicit Bound(std::string_view purpose) { add(purpose); }
  Bound& add(std::string_view field);
  Bound& add(std::int64_t number);
  ByteView bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// Which sealed row is meant.
struct Place {
  std::string_view store_id;
  const Credential& credential;  // id, kind, provider, environment, base_url and origins are bound
  std::int64_t version;
};

struct SealedVersion {
  std::int64_t term = 0;
  Bytes wrapped_dek;  // under the term's key
  Bytes secret;       // under the data key
};

// Seals `plain` under a fresh data key, and that under `kek`.
SealedVersion seal_version(const Place& place, std::int64_t term, const crypto::Key& kek, ByteView plain,
                           Rng& rng);
// The plaintext; `corrupt` when anything is not as it was sealed.
Result<crypto::WipedBytes> open_version(const Place& place, const SealedVersion& sealed,
                                        const crypto::Key& kek);

// The data key of a version moved from one term's key to another's; the secret stays sealed.
struct TermKey {
  std::int64_t term;
  const crypto::Key& kek;
};
Result<Bytes> rewrap_dek(const Place& place, ByteView wrapped, const TermKey& from, const TermKey& to,
                         Rng& rng);

// A key-encryption key under the root key.
Bytes wrap_term(std::string_view store_id, std::int64_t term, const crypto::Key& kek, const crypto::Key& root,
                Rng& rng);
Result<crypto::Key> unwrap_term(std::string_view store_id, std::int64_t term, ByteView wrapped,
                                const crypto::Key& root);

}  // namespace claviger::vault
