// The admin API on a socket: HTTP in, Api::handle, HTTP out. Runs on the steward's own loop.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "console/api.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

namespace claviger::console {

// tcp: callers show an admin token. local: the unix socket, where a peer of our own user is owner.
enum class Door : std::uint8_t { tcp, local };

// Accepts until the listener stops. `tls`: nullptr for plain HTTP. `api`, `listener` and `tls` must outlive
// the loop's tasks.
net::Task<void> serve_admin(net::Loop& loop, net::Listener& listener, Api& api, Door door,
                            const net::TlsContext* tls);

}  // namespace claviger::console
