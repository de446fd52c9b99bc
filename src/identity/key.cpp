// Keys in the store.
#include "identity/key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "crypto/equal.hpp"
#include "identity/token.hpp"

namespace claviger::identity {

const std::string_view kKeySchema = R"sql(
CREATE TABLE IF NOT EXISTS key (
  id              TEXT PRIMARY KEY,
  name            TEXT NOT NULL,
  team            TEXT NOT NULL,
  project         TEXT NOT NULL,
  environment     TEXT NOT NULL,
  digest          BLOB NOT NULL CHECK (length(digest) = 32),
  previous_digest BLOB CHECK (previous_digest IS NULL OR length(previous_digest) = 32),
  previous_until  INTEGER NOT NULL DEFAULT 0,
  state           TEXT NOT NULL CHECK (state IN ('active', 'frozen', 'revoked')),
  expires         INTEGER NOT NULL,
  created         INTEGER NOT NULL,
  created_by      TEXT NOT NULL,
  scope           TEXT NOT NULL,
  rpm             INTEGER,
  tpm             INTEGER,
  concurrency     INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS key_by_created ON key (created, id);
CREATE TABLE IF NOT EXISTS key_above (
  key      TEXT NOT NULL,
  distance INTEGER NOT NULL CHECK (distance > 0),
  above    TEXT NOT NULL,
  PRIMARY KEY (key, distance)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS key_above_by_above ON key_above (above, key);
CREATE VIEW IF NOT EXISTS key_row AS SELECT key.*,
  (SELECT group_concat(above, '/') FROM
    (SELECT above FROM key_above WHERE key_above.key = key.id ORDER BY distance DESC)) AS lineage,
  key.rowid AS place FROM key;
CREATE TABLE IF NOT EXISTS key_match (
  key    TEXT NOT NULL REFERENCES key (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  tag    BLOB NOT NULL CHECK (length(tag) = 32),
  PRIMARY KEY (key, number)
) STRICT;
CREATE INDEX IF NOT EXISTS key_match_tag ON key_match (tag);
)sql";

namespace {

// Temporary: it costs no disk, and ends with the connection that all changes go through.
constexpr std::string_view kWatch = R"sql(
CREATE TEMP TABLE IF NOT EXISTS key_change (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TEMP TRIGGER IF NOT EXISTS key_made AFTER INSERT ON main.key
  BEGIN INSERT OR IGNORE INTO key_change VALUES (NEW.id); END;
CREATE TEMP TRIGGER IF NOT EXISTS key_changed AFTER UPDATE ON main.key
  BEGIN INSERT OR IGNORE INTO key_change VALUES (NEW.id), (OLD.id); END;
CREATE TEMP TRIGGER IF NOT EXISTS key_removed AFTER DELETE ON main.key
  BEGIN INSERT OR IGNORE INTO key_change VALUES (OLD.id); END;
DELETE FROM key_change;
)sql";

constexpr std::int64_t kKeysAtOnce = 64;  // few enough that their rows stay in a cache

using store::Row;
using store::Tx;
using store::Value;

Result<KeyState> parse_state(std::string_view text) {
  for (const KeyState state : {KeyState::active, KeyState::frozen, KeyState::revoked})
    if (key_state_name(state) == text) return state;
  return fail(Code::corrupt, fmt::format("key state '{}'", text));
}

Result<Digest> read_digest(const Bytes& blob) {
  Digest digest;
  if (blob.size() != digest.size()) return fail(Code::corrupt, "a key's digest has the wrong length");
  std::ranges::copy(blob, digest.begin());
  return digest;
}

constexpr std::int64_t kHourNs = 3'600'000'000'000;

// A row of key_row: the columns in the order of the table, then the lineage and the row's number.
Result<Key> read_key(Row row) {
  Key key;
  key.id = row.take_text(0);
  key.name = row.take_text(1);
  key.team = row.take_text(2);
  key.project = row.take_text(3);
  key.environment = row.take_text(4);
  TRY(key.digest, read_digest(row.blob(5)));
  if (!row.null(6)) {
    TRY(key.previous_digest, read_digest(row.blob(6)));
  }
  key.previous_until = {row.integer(7)};
  TRY(key.state, parse_state(row.text(8)));
  key.expires = {row.integer(9)};
  key.created = {row.integer(10)};
  key.created_by = row.take_text(11);
  key.scope = row.take_text(12);
  key.rates = {row.maybe_integer(13), row.maybe_integer(14), row.maybe_integer(15)};
  if (!row.null(16)) key.lineage = row.take_text(16);
  return key;
}

Value value_of(const std::optional<Digest>& digest) {
  return digest ? store::value(ByteView(*digest)) : Value();
}

Result<void> check_rate(std::string_view field, const std::optional<std::int64_t>& rate) {
  if (rate && *rate < 0) return refuse(Code::invalid_input, fmt::format("{}: 0 or more", field));
  return {};
}

}  // namespace

std::string_view key_state_name(KeyState state) {
  constexpr std::string_view names[] = {"active", "frozen", "revoked"};
  return names[static_cast<std::size_t>(state)];
}

bool is_production(std::string_view environment) {
  std::string lower(environment);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower == "prod" || lower == "production";
}

Result<void> check_label(std::string_view field, std::string_view value) {
  const auto letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  bool good = !value.empty() && value.size() <= limits::kName && letter(value.front());
  for (const char c : value) good = good && (letter(c) || c == '.' || c == '_' || c == '-');
  if (good) return {};
  return refuse(Code::invalid_input,
                fmt::format("{}: 1 to {} letters, digits, '.', '_' or '-', beginning with a letter or digit",
                            field, limits::kName));
}

Result<void> check_name(std::string_view field, std::string_view value) {
  bool good = !value.empty() && value.size() <= limits::kName;
  for (const char c : value) good = good && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  if (good) return {};
  return refuse(Code::invalid_input,
                fmt::format("{}: 1 to {} bytes without control characters", field, limits::kName));
}

Result<void> check_draft(const KeyDraft& draft, Time now) {
  TRY_VOID(check_name("name", draft.name));
  if (!draft.team.empty()) TRY_VOID(check_label("team", draft.team));
  TRY_VOID(check_label("project", draft.project));
  TRY_VOID(check_label("environment", draft.environment));
  if (draft.expires <= now) return refuse(Code::invalid_input, "expires: the time has passed already");
  TRY_VOID(check_rate("rpm", draft.rates.rpm));
  TRY_VOID(check_rate("tpm", draft.rates.tpm));
  return check_rate("concurrency", draft.rates.concurrency);
}

bool matches(const Key& key, const Digest& presented, Time now) {
  const bool current = crypto::constant_time_equal(key.digest, presented);
  const bool previous = key.previous_digest && crypto::constant_time_equal(*key.previous_digest, presented) &&
                        now < key.previous_until;
  return current || previous;
}

Keys::Keys(store::Store& store, Rng& rng, const Clock& clock, crypto::HmacSha256 pepper)
    : store_(store), rng_(rng), clock_(clock), pepper_(std::move(pepper)) {}

// The lineage of a child of `parent`, when there may be one more.
Result<std::string> Keys::place_below(Tx& tx, std::string_view parent, Time now) {
  TRY(const Key above, get(tx, parent));
  const std::string lineage =
      above.lineage.empty() ? above.id : fmt::format("{}/{}", above.lineage, above.id);
  for (const std::string_view id : Lineage(lineage)) {
    TRY(const Key one, get(tx, id));
    if (one.state != KeyState::active || one.expires <= now)
      return refuse(Code::conflict,
                    fmt::format("The key '{}' is {}: it can have no children.", id,
                                one.state == KeyState::active ? "expired" : key_state_name(one.state)));
  }
  if (static_cast<std::size_t>(std::ranges::count(lineage, '/')) >= limits::kKeyDepth)
    return deny(
        Code::too_many_keys,
        fmt::format("Child keys go {} levels deep and this key stands on the lowest: have a key above "
                    "it make the child.",
                    limits::kKeyDepth));
  const std::string root(Lineage(lineage).root());
  TRY(const auto rows,
      tx.query("SELECT coalesce(sum(state != 'revoked' AND expires > ?2), 0), coalesce(sum(created > ?3), 0) "
               "FROM key WHERE id IN (SELECT key FROM key_above WHERE above = ?1)",
               {root, now.ns, now.ns - kHourNs}));
  if (rows.at(0).integer(0) >= limits::kKeyTree)
    return deny(Code::too_many_keys,
                fmt::format("There are {} child keys below '{}', and no more may be: revoke "
                            "those that are done.",
                            limits::kKeyTree, root));
  if (rows.at(0).integer(1) >= limits::kKeyMints)
    return deny(
        Code::too_many_keys,
        fmt::format("{} child keys were made below '{}' within an hour, and no more may be: wait, and "
                    "use keys longer.",
                    limits::kKeyMints, root));
  return lineage;
}

Result<Issued> Keys::create(Tx& tx, const KeyDraft& draft) {
  const Time now = clock_.now();
  TRY_VOID(check_draft(draft, now));
  if (!is_id(draft.id)) return fail(Code::internal, "a key draft needs an id of fresh_id()");
  Key key;
  if (!draft.parent.empty()) {
    TRY(key.lineage, place_below(tx, draft.parent, now));
  }
  std::string token = mint_for(TokenKind::key, draft.id, rng_);
  key.id = draft.id;
  key.name = draft.name;
  key.team = draft.team;
  key.project = draft.project;
  key.environment = draft.environment;
  key.digest = identity::digest(pepper_, token);
  key.expires = draft.expires;
  key.created = now;
  key.created_by = draft.created_by;
  key.scope = draft.scope;
  key.rates = draft.rates;
  TRY_VOID(
      tx.run("INSERT INTO key (id, name, team, project, environment, digest, state, expires, created, "
             "created_by, scope, rpm, tpm, concurrency) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'active', ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
             {key.id, key.name, key.team, key.project, key.environment, value_of(key.digest), key.expires.ns,
              key.created.ns, key.created_by, key.scope, store::value(key.rates.rpm),
              store::value(key.rates.tpm), store::value(key.rates.concurrency)}));
  std::int64_t distance = std::ranges::count(key.lineage, '/') + 1;
  for (const std::string_view above : Lineage(key.lineage))
    TRY_VOID(tx.run("INSERT INTO key_above (key, distance, above) VALUES (?1, ?2, ?3)",
                    {key.id, distance--, store::value(above)}));
  TRY_VOID(remember(tx, key.id, token));
  return Issued{std::move(key), std::move(token)};
}

Result<Issued> Keys::create(const KeyDraft& draft) {
  Issued made;
  TRY_VOID(store_.write([&](Tx& tx) -> Result<void> {
    TRY(made, create(tx, draft));
    return {};
  }));
  return made;
}

Result<Key> Keys::get(Tx& tx, std::string_view id) {
  TRY(const auto rows, tx.query("SELECT * FROM key_row WHERE id = ?1", {store::value(id)}));
  if (rows.empty()) return refuse(Code::not_found, fmt::format("There is no key '{}'.", id));
  return read_key(rows.front());
}

Result<Key> Keys::get(std::string_view id) {
  Key key;
  TRY_VOID(store_.read([&](Tx& tx) -> Result<void> {
    TRY(key, get(tx, id));
    return {};
  }));
  return key;
}

Result<std::vector<Key>> Keys::list(const KeyFilter& filter) {
  std::vector<Key> keys;
  // Alone, and not behind an OR: so that the few keys below one are found by the index.
  const std::string_view below =
      filter.above.empty() ? "?6 = ''" : "id IN (SELECT key FROM key_above WHERE above = ?6)";
  TRY_VOID(store_.read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query(fmt::format("SELECT * FROM key_row WHERE {} AND (?1 = '' OR team = ?1) "
                             "AND (?2 = '' OR project = ?2) AND (?3 = '' OR environment = ?3) "
                             "AND (?4 = 0 OR lower(environment) NOT IN ('prod', 'production')) "
                             "AND (?5 = '' OR (created, id) > (SELECT created, id FROM key WHERE id = ?5)) "
                             "ORDER BY created, id LIMIT ?7",
                             below),
                 {filter.team, filter.project, filter.environment,
                  std::int64_t{filter.production == Production::hidden}, filter.after, filter.above,
                  filter.limit}));
    keys.clear();
    keys.reserve(rows.size());
    for (const Row& row : rows) {
      TRY(Key key, read_key(row));
      keys.push_back(std::move(key));
    }
    return {};
  }));
  return keys;
}

