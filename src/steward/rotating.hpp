// Incidents joined to rotations: how a leaked version of a credential comes to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "steward/incident.hpp"
#include "steward/provider_count.hpp"

namespace claviger::vault {
class Vault;
}  // namespace claviger::vault

namespace claviger::steward {

class Rotations;

// How a rotation that ends a version is begun, or found when one is under way, and how far it is; all
// absent: none can be.
struct Rotating {
  std::function<Result<std::string>(const std::string& credential, std::int64_t version,
                                    const std::string& reason)>
      begin;
  std::function<Result<RotationStage>(const std::string& rotation)> stage;
  // Whether `begin` can do it now, or another rotation of the credential must end first.
  std::function<Way(const std::string& credential, std::int64_t version)> way;
  // Ends the soak of the rotation that has put the version into use.
  std::function<Result<void>(const std::string& credential, std::int64_t version)> hasten;
  // Asks the provider what it counts of a version between these times; absent: nobody can. `done` comes on
  // this thread. conflict: not now, or never.
  std::function<void(const std::string& credential, std::int64_t version, Time from, Time to, CountDone done)>
      count = {};
  // Whether the version lives on at its provider; absent: nobody knows.
  std::function<Result<Left>(const std::string& credential, std::int64_t version)> left = {};
};

// Both must outlive what it is given to. A leaked credential that still carries calls is replaced without
// failing one, and the leaked key is kept no longer than they last; one that is withdrawn is ended first.
Rotating rotating_of(Rotations& rotations, const vault::Vault& vault);

}  // namespace claviger::steward
