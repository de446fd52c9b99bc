// Keys that a rotation has taken back, or replaced in place before they were in use: each may live on at its
// provider, and is probed, ever more slowly, until it is refused. Its secret is destroyed then, not before:
// nothing else could tell that it is dead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "steward/rotation_plan.hpp"
#include "store/store.hpp"

namespace claviger::steward {

struct LeftKey {
  std::string credential;    // id
  std::int64_t version = 0;  // of it
  std::string rotation;      // id; that left it
  bool removed = false;      // the provider has taken its end
  Time since;
  std::optional<Time> alive;  // when the provider accepted it last
  std::optional<Time> word;   // when a person said that it is gone
  int bad = 0;                // refusals in a row
  Time next;                  // no probe before
};

// What a probe's answer says of it. A key that was never seen alive may not be known to its provider yet:
// such refusals count only when the time is over in which it must have become known.
void hear(LeftKey& key, const RotationTraits& traits, const Heard& heard, Time now);
// Whether the provider has refused it as often as it takes.
bool dead(const LeftKey& key);
// A person says that it is gone: it is probed now, and often again.
void ask_again(LeftKey& key, Time now);
// Whether the provider still accepts what it has taken the end of, longer than it may.
bool lingers(const LeftKey& key, Time now);

// Rows of rotation_left (kRotationSchema). Of one credential when it is named; oldest first.
Result<std::vector<LeftKey>> load_left(store::Tx& tx, std::string_view credential = {});
// Writes the row as start `epoch`. Refuses conflict when a later start has written it.
Result<void> put_left(store::Tx& tx, const LeftKey& key, std::uint64_t epoch);
Result<void> forget_left(store::Tx& tx, const LeftKey& key);

}  // namespace claviger::steward