Result<void> Keys::each(const std::function<void(Key)>& visit) {
  return store_.read([&](Tx& tx) -> Result<void> {
    // Asking every key for its lineage takes a fifth of the time: where there is none, it is not asked.
    TRY(const auto lineages, tx.query("SELECT 1 FROM key_above LIMIT 1"));
    const std::string_view page =
        lineages.empty()
            ? "SELECT *, NULL AS lineage, rowid AS place FROM key WHERE place > ?1 ORDER BY place LIMIT ?2"
            : "SELECT * FROM key_row WHERE place > ?1 ORDER BY place LIMIT ?2";
    std::int64_t after = 0;
    for (;;) {
      TRY(auto rows, tx.query(page, {after, kKeysAtOnce}));
      if (rows.empty()) return {};
      after = rows.back().integer(rows.back().columns.size() - 1);
      for (Row& row : rows) {
        TRY(Key key, read_key(std::move(row)));
        visit(std::move(key));
      }
    }
  });
}

Result<void> Keys::watch_changes() {
  return store_.write([](Tx& tx) { return tx.script(kWatch); });
}

Result<void> Keys::take_changes(const std::function<void(const std::string&, std::optional<Key>)>& visit) {
  std::vector<std::pair<std::string, std::optional<Key>>> changes;
  TRY_VOID(store_.write([&](Tx& tx) -> Result<void> {
    changes.clear();
    TRY(const auto ids, tx.query("SELECT id FROM key_change"));
    for (const Row& id : ids) {
      TRY(const auto rows, tx.query("SELECT * FROM key_row WHERE id = ?1", {id.text(0)}));
      std::optional<Key>& now = changes.emplace_back(id.text(0), std::nullopt).second;
      if (!rows.empty()) {
        TRY(now, read_key(rows.front()));
      }
    }
    if (ids.empty()) return {};
    TRY_VOID(tx.run("DELETE FROM key_change"));
    return {};
  }));
  for (auto& [id, key] : changes) visit(id, std::move(key));
  return {};
}

