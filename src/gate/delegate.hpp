// Delegate: a key asks for keys below it. /claviger/v1/... is the gate's own, and no provider's.
#pragma once

#include <string_view>

#include "gate/docket.hpp"
#include "gate/forward.hpp"
#include "gate/lane.hpp"
#include "gate/request.hpp"
#include "net/http.hpp"
#include "net/task.hpp"

namespace claviger::gate {

// True for request targets that delegate serves.
bool is_own(std::string_view target);

// One request of our own from its head to the last byte of the answer. The docket is closed when this
// returns: with a refusal, or discarded, because the steward has recorded what it did.
net::Task<Connection> delegate(Lane& lane, net::ServerConnection& client, Request& request, Docket& docket);

}  // namespace claviger::gate
