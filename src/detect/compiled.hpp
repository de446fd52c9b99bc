// What the build compiles of rules/*.toml and puts into the program.
#pragma once

#include <string_view>

#include "detect/literals.hpp"

namespace claviger::detect {

// pack_rules() of all rules.
std::string_view compiled_rules();
// Literals::serialise() of the many literals of plan() of the same rules, those that are sought near dense
// runs; empty when the build machine could not make it.
std::string_view compiled_literals(Target target);

}  // namespace claviger::detect
