// Rotations: a credential's secret is replaced while it is in use. One row a rotation, moved on by the pure
// plan (rotation_plan.hpp) and by answers from outside; whatever is interrupted goes on from its row.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "journal/writer.hpp"
#include "provider/provider.hpp"
#include "steward/derive.hpp"
#include "steward/envoy.hpp"
#include "steward/incident.hpp"
#include "steward/left_key.hpp"
#include "steward/outside.hpp"
#include "steward/provider_count.hpp"
#include "steward/rotation_plan.hpp"
#include "steward/rotation_rows.hpp"
#include "store/store.hpp"
#include "vault/vault.hpp"

namespace claviger::steward {

struct DueAlert;  // alert.hpp

// A server of the operator's own, whose accepted keys stand in a file.
struct KeyFile {
  std::string path;                 // one key a line; replaced by rename, mode 0600
  std::vector<std::string> reload;  // the command after it, without a shell; empty: the server watches
};

// What the operator wishes, from the configuration.
struct RotationSettings {
  std::int64_t probe_ms = limits::kRotationProbeMs;
  std::int64_t verify_ms = limits::kRotationVerifyMs;
  std::int64_t list_ms = limits::kRotationListMs;
  std::int64_t soak_ms = limits::kRotationSoakMs;
  std::int64_t retain_ms = limits::kRotationRetainMs;
  std::map<std::string, KeyFile, std::less<>> key_files;  // by credential
};

// Writes a key file and runs its command. `done` is called on the steward's thread, never from within.
class KeyFiles {
 public:
  virtual ~KeyFiles() = default;
  // `lines` may hold secrets: whoever writes wipes it.
  virtual void replace(const KeyFile& file, std::string lines, std::function<void(Result<void>)> done) = 0;
};

struct RotationParts {
  store::Store& store;
  vault::Vault& vault;
  Deriver& deriver;
  journal::Writer& writer;
  const Clock& clock;
  Rng& rng;
  // Publishes a World made of what is stored now, and returns when every lane has it.
  std::function<Result<void>()> republish;
  // Null while nothing is served: then rotations are stored, and go on when the server runs.
  Outside* outside = nullptr;
  KeyFiles* key_files = nullptr;
  std::uint64_t epoch = 0;  // of this start: a row that a later start has taken over is left alone
};

struct RotationStart {
  RotationMode mode = RotationMode::planned;
  std::string reason;
  std::string actor;  // "token:ab12", "schedule", "incident:inc_1"
};

// What a rotation of a credential would do.
struct RotationForecast {
  provider::RotationClass rotation = provider::RotationClass::human;
  bool possible = true;
  std::vector<std::string> steps;     // in order, each a sentence
  std::vector<std::string> problems;  // what stands in the way
};

// For the steward's thread only. All refuse with not_found, conflict or invalid_input, saying what to do.
class Rotations {
 public:
  Rotations(RotationParts parts, RotationSettings settings);
  Rotations(const Rotations&) = delete;
  Rotations& operator=(const Rotations&) = delete;

  void adopt(RotationSettings settings) { settings_ = std::move(settings); }
  // From here on rotations are carried out. Both must outlive it.
  void serve(Outside& outside, KeyFiles& key_files) {
    parts_.outside = &outside;
    parts_.key_files = &key_files;
  }

  // Which admin credential may rotate a credential, and what the provider needs to know. An empty name of
  // the admin credential takes the link away. Names or ids.
  Result<RotationLink> link(std::string_view credential, std::string_view admin, Parameters parameters);
  Result<std::optional<RotationLink>> link_of(std::string_view credential_id) const;

