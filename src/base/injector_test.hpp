// Stands in for the gate's injector, one of the two friends of SecretAccess, where the gate is not linked.
#pragma once

#include "base/secret.hpp"

namespace claviger::gate {

class Injector {
 public:
  static SecretAccess access() { return {}; }
};

}  // namespace claviger::gate
