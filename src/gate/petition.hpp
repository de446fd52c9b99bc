// Petition: what a key asks of the control plane for itself, written down for the steward.
//
// The gate does not change what is stored and does not call the steward. It writes a petition down, lays it
// on the counter that the program has put into Shared, and waits; the steward takes it from there on its own
// thread, answers it as it answers an administrator, and the answer comes back to the lane. What it changed
// reaches the gate as every change does, in the next World, before the answer does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace claviger::gate {

struct PetitionAnswer {
  int status = 200;
  std::string body;  // JSON; may hold a token: wiped after sending
  std::vector<std::pair<std::string, std::string>> headers;
};

struct Petition {
  std::string key;  // id of the key that asks, proven
  std::string method, path, query, content_type, idempotency_key, request_id, ip;
  std::string body;
  Result<PetitionAnswer> answer;  // written before the counter is told that it is done
};

// Takes a petition from any lane's thread; `done` is called once, from any thread, when the answer is
// written.
using Counter = std::function<void(std::shared_ptr<Petition>, std::function<void()> done)>;

}  // namespace claviger::gate
