// What a rotation's row says to others: whether it is over, in the way, stuck, can be undone, or leaves a
// key.
#include "steward/rotation_plan.hpp"

namespace claviger::steward {
namespace {

constexpr int kToldAfter = 5;  // failures in a row

}  // namespace

bool over(RotationState state) {
  return state == RotationState::done || state == RotationState::closed || state == RotationState::undone ||
         state == RotationState::failed;
}

bool obstructs(const Rotation& it) {
  return !over(it.state) && !(it.state == RotationState::confirming && it.promoted);
}

bool soaks(const Rotation& it, std::int64_t version) {
  return it.state == RotationState::draining && it.mode == RotationMode::planned && it.new_version == version;
}

bool can_roll_back(const Rotation& it) {
  // A revocation whose answer was lost may have happened.
  const bool past = over(it.state) || it.state == RotationState::undoing ||
                    it.state == RotationState::revoking || it.revoked;
  // A secret that was replaced in place, or a slot's that was regenerated, cannot come back; the old one of
  // in_place is on a timer from the moment of the call.
  const bool gone =
      it.rotation == provider::RotationClass::in_place && (it.creates > 0 || it.new_version != 0);
  return !past && !gone;
}

bool stuck(const Rotation& it, Time now) {
  if (over(it.state)) return false;
  if (it.state == RotationState::confirming && now >= it.deadline) return true;
  return it.tries >= kToldAfter || it.revoke_by_hand;
}

bool leaves_key(const Rotation& it) {
  // Of a key that got several secrets in turn the last may be one of an earlier turn.
  if (it.rotation == provider::RotationClass::in_place) return it.old_expires.has_value();
  return it.new_version != 0 && it.good == 0;
}

std::string_view left_sentence(const Rotation& it) {
  return it.rotation == provider::RotationClass::in_place
             ? "The key at the provider has a new secret that nothing uses, and the one in use dies: begin "
               "anew, or delete the key there."
             : "Delete the new key at the provider: nothing uses it.";
}

void left_ended(Rotation& it) {
  const std::string_view sentence = left_sentence(it);
  const std::size_t at = it.trouble.find(sentence);
  if (at == std::string::npos) return;
  it.trouble.erase(at, sentence.size());
  while (it.trouble.ends_with(' ')) it.trouble.pop_back();
}

}  // namespace claviger::steward
