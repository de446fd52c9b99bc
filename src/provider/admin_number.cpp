// Decimal texts to integers, without floating point.
#include "provider/admin_number.hpp"

#include <charconv>
#include <string>

namespace claviger::provider {
namespace {

constexpr int kMostExponent = 40;

struct Decimal {
  bool negative = false;
  std::string digits;  // without the point
  int point = 0;       // how many digits stand before it
  bool sound = false;
};

Decimal taken_apart(std::string_view text) {
  Decimal out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  int exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view tail = text.substr(e + 1);
    if (tail.starts_with('+')) tail.remove_prefix(1);
    const auto read = std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
    if (read.ec != std::errc{} || read.ptr != tail.data() + tail.size()) return out;
    text = text.substr(0, e);
  }
  const std::size_t point = text.find('.');
  out.digits = text.substr(0, point);
  out.point = static_cast<int>(out.digits.size()) + exponent;
  if (point != std::string_view::npos) out.digits += text.substr(point + 1);
  out.sound = !out.digits.empty() && out.digits.size() < 64 && exponent <= kMostExponent &&
              exponent >= -kMostExponent && out.digits.find_first_not_of("0123456789") == std::string::npos;
  return out;
}

}  // namespace

std::int64_t nano_of(std::string_view text, int decimals) {
  Decimal decimal = taken_apart(text);
  if (!decimal.sound) return 0;
  const int kept = decimal.point + decimals;  // digits of the whole number that comes out
  std::int64_t sum = 0;
  for (int i = 0; i < kept; ++i) {
    const int digit =
        i < static_cast<int>(decimal.digits.size()) ? decimal.digits[static_cast<std::size_t>(i)] - '0' : 0;
    if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
      return decimal.negative ? INT64_MIN : INT64_MAX;
  }
  const std::size_t rest = kept < 0 ? 0 : static_cast<std::size_t>(kept);
  const bool more =
      rest < decimal.digits.size() && decimal.digits.find_first_not_of('0', rest) != std::string::npos;
  if (more && sum < INT64_MAX) ++sum;
  return decimal.negative ? -sum : sum;
}

std::int64_t whole_number(std::string_view text) {
  const Decimal decimal = taken_apart(text);
  if (!decimal.sound) return 0;
  return nano_of(text.substr(0, text.find('.')), 0);
}

}  // namespace claviger::provider
