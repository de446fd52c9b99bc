// sd_notify(3), as one datagram.
#include "app/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace claviger::app {

void notify_service(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if (size == 0 || size >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, path, size);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  (void)::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 length);
  ::close(fd);
}

StartingUp::StartingUp() {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  teller_ = std::thread([this] {
    std::unique_lock lock(lock_);
    while (!done_) {
      notify_service("EXTEND_TIMEOUT_USEC=30000000");
      over_.wait_for(lock, std::chrono::seconds(10));
    }
  });
}

StartingUp::~StartingUp() {
  {
    const std::lock_guard lock(lock_);
    done_ = true;
  }
  over_.notify_one();
  if (teller_.joinable()) teller_.join();
}

}  // namespace claviger::app
