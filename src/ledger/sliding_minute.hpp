// How much happened in the last minute, exactly enough never to let more than the limit through.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.hpp"

namespace claviger::ledger {

// Sixty full one-second buckets and the running one. What happened within a second counts until the whole
// second is a minute old: at most one second too long, never too short. Not thread-safe; no allocation.
class SlidingMinute {
 public:
  static constexpr std::int64_t kBuckets = 61;
  static constexpr std::int64_t kMost = 2'000'000'000;  // a bucket and a limit never exceed it

  // What counts now. A clock that went back makes all of it count as of now.
  std::int64_t sum(Time now);
  // Adds 0..kMost to the present second and says which second that was.
  std::int64_t add(Time now, std::int64_t amount);
  // Changes what was added in an earlier second, up or down, if that second still counts.
  void correct(std::int64_t second, std::int64_t change);
  // Milliseconds until `amount` more fits under `limit`; 0 when it never will.
  std::int64_t wait_ms(Time now, std::int64_t amount, std::int64_t limit) const;

  // Milliseconds until nothing counts any more; 0 when nothing does.
  std::int64_t clear_ms(Time now) const;

 private:
  void advance(std::int64_t second);
  std::uint32_t& bucket(std::int64_t second) { return buckets_[static_cast<std::size_t>(second % kBuckets)]; }

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::int64_t last_ = 0;   // the present second
  std::int64_t total_ = 0;  // sum of the buckets
};

}  // namespace claviger::ledger
