// Forward: an admitted request goes to its provider and the answer comes back, metered on the way.
#pragma once

#include "gate/admit.hpp"
#include "gate/docket.hpp"
#include "gate/lane.hpp"
#include "gate/request.hpp"
#include "net/http.hpp"
#include "net/task.hpp"

namespace claviger::gate {

// Whether the client's connection can take another request.
enum class Connection : std::uint8_t { keep, close };

// Carries the request out and settles it. The docket is closed when this returns. Errors of the way to the
// provider are answered to the client here. Once a stream begins, the connection has forgotten the request.
net::Task<Connection> forward(Lane& lane, net::ServerConnection& client, Request& request,
                              Admission& admission, const World& world, Docket& docket);

}  // namespace claviger::gate
