// Taking reports, orders and questions about incidents. What follows from them is in incident_steps.cpp.
#include "steward/incidents.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/limits.hpp"
#include "identity/token.hpp"

namespace claviger::steward {

// A secret of ours that a report names.
struct Incidents::Found {
  const Leak* leak = nullptr;
  Incident fresh;      // as it would be opened
  bool opens = false;  // the secret opens something
};

namespace {

std::string clipped(std::string_view text) { return std::string(text.substr(0, limits::kLeakText)); }

Incident incident_of_key(const identity::Key& key, std::int64_t number) {
  Incident it;
  it.owned = Owned::key;
  it.subject_id = key.id;
  it.version = number;
  it.name = key.name;
  it.owner = key.team.empty() ? key.project : fmt::format("{}/{}", key.team, key.project);
  it.environment = key.environment;
  return it;
}

Incident incident_of_credential(const vault::Credential& credential, std::int64_t version) {
  Incident it;
  it.owned = Owned::credential;
  it.subject_id = credential.id;
  it.version = version;
  it.name = credential.name;
  it.owner = credential.owner;
  it.environment = credential.environment;
  it.provider = credential.provider;
  return it;
}

// A frozen key stops those below it; thawed it would let them go on, whoever has made them.
Result<void> check_ended(const Incident& it, const std::vector<identity::Key>& made, Time now) {
  std::vector<std::string_view> standing;
  for (const identity::Key& key : made)
    if (key.state != identity::KeyState::revoked && key.expires > now) standing.push_back(key.id);
  if (standing.empty()) return {};
  const std::size_t shown = std::min<std::size_t>(standing.size(), 10);
  const std::string more =
      standing.size() > shown ? fmt::format(" and {} more", standing.size() - shown) : std::string();
  standing.resize(shown);
  return refuse(Code::conflict,
                fmt::format("Child keys that were made while its secret was exposed (incident {}) would work "
                            "again: revoke {}{} first, or close the incident.",
                            it.id, fmt::join(standing, ", "), more));
}

}  // namespace

Incidents::Incidents(IncidentParts parts) : parts_(std::move(parts)) {}

std::string Incidents::fresh_id() { return "inc_" + identity::fresh_id(parts_.rng); }

Digest Incidents::unknown_tag(const Digest& sha256) const {
  // No token and no other tag begins like this.
  return parts_.keys.pepper().mac("leak-unknown/" + std::string(as_text(sha256)));
}

Result<std::vector<Incidents::Found>> Incidents::find(const LeakReport& report) {
  std::vector<Digest> hashes;
  for (const Leak& leak : report.leaks) hashes.push_back(leak.sha256);
  TRY(const auto credentials, parts_.vault.match(hashes));
  TRY(const auto keys, parts_.keys.match(hashes));
  std::vector<Found> found;
  for (const Leak& leak : report.leaks) {
    for (const vault::Vault::Match& match : credentials) {
      if (match.sha256 != leak.sha256) continue;
      TRY(const vault::Credential it, parts_.vault.get(match.credential));
      found.push_back({&leak, incident_of_credential(it, match.version)});
    }
    for (const identity::Keys::Match& match : keys) {
      if (match.sha256 != leak.sha256) continue;
      TRY(const identity::Key it, parts_.keys.get(match.key));
      found.push_back({&leak, incident_of_key(it, match.number)});
    }
  }
  for (Found& one : found) {
    TRY(one.opens, opens(one.fresh));
  }
  return found;
}

Result<Incident> Incidents::take(store::Tx& tx, const Found& found, const LeakReport& report,
                                 const Doer& by) {
  const Time now = parts_.clock.now();
  const Time exposed = std::min(report.first_exposed.value_or(now), now);
  TRY(auto before, incident_of(tx, found.fresh.owned, found.fresh.subject_id, found.fresh.version));
  const bool over = before && before->state == IncidentState::closed;
  Incident it = before ? *before : found.fresh;
  if (!before || (over && found.opens && !before->accepted)) {
    it = found.fresh;
    it.id = fresh_id();
    it.source = report.source;
    it.drill = report.drill;
    it.first_exposed = exposed;
    it.reached[0] = now;
    it.reports = 1;
    TRY_VOID(insert_incident(tx, it));
    TRY_VOID(note(tx, it, "detected", fmt::format("Reported by {}.", report.source), by,
                  record("incident.open", it.subject(), it.id, by)));
    TRY_VOID(tell(
        tx, it, "detected",
        fmt::format("The secret of {} {} was found outside ({}).", name_of(it.owned), it.name, report.source),
        Severity::critical));
  } else {
    ++it.reports;
    if (exposed < it.first_exposed && !over) {
      it.first_exposed = exposed;
      it.accounting.clear();  // to be read again
      TRY_VOID(note(tx, it, "exposed earlier", fmt::format("Since {}.", format_time(exposed)), by,
                    record("incident.exposed", it.subject(), it.id, by)));
    }
    TRY_VOID(update_incident(tx, it));
  }
  for (const std::string& place : found.leak->places)
    TRY_VOID(add_place(tx, it.id, {now, clipped(place), report.source}));
  return it;
}

Result<void> Incidents::remember(store::Tx& tx, const LeakReport& report, const std::set<Digest>& known) {
  const Time now = parts_.clock.now();
  TRY(std::int64_t count, count_unknown(tx));
  for (const Leak& leak : report.leaks) {
    if (known.contains(leak.sha256) || count >= limits::kUnknownLeaks) continue;
    TRY_VOID(remember_unknown(tx, unknown_tag(leak.sha256), report.source,
                              std::min(report.first_exposed.value_or(now), now), now));
    ++count;
  }
  return {};
}

Result<LeakAnswer> Incidents::report(const LeakReport& asked, const Doer& by) {
  LeakReport report = asked;
  report.source = clipped(asked.source.empty() ? by.name : asked.source);
  TRY(const std::vector<Found> found, find(report));
  std::set<Digest> known;
  for (const Found& one : found) known.insert(one.leak->sha256);
  std::set<Digest> all;
  for (const Leak& leak : report.leaks) all.insert(leak.sha256);
  record("leak.report", "leaks", fmt::format(R"({{"hashes":{},"ours":{}}})", all.size(), known.size()), by);
  TRY_VOID(seal());
  LeakAnswer answer;
  answer.unknown = static_cast<std::int64_t>(all.size() - known.size());
  std::vector<std::string> ids;
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    ids.clear();
    for (const Found& one : found) {
      TRY(const Incident it, take(tx, one, report, by));
      if (std::ranges::find(ids, it.id) == ids.end()) ids.push_back(it.id);
    }
    TRY_VOID(remember(tx, report, known));
    return seal();  // on record before it is stored
  }));
  TRY_VOID(advance(ids));
  for (const std::string& id : ids) {
    TRY(Incident it, get(id));
    answer.incidents.push_back(std::move(it));
  }
  return answer;
}

