// Reading what is given to a name, in whatever language: name = "value", "name": "value", --name value, ...
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "detect/text.hpp"

namespace claviger::detect {

enum class Giving : unsigned char { assigned, called, spaced };  // =, :, => | ( | blank only

struct Value {
  std::size_t begin = 0, end = 0;
  bool quoted = false;
  Giving giving = Giving::assigned;
  bool linked = false;  // "key" or "token" stands between name and value
  bool listed = false;  // the first of a list of strings
  bool cell = false;    // two cells of a row in small letters: a name only when it is a provider's
};

inline constexpr std::size_t kLongestName = 80;

// The name that holds text[begin, end): letters, digits, _ . - and $ around it.
std::string_view name_around(std::string_view text, std::size_t begin, std::size_t end);

// The value given to the name that ends at `at`; nothing when what follows is no giving.
// `reach` learns what was read.
std::optional<Value> value_after(std::string_view text, std::size_t at, Reach& reach);

// The word on the rest of the line that may be meant when the notation is not known: behind an operator or an
// option, and before the next name. `at` as above.
std::optional<Value> word_on_line(std::string_view text, std::size_t at, Reach& reach);

// The string behind `first` in a call or a list: Credentials("user", "..."), keys = ["...", "..."].
std::optional<Value> string_behind(std::string_view text, const Value& first, Reach& reach);

}  // namespace claviger::detect
