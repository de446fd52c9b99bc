// Sealing with everything bound that must not be exchanged.
#include "vault/sealing.hpp"

#include "crypto/hash.hpp"

namespace claviger::vault {
namespace {

// One organisation a vault; bound all the same, so that a later vault of several keeps the format.
constexpr std::string_view kOrganisation = "org";

Bound of_secret(const Place& place) {
  const Credential& it = place.credential;
  Bound bound("claviger/secret/1");
  bound.add(place.store_id).add(kOrganisation).add(it.id).add(place.version).add(name_of(it.kind));
  bound.add(it.provider).add(it.environment).add(it.base_url);
  bound.add(static_cast<std::int64_t>(it.origins.size()));
  for (const std::string& origin : it.origins) bound.add(origin);
  return bound;
}

Bound of_dek(const Place& place, std::int64_t term) {
  Bound bound("claviger/dek/1");
  bound.add(place.store_id).add(kOrganisation).add(place.credential.id).add(place.version).add(term);
  return bound;
}

Bound of_term(std::string_view store_id, std::int64_t term) {
  Bound bound("claviger/term/1");
  bound.add(store_id).add(kOrganisation).add(term);
  return bound;
}

// The root key itself only ever derives.
crypto::Key wrapping_key(const crypto::Key& root) { return crypto::hkdf_key(root, "claviger/term-wrap"); }

}  // namespace

Bound& Bound::add(std::string_view field) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes_.push_back(static_cast<std::uint8_t>(field.size() >> shift));
  const ByteView raw = as_bytes(field);
  bytes_.insert(bytes_.end(), raw.begin(), raw.end());
  return *this;
}

Bound& Bound::add(std::int64_t number) { return add(std::to_string(number)); }

SealedVersion seal_version(const Place& place, std::int64_t term, const crypto::Key& kek, ByteView plain,
                           Rng& rng) {
  crypto::Key dek;
  rng.fill(dek.writable());
  SealedVersion sealed;
  sealed.term = term;
  sealed.wrapped_dek = crypto::aead_seal(kek, dek, of_dek(place, term).bytes(), rng);
  sealed.secret = crypto::aead_seal(dek, plain, of_secret(place).bytes(), rng);
  return sealed;
}

Result<crypto::WipedBytes> open_version(const Place& place, const SealedVersion& sealed,
                                        const crypto::Key& kek) {
  TRY(const crypto::WipedBytes raw,
      crypto::aead_open(kek, sealed.wrapped_dek, of_dek(place, sealed.term).bytes()));
  if (raw.size() != 32) return fail(Code::corrupt, "a data key has a wrong length");
  const crypto::Key dek{ByteView(raw)};
  return crypto::aead_open(dek, sealed.secret, of_secret(place).bytes());
}

Result<Bytes> rewrap_dek(const Place& place, ByteView wrapped, const TermKey& from, const TermKey& to,
                         Rng& rng) {
  TRY(const crypto::WipedBytes raw, crypto::aead_open(from.kek, wrapped, of_dek(place, from.term).bytes()));
  return crypto::aead_seal(to.kek, raw, of_dek(place, to.term).bytes(), rng);
}

Bytes wrap_term(std::string_view store_id, std::int64_t term, const crypto::Key& kek, const crypto::Key& root,
                Rng& rng) {
  return crypto::aead_seal(wrapping_key(root), kek, of_term(store_id, term).bytes(), rng);
}

Result<crypto::Key> unwrap_term(std::string_view store_id, std::int64_t term, ByteView wrapped,
                                const crypto::Key& root) {
  TRY(const crypto::WipedBytes raw,
      crypto::aead_open(wrapping_key(root), wrapped, of_term(store_id, term).bytes()));
  if (raw.size() != 32) return fail(Code::corrupt, "a key-encryption key has a wrong length");
  return crypto::Key(ByteView(raw));
}

}  // namespace claviger::vault
