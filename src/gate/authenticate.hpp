// Authenticate: from the key a request shows to the caller it proves. Reads the World, touches nothing else.
#pragma once

#include "base/clock.hpp"
#include "crypto/hash.hpp"
#include "gate/request.hpp"
#include "gate/world.hpp"

namespace claviger::gate {

// Proof that the request showed a key we issued. Holds no secret. Lives as long as the World it was found in.
class Caller {
 public:
  const KeyEntry& entry() const { return *entry_; }
  const identity::Key& key() const { return entry_->key; }

 private:
  friend Result<Caller> authenticate(const Request&, const World&, const crypto::HmacSha256&, Time);
  explicit Caller(const KeyEntry& entry) : entry_(&entry) {}
  const KeyEntry* entry_;
};

// Refuses missing_key, unknown_key, conflicting_keys. Whether the key may be used now is authorize's
// question.
Result<Caller> authenticate(const Request& request, const World& world, const crypto::HmacSha256& pepper,
                            Time now);

}  // namespace claviger::gate
