// Deterministic simulation: sim [--seeds N] [--seed S] [--from S] [--steps N] [--loop-steps N]. The same seed
// does the same again. With --loop-steps only the worlds of incidents and rotations run, each of every seed.
#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "loop_world.hpp"
#include "vault_world.hpp"
#include "world.hpp"

namespace {

struct Options {
  std::uint64_t from = 1, seeds = 500, steps = 400;
  std::uint64_t loop_steps = 0;  // 0: as many as in the fixed run
  bool one = false;
};

volatile std::uint64_t running_seed = 0;

extern "C" void on_abort(int) {
  // check() ended the program: its message is out already, the seed is what is missing.
  fmt::print(stderr, "sim: seed {} broke an invariant; repeat with --seed {}\n", running_seed, running_seed);
  std::_Exit(1);
}

bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    std::uint64_t* target = name == "--seeds"                      ? &options.seeds
                            : name == "--steps"                    ? &options.steps
                            : name == "--loop-steps"               ? &options.loop_steps
                            : name == "--from" || name == "--seed" ? &options.from
                                                                   : nullptr;
    if (target == nullptr) return false;
    if (i + 1 == argc) return false;
    const std::string_view text = argv[i + 1];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *target);
    if (error != std::errc{} || end != text.data() + text.size()) return false;
    options.one = options.one || name == "--seed";
  }
  if (options.one) options.seeds = 1;
  return true;
}

constexpr std::size_t kVaultSteps = 80, kLoopSteps = 160;
constexpr std::uint64_t kLoopEvery = 10;  // a world of incidents costs as much as fifty of the others

// One seed's world; true when no rule was broken.
template <class World>
bool holds(World& world, std::uint64_t seed, std::size_t steps, std::string_view of) {
  const auto broken = world.run(steps);
  if (!broken) return true;
  const auto& trace = world.trace();
  for (std::size_t i = trace.size() - std::min<std::size_t>(trace.size(), 40); i < trace.size(); ++i)
    fmt::print("  {}\n", trace[i]);
  fmt::print("sim: seed {}, {}: {}; repeat with --seed {}\n", seed, of, *broken, seed);
  return false;
}

bool loop_holds(std::uint64_t seed, std::size_t steps) {
  claviger::sim::LoopWorld loop(seed);
  return holds(loop, seed, steps, "incidents and rotations");
}

// Many looks at the dearest world alone.
int run_loops(const Options& options) {
  std::uint64_t failures = 0;
  for (std::uint64_t seed = options.from; seed < options.from + options.seeds; ++seed) {
    running_seed = seed;
    failures += loop_holds(seed, options.loop_steps) ? 0 : 1;
  }
  fmt::print("sim: {} seeds of incidents and rotations, {} steps each, {} failures\n", options.seeds,
             options.loop_steps, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, options)) {
    fmt::print(stderr, "usage: sim [--seeds N] [--seed S] [--from S] [--steps N] [--loop-steps N]\n");
    return 2;
  }
  std::signal(SIGABRT, on_abort);
  if (options.loop_steps != 0) return run_loops(options);
  std::uint64_t steps = 0;
  std::uint64_t failures = 0;
  for (std::uint64_t seed = options.from; seed < options.from + options.seeds; ++seed) {
    running_seed = seed;
    claviger::sim::World world(seed);
    const bool money = holds(world, seed, options.steps, "ledger and journal");
    claviger::sim::VaultWorld vault(seed);
    const bool secrets = holds(vault, seed, kVaultSteps, "vault");
    steps += world.step() + kVaultSteps;
    bool locked = true;
    if (options.one || seed % kLoopEvery == 0) {
      locked = loop_holds(seed, kLoopSteps);
      steps += kLoopSteps;
    }
    if (!money || !secrets || !locked) ++failures;
  }
  fmt::print("sim: {} seeds, {} steps, {} failures\n", options.seeds, steps, failures);
  return failures == 0 ? 0 : 1;
}
