// Positions in made texts.
#include "detect/view.hpp"

#include <algorithm>

namespace claviger::detect {
namespace {

const Stretch& stretch_of(const std::vector<Stretch>& stretches, std::size_t at) {
  const auto after = std::ranges::upper_bound(stretches, at, {}, &Stretch::inner);
  return after == stretches.begin() ? stretches.front() : *std::prev(after);
}

}  // namespace

std::size_t View::begin_of(std::size_t at) const {
  const Stretch& stretch = stretch_of(stretches, at);
  return stretch.outer + (at - stretch.inner) * stretch.from / stretch.to;
}

std::size_t View::end_of(std::size_t end) const {
  if (end == 0) return begin_of(0);
  const Stretch& stretch = stretch_of(stretches, end - 1);
  return stretch.outer + ((end - stretch.inner) * stretch.from + stretch.to - 1) / stretch.to;
}

}  // namespace claviger::detect
