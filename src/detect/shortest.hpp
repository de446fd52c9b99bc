// How long the shortest text is that a rule's pattern matches.
#pragma once

#include <cstddef>
#include <string_view>

namespace claviger::detect {

// In bytes. Reads what rules are written with: letters, escapes, classes, groups, choices and counts; what it
// does not know, such as a look at a word's edge, counts as nothing. Never more than the truth.
std::size_t shortest_match(std::string_view pattern);

}  // namespace claviger::detect