Result<KeyCounts> Keys::count(Production production) {
  KeyCounts counts;
  TRY_VOID(store_.read([&](Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT state, count(*) FROM key "
                 "WHERE ?1 = 0 OR lower(environment) NOT IN ('prod', 'production') GROUP BY state",
                 {std::int64_t{production == Production::hidden}}));
    counts = {};
    for (const Row& row : rows) {
      TRY(const KeyState state, parse_state(row.text(0)));
      std::int64_t* const places[] = {&counts.active, &counts.frozen, &counts.revoked};
      *places[static_cast<std::size_t>(state)] = row.integer(1);
    }
    return {};
  }));
  return counts;
}

Result<Key> Keys::set_state(Tx& tx, std::string_view id, KeyState state) {
  TRY(Key key, get(tx, id));
  if (key.state == state) return key;
  if (key.state == KeyState::revoked)
    return refuse(Code::conflict, fmt::format("The key '{}' is revoked, and that is final.", id));
  key.state = state;
  TRY_VOID(tx.run("UPDATE key SET state = ?2 WHERE id = ?1", {key.id, store::value(key_state_name(state))}));
  if (state == KeyState::revoked)
    TRY_VOID(
        tx.run("UPDATE key SET state = 'revoked' WHERE id IN (SELECT key FROM key_above WHERE above = ?1)",
               {key.id}));
  return key;
}

