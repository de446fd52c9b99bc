// Random bytes: the kernel's generator, and a seeded one for simulation.
#include "base/rng.hpp"

#include <sys/random.h>

#include <cstring>

#include "base/check.hpp"

namespace claviger {

void SystemRng::fill(std::span<std::uint8_t> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::getrandom(bytes.data() + done, bytes.size() - done, 0);
    check(got > 0, "the kernel gives random bytes");
    done += static_cast<std::size_t>(got);
  }
}

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t SeededRng::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void SeededRng::fill(std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t word = next();
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, bytes.size() - i));
  }
}

}  // namespace claviger