Result<bool> Incidents::leaked_before(const Digest& sha256) {
  std::optional<UnknownLeak> known;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(known, unknown_leak(tx, unknown_tag(sha256)));
    return {};
  }));
  return known.has_value();
}

Result<void> Incidents::recall(const Digest& sha256, const Doer& by) {
  const Digest tag = unknown_tag(sha256);
  std::optional<UnknownLeak> known;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(known, unknown_leak(tx, tag));
    return {};
  }));
  if (!known) return {};
  LeakReport again;
  again.leaks.push_back({sha256, {}});
  again.source = known->source;
  again.first_exposed = known->exposed;
  TRY([[maybe_unused]] const LeakAnswer taken, report(again, by));
  return parts_.store.write([&](store::Tx& tx) { return forget_unknown(tx, tag); });
}

Result<Incident> Incidents::declare(std::string_view subject, Proof proof, std::string_view why, Time since,
                                    const Doer& by, bool drill) {
  const std::size_t colon = std::min(subject.find(':'), subject.size());
  const std::string_view kind = subject.substr(0, colon);
  const std::string_view name = subject.substr(std::min(colon + 1, subject.size()));
  Leak leak;
  Found found{&leak, {}};
  if (kind == "key") {
    TRY(const identity::Key key, parts_.keys.get(name));
    TRY(const std::int64_t newest, parts_.keys.newest(key.id));
    found.fresh = incident_of_key(key, newest);
  } else if (kind == "credential") {
    TRY(const vault::Credential it, parts_.vault.get(name));
    const vault::CredentialVersion* current = it.current();
    if (current == nullptr)
      return refuse(Code::conflict, fmt::format("The credential '{}' has no current version.", it.name));
    found.fresh = incident_of_credential(it, current->number);
  } else {
    return refuse(Code::invalid_input, "subject: key:ID or credential:NAME");
  }
  found.fresh.proof = proof;
  TRY(found.opens, opens(found.fresh));
  LeakReport report{{}, clipped(why), since, drill};
  record("incident.declare", found.fresh.subject(), {}, by);
  TRY_VOID(seal());
  Incident it;
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY(it, take(tx, found, report, by));
    return seal();
  }));
  TRY_VOID(advance({it.id}));
  return get(it.id);
}

Result<Incident> Incidents::contain(std::string_view id, const Doer& by) {
  TRY(Incident it, get(id));
  if (it.state == IncidentState::closed)
    return refuse(Code::conflict, fmt::format("The incident '{}' is closed.", id));
  if (it.state == IncidentState::detected) {
    const Written written = record("incident.contain", it.subject(), it.id, by);
    TRY_VOID(seal());
    it.ordered = true;
    TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
      TRY_VOID(note(tx, it, "containment ordered", {}, by, written));
      return update_incident(tx, it);
    }));
  }
  TRY_VOID(advance({it.id}));
  return get(id);
}

