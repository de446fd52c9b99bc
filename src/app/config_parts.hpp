// What the readers of claviger.toml's sections share: strict, and every refusal with its line.
#pragma once

#include <fmt/format.h>
#include <toml++/toml.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"

namespace claviger::app {

// A configuration error at `where`.
std::unexpected<Error> bad(const toml::node& where, std::string_view what);
// Refuses a key of `table` that is not known, naming the nearest one that is.
Result<void> check_keys(const toml::table& table, std::string_view section,
                        std::span<const std::string_view> known);

// Reads `key` of `table` into `out` when it is there; refuses another type.
template <class T>
Result<void> read(const toml::table& table, std::string_view key, T& out, std::string_view type) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return {};
  const auto value = node->value_exact<T>();
  if (!value) return bad(*node, fmt::format("'{}' must be {}.", key, type));
  out = *value;
  return {};
}

Result<void> read_texts(const toml::table& table, std::string_view key, std::vector<std::string>& out);
// The table of that name, or nullptr when it is absent.
Result<const toml::table*> section(const toml::table& file, std::string_view name,
                                   std::span<const std::string_view> known);

// [incident] and [hooks].
Result<void> read_incident(const toml::table& file, Config& config);
// [[notify]] and [[watch]]; after [outside].
Result<void> read_notify(const toml::table& file, Config& config);

}  // namespace claviger::app
