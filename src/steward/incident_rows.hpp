// Tables of incidents: the incidents themselves, where their secrets were found, and what happened when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "steward/incident.hpp"
#include "store/store.hpp"

namespace claviger::steward {

extern const std::string_view kIncidentSchema;

// One line of an incident's timeline, and the journal line that stands for it.
struct IncidentEvent {
  Time at;
  std::string what;    // "reported", "key.freeze", "contained", ...
  std::string actor;   // who did it
  std::string detail;  // in a sentence; may be empty
  std::string producer;
  std::uint64_t epoch = 0, seq = 0;  // of the journal line; 0: none
};

struct IncidentPlace {
  Time at;
  std::string place, source;
};

struct IncidentFilter {
  std::optional<IncidentState> state;
  bool open = false;  // only those that are not closed
  std::int64_t limit = 1'000;
};

Result<void> insert_incident(store::Tx& tx, const Incident& incident);
// All but id, subject and what it was at detection.
Result<void> update_incident(store::Tx& tx, const Incident& incident);
Result<Incident> load_incident(store::Tx& tx, std::string_view id);  // not_found
// Newest first.
Result<std::vector<Incident>> list_incidents(store::Tx& tx, const IncidentFilter& filter);
// The newest of a secret; nullopt when it never leaked.
Result<std::optional<Incident>> incident_of(store::Tx& tx, Owned owned, std::string_view subject,
                                            std::int64_t version);
// Those of the subject that are not closed, whatever version of it; oldest first.
Result<std::vector<Incident>> open_incidents(store::Tx& tx, Owned owned, std::string_view subject);

// At most limits::kIncidentEvents of an incident; further ones are dropped.
Result<void> add_event(store::Tx& tx, std::string_view incident, const IncidentEvent& event);
Result<std::vector<IncidentEvent>> events_of(store::Tx& tx, std::string_view incident);
// A place once; at most limits::kIncidentPlaces are kept.
Result<void> add_place(store::Tx& tx, std::string_view incident, const IncidentPlace& place);
Result<std::vector<IncidentPlace>> places_of(store::Tx& tx, std::string_view incident);

// Hashes that were reported and are not ours: remembered under `tag`, a keyed hash, so that a secret that
// leaked before it came here is known when it comes.
Result<void> remember_unknown(store::Tx& tx, const Digest& tag, std::string_view source, Time exposed,
                              Time now);
Result<std::int64_t> count_unknown(store::Tx& tx);
struct UnknownLeak {
  Time exposed, reported;
  std::string source;
};
Result<std::optional<UnknownLeak>> unknown_leak(store::Tx& tx, const Digest& tag);

Result<void> forget_unknown(store::Tx& tx, const Digest& tag);

// Deliveries of webhooks that were taken, for limits::kHookMemoryMs.
Result<bool> hook_known(store::Tx& tx, std::string_view id);
Result<void> keep_hook(store::Tx& tx, std::string_view id, Time now);

// Keys whose use is an incident.
Result<void> insert_canary(store::Tx& tx, std::string_view key, Time now);
Result<std::vector<std::string>> canaries(store::Tx& tx);

}  // namespace claviger::steward
