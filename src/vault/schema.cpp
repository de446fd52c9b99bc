// The vault's tables. Nothing in them is a secret in clear.
#include "vault/vault.hpp"

namespace claviger::vault {

// The wrapped data keys have a table of their own, so that it can be rewritten whole when one is shredded.
const std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS vault_header (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  store_id TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS vault_recipient (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('key_file', 'passphrase', 'shares')),
  salt BLOB NOT NULL,
  passes INTEGER NOT NULL,
  memory_kib INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  threshold INTEGER NOT NULL DEFAULT 0,
  shares INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS vault_term (
  term INTEGER PRIMARY KEY,
  wrapped BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS credential (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  provider TEXT NOT NULL,
  environment TEXT NOT NULL,
  base_url TEXT NOT NULL,
  origins TEXT NOT NULL,
  owner TEXT NOT NULL,
  rotate_days INTEGER NOT NULL,
  spend_alert INTEGER,
  kind TEXT NOT NULL CHECK (kind IN ('inference', 'admin')),
  state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled', 'destroyed')),
  created INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS credential_name ON credential (name) WHERE state <> 'destroyed';
CREATE TABLE IF NOT EXISTS credential_setting (
  credential TEXT PRIMARY KEY REFERENCES credential (id),
  priority INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  parameters TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS credential_version (
  credential TEXT NOT NULL REFERENCES credential (id),
  number INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'current', 'previous', 'revoked', 'destroyed')),
  created INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  sealed BLOB,
  PRIMARY KEY (credential, number)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS credential_one_current ON credential_version (credential)
  WHERE state = 'current';
CREATE UNIQUE INDEX IF NOT EXISTS credential_one_pending ON credential_version (credential)
  WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS credential_transition (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  credential TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  FOREIGN KEY (credential, number) REFERENCES credential_version (credential, number)
) STRICT;
CREATE INDEX IF NOT EXISTS credential_transition_of ON credential_transition (credential, number);
CREATE TABLE IF NOT EXISTS credential_match (
  tag BLOB NOT NULL CHECK (length(tag) = 32),
  credential TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (credential, number, tag)
) STRICT;
CREATE INDEX IF NOT EXISTS credential_match_tag ON credential_match (tag);
CREATE TABLE IF NOT EXISTS vault_dek (
  credential TEXT NOT NULL,
  number INTEGER NOT NULL,
  term INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  PRIMARY KEY (credential, number)
) STRICT;
)";

namespace {

// What creates a table does not have this text in it, so that the table is of an earlier day.
struct Outdated {
  std::string_view table, lacks, move;
};
// The tables are written anew; `move` brings over what was in them.
constexpr Outdated kOutdated[] = {
    // Before there were shares; ids stay.
    {"vault_recipient", "'shares'",
     "INSERT INTO vault_recipient (id, kind, salt, passes, memory_kib, wrapped) "
     "SELECT id, kind, salt, passes, memory_kib, wrapped FROM vault_recipient_before"},
    // Before parts of secrets were recognised; versions that still open are tagged again.
    {"credential_match", "number, tag",
     "INSERT INTO credential_match (tag, credential, number) SELECT m.tag, m.credential, m.number "
     "FROM credential_match_before m JOIN credential_version v "
     "ON v.credential = m.credential AND v.number = m.number WHERE v.sealed IS NULL;"
     "DROP INDEX credential_match_tag"},
};

Result<void> renew(store::Tx& tx, const Outdated& one) {
  const std::string table(one.table);
  TRY_VOID(tx.script("ALTER TABLE " + table + " RENAME TO " + table + "_before"));
  TRY_VOID(tx.script(kSchema));
  TRY_VOID(tx.script(one.move));
  TRY_VOID(tx.script("DROP TABLE " + table + "_before"));
  return tx.script(kSchema);  // with the indexes that went with it
}

}  // namespace

Result<void> upgrade(store::Store& store) {
  std::vector<const Outdated*> found;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    found.clear();
    for (const Outdated& one : kOutdated) {
      TRY(const auto rows,
          tx.query("SELECT sql FROM sqlite_master WHERE name = ?1", {store::value(one.table)}));
      if (!rows.empty() && !rows.front().text(0).contains(one.lacks)) found.push_back(&one);
    }
    return {};
  }));
  if (found.empty()) return {};
  return store.write([&](store::Tx& tx) -> Result<void> {
    for (const Outdated* one : found) TRY_VOID(renew(tx, *one));
    return {};
  });
}

}  // namespace claviger::vault
