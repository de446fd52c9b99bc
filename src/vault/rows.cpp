// The vault's SQL.
#include "vault/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace claviger::vault {
namespace {

using store::Row;
using store::Tx;
using store::value;

// The enumerator called `name`; nullopt when there is none.
template <class State>
std::optional<State> named(std::string_view name, State last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (name_of(static_cast<State>(i)) == name) return static_cast<State>(i);
  return std::nullopt;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : " ").append(part);
  return text;
}

Credential credential_of(const Row& row) {
  Credential it;
  it.id = row.text(0);
  it.name = row.text(1);
  it.provider = row.text(2);
  it.environment = row.text(3);
  it.base_url = row.text(4);
  it.origins = split(row.text(5));
  it.owner = row.text(6);
  it.rotate_days = row.integer(7);
  if (!row.null(8)) it.spend_alert = Nanousd{row.integer(8)};
  const auto kind = named(row.text(9), CredentialKind::admin);
  const auto state = named(row.text(10), CredentialState::destroyed);
  it.created = {row.integer(11)};
  it.kind = kind.value_or(CredentialKind::inference);
  it.state = state.value_or(CredentialState::disabled);
  it.damaged = !kind || !state;
  if (!row.null(12)) it.setting = {row.integer(12), row.integer(13), split(row.text(14))};
  return it;
}

void add_version(Credential& it, const Row& row) {
  CredentialVersion version;
  version.number = row.integer(1);
  const auto state = named(row.text(2), VersionState::destroyed);
  version.state = state.value_or(VersionState::revoked);
  version.created = {row.integer(3)};
  const Bytes& digest = row.blob(4);
  const bool whole = digest.size() == version.sha256.size();
  if (whole) std::ranges::copy(digest, version.sha256.begin());
  it.damaged = it.damaged || !state || !whole;
  it.versions.push_back(std::move(version));
}

void add_transition(Credential& it, const Row& row) {
  const auto version = std::ranges::find(it.versions, row.integer(1), &CredentialVersion::number);
  const auto state = named(row.text(2), VersionState::destroyed);
  if (version == it.versions.end() || !state) {
    it.damaged = true;
    return;
  }
  version->transitions.push_back({*state, {row.integer(3)}});
}

constexpr std::string_view kOne =
    "SELECT id, name, provider, environment, base_url, origins, owner, rotate_days, spend_alert, kind, "
    "state, created, priority, weight, parameters "
    "FROM credential LEFT JOIN credential_setting ON credential = id WHERE id = ?1 OR name = ?1 ORDER BY "
    "state = 'destroyed', created DESC LIMIT 1";
constexpr std::string_view kAll =
    "SELECT id, name, provider, environment, base_url, origins, owner, rotate_days, spend_alert, kind, "
    "state, created, priority, weight, parameters "
    "FROM credential LEFT JOIN credential_setting ON credential = id ORDER BY name, created, id";

}  // namespace

Result<Credential> load(Tx& tx, std::string_view id_or_name) {
  TRY(const auto found, tx.query(kOne, {value(id_or_name)}));
  if (found.empty()) return refuse(Code::not_found, fmt::format("There is no credential '{}'.", id_or_name));
  Credential it = credential_of(found.front());
  TRY(const auto versions,
      tx.query("SELECT credential, number, state, created, sha256 FROM credential_version "
               "WHERE credential = ?1 ORDER BY number",
               {it.id}));
  for (const Row& row : versions) add_version(it, row);
  TRY(const auto transitions, tx.query("SELECT credential, number, state, at FROM credential_transition "
                                       "WHERE credential = ?1 ORDER BY id",
                                       {it.id}));
  for (const Row& row : transitions) add_transition(it, row);
  return it;
}

Result<std::vector<Credential>> load_all(Tx& tx) {
  TRY(const auto found, tx.query(kAll));
  std::vector<Credential> all;
  std::map<std::string, std::size_t, std::less<>> by_id;
  for (const Row& row : found) {
    all.push_back(credential_of(row));
    by_id.emplace(all.back().id, all.size() - 1);
  }
  TRY(const auto versions,
      tx.query("SELECT credential, number, state, created, sha256 FROM credential_version "
               "ORDER BY credential, number"));
  for (const Row& row : versions)
    if (const auto at = by_id.find(row.text(0)); at != by_id.end()) add_version(all[at->second], row);
  TRY(const auto transitions,
      tx.query("SELECT credential, number, state, at FROM credential_transition ORDER BY id"));
  for (const Row& row : transitions)
    if (const auto at = by_id.find(row.text(0)); at != by_id.end()) add_transition(all[at->second], row);
  return all;
}

