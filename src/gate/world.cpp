// Look-ups in a World.
#include "gate/world.hpp"

#include <algorithm>

namespace claviger::gate {

const CredentialEntry* World::credential_for(std::string_view provider, std::string_view environment) const {
  const CredentialEntry* disabled = nullptr;
  for (const CredentialEntry& entry : credentials) {
    if (entry.provider->name != provider || entry.environment != environment) continue;
    if (entry.usable) return &entry;
    if (disabled == nullptr) disabled = &entry;
  }
  return disabled;
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