  // Begins; conflict when one goes on for this credential. In an emergency the old key is revoked at the
  // provider first, and the new version is used at once; a credential that containment has disabled is
  // enabled by it.
  Result<Rotation> start(std::string_view credential, const RotationStart& start);
  // Of a leaked version: the rotation that is replacing it already ends it as soon as nothing uses it, and
  // one that would put it into use is taken back. Nothing when there is neither; one that has put it into use
  // already goes on without its soak.
  Result<std::optional<Rotation>> hasten(std::string_view credential, std::int64_t version,
                                         std::string_view actor);
  Result<RotationForecast> forecast(std::string_view credential, RotationMode mode) const;
  Result<Rotation> get(std::string_view id) const;
  // Newest first; of one credential (id) when it is named.
  Result<std::vector<Rotation>> list(std::string_view credential_id = {}) const;
  Result<std::vector<RotationEvent>> events(std::string_view id) const;
  // Tries again now, rather than when it is due; a failed one begins anew.
  Result<Rotation> resume(std::string_view id, std::string_view actor);
  // Back to the old key: until it is being revoked.
  Result<Rotation> roll_back(std::string_view id, std::string_view actor);
  // The secret that a person has created, class human. Refuses one that is known already.
  Result<Rotation> take_in(std::string_view id, const Secret& secret, std::string_view actor);
  // What the person is to do; empty when nothing waits for one.
  Result<std::vector<std::string>> instructions(const Rotation& rotation) const;
  // Keys that it has taken back, or replaced before they were in use, and that may live on: they are probed
  // until their provider refuses them.
  Result<std::vector<LeftKey>> left_by(const Rotation& rotation) const;
  // A person says that those keys are gone: they are probed now.
  Result<Rotation> ended(std::string_view id, std::string_view actor);
  // Whether the provider may still accept a version that is not in use here.
  Result<Left> left_of(std::string_view credential_id, std::int64_t version) const;

  // What the provider counts of a version's key between these times, in whole spans of its own. `done` comes
  // on this thread, maybe from within: conflict when nobody can be asked, or not yet.
  void count_at_provider(std::string_view credential, std::int64_t version, Time from, Time to,
                         CountDone done);

  // Moves everything on: rotations under way, schedules, alerts. Called every limits::kDeriveMs, after the
  // deriver's own tick.
  void tick();

  struct Case;  // a rotation with all that is needed to act on it

 private:
  struct Look;   // a walk through the provider's list of keys
  struct Count;  // a question for use and cost
  Result<Case> open_case(Rotation rotation) const;
  void move_on(Rotation rotation);
  void act(Case it, Act next);
  Result<void> act_here(Case& it, Act next);
  void call(Case it, Act next);
  void make_own(Case it);
  void write_key_file(Case it, Act next);
  void walk(Case it, Act next, std::shared_ptr<Look> look);
  void weigh(Case it, Act next, std::shared_ptr<Look> look);
  void look_closer(Case it, Act next, std::shared_ptr<Look> look);
  std::string key_of(const Case& it, std::int64_t version) const;
  void ask_count(std::shared_ptr<Count> count);
  void take_count(std::shared_ptr<Count> count, const provider::UsagePage& page);
  void answered(const std::string& id, Act act, const Heard& heard);
  void keep_secret(Case it, Act act, const Heard& heard, std::string secret);
  void hear_created(const Case& it, Act act, OutsideAnswer& answer);
  Result<void> save(Rotation& rotation, std::string_view what);
  Result<void> save_in(store::Tx& tx, Rotation& rotation, std::string_view what);
  Result<void> record(std::string_view action, const Rotation& rotation, std::string_view actor);
  void run_schedule(const vault::Credential& credential);
  LeftKey make_left(const Case& made, Time now) const;
  Result<std::vector<std::string>> left_to_do(const Rotation& rotation) const;
  void look_after_left();
  void probe_left(LeftKey key);
  void heard_of_left(LeftKey key, const RotationTraits& traits, const Heard& heard);
  Result<void> forget(const LeftKey& key);
  DueAlert due_alert(std::string_view kind, const Rotation& rotation, std::string_view message) const;
  void alert(std::string_view kind, const Rotation& rotation, std::string_view message);
  bool in_flight(std::string_view credential, std::int64_t version);

  RotationParts parts_;
  RotationSettings settings_;
  Envoy envoy_;
  std::set<std::string, std::less<>> busy_;  // rotations with a call under way
  std::set<std::string> told_;               // alerts of this start
  bool unpublished_ = false;                 // a change is stored that no World has yet
  Time schedules_at_;                        // when schedules are looked at next
};

}  // namespace claviger::steward
