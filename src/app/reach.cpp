// One look at a port.
#include "app/reach.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace claviger::app {
namespace {

// 0, or the error number; ETIMEDOUT when nobody answered.
int connect_within(const addrinfo& address, int patience_ms) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd wait{fd, POLLOUT, 0};
    const int ready = ::poll(&wait, 1, patience_ms);
    socklen_t size = sizeof(error);
    if (ready == 0)
      error = ETIMEDOUT;
    else if (ready < 0 || ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
      error = errno;
  }
  ::close(fd);
  return error;
}

}  // namespace

Result<void> reach(const std::string& host, std::uint16_t port, int patience_ms) {
  std::string name = host;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int looked_up = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (looked_up != 0)
    return fail_upstream(Code::upstream_failed,
                         fmt::format("its name is not known: {}", ::gai_strerror(looked_up)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int error = ETIMEDOUT;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    error = connect_within(*one, patience_ms);
    if (error == 0) return {};
  }
  return fail_upstream(error == ETIMEDOUT ? Code::upstream_timeout : Code::upstream_failed,
                       std::strerror(error));
}

}  // namespace claviger::app
