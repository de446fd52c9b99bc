// Exact decimal arithmetic on nano-USD.
#include "base/money.hpp"

#include <fmt/format.h>

#include <limits>

namespace claviger {
namespace {

__extension__ typedef __int128 Wide;  // 128 bits are beyond standard C++, and needed for count x price

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Nanousd cost_rounded_up(std::int64_t count, std::int64_t price_per_million) {
  if (count <= 0 || price_per_million <= 0) return {0};
  const Wide product = static_cast<Wide>(count) * price_per_million;
  const Wide cost = (product + 999'999) / 1'000'000;
  return {cost > kMax ? kMax : static_cast<std::int64_t>(cost)};
}

Nanousd saturating_add(Nanousd a, Nanousd b) {
  std::int64_t sum = 0;
  return {__builtin_add_overflow(a.value, b.value, &sum) ? kMax : sum};
}

Nanousd saturating_times(Nanousd a, std::int64_t factor) {
  std::int64_t product = 0;
  return {__builtin_mul_overflow(a.value, factor, &product) ? kMax : product};
}

std::string format_usd(Nanousd amount) {
  const bool negative = amount.value < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(amount.value) : static_cast<std::uint64_t>(amount.value);
  std::string text =
      fmt::format("{}{}.{:09}", negative ? "-" : "", magnitude / kNanoPerUsd, magnitude % kNanoPerUsd);
  const std::size_t shortest = text.size() - 7;
  while (text.size() > shortest && text.back() == '0') text.pop_back();
  return text;
}

Result<Nanousd> parse_usd(std::string_view text) {
  const std::string_view whole = text;
  if (text.starts_with('$')) text.remove_prefix(1);
  if (text.size() > 3 && (text.ends_with("usd") || text.ends_with("USD"))) text.remove_suffix(3);
  const auto bad = [&] {
    return refuse(
        Code::invalid_input,
        fmt::format("'{}' is not an amount: write it like 5, 0.25 or 5usd, with at most 9 decimals", whole));
  };
  std::int64_t value = 0;
  int decimals = -1;
  bool any = false;
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (!is_digit(c) || decimals == 9) return bad();
    if (decimals >= 0) ++decimals;
    any = true;
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
      return bad();
  }
  if (!any) return bad();
  for (int i = decimals < 0 ? 0 : decimals; i < 9; ++i)
    if (__builtin_mul_overflow(value, 10, &value)) return bad();
  return Nanousd{value};
}

}  // namespace claviger
