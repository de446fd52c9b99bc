// Carries incidents out: takes reports of leaks, contains at once, accounts, waits for the replacement.
//
// Each step is on record before it is done and in the row after it; a step that was cut short is found by
// looking at the row and at what it is about, and done again. Freezing is one transaction and one World for
// all that a report brings, however many.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "identity/key.hpp"
#include "journal/writer.hpp"
#include "steward/incident.hpp"
#include "steward/incident_rows.hpp"
#include "steward/notice.hpp"
#include "steward/rotating.hpp"
#include "store/store.hpp"
#include "vault/vault.hpp"

namespace claviger::steward {

// Secrets that somebody found in the open, by their SHA-256.
struct Leak {
  Digest sha256{};
  std::vector<std::string> places;  // where; never the secret itself
};
struct LeakReport {
  std::vector<Leak> leaks;
  std::string source;                 // who found them
  std::optional<Time> first_exposed;  // not known: since now
  bool drill = false;
};

// Who asks, for records.
struct Doer {
  std::string name, role, ip;
};

struct LeakAnswer {
  std::vector<Incident> incidents;  // one a secret of ours, in the order of the report
  std::int64_t unknown = 0;         // hashes that are not ours
};

// Everything incidents work on. What is referred to must outlive them.
struct IncidentParts {
  store::Store& store;
  vault::Vault& vault;
  identity::Keys& keys;
  journal::Writer& writer;  // the steward's own
  Folder& journal;
  const Clock& clock;
  Rng& rng;
  std::function<Result<void>()> republish;
  // In the transaction of what it tells of; absent: nobody is told.
  std::function<Result<void>(store::Tx&, const Notice&)> tell = {};
  Rotating rotating = {};
  // Runs `work` elsewhere and then `done` here; absent: both at once.
  std::function<void(std::function<void()> work, std::function<void()> done)> offload = {};
};

// Used by the steward's thread only.
class Incidents {
 public:
  explicit Incidents(IncidentParts parts);

  void adopt(Contain contain) { contain_ = contain; }
  void connect(Rotating rotating) { parts_.rotating = std::move(rotating); }
  void offload_to(std::function<void(std::function<void()>, std::function<void()>)> offload) {
    parts_.offload = std::move(offload);
  }

  // Opens an incident for each secret of ours, or finds the open one, and contains what can be contained at
  // once. The answer to a repetition is the same, and nothing happens again.
  Result<LeakAnswer> report(const LeakReport& report, const Doer& by);
  // Reports a secret that comes to us now when it was reported as leaked before it was ours.
  Result<void> recall(const Digest& sha256, const Doer& by);
  // Whether it was reported so: such a secret is not taken as a replacement.
  Result<bool> leaked_before(const Digest& sha256);
  // The same for a canary key that was used, and for a subject that an operator names ("key:ID",
  // "credential:NAME"): its newest secret counts as leaked.
  Result<Incident> declare(std::string_view subject, Proof proof, std::string_view why, Time since,
                           const Doer& by, bool drill = false);

  // Orders containment whatever the policy says. conflict when it is closed.
  Result<Incident> contain(std::string_view id, const Doer& by);
  // conflict while the secret opens something, unless `accepted`: then later reports of it change nothing.
  Result<Incident> close(std::string_view id, std::string_view resolution, bool accepted, const Doer& by);

  // Carries every open incident as far as it goes now. Errors of one do not stop the others; the first is
  // told.
  Result<void> tick();

  Result<Incident> get(std::string_view id);
  Result<std::vector<Incident>> list(const IncidentFilter& filter);
  // By state, without drills.
  Result<std::array<std::int64_t, kIncidentStates>> count();
  Result<std::vector<IncidentEvent>> events(std::string_view id);
  Result<std::vector<IncidentPlace>> places(std::string_view id);
  // Whether the leaked secret opens something now.
  Result<bool> opens(const Incident& incident);

