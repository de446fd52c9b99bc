// Fuzzes deltas: nothing is written or read outside, and the copies told are those that were made.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "scan/git_delta.hpp"

namespace claviger::scan {
namespace {

// The first byte says how long the base is; then come base and delta.
int run(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t length = std::min<std::size_t>(data[0], size - 1);
  const ByteView base(data + 1, length);
  const ByteView delta(data + 1 + length, size - 1 - length);
  const auto sizes = delta_sizes(delta);
  if (!sizes || sizes->result > 1 << 20) return 0;
  std::vector<std::uint8_t> out(sizes->result);
  std::vector<Copy> copies;
  const bool whole = apply_delta(base, delta, *sizes, out, &copies).has_value();
  std::uint64_t behind = 0;
  for (const Copy& copy : copies) {
    check(copy.to >= behind && copy.size <= out.size() - copy.to, "copies are in order and inside");
    check(copy.from <= base.size() && copy.size <= base.size() - copy.from, "copies come from the base");
    behind = copy.to + copy.size;
    check(std::equal(out.begin() + static_cast<std::ptrdiff_t>(copy.to),
                     out.begin() + static_cast<std::ptrdiff_t>(behind),
                     base.begin() + static_cast<std::ptrdiff_t>(copy.from)),
          "a copy is what it says");
  }
  if (whole) check(sizes->base == base.size(), "only onto its own base");
  return 0;
}

}  // namespace
}  // namespace claviger::scan

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(GitDeltaFuzz, keeps_its_promises_over_the_corpus) {
  claviger::run_corpus("git_delta_fuzz", claviger::scan::run);
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::scan::run(data, size);
}
#endif
