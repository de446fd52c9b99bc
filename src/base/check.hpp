// Invariants that stay on in release: a false one ends the process, since going on could lose money or a
// secret.
#pragma once

#include <source_location>
#include <string_view>

namespace claviger {

[[noreturn]] void check_failed(std::string_view what, const std::source_location& where);

// Ends the process with a message on stderr when `holds` is false. `what` states the invariant.
inline void check(bool holds, std::string_view what = "invariant",
                  const std::source_location& where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    check_failed(what, where);
}

}  // namespace claviger
