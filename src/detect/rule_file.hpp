// Reading rules from TOML, and from the compiled form the build makes of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "detect/rule.hpp"

namespace claviger::detect {

// Rules of a file in the form of rules/*.toml. Refuses configuration and names file, rule and key.
Result<std::vector<Rule>> read_rules(std::string_view text, std::string_view name);

// The compiled form: length-prefixed fields, read in a fraction of the time TOML takes.
std::string pack_rules(const std::vector<Rule>& rules);
// Refuses corrupt.
Result<std::vector<Rule>> unpack_rules(std::string_view bytes);

}  // namespace claviger::detect
