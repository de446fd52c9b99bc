// Shares of what is bounded, for as long as they live.
#pragma once

#include <cstddef>

namespace claviger::gate {

// One more. `count` outlives it. Whether there is room is asked before.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

// Bytes of what is bounded, for as long as it lives or until they are given back.
class Room {
 public:
  Room() = default;
  ~Room() { give_back(); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  // `taken` outlives it.
  void take(std::size_t& taken, std::size_t bytes) {
    give_back();
    taken_ = &taken;
    bytes_ = bytes;
    taken += bytes;
  }
  void give_back() {
    if (taken_ != nullptr) *taken_ -= bytes_;
    taken_ = nullptr;
  }

 private:
  std::size_t* taken_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace claviger::gate
