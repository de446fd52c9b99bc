// Reading price rows from TOML: every number checked, every unknown key refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "provider/price.hpp"

namespace claviger::provider {

enum class RowOrigin : std::uint8_t { builtin, operator_file, imported };

struct PriceFile {
  std::string version;
  std::vector<Price> rows;
};

// A built-in file has a `version`, and its rows a `source` and a `valid_from`; an operator's rows may leave
// them out (valid since always). Refuses with `configuration`, naming row and key.
Result<PriceFile> parse_price_file(std::string_view toml, RowOrigin origin, OtherTables others);

}  // namespace claviger::provider
