// What is not to be reported: allow comments on the line, and the ruleset's allowlists.
#pragma once

#include <cstddef>
#include <string_view>

#include "detect/engine.hpp"

namespace claviger::detect {

// `claviger:allow`, `gitleaks:allow` or `pragma: allowlist secret` on the line of [begin, end), or
// `pragma: allowlist nextline secret` on the line before.
bool has_allow_comment(std::string_view bytes, std::size_t begin, std::size_t end);

// An allowlist of the ruleset covers the hit.
bool is_listed(const Engine& engine, std::string_view bytes, const Place& place, const Hit& hit);

}  // namespace claviger::detect
