// claviger doctor: looks at a data directory and its machine, and says what is wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/admin_client.hpp"

namespace claviger::app {

enum class Level : std::uint8_t { ok, warn, fail };
std::string_view level_name(Level level);

struct Finding {
  std::string check;  // "permissions", "clock", ...
  Level level = Level::ok;
  std::string what;  // what was found and, unless it is ok, what to do
};

// All checks, in a fixed order; none changes anything. Store and vault are left to a running server.
std::vector<Finding> examine(const DoorOptions& options);

}  // namespace claviger::app
