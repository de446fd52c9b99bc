// Listening sockets: opening them with clear errors, and accepting on a loop.
#include "net/listener.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace claviger::net {
namespace {

constexpr int kBacklog = 4096;
constexpr std::int64_t kFullWaitNs = 10'000'000;  // how long a full gate waits before it looks for room again

std::unexpected<Error> cannot_listen(const std::string& where, int reason) {
  const std::string what = std::strerror(reason);
  if (reason == EADDRINUSE)
    return fail(Code::io_failed, what,
                fmt::format("{} is in use by another process: stop it or choose another address", where));
  if (reason == EACCES)
    return fail(Code::io_failed, what,
                fmt::format("{} may not be opened by this user: choose a port above 1023", where));
  return fail(Code::io_failed, what, fmt::format("cannot listen on {}: {}", where, what));
}

}  // namespace

Listener::Listener(Listener&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      stopped_(other.stopped_),
      port_(other.port_),
      text_(std::move(other.text_)),
      watch_(std::move(other.watch_)) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(stopped_, other.stopped_);
  std::swap(port_, other.port_);
  std::swap(text_, other.text_);
  std::swap(watch_, other.watch_);
  return *this;
}

Listener::~Listener() {
  watch_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<Listener> Listener::open_tcp(const Address& address, Sharing sharing) {
  Listener made(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.descriptor_ < 0) return cannot_listen(address.text(), errno);
  const int on = 1;
  ::setsockopt(made.descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (sharing == Sharing::port) ::setsockopt(made.descriptor_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (::bind(made.descriptor_, reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0 ||
      ::listen(made.descriptor_, kBacklog) != 0)
    return cannot_listen(address.text(), errno);
  Address bound;
  bound.length = sizeof(bound.storage);
  ::getsockname(made.descriptor_, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length);
  made.port_ = bound.port();
  made.text_ = bound.text();
  return made;
}

Result<std::vector<Listener>> Listener::tcp(const HostPort& where, std::size_t count) {
  auto addresses = resolve(where);
  if (!addresses || addresses->empty())
    return fail(Code::io_failed, "resolve",
                fmt::format("{}:{} is not an address of this machine", where.host, where.port));
  Address address = addresses->front();
  {
    // Alone first: a port that another process holds must be an error, not a second listener beside it.
    TRY(const Listener probe, open_tcp(address, Sharing::none));
    address.set_port(probe.port());
  }
  std::vector<Listener> all;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(Listener one, open_tcp(address, Sharing::port));
    all.push_back(std::move(one));
  }
  return all;
}

Result<Listener> Listener::unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return fail(
        Code::io_failed, "path too long",
        fmt::format("{} is too long for a unix socket (at most {} bytes): use a shorter data directory", path,
                    sizeof(address.sun_path) - 1));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  Listener made(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.descriptor_ < 0) return cannot_listen(path, errno);
  ::unlink(path.c_str());  // the data directory's lock is ours, so a socket file here is stale
  if (::bind(made.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return cannot_listen(path, errno);
  ::chmod(path.c_str(), 0600);
  if (::listen(made.descriptor_, kBacklog) != 0) return cannot_listen(path, errno);
  made.text_ = path;
  return made;
}

Task<void> Listener::accept_on(Loop& loop, std::function<bool()> may_accept,
                               std::function<void(std::unique_ptr<Stream>)> on_connection) {
  watch_ = std::make_unique<Watch>(loop, descriptor_);
  while (!stopped_) {
    if (!may_accept()) {
      co_await loop.sleep_ns(kFullWaitNs);
      continue;
    }
    Address peer;
    peer.length = sizeof(peer.storage);
    const int fd = ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      on_connection(std::make_unique<Stream>(loop, fd, peer));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      watch_->no_longer_readable();
      co_await watch_->readable();
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      co_await loop.sleep_ns(kFullWaitNs);
    }
  }
  watch_.reset();
  ::close(std::exchange(descriptor_, -1));
}

void Listener::stop_accepting() {
  stopped_ = true;
  if (watch_) watch_->wake();
}

int peer_user(const Stream& stream) {
  ucred who{};
  socklen_t size = sizeof(who);
  if (::getsockopt(stream.descriptor(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return -1;
  return static_cast<int>(who.uid);
}

}  // namespace claviger::net
