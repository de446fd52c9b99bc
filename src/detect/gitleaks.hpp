// An existing gitleaks.toml, read as what it means here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "detect/ruleset.hpp"

namespace claviger::detect {

struct Gitleaks {
  std::vector<Rule> rules;
  std::vector<Allowlist> allowlists;
  std::vector<std::string> disabled;  // ids, by the names they have here
  bool use_default = false;
};

// True when `text` is TOML with the keys of gitleaks rather than our own.
bool is_gitleaks(std::string_view text);

// Refuses configuration: bad TOML, a rule without id or pattern, extend.path and extend.url, which name other
// files. Keys it does not know are left to gitleaks.
Result<Gitleaks> read_gitleaks(std::string_view text, std::string_view name);

}  // namespace claviger::detect
