// What people write between a provider's name and its key: "the mistral key is ...".
#pragma once

#include <cstddef>
#include <string_view>

#include "detect/text.hpp"

namespace claviger::detect {

struct Link {
  std::size_t after = 0;  // where the key may begin
  bool says_key = false;  // "key" or "token" stands between
};

// What stands at `at`, a blank behind the name. `reach` learns what was read.
Link link_at(std::string_view text, std::size_t at, Reach& reach);

}  // namespace claviger::detect
