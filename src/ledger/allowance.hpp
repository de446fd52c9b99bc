// A key's own limits, and what they still allow.
#pragma once

#include <cstdint>
#include <optional>

namespace claviger::ledger {

// None: no limit; 0: refuses everything. Values above 2'000'000'000 count as that.
struct RateLimits {
  std::optional<std::int64_t> rpm = {}, tpm = {}, concurrency = {};
};

// What is left; nothing where the key has no such limit a minute.
struct Allowance {
  struct One {
    std::int64_t limit = 0, left = 0;
    std::int64_t reset_ms = 0;  // until all of the limit is there again
  };
  std::optional<One> requests, tokens;
};

}  // namespace claviger::ledger
