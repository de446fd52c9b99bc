// How long a running answer is waited for: its silence, its whole time, and what is read on for after the
// client has left.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/limits.hpp"

namespace claviger::gate {

// Times are monotonic.
class Patience {
 public:
  // `now_ns`: the answer begins.
  explicit Patience(std::int64_t now_ns) : end_ns_(now_ns + limits::kStreamTotalMs * kMs) {}

  // The client has left: the rest is read for its usage alone.
  void client_left(std::int64_t now_ns) {
    if (left_) return;
    left_ = true;
    end_ns_ = now_ns + limits::kDrainAfterAbortMs * kMs;
  }
  void took(std::size_t bytes) {
    if (left_) drained_ += bytes;
  }
  // False: more has been read for the usage than it is worth.
  bool worth_more() const { return drained_ <= limits::kDrainAfterAbortBytes; }
  // When the next bytes must be here.
  std::int64_t deadline_ns(std::int64_t now_ns) const {
    return std::min(now_ns + limits::kStreamSilenceMs * kMs, end_ns_);
  }

 private:
  static constexpr std::int64_t kMs = 1'000'000;
  std::int64_t end_ns_;
  std::size_t drained_ = 0;
  bool left_ = false;
};

}  // namespace claviger::gate