Result<Key> Keys::set_state(std::string_view id, KeyState state) {
  Key key;
  TRY_VOID(store_.write([&](Tx& tx) -> Result<void> {
    TRY(key, set_state(tx, id, state));
    return {};
  }));
  return key;
}

Result<Issued> Keys::rotate(Tx& tx, std::string_view id, std::chrono::nanoseconds grace) {
  if (grace.count() < 0 || grace > kMaxGrace) return refuse(Code::invalid_input, "grace: from 0s to 30d");
  TRY(Key key, get(tx, id));
  if (key.state == KeyState::revoked)
    return refuse(Code::conflict, fmt::format("The key '{}' is revoked, and that is final.", id));
  std::string token = mint_for(TokenKind::key, key.id, rng_);
  const Time now = clock_.now();
  key.previous_digest.reset();
  key.previous_until = {};
  if (grace.count() > 0) {
    key.previous_digest = key.digest;
    key.previous_until = now + grace;
  }
  key.digest = identity::digest(pepper_, token);
  TRY_VOID(tx.run("UPDATE key SET digest = ?2, previous_digest = ?3, previous_until = ?4 WHERE id = ?1",
                  {key.id, value_of(key.digest), value_of(key.previous_digest), key.previous_until.ns}));
  TRY_VOID(remember(tx, key.id, token));
  return Issued{std::move(key), std::move(token)};
}

Result<Issued> Keys::rotate(std::string_view id, std::chrono::nanoseconds grace) {
  Issued made;
  TRY_VOID(store_.write([&](Tx& tx) -> Result<void> {
    TRY(made, rotate(tx, id, grace));
    return {};
  }));
  return made;
}

}  // namespace claviger::identity
