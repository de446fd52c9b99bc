// What must hold in the simulated loop, and at its end.
#include <fmt/format.h>

#include <algorithm>

#include "loop_world.hpp"

namespace claviger::sim {

using steward::IncidentState;
using steward::RotationMode;

std::string LoopWorld::secret_of(const Credential& one, std::int64_t version) {
  std::string out;
  (void)vault_->append_version(one.id, version, one.origin, out, gate::Injector::access());
  return out;
}

// Whether the old key may be gone before there is a new one.
bool LoopWorld::emergency(const std::string& credential) {
  const auto all = rotations_->list(credential);
  return !all || std::ranges::any_of(*all, [](const steward::Rotation& it) {
    return it.mode == RotationMode::emergency &&
           (!steward::over(it.state) || it.state == steward::RotationState::failed);
  });
}

// Whether an emergency has ended the call's key, which does not wait for calls.
bool LoopWorld::cut_off(const Call& call) {
  const auto all = rotations_->list(call.credential);
  return !all || std::ranges::any_of(*all, [&](const steward::Rotation& it) {
    return it.mode == RotationMode::emergency && it.old_version == call.intent.credential_version;
  });
}

void LoopWorld::check_all() {
  for (const Credential& one : credentials_) check_credential(one);
  for (const Call& call : calls_)
    if (!provider_.accepts(call.provider, call.secret) && !cut_off(call))
      broken(fmt::format("the key of call {} was ended under it", call.req));
  check_incidents();
}

void LoopWorld::check_credential(const Credential& one) {
  const auto it = vault_->get(one.id);
  if (!it || it->state != vault::CredentialState::enabled || it->current() == nullptr) return;
  const std::string secret = secret_of(one, it->current()->number);
  if (secret.empty() || provider_.accepts(one.provider, secret) || emergency(one.id)) return;
  broken(fmt::format("version {} of {} is in use and dead", it->current()->number, one.name));
}

void LoopWorld::check_incidents() {
  const auto all = incidents_->list({});
  if (!all) return;
  for (const steward::Incident& it : *all) {
    IncidentState& before = reached_[it.id];
    if (it.state < before)
      broken(fmt::format("{} went back from {} to {}", it.id, name_of(before), name_of(it.state)));
    before = it.state;
    for (std::size_t i = 1; i + 1 < steward::kIncidentStates; ++i)
      if (it.reached[i] && it.reached[i - 1] && *it.reached[i] < *it.reached[i - 1])
        broken(fmt::format("{} has stamps in disorder", it.id));
    if (it.state == IncidentState::replaced) check_replaced(it);
    if (it.state == IncidentState::detected || it.state == IncidentState::closed) continue;
    const auto opens = incidents_->opens(it);
    if (opens && *opens)
      broken(fmt::format("{} is {}, and version {} of {} opens", it.id, name_of(it.state), it.version,
                         it.subject()));
  }
}

// Whether keys that it has taken back may live on.
bool LoopWorld::leaves(const steward::Rotation& it) {
  const auto keys = rotations_->left_by(it);
  return !keys || !keys->empty();
}

void LoopWorld::check_end() {
  if (!program_) return broken("the program does not start any more");
  const auto all = rotations_->list();
  if (!all) return broken("the rotations cannot be read");
  for (const steward::Rotation& it : *all)
    if (!steward::over(it.state))
      return broken(
          fmt::format("{} of {} is {} at the end: {}", it.id, it.credential, name_of(it.state), it.trouble));
  for (const steward::Rotation& it : *all)
    if (leaves(it)) broken(fmt::format("{} has left a key that nobody has ended: {}", it.id, it.trouble));
  for (const Credential& one : credentials_) {
    if (emergency(one.id)) continue;  // it has failed
    const std::size_t wanted = one.provider == "azure_openai" ? 2 : 1;
    if (provider_.lasting(one.provider) != wanted)
      broken(fmt::format("{} keys of {} live at the end", provider_.lasting(one.provider), one.name));
  }
  const auto incidents = incidents_->list({});
  if (!incidents) return broken("the incidents cannot be read");
  for (const steward::Incident& it : *incidents) {
    if (it.rotation_problem == client_text(Code::store_unavailable))
      broken(fmt::format("{} was left to people while the store was away", it.id));
    if (it.state == IncidentState::closed || !it.rotation_problem.empty()) continue;
    if (it.accounting.empty())
      broken(fmt::format("{} is {} at the end, without figures", it.id, name_of(it.state)));
    const auto failed = std::ranges::find(*all, it.rotation, &steward::Rotation::id);
    const bool people = failed != all->end() && failed->state != steward::RotationState::done &&
                        failed->state != steward::RotationState::closed;
    if (it.owned == steward::Owned::credential && it.state != IncidentState::replaced && !people)
      broken(
          fmt::format("{} of {} version {} is {} at the end", it.id, it.name, it.version, name_of(it.state)));
  }
}

// Told to be replaced and dead: so its provider must say.
void LoopWorld::check_replaced(const steward::Incident& it) {
  const auto one = std::ranges::find(credentials_, it.subject_id, &Credential::id);
  if (one == credentials_.end()) return;
  for (const Leaked& leaked : leaked_)
    if (leaked.credential == one->id && leaked.version == it.version &&
        provider_.accepts(one->provider, leaked.secret))
      broken(fmt::format("{} is replaced, and version {} of {} lives", it.id, it.version, one->name));
}

}  // namespace claviger::sim
