// Secrets in pieces: strings joined by operators, continued lines, folded YAML.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "detect/view.hpp"

namespace claviger::detect {

enum class Seam : unsigned char { quoted, continued, folded };
struct Step {
  std::size_t next = 0;  // where the string goes on
  Seam seam = Seam::quoted;
};

inline constexpr std::size_t kSeamReach = 710;  // so far behind a place is looked for a seam at most
bool may_be_seam(char c);                       // whether a seam may begin with it

// The seam that begins at text[at], if one does: a closing quote, operator and opening quote over any lines;
// a backslash or "=" at a line's end; an indented new line.
std::optional<Step> step_over_seam(std::string_view text, std::size_t at);

// The string that begins at `from`, its seams taken out: at most limits::kScanWindow bytes, no blanks.
// One stretch when there is no seam.
View join_from(std::string_view text, std::size_t from);

}  // namespace claviger::detect
