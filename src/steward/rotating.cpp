// Which rotation ends a leaked version, and how far it is.
#include "steward/rotating.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "steward/rotation.hpp"
#include "vault/vault.hpp"

namespace claviger::steward {
namespace {

RotationStage stage_of(RotationState state) {
  if (state >= RotationState::undoing) return RotationStage::failed;
  if (state >= RotationState::done) return RotationStage::done;
  return state >= RotationState::draining ? RotationStage::in_use : RotationStage::under_way;
}

Result<std::string> begin(Rotations& rotations, const vault::Vault& vault, const std::string& credential,
                          std::int64_t version, const std::string& reason) {
  TRY(const auto under_way, rotations.hasten(credential, version, "incident"));
  if (under_way) return under_way->id;
  TRY(const vault::Credential it, vault.get(credential));
  if (it.current() == nullptr || it.current()->number != version)
    return refuse(
        Code::conflict,
        fmt::format("Version {} is not in use any more, and nobody has seen the provider refuse it: "
                    "end it there, then close the incident.",
                    version));
  const auto mode = it.state == vault::CredentialState::enabled ? RotationMode::now : RotationMode::emergency;
  TRY(const Rotation begun, rotations.start(credential, {mode, reason, "incident"}));
  return begun.id;
}

// Another rotation must end first, unless it is the leaked version's own.
Way way(const Rotations& rotations, const std::string& credential, std::int64_t version) {
  const auto all = rotations.list(credential);
  if (!all) return Way::taken;
  for (const Rotation& one : *all) {
    const bool ends = one.old_version == version && one.state != RotationState::undoing;
    const bool begins = one.new_version == version && one.state == RotationState::verifying;
    if (!obstructs(one) || ends || begins) continue;
    return soaks(one, version) ? Way::slow : Way::taken;
  }
  return Way::open;
}

}  // namespace

Rotating rotating_of(Rotations& rotations, const vault::Vault& vault) {
  Rotating made;
  made.begin = [&](const std::string& credential, std::int64_t version, const std::string& reason) {
    return begin(rotations, vault, credential, version, reason);
  };
  made.stage = [&](const std::string& id) -> Result<RotationStage> {
    TRY(const Rotation it, rotations.get(id));
    return stage_of(it.state);
  };
  made.way = [&](const std::string& credential, std::int64_t version) {
    return way(rotations, credential, version);
  };
  made.left = [&](const std::string& credential, std::int64_t version) {
    return rotations.left_of(credential, version);
  };
  made.hasten = [&](const std::string& credential, std::int64_t version) -> Result<void> {
    TRY(const auto under_way, rotations.hasten(credential, version, "incident"));
    return {};
  };
  made.count = [&](const std::string& credential, std::int64_t version, Time from, Time to, CountDone done) {
    rotations.count_at_provider(credential, version, from, to, std::move(done));
  };
  return made;
}

}  // namespace claviger::steward
