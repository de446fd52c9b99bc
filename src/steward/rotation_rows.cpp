// From rows to rotations and back.
#include "steward/rotation_rows.hpp"

#include <fmt/format.h>

#include <array>

#include "base/json_writer.hpp"
#include "steward/row_read.hpp"
#include "wire/json.hpp"

namespace claviger::steward {

// One rotation of a credential goes on at a time: the index says so.
const std::string_view kRotationSchema = R"(
CREATE TABLE IF NOT EXISTS rotation (
  id TEXT PRIMARY KEY, credential TEXT NOT NULL, class TEXT NOT NULL, mode TEXT NOT NULL, state TEXT NOT NULL,
  reason TEXT NOT NULL, started_by TEXT NOT NULL, nonce TEXT NOT NULL, old_key TEXT NOT NULL,
  new_key TEXT NOT NULL, old_version INTEGER NOT NULL, new_version INTEGER NOT NULL, operation TEXT NOT NULL,
  orphan TEXT NOT NULL, asking TEXT NOT NULL, asked INTEGER NOT NULL, old_expires INTEGER,
  looked INTEGER NOT NULL, seeking INTEGER NOT NULL, by_hand INTEGER NOT NULL, doomed INTEGER NOT NULL,
  creates INTEGER NOT NULL, looks INTEGER NOT NULL, good INTEGER NOT NULL, bad INTEGER NOT NULL,
  tries INTEGER NOT NULL, next INTEGER NOT NULL, deadline INTEGER NOT NULL, promoted INTEGER, drained INTEGER,
  revoked INTEGER, confirmed INTEGER, destroyed INTEGER, started INTEGER NOT NULL, updated INTEGER NOT NULL,
  trouble TEXT NOT NULL, epoch INTEGER NOT NULL
) STRICT;
DROP INDEX IF EXISTS rotation_one;
CREATE UNIQUE INDEX IF NOT EXISTS rotation_obstructs ON rotation (credential)
  WHERE state NOT IN ('done', 'closed', 'undone', 'failed') AND (state != 'confirming' OR promoted IS NULL);
CREATE INDEX IF NOT EXISTS rotation_of ON rotation (credential, started);
CREATE TABLE IF NOT EXISTS rotation_event (
  id INTEGER PRIMARY KEY AUTOINCREMENT, rotation TEXT NOT NULL REFERENCES rotation (id),
  at INTEGER NOT NULL, what TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS rotation_event_of ON rotation_event (rotation);
CREATE TABLE IF NOT EXISTS rotation_link (
  credential TEXT PRIMARY KEY, admin TEXT NOT NULL, parameters TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS rotation_left (
  credential TEXT NOT NULL, version INTEGER NOT NULL, rotation TEXT NOT NULL, removed INTEGER NOT NULL,
  since INTEGER NOT NULL, alive INTEGER, word INTEGER, bad INTEGER NOT NULL, next INTEGER NOT NULL,
  epoch INTEGER NOT NULL, PRIMARY KEY (credential, version)
) STRICT;
)";

namespace {

using store::value;
using store::Value;

constexpr std::string_view kAll =
    "SELECT * FROM rotation WHERE ?1 = '' OR credential = ?1 ORDER BY started DESC, id";
constexpr std::string_view kUnfinished =
    "SELECT * FROM rotation WHERE (?1 = '' OR credential = ?1) "
    "AND state NOT IN ('closed', 'undone', 'failed') ORDER BY started DESC, id";
constexpr std::string_view kOne = "SELECT * FROM rotation WHERE id = ?1";

std::optional<Time> time_at(const store::Row& row, std::size_t i) {
  return row.null(i) ? std::nullopt : std::optional(Time{row.integer(i)});
}
Value time_value(const std::optional<Time>& time) { return time ? Value(time->ns) : Value(); }

Result<Rotation> read_row(const store::Row& row) {
  Rotation it;
  it.id = row.text(0);
  it.credential = row.text(1);
  TRY(it.rotation, named<provider::RotationClass>(row.text(2), 5, provider::class_name));
  TRY(it.mode, named<RotationMode>(row.text(3), 3, name_of));
  TRY(it.state, named<RotationState>(row.text(4), kRotationStates, name_of));
  it.reason = row.text(5);
  it.started_by = row.text(6);
  it.nonce = row.text(7);
  it.old_key = row.text(8);
  it.new_key = row.text(9);
  it.old_version = row.integer(10);
  it.new_version = row.integer(11);
  it.operation = row.text(12);
  it.orphan = row.text(13);
  it.asking = row.text(14);
  it.asked = {row.integer(15)};
  it.old_expires = time_at(row, 16);
  it.looked = row.integer(17) != 0;
  it.seeking = row.integer(18) != 0;
  it.revoke_by_hand = row.integer(19) != 0;
  it.doomed = row.integer(20) != 0;
  it.creates = static_cast<int>(row.integer(21));
  it.looks = static_cast<int>(row.integer(22));
  it.good = static_cast<int>(row.integer(23));
  it.bad = static_cast<int>(row.integer(24));
  it.tries = static_cast<int>(row.integer(25));
  it.next = {row.integer(26)};
  it.deadline = {row.integer(27)};
  it.promoted = time_at(row, 28);
  it.drained = time_at(row, 29);
  it.revoked = time_at(row, 30);
  it.confirmed = time_at(row, 31);
  it.destroyed = time_at(row, 32);
  it.started = {row.integer(33)};
  it.updated = {row.integer(34)};
  it.trouble = row.text(35);
  return it;
}

std::vector<Value> values_of(const Rotation& it, std::uint64_t epoch) {
  const auto flag = [](bool set) { return Value(std::int64_t{set ? 1 : 0}); };
  const auto count = [](int number) { return Value(std::int64_t{number}); };
  return {it.id,
          it.credential,
          value(provider::class_name(it.rotation)),
          value(name_of(it.mode)),
          value(name_of(it.state)),
          it.reason,
          it.started_by,
          it.nonce,
          it.old_key,
          it.new_key,
          it.old_version,
          it.new_version,
          it.operation,
          it.orphan,
          it.asking,
          it.asked.ns,
          time_value(it.old_expires),
          flag(it.looked),
          flag(it.seeking),
          flag(it.revoke_by_hand),
          flag(it.doomed),
          count(it.creates),
          count(it.looks),
          count(it.good),
          count(it.bad),
          count(it.tries),
          it.next.ns,
          it.deadline.ns,
          time_value(it.promoted),
          time_value(it.drained),
          time_value(it.revoked),
          time_value(it.confirmed),
          time_value(it.destroyed),
          it.started.ns,
          it.updated.ns,
          it.trouble,
          static_cast<std::int64_t>(epoch)};
}

}  // namespace

Result<std::optional<RotationLink>> load_link(store::Tx& tx, std::string_view credential) {
  TRY(const auto rows,
      tx.query("SELECT admin, parameters FROM rotation_link WHERE credential = ?1", {value(credential)}));
  if (rows.empty()) return std::optional<RotationLink>{};
  RotationLink link{std::string(credential), rows[0].text(0), {}};
  wire::Json json;
  TRY_VOID(wire::scan(rows[0].text(1), json));
  for (const auto& [name, one] : json.root().members())
    link.parameters.insert_or_assign(name, one.text().value_or(""));
  return std::optional(std::move(link));
}

Result<void> put_link(store::Tx& tx, const RotationLink& link) {
  TRY_VOID(tx.run("DELETE FROM rotation_link WHERE credential = ?1", {link.credential}));
  if (link.admin.empty()) return {};
  std::string text;
  JsonWriter json(text);
  json.open('{');
  for (const auto& [name, one] : link.parameters) json.field(name, one);
  json.close('}');
  TRY_VOID(tx.run("INSERT INTO rotation_link (credential, admin, parameters) VALUES (?1, ?2, ?3)",
                  {link.credential, link.admin, text}));
  return {};
}

Result<Rotation> load_rotation(store::Tx& tx, std::string_view id) {
  TRY(const auto rows, tx.query(kOne, {value(id)}));
  if (rows.empty()) return refuse(Code::not_found, fmt::format("There is no rotation '{}'.", id));
  return read_row(rows[0]);
}

Result<std::vector<Rotation>> load_rotations(store::Tx& tx, std::string_view credential, Which which) {
  TRY(const auto rows, tx.query(which == Which::all ? kAll : kUnfinished, {value(credential)}));
  return read_rows(rows, read_row);
}

Result<void> put_rotation(store::Tx& tx, const Rotation& it, std::uint64_t epoch) {
  TRY(const std::int64_t changed,
      tx.run("INSERT INTO rotation VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
             "?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, "
             "?35, ?36, ?37) ON CONFLICT (id) DO UPDATE SET mode = excluded.mode, state = excluded.state, "
             "nonce = excluded.nonce, "
             "old_key = excluded.old_key, new_key = excluded.new_key, new_version = excluded.new_version, "
             "operation = excluded.operation, orphan = excluded.orphan, asking = excluded.asking, "
             "asked = excluded.asked, old_expires = excluded.old_expires, looked = excluded.looked, "
             "seeking = excluded.seeking, by_hand = excluded.by_hand, doomed = excluded.doomed, "
             "creates = excluded.creates, looks = excluded.looks, good = excluded.good, bad = excluded.bad, "
             "tries = excluded.tries, next = excluded.next, deadline = excluded.deadline, "
             "promoted = excluded.promoted, drained = excluded.drained, revoked = excluded.revoked, "
             "confirmed = excluded.confirmed, destroyed = excluded.destroyed, updated = excluded.updated, "
             "trouble = excluded.trouble, epoch = excluded.epoch WHERE rotation.epoch <= excluded.epoch",
             values_of(it, epoch)));
  if (changed == 1) return {};
  return refuse(Code::conflict, fmt::format("The rotation '{}' was taken over by a later start.", it.id));
}

Result<void> add_event(store::Tx& tx, std::string_view rotation, Time at, std::string_view what) {
  TRY_VOID(tx.run("INSERT INTO rotation_event (rotation, at, what) VALUES (?1, ?2, ?3)",
                  {value(rotation), at.ns, value(what)}));
  return {};
}

Result<std::vector<RotationEvent>> load_events(store::Tx& tx, std::string_view rotation) {
  TRY(const auto rows,
      tx.query("SELECT at, what FROM rotation_event WHERE rotation = ?1 ORDER BY id", {value(rotation)}));
  std::vector<RotationEvent> all;
  for (const store::Row& row : rows) all.push_back({Time{row.integer(0)}, row.text(1)});
  return all;
}

}  // namespace claviger::steward
