// The vault: provider secrets sealed at rest, versioned, bound to the origins they may go to, opened only for
// use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "crypto/aead.hpp"
#include "store/store.hpp"
#include "vault/credential.hpp"
#include "vault/recipients.hpp"

namespace claviger::vault {

extern const std::string_view kSchema;  // for store::install
// Brings tables that an older program made up to kSchema. Vault::open does it.
Result<void> upgrade(store::Store& store);

enum class Publish : std::uint8_t {
  now,    // the new version becomes current, the current one previous
  later,  // it waits as pending, for publish()
};

// Which key-encryption keys there are, and what still lies under each.
struct TermUse {
  std::int64_t term = 0;
  std::int64_t versions = 0;
};

struct Rekeyed {
  std::int64_t term = 0;                  // the new one
  std::int64_t rewrapped = 0;             // data keys
  std::vector<std::int64_t> dropped;      // terms under which nothing is left
  std::vector<std::string> damaged = {};  // versions that stay under their old term
};

// Keys: recipients each wrap the root key; the root key wraps a key-encryption key (a term); that wraps a
// fresh data key for every version, which seals the secret. What a sealed row is bound to (AAD): store,
// organisation, credential, version, kind, provider, environment, base URL and origins, so that no row opens
// in another's place and an origin changed behind our back is `corrupt`, not obeyed. Thread-safe. Changes are
// one Store::write each, and are seen by append_secret before they return.
class Vault {
 public:
  // What else is written in the transaction of a change, knowing the credential as it is after it; what it
  // refuses undoes the change.
  using Also = std::function<Result<void>(store::Tx&, const Credential&)>;

  // Makes a new vault in a store that has kSchema. conflict when there is one; errors of make_slots.
  static Result<void> init(store::Store& store, Rng& rng, const Recipients& recipients);
  // Opens it. vault_sealed, wrong_passphrase, corrupt. `store`, `rng`, `clock` and `arena` must outlive it.
  static Result<std::unique_ptr<Vault>> open(store::Store& store, Rng& rng, const Clock& clock,
                                             const Unlock& unlock, SecretArena& arena);
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;
  ~Vault();

  // A key for another purpose, told apart by its label: "key-pepper", "admin-pepper", "audit-sign".
  crypto::Key subkey(std::string_view label) const;
  // The keyed hash under which a secret is recognised without being known (CredentialVersion::sha256).
  Digest fingerprint(std::string_view secret) const;

  // Slots of the root key.
  Result<std::vector<Recipient>> recipients() const;
  Result<void> add_recipient(const Recipients& recipients);
  // not_found; conflict for the last one.
  Result<void> remove_recipient(std::int64_t id);
  // A recipient whose key lies in shares; their lines, for the caller to show once and to wipe.
  // invalid_input.
  Result<std::vector<std::string>> split_recipient(const Split& split);

  // A new key-encryption key: every data key is wrapped anew under it in one transaction, old terms with
  // nothing left under them are deleted. Secrets stay open and usable throughout.
  Result<Rekeyed> rekey();
  Result<std::vector<TermUse>> terms() const;

  // All refuse with invalid_input, not_found, conflict (a state that does not allow it), already_exists (a
  // name). A credential is named by id or by name.
  Result<Credential> add(const NewCredential& asked, const Secret& secret);
  // conflict when the secret is one this credential has had, or when another version already waits as
  // pending.
  Result<Credential> add_version(std::string_view credential, const Secret& secret,
                                 Publish publish = Publish::now, const Also& also = {});
  // pending -> current
  Result<Credential> publish(std::string_view credential, std::int64_t version, const Also& also = {});
  // The latest previous becomes current again, and back.
  Result<Credential> rollback(std::string_view credential);
  // A version that is previous becomes current, the current one previous.
  Result<Credential> restore(std::string_view credential, std::int64_t version, const Also& also = {});
  // Not the current one. One that is revoked already stays so.
  Result<Credential> revoke_version(std::string_view credential, std::int64_t version, const Also& also = {});
  Result<Credential> destroy_version(std::string_view credential,
                                     std::int64_t version);  // not the current one
  Result<Credential> disable(std::string_view credential);
  Result<Credential> enable(std::string_view credential);
  Result<Credential> set(std::string_view credential, const SettingChange& change);
  // Crypto-shred: the wrapped data keys and sealed secrets of all versions are deleted, and gone from the
  // store's files when it returns. Backups made before still hold them. There is no way back.
  Result<Credential> destroy(std::string_view credential);

