// What simulated worlds have in common: their dice, what happened in them, and the first rule that broke.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/injector_test.hpp"
#include "base/rng.hpp"

namespace claviger::sim {

class Chronicle {
 public:
  const std::vector<std::string>& trace() const { return trace_; }

 protected:
  explicit Chronicle(std::uint64_t seed) : rng_(seed) {}

  std::int64_t pick(std::int64_t below) {
    return static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(below)));
  }
  void note(std::string what) { trace_.push_back(std::move(what)); }
  void broken(std::string what) {
    if (!broken_) broken_ = std::move(what);
  }

  SeededRng rng_;
  std::vector<std::string> trace_;
  std::optional<std::string> broken_;
};

}  // namespace claviger::sim
