// Tells a service manager how the service stands (systemd's notification protocol).
#pragma once

#include <string_view>

namespace claviger::app {

// Sends `state`, e.g. "READY=1", to $NOTIFY_SOCKET. Does nothing when there is none.
void notify_service(std::string_view state);

}  // namespace claviger::app
