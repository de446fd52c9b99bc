// Git's delta format: a new object told as copies from a base and inserted bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "detect/engine.hpp"

namespace claviger::scan {

struct DeltaSizes {
  std::uint64_t base = 0;
  std::uint64_t result = 0;
  std::size_t head = 0;  // bytes of the delta before its first instruction
};

// Bytes of the result that stand in the base too, in the order of the result. What no copy covers is
// inserted.
using Copy = detect::Repeat;

// The sizes a delta states, which its instructions need not keep. Refuses with corrupt.
Result<DeltaSizes> delta_sizes(ByteView delta);

// Writes the result to `out`, which is sizes.result bytes. Refuses with corrupt a delta that states another
// base size, copies from outside its base, or does not fill `out` exactly; never writes outside `out`. When
// `copies` is given it is replaced by what was copied; copies that continue each other are one.
Result<void> apply_delta(ByteView base, ByteView delta, const DeltaSizes& sizes, std::span<std::uint8_t> out,
                         std::vector<Copy>* copies = nullptr);

}  // namespace claviger::scan
