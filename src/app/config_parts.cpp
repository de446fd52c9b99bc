// Reading values of claviger.toml strictly.
#include "app/config_parts.hpp"

#include <algorithm>
#include <numeric>

namespace claviger::app {
namespace {

// Levenshtein distance, in one row.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::unexpected<Error> bad(const toml::node& where, std::string_view what) {
  return refuse(Code::configuration,
                fmt::format("Configuration, line {}: {}", where.source().begin.line, what));
}

Result<void> check_keys(const toml::table& table, std::string_view section,
                        std::span<const std::string_view> known) {
  for (const auto& [key, value] : table) {
    const std::string_view name = key.str();
    if (std::ranges::find(known, name) != known.end()) continue;
    const auto nearest = std::ranges::min_element(
        known, {}, [&](std::string_view candidate) { return distance(name, candidate); });
    const std::string full = section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
    return bad(value, fmt::format("unknown key '{}'; the nearest known key is '{}'.", full, *nearest));
  }
  return {};
}

Result<void> read_texts(const toml::table& table, std::string_view key, std::vector<std::string>& out) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return {};
  const toml::array* list = node->as_array();
  if (list == nullptr) return bad(*node, fmt::format("'{}' must be a list of texts.", key));
  for (const toml::node& element : *list) {
    const auto text = element.value_exact<std::string>();
    if (!text) return bad(element, fmt::format("'{}' must be a list of texts.", key));
    out.push_back(*text);
  }
  return {};
}

// The table of that name, or nullptr when it is absent.
Result<const toml::table*> section(const toml::table& file, std::string_view name,
                                   std::span<const std::string_view> known) {
  const toml::node* node = file.get(name);
  if (node == nullptr) return nullptr;
  const toml::table* table = node->as_table();
  if (table == nullptr) return bad(*node, fmt::format("'{}' is written [{}].", name, name));
  TRY_VOID(check_keys(*table, name, known));
  return table;
}

}  // namespace claviger::app
