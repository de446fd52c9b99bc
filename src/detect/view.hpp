// A text made of another by decoding or joining, and the way back to where its bytes stood.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "detect/engine.hpp"

namespace claviger::detect {

// A stretch of the made text from `inner` on: `from` bytes of the outer text give `to` bytes of the made one.
struct Stretch {
  std::size_t inner = 0, outer = 0;
  std::size_t from = 1, to = 1;
};

struct View {
  std::string text;
  std::vector<Stretch> stretches;  // ascending; the first begins at 0
  Encoding encoding = Encoding::plain;

  // Where the byte `at` of the made text begins, and where what ends before `end` ends, in the outer text.
  std::size_t begin_of(std::size_t at) const;
  std::size_t end_of(std::size_t end) const;
};

}  // namespace claviger::detect
