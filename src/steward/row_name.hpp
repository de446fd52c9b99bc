// Enumerations stand in the store's rows by their names. Internal to this folder.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "base/result.hpp"

namespace claviger::steward {

// The one of the first `count` values that `name` calls `text`; corrupt when none is.
template <class E>
Result<E> named(std::string_view text, std::size_t count, std::string_view (*name)(E)) {
  for (std::size_t i = 0; i < count; ++i)
    if (name(static_cast<E>(i)) == text) return static_cast<E>(i);
  return fail(Code::corrupt, fmt::format("a row says '{}' where no such name is known", text));
}

}  // namespace claviger::steward
