// One more of what is bounded, for as long as it lives.
#pragma once

#include <cstddef>

namespace claviger::gate {

// `count` outlives it. Whether there is room is asked before.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace claviger::gate
