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
  PRIMARY KEY (credential, number)
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

// A store from before there were shares: its table of recipients is written anew, with the same ids.
Result<void> upgrade(store::Store& store) {
  bool old = false;
  TRY_VOID(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT sql FROM sqlite_master WHERE name = 'vault_recipient'"));
    old = !rows.empty() && !rows.front().text(0).contains("'shares'");
    return {};
  }));
  if (!old) return {};
  return store.write([](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.script("ALTER TABLE vault_recipient RENAME TO vault_recipient_before"));
    TRY_VOID(tx.script(kSchema));
    return tx.script(
        "INSERT INTO vault_recipient (id, kind, salt, passes, memory_kib, wrapped) "
        "SELECT id, kind, salt, passes, memory_kib, wrapped FROM vault_recipient_before;"
        "DROP TABLE vault_recipient_before");
  });
}

}  // namespace claviger::vault
