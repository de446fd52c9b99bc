// Randomness as a value that is passed in: the system's for real, seeded for simulation.
#pragma once

#include <cstdint>
#include <span>

namespace claviger {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

// The kernel's generator, getrandom(2).
class SystemRng final : public Rng {
 public:
  void fill(std::span<std::uint8_t> bytes) override;
};

// Deterministic: the same seed gives the same bytes. For simulation and tests only.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override;
  std::uint64_t next();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace claviger
