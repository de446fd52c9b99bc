// What rotations' modes, states and acts are called on rows, in answers and on record.
#include <array>

#include "steward/rotation_plan.hpp"

namespace claviger::steward {

std::string_view name_of(RotationMode mode) {
  constexpr std::array<std::string_view, 3> kNames{"planned", "now", "emergency"};
  return kNames[static_cast<std::size_t>(mode)];
}

std::string_view name_of(RotationState state) {
  constexpr std::array<std::string_view, kRotationStates> kNames{
      "planned",    "creating", "waiting", "verifying", "draining", "revoking",
      "confirming", "done",     "closed",  "undoing",   "undone",   "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view name_of(Act act) {
  constexpr std::array<std::string_view, 17> kNames{
      "wait",      "look",     "create",     "progress",    "reveal",  "seek",
      "clear",     "identify", "probe_new",  "propagation", "promote", "revoke",
      "probe_old", "conclude", "remove_new", "drop_new",    "destroy"};
  return kNames[static_cast<std::size_t>(act)];
}

}  // namespace claviger::steward
