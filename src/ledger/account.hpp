// Who is charged for a request.
#pragma once

#include <string>
#include <vector>

namespace claviger::ledger {

// Who is charged. An empty team or project means there is none. `key` is the key's id; `above` are the ids of
// the keys it is a child of, from the top down, at most limits::kKeyDepth.
struct AccountPath {
  std::string team, project, key;
  std::vector<std::string> above = {};
  friend bool operator==(const AccountPath&, const AccountPath&) = default;
};

}  // namespace claviger::ledger
