// Listening sockets: TCP (one a loop, sharing the port) and unix.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"

namespace claviger::net {

// An open listening socket. Outlives the accept loop on it, which stop_accepting ends.
class Listener {
 public:
  // `count` listeners that share one TCP port; the kernel spreads connections over them. Port 0 picks a free
  // one. A port that another process holds is an error, even when that process would share it.
  static Result<std::vector<Listener>> tcp(const HostPort& where, std::size_t count);
  // Replaces a stale socket file; mode 0600.
  static Result<Listener> unix_socket(const std::string& path);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  // "127.0.0.1:8080", with the real port.
  const std::string& text() const { return text_; }
  std::uint16_t port() const { return port_; }

  // Hands each new connection to `on_connection` until `stop_accepting`. Waits when `may_accept` says no.
  Task<void> accept_on(Loop& loop, std::function<bool()> may_accept,
                       std::function<void(std::unique_ptr<Stream>)> on_connection);
  // Loop's thread. New connections are refused from here on.
  void stop_accepting();

 private:
  enum class Sharing { none, port };
  explicit Listener(int descriptor) : descriptor_(descriptor) {}
  static Result<Listener> open_tcp(const Address& address, Sharing sharing);
  int descriptor_ = -1;
  bool stopped_ = false;
  std::uint16_t port_ = 0;
  std::string text_;
  std::unique_ptr<Watch> watch_;
};

// User id of the process at the other end of a unix socket; -1 when it cannot be told.
int peer_user(const Stream& stream);

}  // namespace claviger::net