Result<Incident> Incidents::close(std::string_view id, std::string_view resolution, bool accepted,
                                  const Doer& by) {
  TRY(Incident it, get(id));
  if (it.state == IncidentState::closed)
    return refuse(Code::conflict, fmt::format("The incident '{}' is closed already.", id));
  TRY(const bool open, opens(it));
  if (open && !accepted)
    return refuse(Code::conflict,
                  fmt::format("The leaked secret of {} still opens something: contain the incident first, or "
                              "close it as accepted.",
                              it.subject()));
  const Written written = record("incident.close", it.subject(), it.id, by);
  TRY_VOID(seal());
  it.state = IncidentState::closed;
  it.reached[4] = parts_.clock.now();
  it.resolution = clipped(resolution);
  it.closed_by = by.name;
  it.accepted = accepted;
  TRY_VOID(parts_.store.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(note(tx, it, "closed", it.resolution, by, written));
    TRY_VOID(tell(tx, it, "closed",
                  fmt::format("The incident of {} {} is closed.", name_of(it.owned), it.name),
                  Severity::info));
    return update_incident(tx, it);
  }));
  return it;
}

Result<Incident> Incidents::get(std::string_view id) {
  Incident it;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(it, load_incident(tx, id));
    return {};
  }));
  return it;
}

Result<std::vector<Incident>> Incidents::list(const IncidentFilter& filter) {
  std::vector<Incident> list;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(list, list_incidents(tx, filter));
    return {};
  }));
  return list;
}

Result<std::array<std::int64_t, kIncidentStates>> Incidents::count() {
  std::array<std::int64_t, kIncidentStates> counts{};
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT state, count(*) FROM incident WHERE drill = 0 GROUP BY state"));
    for (const store::Row& row : rows)
      if (const auto state = incident_state(row.text(0)))
        counts[static_cast<std::size_t>(*state)] = row.integer(1);
    return {};
  }));
  return counts;
}

Result<std::vector<IncidentEvent>> Incidents::events(std::string_view id) {
  std::vector<IncidentEvent> list;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(list, events_of(tx, id));
    return {};
  }));
  return list;
}

Result<std::vector<IncidentPlace>> Incidents::places(std::string_view id) {
  std::vector<IncidentPlace> list;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(list, places_of(tx, id));
    return {};
  }));
  return list;
}

Result<bool> Incidents::opens(const Incident& incident) {
  TRY(const Observation seen, observe(incident));
  return seen.opens;
}

Result<std::vector<Incident>> Incidents::open_of(Owned owned, std::string_view subject) {
  std::vector<Incident> list;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(list, open_incidents(tx, owned, subject));
    return {};
  }));
  return list;
}

Result<void> Incidents::check_free(Owned owned, std::string_view subject) {
  TRY(const auto open, open_of(owned, subject));
  for (const Incident& it : open) {
    TRY(const Observation seen, observe(it));
    if (!seen.replaced)
      return refuse(
          Code::conflict,
          fmt::format("Its secret has leaked (incident {}): replace it first{}, or close the incident.",
                      it.id,
                      owned == Owned::key ? ", without a grace in which the leaked one works on" : ""));
    TRY(const auto made, made_below(it));
    TRY_VOID(check_ended(it, made, parts_.clock.now()));
  }
  return {};
}

Result<void> Incidents::mark_canary(store::Tx& tx, std::string_view key) {
  return insert_canary(tx, key, parts_.clock.now());
}

Incidents::Written Incidents::record(std::string_view action, std::string_view subject,
                                     std::string_view detail, const Doer& by) {
  journal::Admin line;
  line.at = parts_.clock.now();
  line.actor = by.name;
  line.role = by.role;
  line.action = action;
  line.subject = subject;
  line.detail = detail;
  line.ip = by.ip;
  const Written written{parts_.writer.epoch(), parts_.writer.next_seq()};
  parts_.writer.append(line);
  return written;
}

Result<void> Incidents::seal() {
  if (parts_.writer.flush() && parts_.writer.healthy()) return {};
  return fail(Code::journal_unavailable, "the steward's journal cannot be written",
              "The journal cannot be written, so nothing may be changed.");
}

Result<void> Incidents::note(store::Tx& tx, const Incident& incident, std::string_view what,
                             std::string_view detail, const Doer& by, const Written& written) {
  return add_event(tx, incident.id,
                   {parts_.clock.now(), std::string(what), by.name, std::string(detail),
                    std::string(parts_.writer.producer()), written.epoch, written.seq});
}

}  // namespace claviger::steward
