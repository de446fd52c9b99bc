// The name of a thread.
#pragma once

#include <string>

namespace claviger::net {

// The name that `top -H` shows for the calling thread; at most 15 bytes of it.
void name_thread(const std::string& name);

}  // namespace claviger::net
