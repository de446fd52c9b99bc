// The loop that every micro-benchmark is held against: work whose speed is the machine's alone.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>

namespace {

// Multiplies, shifts and dependent loads within the first cache: what the hot path is made of, too.
void calibration(benchmark::State& state) {
  std::array<std::uint32_t, 1024> table{};
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (std::uint32_t& entry : table) entry = static_cast<std::uint32_t>(h = h * 0x100000001b3ULL + 1);
  for (auto _ : state) {
    for (int step = 0; step < 1'000; ++step) {
      h = (h ^ table[(h >> 20) % table.size()]) * 0x100000001b3ULL;
      h ^= h >> 29;
    }
    benchmark::DoNotOptimize(h);
  }
}
BENCHMARK(calibration);

}  // namespace
