// Rotations, their events and the links between credentials, in their tables.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "steward/rotation_plan.hpp"
#include "store/store.hpp"

namespace claviger::steward {

// Tables rotation, rotation_event, rotation_link, rotation_left (left_key.hpp).
extern const std::string_view kRotationSchema;

using Parameters = std::map<std::string, std::string, std::less<>>;

struct RotationLink {
  std::string credential, admin;  // ids
  Parameters parameters;
};

struct RotationEvent {
  Time at;
  std::string what;  // "verifying", "create: asked", ...
};

Result<std::optional<RotationLink>> load_link(store::Tx& tx, std::string_view credential);
Result<void> put_link(store::Tx& tx, const RotationLink& link);  // no admin: takes it away

// not_found.
Result<Rotation> load_rotation(store::Tx& tx, std::string_view id);
// Newest first; `credential` and `states` narrow it when they say something.
enum class Which : std::uint8_t { all, unfinished };
Result<std::vector<Rotation>> load_rotations(store::Tx& tx, std::string_view credential, Which which);
// Writes the row as start `epoch`. Refuses conflict when a later start has written it, or when another
// rotation of the credential goes on.
Result<void> put_rotation(store::Tx& tx, const Rotation& rotation, std::uint64_t epoch);
Result<void> add_event(store::Tx& tx, std::string_view rotation, Time at, std::string_view what);
Result<std::vector<RotationEvent>> load_events(store::Tx& tx, std::string_view rotation);

}  // namespace claviger::steward
