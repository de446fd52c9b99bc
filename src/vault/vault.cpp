// Making and opening the vault, and its keys.
#include "vault/vault.hpp"

#include <fmt/format.h>

#include <array>

#include "crypto/hash.hpp"
#include "vault/opened.hpp"
#include "vault/sealing.hpp"

namespace claviger::vault {
namespace {

crypto::Key random_key(Rng& rng) {
  crypto::Key key;
  rng.fill(key.writable());
  return key;
}

Result<std::string> stored_id(store::Store& store) {
  std::string id;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT store_id FROM vault_header"));
    if (!rows.empty()) id = rows.front().text(0);
    return {};
  }));
  return id;
}

}  // namespace

Vault::Vault(store::Store& store, Rng& rng, const Clock& clock, SecretArena& arena)
    : store_(store), rng_(rng), clock_(clock), arena_(arena), cache_(std::make_unique<Cache>()) {}
Vault::~Vault() = default;

Result<void> Vault::init(store::Store& store, Rng& rng, const Recipients& recipients) {
  const auto there_is_one = [] { return refuse(Code::conflict, "The store has a vault already."); };
  TRY(const std::string existing, stored_id(store));
  if (!existing.empty()) return there_is_one();  // before a key file is made for nothing
  std::array<std::uint8_t, 16> random{};
  rng.fill(random);
  const std::string store_id = hex(random);
  const crypto::Key root = random_key(rng);
  TRY(const std::vector<Slot> slots, make_slots(rng, store_id, root, recipients, SecretAccess()));
  return store.write([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT 1 FROM vault_header"));
    if (!rows.empty()) return there_is_one();
    TRY_VOID(tx.run("INSERT INTO vault_header (id, store_id) VALUES (1, ?1)", {store_id}));
    TRY_VOID(tx.run("INSERT INTO vault_term (term, wrapped) VALUES (1, ?1)",
                    {wrap_term(store_id, 1, random_key(rng), root, rng)}));
    return insert_slots(tx, slots);
  });
}

Result<std::unique_ptr<Vault>> Vault::open(store::Store& store, Rng& rng, const Clock& clock,
                                           const Unlock& unlock, SecretArena& arena) {
  TRY_VOID(crypto::self_test());
  TRY_VOID(upgrade(store));
  std::unique_ptr<Vault> made(new Vault(store, rng, clock, arena));
  TRY(made->store_id_, stored_id(store));
  if (made->store_id_.empty())
    return fail(Code::vault_sealed, "the store has no vault",
                "There is no vault in this store. Make one with 'claviger init'.");
  TRY(const crypto::Key root, open_root(store, made->store_id_, unlock, SecretAccess()));
  TRY_VOID(made->open_ring(root));
  TRY_VOID(made->tag_versions());
  return made;
}

Result<void> Vault::open_ring(const crypto::Key& root) {
  std::optional<SecretCell> kept = arena_.hold(chars(root));
  if (!kept) return arena_full();
  ring_ = std::make_unique<Ring>(std::move(*kept), crypto::HmacSha256(crypto::hkdf_key(root, "leak-match")),
                                 crypto::HmacSha256(crypto::hkdf_key(root, "leak-match-sha256")));
  std::vector<std::pair<std::int64_t, Bytes>> wrapped;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT term, wrapped FROM vault_term ORDER BY term"));
    for (const store::Row& row : rows) wrapped.emplace_back(row.integer(0), row.blob(1));
    return {};
  }));
  for (const auto& [term, bytes] : wrapped) {
    const auto kek = unwrap_term(store_id_, term, bytes, root);
    if (!kek) continue;  // a damaged term harms the rows under it alone
    TRY_VOID(keep_term(term, *kek));
  }
  if (!has_terms())
    return fail(Code::corrupt, "no key-encryption key of the vault opens",
                "The vault's keys are damaged: restore the store from a backup.");
  return {};
}

crypto::Key Vault::root() const { return key_in(ring_->root, SecretAccess()); }

crypto::Key Vault::subkey(std::string_view label) const {
  return crypto::hkdf_key(root(), "claviger/subkey/" + std::string(label));
}

Digest Vault::fingerprint(std::string_view secret) const { return ring_->fingerprints.mac(secret); }

Result<std::vector<Recipient>> Vault::recipients() const { return load_recipients(store_); }

Result<void> Vault::add_recipient(const Recipients& recipients) {
  TRY(const std::vector<Slot> slots, make_slots(rng_, store_id_, root(), recipients, SecretAccess()));
  return store_.write([&](store::Tx& tx) { return insert_slots(tx, slots); });
}

Result<std::vector<std::string>> Vault::split_recipient(const Split& split) {
  TRY(SharedSlot made, make_share_slot(rng_, store_id_, root(), split));
  const Result<void> stored = store_.write([&](store::Tx& tx) { return insert_slots(tx, {made.slot}); });
  if (stored) return std::move(made.lines);
  for (std::string& line : made.lines) crypto::wipe(line);
  return std::unexpected(stored.error());
}

Result<void> Vault::remove_recipient(std::int64_t id) {
  TRY_VOID(store_.write([&](store::Tx& tx) -> Result<void> {
    TRY(const auto others, tx.query("SELECT count(*) FROM vault_recipient WHERE id <> ?1", {id}));
    if (others.front().integer(0) == 0)
      return refuse(Code::conflict,
                    "The last recipient cannot be removed: nobody could open the vault again.");
    TRY(const std::int64_t removed, tx.run("DELETE FROM vault_recipient WHERE id = ?1", {id}));
    if (removed == 0) return refuse(Code::not_found, fmt::format("There is no recipient {}.", id));
    return {};
  }));
  return store_.scrub();
}

}  // namespace claviger::vault
