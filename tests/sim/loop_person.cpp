// The person of the simulated loop: makes keys where no API does, hands them in, sometimes the wrong ones,
// and deletes what a rotation asks for.
#include <fmt/format.h>

#include <algorithm>

#include "loop_world.hpp"

namespace claviger::sim {

using steward::Rotation;
using steward::RotationMode;
using steward::RotationState;

const LoopWorld::Credential& LoopWorld::subject_of(const Rotation& it) const {
  return *std::ranges::find(credentials_, it.credential, &Credential::id);
}

void LoopWorld::help(Care care) {
  const auto all = rotations_->list();
  if (!all) return;
  for (const Rotation& it : *all) {
    if (care == Care::little && pick(3) == 0) continue;
    if (it.state == RotationState::waiting) hand_in(it, care);
    if (it.state == RotationState::revoking && it.revoke_by_hand) delete_old(it);
    if (steward::over(it.state)) tidy_up(it);
    const bool left = it.state == RotationState::undone && ends_leak(it);
    if (care == Care::great && (left || it.state == RotationState::failed)) begin_anew(it);
  }
}

// Begun for an incident, or found by one.
bool LoopWorld::ends_leak(const Rotation& it) {
  const auto open = incidents_->list({.state = {}, .open = true});
  return it.started_by == "incident" ||
         (open && std::ranges::find(*open, it.id, &steward::Incident::rotation) != open->end());
}

// What has failed, or was rolled back although it ends a leak, is left to people, and other incidents of the
// credential may wait for it.
void LoopWorld::begin_anew(const Rotation& it) {
  const auto all = rotations_->list(it.credential);
  if (!all || all->front().id != it.id) return;  // somebody has
  // Doing the same again helps only where the rotation says nothing else.
  const bool other = it.trouble.contains("Rotate with --emergency");
  const bool begun =
      other
          ? rotations_->start(it.credential, {RotationMode::emergency, "it says so", "somebody"}).has_value()
          : rotations_->resume(it.id, "somebody").has_value();
  note(fmt::format("begin {} anew -> {}", it.id, begun ? "done" : "refused"));
}

// The key that was made for this rotation, or a fresh one.
LoopWorld::MadeByHand& LoopWorld::key_for(const Rotation& it, std::string_view provider) {
  const auto found = std::ranges::find_if(made_, [&](const MadeByHand& one) {
    return one.rotation == it.id && one.provider == provider && !one.handed_in;
  });
  if (found != made_.end()) return *found;
  return made_.emplace_back(
      MadeByHand{it.id, std::string(provider), provider_.make_by_hand(provider, KnownFrom::soon)});
}

void LoopWorld::hand_in(const Rotation& it, Care care) {
  const Credential& one = subject_of(it);
  const std::int64_t slip = care == Care::great ? 9 : pick(10);
  if (slip == 0) return hand_in_known(it, secret_of(one, it.old_version));
  if (slip == 1 && !made_.empty()) {
    const MadeByHand& earlier = made_[static_cast<std::size_t>(pick(std::ssize(made_)))];
    if (earlier.handed_in) return hand_in_known(it, earlier.secret);
  }
  MadeByHand& made = key_for(it, slip != 2 ? one.provider : one.provider == "groq" ? "anthropic" : "groq");
  std::string text = made.secret;
  const bool taken = rotations_->take_in(it.id, Secret::take(text), "somebody").has_value();
  // A write that was told to have failed may have happened.
  const auto now = rotations_->get(it.id);
  made.handed_in = taken || (now && now->new_version != 0);
  note(fmt::format("hand a key of {} in to {} of {} -> {}", made.provider, it.id, one.name,
                   taken ? "taken" : "refused"));
}

void LoopWorld::hand_in_known(const Rotation& it, std::string secret) {
  if (secret.empty()) return;
  note(fmt::format("hand a known secret in to {}", it.id));
  if (rotations_->take_in(it.id, Secret::take(secret), "somebody"))
    broken(fmt::format("{} took a secret in that was known", it.id));
}

void LoopWorld::delete_old(const Rotation& it) {
  const std::string secret = secret_of(subject_of(it), it.old_version);
  if (secret.empty()) return;
  const auto lines = rotations_->instructions(it);
  if (!lines || lines->empty()) return broken(fmt::format("nobody is told what {} waits for", it.id));
  if (!it.old_key.empty() && it.old_key != provider_.id_of(secret))
    return broken(fmt::format("{} asks for the wrong key to be deleted", it.id));
  note(fmt::format("delete the old key of {}", it.id));
  provider_.end_by_hand(secret);
}

// What was never handed in, or belongs elsewhere, nobody else knows; the rest goes when the rotation says so.
void LoopWorld::tidy_up(const Rotation& it) {
  for (const MadeByHand& one : made_) {
    if (one.rotation != it.id) continue;
    const bool own = one.handed_in && one.provider == subject_of(it).provider;
    if (!own || it.trouble.contains("Delete the new key")) provider_.end_by_hand(one.secret);
  }
}

}  // namespace claviger::sim
