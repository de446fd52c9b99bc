// Numbers as providers write them: whole ones, and amounts of money as JSON numbers or texts.
#pragma once

#include <cstdint>
#include <string_view>

namespace claviger::provider {

// 0 for what is no whole number; "1700000000.0" is one.
std::int64_t whole_number(std::string_view text);

// A decimal such as "0.0000123", "1.2e-05" or "-3" in units of 10^-`decimals`, rounded away from zero; 0 for
// what is no number, saturated beyond the range.
std::int64_t nano_of(std::string_view text, int decimals);

}  // namespace claviger::provider
