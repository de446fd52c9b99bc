// What is seen of an incident's subject: whether the leaked secret opens something, is replaced, or lives on.
#include <fmt/format.h>

#include <algorithm>

#include "steward/incidents.hpp"

namespace claviger::steward {
namespace {

constexpr std::chrono::seconds kSettling{1};           // after containment, until what was cut is on file
constexpr std::chrono::seconds kInFlightPatience{45};  // for calls that were let in before it

}  // namespace

Result<Observation> Incidents::observe(const Incident& incident) {
  Observation seen;
  seen.contain = contain_;
  TRY_VOID(incident.owned == Owned::key ? observe_key(incident, seen) : observe_credential(incident, seen));
  if (!incident.rotation.empty() && parts_.rotating.stage) {
    TRY(seen.rotation, parts_.rotating.stage(incident.rotation));
    seen.replaced |= seen.rotation == RotationStage::done;
  }
  // Dropped here is not dead there.
  seen.replaced &= seen.left == Left::no;
  TRY(seen.in_flight, in_flight(incident));
  return seen;
}

Result<void> Incidents::observe_key(const Incident& incident, Observation& seen) {
  const Time now = parts_.clock.now();
  TRY(const identity::Key key, parts_.keys.get(incident.subject_id));
  TRY(const std::int64_t newest, parts_.keys.newest(key.id));
  const bool in_grace =
      incident.version + 1 == newest && key.previous_digest.has_value() && now < key.previous_until;
  const bool fits = incident.version >= newest || in_grace;
  const bool dead = key.state == identity::KeyState::revoked || key.expires <= now;
  seen.opens = fits && !dead && key.state == identity::KeyState::active;
  seen.replaced = dead || !fits;
  return {};
}

Result<void> Incidents::observe_credential(const Incident& incident, Observation& seen) {
  TRY(const vault::Credential it, parts_.vault.get(incident.subject_id));
  const auto version = std::ranges::find(it.versions, incident.version, &vault::CredentialVersion::number);
  const bool there = version != it.versions.end() && it.state != vault::CredentialState::destroyed;
  const auto state = there ? version->state : vault::VersionState::destroyed;
  const bool current = state == vault::VersionState::current;
  seen.disabled = it.state == vault::CredentialState::disabled;
  seen.opens = current && it.state == vault::CredentialState::enabled;
  // A rotation proves that the provider refuses it; without one the vault's word must do.
  seen.replaced = state == vault::VersionState::destroyed ||
                  (state == vault::VersionState::revoked && incident.rotation.empty());
  if (!current && parts_.rotating.left) {
    TRY(seen.left, parts_.rotating.left(it.id, incident.version));
  }
  const bool stands =
      current || state == vault::VersionState::previous || state == vault::VersionState::pending;
  const bool wanted = stands && parts_.rotating.begin && incident.rotation.empty() &&
                      incident.rotation_problem.empty() && !incident.drill;
  if (wanted) seen.way = parts_.rotating.way(it.id, incident.version);
  if (seen.disabled) {
    TRY(seen.leaked_again, leaked_again(incident, it));
  }
  if (seen.opens) {
    TRY(seen.other_carries, carried_by_another(it));
  }
  return {};
}

Result<bool> Incidents::leaked_again(const Incident& incident, const vault::Credential& credential) {
  TRY(const auto open, open_of(Owned::credential, credential.id));
  return std::ranges::any_of(open, [&](const Incident& other) {
    const auto version =
        std::ranges::find(credential.versions, other.version, &vault::CredentialVersion::number);
    const bool stands =
        version != credential.versions.end() &&
        (version->state == vault::VersionState::current || version->state == vault::VersionState::pending);
    return other.id != incident.id && stands;
  });
}

// An administrator's credential carries no traffic, and is missed by nobody.
Result<bool> Incidents::carried_by_another(const vault::Credential& credential) {
  if (credential.kind != vault::CredentialKind::inference) return true;
  TRY(const auto all, parts_.vault.list());
  for (const vault::Credential& one : all) {
    const bool fits = one.id != credential.id && one.environment == credential.environment &&
                      one.provider == credential.provider && one.kind == credential.kind &&
                      one.state == vault::CredentialState::enabled && !one.damaged &&
                      one.current() != nullptr;
    if (!fits) continue;
    TRY(const auto leaked, open_of(Owned::credential, one.id));
    if (leaked.empty()) return true;
  }
  return false;
}

// Whether calls that were let in before the containment still go on, so that their receipts are to come. A
// key's name stands in the lineage of those below it too.
Result<bool> Incidents::in_flight(const Incident& incident) {
  const auto contained = incident.when(IncidentState::contained);
  if (!contained || !incident.accounting.empty()) return false;
  const auto since = parts_.clock.now() - *contained;
  if (since < kSettling) return true;
  if (since >= kInFlightPatience) return false;
  bool any = false;
  TRY_VOID(parts_.store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows,
        tx.query("SELECT 1 FROM journal_open_intent WHERE at <= ?1 AND instr(line, ?2) > 0 LIMIT 1",
                 {contained->ns, incident.owned == Owned::key
                                     ? incident.subject_id
                                     : fmt::format(R"("credential":"{}")", incident.subject_id)}));
    any = !rows.empty();
    return {};
  }));
  return any;
}

}  // namespace claviger::steward
