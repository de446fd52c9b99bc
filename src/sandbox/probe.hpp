// The cheapest calls that need a key, of providers whose inference is not doubled: what a good and a bad key
// get.
#pragma once

#include <string>
#include <string_view>

#include "sandbox/plan.hpp"

namespace claviger::sandbox {

struct Probe {
  std::string_view path, method;
  std::string_view header;  // the key stands there: "authorization" after "Bearer "
  std::string_view good;
  int refusal;
  std::string_view bad;
};

// Null when the path is none of theirs.
const Probe* probe_of(const Request& request);
std::string_view key_of(const Probe& probe, const Request& request);
Plan probe_plan(const Probe& probe, bool good);

}  // namespace claviger::sandbox
