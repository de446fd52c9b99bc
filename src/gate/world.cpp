// Look-ups in a World.
#include "gate/world.hpp"

#include <algorithm>

#include "vault/credential.hpp"

namespace claviger::gate {

policy::Standing standing_of(identity::KeyState state) {
  switch (state) {
    case identity::KeyState::active:
      return policy::Standing::active;
    case identity::KeyState::frozen:
      return policy::Standing::frozen;
    case identity::KeyState::revoked:
      break;
  }
  return policy::Standing::revoked;
}

Time World::good_until(const identity::Key& key) const {
  const auto alone = [](const identity::Key& one) {
    return one.state == identity::KeyState::active ? one.expires : Time{};
  };
  Time until = alone(key);
  for (const std::string_view id : identity::Lineage(key.lineage)) {
    const KeyEntry* above = keys.find(id);
    until = std::min(until, above == nullptr ? Time{} : alone(above->key));
  }
  return until;
}

std::string CredentialEntry::model_behind(std::string_view asked) const {
  if (provider->path_form != provider::PathForm::azure) return std::string(asked);
  const std::string_view model = vault::parameter(parameters, "deployment." + std::string(asked));
  return std::string(model.empty() ? asked : model);
}

const CredentialEntry* World::credential_for(std::string_view provider, std::string_view environment) const {
  const CredentialEntry* disabled = nullptr;
  for (const CredentialEntry& entry : credentials) {
    if (entry.provider->name != provider || entry.environment != environment) continue;
    if (entry.usable) return &entry;
    if (disabled == nullptr) disabled = &entry;
  }
  return disabled;
}

std::vector<const CredentialEntry*> World::candidates(std::string_view provider,
                                                      std::string_view environment) const {
  std::vector<const CredentialEntry*> all;
  for (const CredentialEntry& entry : credentials)
    if (entry.usable && entry.provider->name == provider && entry.environment == environment)
      all.push_back(&entry);
  return all;
}

const CredentialEntry* World::credential_named(std::string_view name, std::string_view environment) const {
  for (const CredentialEntry& entry : credentials)
    if (entry.name == name && entry.environment == environment) return &entry;
  return nullptr;
}

bool World::has_credential_named(std::string_view name) const {
  return std::any_of(credentials.begin(), credentials.end(),
                     [&](const auto& entry) { return entry.name == name; });
}

}  // namespace claviger::gate
