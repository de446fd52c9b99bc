// What the net tests share: a loop that ends with the test's coroutine, and connected sockets to play the
// peer on.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/loop.hpp"
#include "net/stream.hpp"

namespace claviger::net {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;

// The other end of a connection, as a plain descriptor.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {}
  Peer(Peer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Peer& operator=(Peer&&) = delete;
  ~Peer() { hang_up(); }

  int descriptor() const { return descriptor_; }
  // Small texts only: the socket must take them at once.
  void send(std::string_view text) {
    EXPECT_EQ(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void half_close() { ::shutdown(descriptor_, SHUT_WR); }
  void hang_up() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  // TCP: the connection is reset instead of closed.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    hang_up();
  }
  // Bytes sent from here that the other end has not taken yet.
  int untaken() const {
    int bytes = 0;
    ::ioctl(descriptor_, SIOCOUTQ, &bytes);
    return bytes;
  }
  // What has arrived.
  std::string take() {
    std::string text(64 * 1024, '\0');
    const ssize_t got = ::recv(descriptor_, text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

 private:
  int descriptor_;
};

struct Ends {
  std::unique_ptr<Stream> stream;
  Peer peer;
};

struct Pair {
  std::unique_ptr<Stream> here, there;
};

inline std::pair<int, int> socket_pair() {
  int both[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both), 0);
  return {both[0], both[1]};
}

// A listening TCP socket on loopback that the tests handle with plain calls.
class RawListener {
 public:
  explicit RawListener(int backlog = 16, bool share_port = false)
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    if (share_port) ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    HostPort where{"127.0.0.1", 0};
    EXPECT_TRUE(numeric_address(where, address_));
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address_.storage), address_.length), 0);
    EXPECT_EQ(::listen(descriptor_, backlog), 0);
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address_.storage), &address_.length),
              0);
  }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;
  ~RawListener() { close(); }

  const Address& address() const { return address_; }
  int accept() const { return ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }
  // -1 when nobody has connected yet.
  int accept_now() const {
    pollfd waiting{descriptor_, POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1 ? accept() : -1;
  }
  // A blocking connection to it, then made non-blocking.
  int connect() const {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(made, reinterpret_cast<const sockaddr*>(&address_.storage), address_.length), 0);
    EXPECT_EQ(::fcntl(made, F_SETFL, O_NONBLOCK), 0);
    return made;
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
  Address address_;
};

// Lets everything run that is ready, sockets included.
inline Task<void> settle(Loop& loop) {
  for (int i = 0; i < 4; ++i) co_await loop.sleep_ns(0);
}

inline Task<void> until(Loop& loop, const bool& done) {
  while (!done) co_await loop.sleep_ns(0);
}

inline Task<void> until_taken(Loop& loop, const Peer& peer) {
  while (peer.untaken() > 0) co_await loop.sleep_ns(0);
}

inline Task<void> then_stop(Loop& loop, Task<void> body) {
  Task<void> test = std::move(body);
  co_await test;
  loop.stop();
}

// A test is one coroutine; the loop runs until it is done, and a hanging test fails instead.
class NetTest : public testing::Test {
 protected:
  void run(Task<void> test) {
    constexpr std::int64_t kTooLongNs = 60 * kSecondNs;
    loop.every(kTooLongNs, [this] {
      ADD_FAILURE() << "the test hangs";
      loop.stop();
    });
    loop.spawn(then_stop(loop, std::move(test)));
    loop.run();
    loop.destroy_tasks();
  }

  // A stream and its peer over a unix socket: what one side sends is at the other at once.
  Ends ends() {
    const auto [mine, other] = socket_pair();
    return {std::make_unique<Stream>(loop, mine, Address{}), Peer(other)};
  }
  Pair pair() {
    const auto [one, other] = socket_pair();
    return {std::make_unique<Stream>(loop, one, Address{}), std::make_unique<Stream>(loop, other, Address{})};
  }
  // The same over TCP on loopback.
  Ends tcp_ends() {
    const RawListener listener;
    const int other = listener.connect();
    return {std::make_unique<Stream>(loop, listener.accept(), listener.address()), Peer(other)};
  }
  Pair tcp_pair() {
    const RawListener listener;
    const int other = listener.connect();
    return {std::make_unique<Stream>(loop, listener.accept(), listener.address()),
            std::make_unique<Stream>(loop, other, listener.address())};
  }

  Loop loop;
};

// A folder of its own that is gone with the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    char name[] = "/tmp/claviger_net_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace claviger::net
