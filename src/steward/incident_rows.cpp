// Tables incident, incident_event, incident_place, leak_unknown and canary_key.
#include "steward/incident_rows.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "steward/row_read.hpp"

namespace claviger::steward {

const std::string_view kIncidentSchema = R"(
CREATE TABLE IF NOT EXISTS incident (
  id TEXT PRIMARY KEY, owned TEXT NOT NULL, subject TEXT NOT NULL, version INTEGER NOT NULL,
  name TEXT NOT NULL, owner TEXT NOT NULL, environment TEXT NOT NULL, provider TEXT NOT NULL,
  proof TEXT NOT NULL, source TEXT NOT NULL, drill INTEGER NOT NULL, ordered INTEGER NOT NULL,
  state TEXT NOT NULL, containment TEXT NOT NULL, rotation TEXT NOT NULL, rotation_problem TEXT NOT NULL,
  first_exposed INTEGER NOT NULL,
  detected INTEGER, contained INTEGER, accounted INTEGER, replaced INTEGER, closed INTEGER,
  reports INTEGER NOT NULL, accepted INTEGER NOT NULL, resolution TEXT NOT NULL, closed_by TEXT NOT NULL,
  accounting TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS incident_open ON incident (owned, subject, version) WHERE state != 'closed';
CREATE INDEX IF NOT EXISTS incident_subject ON incident (owned, subject, version, detected);
CREATE TABLE IF NOT EXISTS incident_event (
  incident TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL, actor TEXT NOT NULL,
  detail TEXT NOT NULL, producer TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (incident, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS incident_place (
  incident TEXT NOT NULL, place TEXT NOT NULL, source TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (incident, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leak_unknown (
  tag BLOB PRIMARY KEY, source TEXT NOT NULL, exposed INTEGER NOT NULL, reported INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hook_delivery (
  id TEXT PRIMARY KEY, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS canary_key (
  key TEXT PRIMARY KEY, since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)";

namespace {

Result<Incident> read_row(const store::Row& row) {
  Incident it;
  it.id = row.text(0);
  TRY(it.owned, named<Owned>(row.text(1), 2, name_of));
  it.subject_id = row.text(2);
  it.version = row.integer(3);
  it.name = row.text(4);
  it.owner = row.text(5);
  it.environment = row.text(6);
  it.provider = row.text(7);
  TRY(it.proof, named<Proof>(row.text(8), 3, name_of));
  it.source = row.text(9);
  it.drill = row.integer(10) != 0;
  it.ordered = row.integer(11) != 0;
  TRY(it.state, named<IncidentState>(row.text(12), kIncidentStates, name_of));
  TRY(it.containment, named<Containment>(row.text(13), 5, name_of));
  it.rotation = row.text(14);
  it.rotation_problem = row.text(15);
  it.first_exposed = {row.integer(16)};
  for (std::size_t i = 0; i < kIncidentStates; ++i)
    if (const auto at = row.maybe_integer(17 + i)) it.reached[i] = Time{*at};
  it.reports = row.integer(22);
  it.accepted = row.integer(23) != 0;
  it.resolution = row.text(24);
  it.closed_by = row.text(25);
  it.accounting = row.text(26);
  return it;
}

std::vector<store::Value> values_of(const Incident& it) {
  std::vector<store::Value> values{it.id,
                                   store::value(name_of(it.owned)),
                                   it.subject_id,
                                   it.version,
                                   it.name,
                                   it.owner,
                                   it.environment,
                                   it.provider,
                                   store::value(name_of(it.proof)),
                                   it.source,
                                   std::int64_t{it.drill},
                                   std::int64_t{it.ordered},
                                   store::value(name_of(it.state)),
                                   store::value(name_of(it.containment)),
                                   it.rotation,
                                   it.rotation_problem,
                                   it.first_exposed.ns};
  for (const auto& at : it.reached) values.push_back(at ? store::Value(at->ns) : store::Value());
  values.insert(values.end(),
                {it.reports, std::int64_t{it.accepted}, it.resolution, it.closed_by, it.accounting});
  return values;
}

}  // namespace

Result<void> insert_incident(store::Tx& tx, const Incident& incident) {
  TRY_VOID(
      tx.run("INSERT INTO incident VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
             "?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)",
             values_of(incident)));
  return {};
}

Result<void> update_incident(store::Tx& tx, const Incident& incident) {
  TRY_VOID(
      tx.run("INSERT OR REPLACE INTO incident VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
             "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)",
             values_of(incident)));
  return {};
}

Result<Incident> load_incident(store::Tx& tx, std::string_view id) {
  TRY(const auto rows, tx.query("SELECT * FROM incident WHERE id = ?1", {store::value(id)}));
  if (rows.empty()) return refuse(Code::not_found, fmt::format("There is no incident '{}'.", id));
  return read_row(rows.front());
}

Result<std::vector<Incident>> list_incidents(store::Tx& tx, const IncidentFilter& filter) {
  TRY(const auto rows,
      tx.query("SELECT * FROM incident WHERE (?1 = '' OR state = ?1) AND (?2 = 0 OR state != 'closed') "
               "ORDER BY detected DESC, id DESC LIMIT ?3",
               {store::value(filter.state ? name_of(*filter.state) : std::string_view()),
                std::int64_t{filter.open}, filter.limit}));
  return read_rows(rows, read_row);
}

Result<std::optional<Incident>> incident_of(store::Tx& tx, Owned owned, std::string_view subject,
                                            std::int64_t version) {
  TRY(const auto rows, tx.query("SELECT * FROM incident WHERE owned = ?1 AND subject = ?2 AND version = ?3 "
                                "ORDER BY state = 'closed', detected DESC LIMIT 1",
                                {store::value(name_of(owned)), store::value(subject), version}));
  if (rows.empty()) return std::nullopt;
  TRY(Incident one, read_row(rows.front()));
  return one;
}

Result<std::vector<Incident>> open_incidents(store::Tx& tx, Owned owned, std::string_view subject) {
  TRY(const auto rows, tx.query("SELECT * FROM incident WHERE owned = ?1 AND subject = ?2 AND "
                                "state != 'closed' ORDER BY detected, id",
                                {store::value(name_of(owned)), store::value(subject)}));
  return read_rows(rows, read_row);
}

Result<void> add_event(store::Tx& tx, std::string_view incident, const IncidentEvent& event) {
  TRY_VOID(
      tx.run("INSERT INTO incident_event SELECT ?1, n, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM (SELECT "
             "coalesce(max(n), 0) + 1 AS n FROM incident_event WHERE incident = ?1) WHERE n <= ?9",
             {store::value(incident), event.at.ns, event.what, event.actor, event.detail, event.producer,
              static_cast<std::int64_t>(event.epoch), static_cast<std::int64_t>(event.seq),
              static_cast<std::int64_t>(limits::kIncidentEvents)}));
  return {};
}

Result<std::vector<IncidentEvent>> events_of(store::Tx& tx, std::string_view incident) {
  TRY(const auto rows, tx.query("SELECT at, what, actor, detail, producer, epoch, seq FROM incident_event "
                                "WHERE incident = ?1 ORDER BY n",
                                {store::value(incident)}));
  std::vector<IncidentEvent> events;
  for (const store::Row& row : rows)
    events.push_back({{row.integer(0)},
                      row.text(1),
                      row.text(2),
                      row.text(3),
                      row.text(4),
                      static_cast<std::uint64_t>(row.integer(5)),
                      static_cast<std::uint64_t>(row.integer(6))});
  return events;
}

Result<void> add_place(store::Tx& tx, std::string_view incident, const IncidentPlace& place) {
  TRY_VOID(
      tx.run("INSERT OR IGNORE INTO incident_place SELECT ?1, ?2, ?3, ?4 WHERE "
             "(SELECT count(*) FROM incident_place WHERE incident = ?1) < ?5",
             {store::value(incident), place.place, place.source, place.at.ns, limits::kIncidentPlaces}));
  return {};
}

Result<std::vector<IncidentPlace>> places_of(store::Tx& tx, std::string_view incident) {
  TRY(const auto rows,
      tx.query("SELECT at, place, source FROM incident_place WHERE incident = ?1 ORDER BY at, place",
               {store::value(incident)}));
  std::vector<IncidentPlace> places;
  for (const store::Row& row : rows) places.push_back({{row.integer(0)}, row.text(1), row.text(2)});
  return places;
}

Result<void> remember_unknown(store::Tx& tx, const Digest& tag, std::string_view source, Time exposed,
                              Time now) {
  TRY_VOID(
      tx.run("INSERT INTO leak_unknown VALUES (?1, ?2, ?3, ?4) "
             "ON CONFLICT (tag) DO UPDATE SET exposed = min(exposed, excluded.exposed)",
             {store::value(ByteView(tag)), store::value(source), exposed.ns, now.ns}));
  return {};
}

Result<std::int64_t> count_unknown(store::Tx& tx) {
  TRY(const auto rows, tx.query("SELECT count(*) FROM leak_unknown"));
  return rows.at(0).integer(0);
}

Result<std::optional<UnknownLeak>> unknown_leak(store::Tx& tx, const Digest& tag) {
  TRY(const auto rows, tx.query("SELECT exposed, reported, source FROM leak_unknown WHERE tag = ?1",
                                {store::value(ByteView(tag))}));
  if (rows.empty()) return std::nullopt;
  return UnknownLeak{{rows[0].integer(0)}, {rows[0].integer(1)}, rows[0].text(2)};
}

Result<void> forget_unknown(store::Tx& tx, const Digest& tag) {
  TRY_VOID(tx.run("DELETE FROM leak_unknown WHERE tag = ?1", {store::value(ByteView(tag))}));
  return {};
}

Result<bool> hook_known(store::Tx& tx, std::string_view id) {
  TRY(const auto rows, tx.query("SELECT 1 FROM hook_delivery WHERE id = ?1", {store::value(id)}));
  return !rows.empty();
}

Result<void> keep_hook(store::Tx& tx, std::string_view id, Time now) {
  TRY_VOID(tx.run("DELETE FROM hook_delivery WHERE at < ?1",
                  {(now + -std::chrono::milliseconds(limits::kHookMemoryMs)).ns}));
  TRY_VOID(tx.run("INSERT OR IGNORE INTO hook_delivery VALUES (?1, ?2)", {store::value(id), now.ns}));
  return {};
}

Result<void> insert_canary(store::Tx& tx, std::string_view key, Time now) {
  TRY_VOID(tx.run("INSERT OR IGNORE INTO canary_key VALUES (?1, ?2)", {store::value(key), now.ns}));
  return {};
}

Result<std::vector<std::string>> canaries(store::Tx& tx) {
  TRY(const auto rows, tx.query("SELECT key FROM canary_key ORDER BY key"));
  std::vector<std::string> keys;
  for (const store::Row& row : rows) keys.push_back(row.text(0));
  return keys;
}

}  // namespace claviger::steward