Result<SealedVersion> load_sealed(Tx& tx, std::string_view id, std::int64_t number) {
  TRY(const auto rows, tx.query("SELECT d.term, d.wrapped, v.sealed FROM credential_version v "
                                "JOIN vault_dek d ON d.credential = v.credential AND d.number = v.number "
                                "WHERE v.credential = ?1 AND v.number = ?2",
                                {value(id), number}));
  if (rows.empty() || rows.front().null(2))
    return fail(Code::corrupt, fmt::format("version {} of {} has no sealed secret", number, id));
  return SealedVersion{rows.front().integer(0), rows.front().blob(1), rows.front().blob(2)};
}

Result<void> insert_credential(Tx& tx, const Credential& it) {
  TRY(const auto taken,
      tx.query("SELECT 1 FROM credential WHERE name = ?1 AND state <> 'destroyed'", {it.name}));
  if (!taken.empty())
    return refuse(Code::already_exists, fmt::format("There is a credential '{}' already.", it.name));
  TRY_VOID(tx.run(
      "INSERT INTO credential (id, name, provider, environment, base_url, origins, owner, rotate_days, "
      "spend_alert, kind, state, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      {it.id, it.name, it.provider, it.environment, it.base_url, join(it.origins), it.owner, it.rotate_days,
       value(it.spend_alert), value(name_of(it.kind)), value(name_of(it.state)), it.created.ns}));
  return put_setting(tx, it.id, it.setting);
}

Result<void> put_setting(Tx& tx, std::string_view id, const Setting& it) {
  TRY_VOID(
      tx.run("INSERT INTO credential_setting (credential, priority, weight, parameters) "
             "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (credential) DO UPDATE SET priority = excluded.priority, "
             "weight = excluded.weight, parameters = excluded.parameters",
             {value(id), it.priority, it.weight, join(it.parameters)}));
  return {};
}

Result<void> insert_version(Tx& tx, std::string_view id, const CredentialVersion& version,
                            const SealedVersion& sealed) {
  TRY_VOID(
      tx.run("INSERT INTO credential_version (credential, number, state, created, sha256, sealed) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
             {value(id), version.number, value(name_of(version.state)), version.created.ns,
              value(ByteView(version.sha256)), sealed.secret}));
  TRY_VOID(tx.run("INSERT INTO vault_dek (credential, number, term, wrapped) VALUES (?1, ?2, ?3, ?4)",
                  {value(id), version.number, sealed.term, sealed.wrapped_dek}));
  return move_version(tx, id, version.number, version.state, version.created);
}

Result<void> insert_match(Tx& tx, std::string_view id, std::int64_t number, const Digest& tag) {
  TRY_VOID(tx.run("INSERT OR IGNORE INTO credential_match (tag, credential, number) VALUES (?1, ?2, ?3)",
                  {value(ByteView(tag)), value(id), number}));
  return {};
}

Result<void> move_version(Tx& tx, std::string_view id, std::int64_t number, VersionState to, Time at) {
  TRY_VOID(tx.run("UPDATE credential_version SET state = ?3 WHERE credential = ?1 AND number = ?2",
                  {value(id), number, value(name_of(to))}));
  TRY_VOID(tx.run("INSERT INTO credential_transition (credential, number, state, at) VALUES (?1, ?2, ?3, ?4)",
                  {value(id), number, value(name_of(to)), at.ns}));
  return {};
}

Result<void> set_state(Tx& tx, std::string_view id, CredentialState state) {
  TRY_VOID(tx.run("UPDATE credential SET state = ?2 WHERE id = ?1", {value(id), value(name_of(state))}));
  return {};
}

Result<std::int64_t> newest_term(Tx& tx) {
  TRY(const auto rows, tx.query("SELECT max(term) FROM vault_term"));
  if (rows.empty() || rows.front().null(0)) return fail(Code::corrupt, "the vault has no term");
  return rows.front().integer(0);
}

Result<void> shred(Tx& tx, std::string_view id, std::optional<std::int64_t> number) {
  TRY_VOID(tx.run(
      "UPDATE credential_version SET sealed = NULL WHERE credential = ?1 AND (?2 IS NULL OR number = ?2)",
      {value(id), value(number)}));
  TRY(const auto kept, tx.query("SELECT credential, number, term, wrapped FROM vault_dek "
                                "WHERE NOT (credential = ?1 AND (?2 IS NULL OR number = ?2))",
                                {value(id), value(number)}));
  TRY_VOID(tx.run("DELETE FROM vault_dek"));
  for (const Row& row : kept)
    TRY_VOID(tx.run("INSERT INTO vault_dek (credential, number, term, wrapped) VALUES (?1, ?2, ?3, ?4)",
                    {row.text(0), row.integer(1), row.integer(2), row.blob(3)}));
  return {};
}

}  // namespace claviger::vault
