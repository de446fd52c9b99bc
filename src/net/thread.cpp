// How a thread gets its name.
#include "net/thread.hpp"

#include <pthread.h>

namespace claviger::net {

void name_thread(const std::string& name) {
  constexpr std::size_t kMost = 15;
  static_cast<void>(::pthread_setname_np(::pthread_self(), name.substr(0, kMost).c_str()));
}

}  // namespace claviger::net
