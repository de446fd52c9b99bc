// What the parts of the rotation's executor share: how answers are heard, and a walk through a list of keys.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "provider/admin_read.hpp"
#include "steward/rotation_case.hpp"

namespace claviger::steward {

struct Rotations::Look {
  std::vector<provider::ListedKey> keys;
  std::string page;  // the next one; empty: the first, or none
  int pages = 0;
  std::size_t at = 0;  // the key that is looked at more closely
};

// No answer came: why, and whether the call may have arrived.
Heard unanswered(const Error& error);
// What the status of an answer to an operation says.
Heard heard_of(const Rotations::Case& made, provider::Operation operation, const OutsideAnswer& answer);

}  // namespace claviger::steward
