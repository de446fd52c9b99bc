// A rotation with all that is needed to act on it: credential, admin credential, adapter, link.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provider/admin.hpp"
#include "steward/rotation.hpp"

namespace claviger::steward {

struct Rotations::Case {
  Rotation it;
  vault::Credential credential;
  std::optional<vault::Credential> admin;
  const provider::Adapter* adapter = nullptr;  // never null
  provider::Link link;
  std::string known_key;  // the provider's id of the current version's key, when it is known
  provider::RotationClass rotation = provider::RotationClass::human;
  RotationTraits traits;
  std::vector<std::string> problems;  // what stands in the way of a rotation

  // How a key of this provider is ended; nothing when a person must.
  std::optional<provider::Operation> ending(RotationMode mode) const;
  // The operation of an act that is a call; nothing for others.
  std::optional<provider::Operation> operation(Act act) const;
  std::int64_t admin_version() const;
  std::string key_name() const { return provider::key_name(*adapter, credential.name, it.nonce); }
};

}  // namespace claviger::steward
