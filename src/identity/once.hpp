// Idempotency keys: a repeated request changes nothing a second time and learns what the first one made.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

namespace claviger::identity {

// How long a repetition is recognised.
inline constexpr std::chrono::hours kOnceWindow{24};
inline constexpr std::size_t kOnceKeyLength = 255;

extern const std::string_view kOnceSchema;

// One request that shall take effect once: who asked, under which key, and a hash of what was asked.
struct Once {
  std::string actor;
  std::string key;
  Digest fingerprint{};
};

// The subject that the first such request made, or nullopt when this is the first. Refuses conflict when the
// key was used for another request, invalid_input when it is too long or not visible ASCII.
Result<std::optional<std::string>> replayed(store::Tx& tx, const Once& once, Time now);
// To be called in the transaction that makes `subject`, so that both or neither happen. Forgets what is too
// old.
Result<void> remember(store::Tx& tx, const Once& once, std::string_view subject, Time now);

}  // namespace claviger::identity
