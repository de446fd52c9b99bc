// Whether what is outside of the program answers.
#pragma once

#include <cstdint>

namespace claviger::sim {

enum class Weather : std::uint8_t { fair, foul };

}  // namespace claviger::sim
