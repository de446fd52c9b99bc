// Reading what is given to a name, in whatever language: name = "value", "name": "value", --name value, ...
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace claviger::detect {

enum class Giving : unsigned char { assigned, called, spaced };  // =, :, => | ( | blank only

struct Value {
  std::size_t begin = 0, end = 0;
  bool quoted = false;
  Giving giving = Giving::assigned;
};

// The name that holds text[begin, end): letters, digits, _ . - and $ around it.
std::string_view name_around(std::string_view text, std::size_t begin, std::size_t end);

// The value given to the name that ends at `at`; nothing when what follows is no giving.
std::optional<Value> value_after(std::string_view text, std::size_t at);

}  // namespace claviger::detect
