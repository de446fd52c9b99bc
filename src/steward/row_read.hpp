// Reading the store's rows, where enumerations stand by their names. Internal to this folder.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace claviger::steward {

// The one of the first `count` values that `name` calls `text`; corrupt when none is.
template <class E>
Result<E> named(std::string_view text, std::size_t count, std::string_view (*name)(E)) {
  for (std::size_t i = 0; i < count; ++i)
    if (name(static_cast<E>(i)) == text) return static_cast<E>(i);
  return fail(Code::corrupt, fmt::format("a row says '{}' where no such name is known", text));
}

// All of them, or the first that is not whole.
template <class T>
Result<std::vector<T>> read_rows(const std::vector<store::Row>& rows, Result<T> (*read)(const store::Row&)) {
  std::vector<T> all;
  for (const store::Row& row : rows) {
    TRY(T one, read(row));
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace claviger::steward
