// Names of incidents' parts, and the order of their steps.
#include "steward/incident.hpp"

#include <fmt/format.h>

namespace claviger::steward {
namespace {

constexpr std::string_view kStates[] = {"detected", "contained", "accounted", "replaced", "closed"};

Step step_on(Way way) {
  return way == Way::open ? Step::rotate : way == Way::slow ? Step::hasten : Step::wait;
}

Step next_of_detected(const Incident& incident, const Observation& seen) {
  if (!seen.opens) return Step::note_contained;
  if (incident.owned == Owned::key) return Step::freeze;
  if (seen.other_carries || incident.ordered || seen.contain == Contain::revoke_first) return Step::withdraw;
  // Nothing will take its traffic over.
  if (seen.rotation == RotationStage::failed) return Step::withdraw;
  // Its traffic goes on until the replacement takes it over.
  return seen.rotation == RotationStage::none ? step_on(seen.way) : Step::wait;
}

}  // namespace

std::string_view name_of(IncidentState state) { return kStates[static_cast<std::size_t>(state)]; }

std::optional<IncidentState> incident_state(std::string_view name) {
  for (std::size_t i = 0; i < kIncidentStates; ++i)
    if (kStates[i] == name) return static_cast<IncidentState>(i);
  return std::nullopt;
}

std::string_view name_of(Owned owned) { return owned == Owned::key ? "key" : "credential"; }

std::string_view name_of(Proof proof) {
  constexpr std::string_view names[] = {"inventory", "canary", "declared"};
  return names[static_cast<std::size_t>(proof)];
}

std::string_view name_of(Contain contain) {
  return contain == Contain::revoke_first ? "revoke_first" : "rotate_first";
}

std::string_view name_of(Containment containment) {
  constexpr std::string_view names[] = {"none", "opened_nothing", "frozen", "withdrawn", "rotated"};
  return names[static_cast<std::size_t>(containment)];
}

std::string_view name_of(Step step) {
  constexpr std::string_view names[] = {"wait",           "freeze",  "withdraw",      "rotate",  "hasten",
                                        "note_contained", "account", "note_replaced", "restore", "call"};
  return names[static_cast<std::size_t>(step)];
}

std::string Incident::subject() const { return fmt::format("{}:{}", name_of(owned), subject_id); }

Step next_step(const Incident& incident, const Observation& seen) {
  if (incident.state == IncidentState::detected) return next_of_detected(incident, seen);
  if (incident.state == IncidentState::closed) return Step::wait;
  // What is left is put in order while the figures are read: neither waits for the other.
  const bool to_rotate = incident.owned == Owned::credential && !seen.replaced &&
                         seen.rotation == RotationStage::none && step_on(seen.way) != Step::wait;
  if (incident.state != IncidentState::replaced && to_rotate) return step_on(seen.way);
  if (incident.state != IncidentState::replaced && seen.left == Left::by_hand &&
      incident.rotation_problem.empty())
    return Step::call;
  // Empty again when an earlier exposure became known.
  if (incident.accounting.empty()) return seen.in_flight ? Step::wait : Step::account;
  if (incident.state != IncidentState::accounted || !seen.replaced) return Step::wait;
  // A secret that the vault has dropped may live at the provider until its rotation is over.
  if (seen.rotation == RotationStage::under_way || seen.rotation == RotationStage::in_use) return Step::wait;
  const bool withdrawn = incident.containment == Containment::withdrawn && seen.disabled;
  // Given back it would open with the other secret.
  if (withdrawn && seen.leaked_again) return Step::wait;
  return withdrawn ? Step::restore : Step::note_replaced;
}

}  // namespace claviger::steward