  // Refuses conflict while an incident of the subject waits for its leaked secret to be replaced, or keys
  // stand that were made with it: what was locked is not unlocked before.
  Result<void> check_free(Owned owned, std::string_view subject);

  // Marks a key as one that nobody has a reason to use.
  Result<void> mark_canary(store::Tx& tx, std::string_view key);
  // A hash as it is remembered when it is not ours.
  Digest unknown_tag(const Digest& sha256) const;

 private:
  struct Found;  // a secret of ours that a report names
  // Where a record lies in the journal.
  struct Written {
    std::uint64_t epoch = 0, seq = 0;
  };
  // A step of an incident; those of several are done together.
  struct Plan {
    Incident incident;
    Step step = Step::wait;
    RotationStage rotation = RotationStage::none;  // as it was observed
    std::vector<identity::Key> below = {};         // keys to be frozen with it
    Written written = {};
  };

  Result<std::vector<Found>> find(const LeakReport& report);
  Result<Incident> take(store::Tx& tx, const Found& found, const LeakReport& report, const Doer& by);
  Result<void> remember(store::Tx& tx, const LeakReport& report, const std::set<Digest>& known);
  // Into the batch; seal() writes it. Nothing may be changed before.
  Written record(std::string_view action, std::string_view subject, std::string_view detail, const Doer& by);
  Result<void> seal();

  Result<std::vector<Incident>> open_of(Owned owned, std::string_view subject);
  Result<Observation> observe(const Incident& incident);
  Result<void> observe_key(const Incident& incident, Observation& seen);
  Result<void> observe_credential(const Incident& incident, Observation& seen);
  Result<bool> carried_by_another(const vault::Credential& credential);
  Result<bool> leaked_again(const Incident& incident, const vault::Credential& credential);
  Result<bool> in_flight(const Incident& incident);
  Result<std::vector<identity::Key>> made_below(const Incident& incident);
  Result<std::vector<identity::Key>> left_below(const Incident& incident);

  // Opens an incident for each canary key that was used.
  Result<void> look_at_canaries();
  // Goes on with these until each waits.
  Result<void> advance(std::vector<std::string> ids);
  Result<std::vector<Plan>> plan(const std::vector<std::string>& ids);
  Result<void> carry_out(std::vector<Plan>& plans);
  Result<void> freeze(store::Tx& tx, Plan& plan);
  Result<void> freeze_below(store::Tx& tx, Plan& plan);
  Result<void> act(Plan& plan);
  Result<void> withdraw(Plan& plan);
  Result<void> restore(Plan& plan);
  Result<void> rotate(Plan& plan);
  Result<void> hasten(Plan& plan);
  Result<void> call(Plan& plan);
  Result<void> reach(store::Tx& tx, Plan& plan);
  Result<void> publish();
  void account(const Incident& incident);
  // incident_count.cpp
  bool count_is_due(const Incident& incident) const;
  void count_at_provider(const Incident& incident);
  void weigh_count(const std::string& id, const ProviderCount& count, std::uint64_t turn);
  Result<void> keep_count(const std::string& id, const std::string& object, std::int64_t past);
  // `from`: where the exposure began that the figures are of.
  void accounted(const std::string& id, Time from, Result<std::string> figures);
  Result<void> keep_figures(const std::string& id, Time from, std::string figures);

  Result<void> note(store::Tx& tx, const Incident& incident, std::string_view what, std::string_view detail,
                    const Doer& by, const Written& written);
  Result<void> tell(store::Tx& tx, const Incident& incident, std::string_view what, std::string_view sentence,
                    Severity severity);
  std::string fresh_id();

  IncidentParts parts_;
  Contain contain_ = Contain::rotate_first;
  std::set<std::string> accounting_;                 // whose figures are being read
  std::map<std::string, Time> count_at_;             // when a provider is asked next
  std::map<std::string, std::uint64_t> count_turn_;  // what was asked last: an older answer knows less
  std::string cursor_;                               // the last that a tick looked at
  bool unpublished_ = false;                         // something is stored that the gate does not know yet
};

}  // namespace claviger::steward
