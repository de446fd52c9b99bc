// Money: int64 nano-US-dollars. No floating point touches it, and every cost is rounded up.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger {

// An amount of money. 1 USD = 1'000'000'000.
struct Nanousd {
  std::int64_t value = 0;

  friend constexpr auto operator<=>(Nanousd, Nanousd) = default;
  constexpr Nanousd& operator+=(Nanousd other) { return value += other.value, *this; }
  constexpr Nanousd& operator-=(Nanousd other) { return value -= other.value, *this; }
  friend constexpr Nanousd operator+(Nanousd a, Nanousd b) { return {a.value + b.value}; }
  friend constexpr Nanousd operator-(Nanousd a, Nanousd b) { return {a.value - b.value}; }
};

inline constexpr std::int64_t kNanoPerUsd = 1'000'000'000;

// Cost of `count` units at `price` nano-USD per million units, rounded up; saturates at the int64 maximum.
Nanousd cost_rounded_up(std::int64_t count, std::int64_t price_per_million);
// Sum that saturates instead of overflowing, so that a worst case can never wrap round to a small one.
Nanousd saturating_add(Nanousd a, Nanousd b);
Nanousd saturating_times(Nanousd a, std::int64_t factor);

// Decimal text in USD, e.g. "0.000012500" -> "0.0000125"; exact, no exponent, at least two decimals.
std::string format_usd(Nanousd amount);
// Reads a non-negative decimal such as "5", "0.25", "5usd", "$5" exactly; refuses more than 9 decimals and
// overflow.
Result<Nanousd> parse_usd(std::string_view text);

}  // namespace claviger
