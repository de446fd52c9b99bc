// Credentials in their tables: reading them back and moving versions from state to state.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "store/store.hpp"
#include "vault/credential.hpp"
#include "vault/sealing.hpp"

namespace claviger::vault {

// One by id or name (a live one before a destroyed one of the same name); not_found.
Result<Credential> load(store::Tx& tx, std::string_view id_or_name);
// All, by name, then by time of creation.
Result<std::vector<Credential>> load_all(store::Tx& tx);
// The sealed bytes of a version; `corrupt` when they are missing.
Result<SealedVersion> load_sealed(store::Tx& tx, std::string_view id, std::int64_t number);

Result<void> insert_credential(store::Tx& tx, const Credential& credential);
// A version with its first transition.
Result<void> insert_version(store::Tx& tx, std::string_view id, const CredentialVersion& version,
                            const SealedVersion& sealed);
// A tag under which a version is found by the SHA-256 of its secret or of a part of it (Vault::match).
Result<void> insert_match(store::Tx& tx, std::string_view id, std::int64_t number, const Digest& tag);
// Writes the new state and its time; what was there before is the caller's to know.
Result<void> move_version(store::Tx& tx, std::string_view id, std::int64_t number, VersionState to, Time at);
Result<void> put_setting(store::Tx& tx, std::string_view id, const Setting& setting);
Result<void> set_state(store::Tx& tx, std::string_view id, CredentialState state);

// The key-encryption key that is written with; what a rekey has not committed is not it.
Result<std::int64_t> newest_term(store::Tx& tx);

// Deletes the wrapped data key and the sealed secret of one version, or of all when `number` is nullopt. The
// table of data keys is written anew, since a B-tree that was rebalanced keeps old cells in its slack; after
// Store::scrub nothing of them is left in the files.
Result<void> shred(store::Tx& tx, std::string_view id, std::optional<std::int64_t> number);

}  // namespace claviger::vault
