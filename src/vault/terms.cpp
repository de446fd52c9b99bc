// Key-encryption keys: kept open in the ring, replaced while serving.
#include <fmt/format.h>

#include "vault/opened.hpp"
#include "vault/rows.hpp"
#include "vault/sealing.hpp"

namespace claviger::vault {

bool Vault::has_terms() const {
  const store::Lock lock(ring_->mutex);
  return !ring_->terms.empty();
}

Result<void> Vault::keep_term(std::int64_t term, const crypto::Key& kek) {
  std::optional<SecretCell> cell = arena_.hold(chars(kek));
  if (!cell) return arena_full();
  const store::Lock lock(ring_->mutex);
  ring_->terms.insert_or_assign(term, std::move(*cell));
  return {};
}

Result<crypto::Key> Vault::term_key(std::int64_t term) const {
  const store::Lock lock(ring_->mutex);
  const auto found = ring_->terms.find(term);
  if (found == ring_->terms.end())
    return fail(Code::corrupt, fmt::format("key-encryption key {} is missing or damaged", term));
  return key_in(found->second, SecretAccess());
}

Result<std::vector<TermUse>> Vault::terms() const {
  std::vector<TermUse> all;
  TRY_VOID(store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT t.term, count(d.number) FROM vault_term t LEFT JOIN vault_dek d ON d.term = t.term "
                 "GROUP BY t.term ORDER BY t.term"));
    for (const store::Row& row : rows) all.push_back({row.integer(0), row.integer(1)});
    return {};
  }));
  return all;
}

// A row that does not open stays as it is: damage to one harms that one alone.
Result<void> Vault::rewrap_all(store::Tx& tx, const crypto::Key& kek, Rekeyed& done) {
  TRY(const auto rows, tx.query("SELECT credential, number, term, wrapped FROM vault_dek"));
  for (const store::Row& row : rows) {
    Credential of;
    of.id = row.text(0);
    const std::int64_t number = row.integer(1);
    const std::int64_t old_term = row.integer(2);
    const auto old_kek = term_key(old_term);
    const auto wrapped = old_kek ? rewrap_dek({store_id_, of, number}, row.blob(3), {old_term, *old_kek},
                                              {done.term, kek}, rng_)
                                 : std::unexpected(old_kek.error());
    if (!wrapped) {
      done.damaged.push_back(fmt::format("{} version {}", of.id, number));
      continue;
    }
    TRY_VOID(tx.run("UPDATE vault_dek SET term = ?3, wrapped = ?4 WHERE credential = ?1 AND number = ?2",
                    {of.id, number, done.term, *wrapped}));
    ++done.rewrapped;
  }
  return {};
}

Result<Rekeyed> Vault::rekey() {
  crypto::Key kek;
  rng_.fill(kek.writable());
  Rekeyed done;
  TRY_VOID(store_.write([&](store::Tx& tx) -> Result<void> {
    done = {};
    TRY(const std::int64_t newest, newest_term(tx));
    done.term = newest + 1;
    // In the ring before anybody can read a row that asks for it; should the commit fail nobody does.
    TRY_VOID(keep_term(done.term, kek));
    TRY_VOID(tx.run("INSERT INTO vault_term (term, wrapped) VALUES (?1, ?2)",
                    {done.term, wrap_term(store_id_, done.term, kek, root(), rng_)}));
    TRY_VOID(rewrap_all(tx, kek, done));
    TRY(const auto unused, tx.query("SELECT term FROM vault_term WHERE term <> ?1 AND term NOT IN "
                                    "(SELECT term FROM vault_dek) ORDER BY term",
                                    {done.term}));
    for (const store::Row& row : unused) {
      done.dropped.push_back(row.integer(0));
      TRY_VOID(tx.run("DELETE FROM vault_term WHERE term = ?1", {row.integer(0)}));
    }
    return {};
  }));
  TRY_VOID(store_.scrub());
  return done;
}

}  // namespace claviger::vault