  Result<Credential> get(std::string_view credential) const;
  Result<std::vector<Credential>> list() const;  // by name; destroyed ones too

  // Appends the current version's secret to `out` and returns the version's number. Before the secret is in
  // it `out` grows, where it must, to hold it and kAfterSecret bytes more; it must not grow afterwards, and
  // is for the caller to wipe. Refuses, leaving `out` alone, with credential_unavailable (unknown, disabled,
  // destroyed, nothing current), origin_mismatch (origin upstream), corrupt (this row only),
  // store_unavailable. Hot: a look-up and a copy once the secret has been opened.
  static constexpr std::size_t kAfterSecret = 64;
  Result<std::int64_t> append_secret(std::string_view credential_id, std::string_view origin,
                                     std::string& out, const SecretAccess& access);
  // The same for one version, of any state but destroyed, whether the credential is enabled or not: for
  // asking a provider about it. Not hot.
  Result<void> append_version(std::string_view credential_id, std::int64_t version, std::string_view origin,
                              std::string& out, const SecretAccess& access);
  // Opens every version that has a sealed secret; the ids and versions that do not open.
  Result<std::vector<std::string>> damaged_rows();

  // Which versions, of any state, hold a secret one of whose leak_forms() has one of these SHA-256 hashes:
  // how a leak is recognised by somebody who does not show it. The store holds a keyed hash of each SHA-256,
  // so that a stolen one confirms no guess. In no particular order.
  struct Match {
    Digest sha256;
    std::string credential;  // id
    std::int64_t version = 0;
  };
  Result<std::vector<Match>> match(std::span<const Digest> sha256) const;

 private:
  struct Ring;   // opened keys
  struct Cache;  // opened secrets
  struct Opened;
  using Change = std::function<Result<void>(store::Tx&, const Credential&)>;

  Vault(store::Store& store, Rng& rng, const Clock& clock, SecretArena& arena);
  Result<void> open_ring(const crypto::Key& root);
  crypto::Key root() const;
  bool has_terms() const;
  Result<void> keep_term(std::int64_t term, const crypto::Key& kek);
  Result<crypto::Key> term_key(std::int64_t term) const;
  Result<void> rewrap_all(store::Tx& tx, const crypto::Key& kek, Rekeyed& done);
  // One transaction that changes one credential; whatever its outcome, the cache forgets it.
  Result<Credential> change(std::string_view credential, const Change& work, const Also& also = {});
  Result<Credential> destroy_where(std::string_view credential, const Change& work);
  Result<void> insert_sealed(store::Tx& tx, const Credential& credential, VersionState state,
                             const Secret& secret);
  Result<crypto::WipedBytes> open_stored(store::Tx& tx, const Credential& credential,
                                         std::int64_t version) const;
  Result<Opened> open_for_use(std::string_view credential_id) const;
  Digest match_tag(const Digest& sha256) const;
  // Under every form in which the secret may be found.
  Result<void> tag_version(store::Tx& tx, std::string_view id, std::int64_t number, ByteView secret) const;
  // Tags versions that were stored before there were tags. One that does not open stays without.
  Result<void> tag_versions();

  store::Store& store_;
  Rng& rng_;
  const Clock& clock_;
  SecretArena& arena_;
  std::string store_id_;
  std::unique_ptr<Ring> ring_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace claviger::vault
