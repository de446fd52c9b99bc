// Listeners: what cannot be opened says so in a sentence; shared ports, unix sockets and accept loops.
#include "net/listener.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "net/rig_test.hpp"

namespace claviger::net {
namespace {

class ListenerTest : public NetTest {
 protected:
  ScratchFolder folder;
};

HostPort loopback(std::uint16_t port = 0) { return {"127.0.0.1", port}; }

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return made;
}

int connect_tcp(std::uint16_t port) {
  Address address;
  EXPECT_TRUE(numeric_address(loopback(port), address));
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(made, reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0);
  return made;
}

void expect_in_use(const Result<std::vector<Listener>>& opened, std::uint16_t port) {
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::io_failed);
  EXPECT_EQ(opened.error().say, "127.0.0.1:" + std::to_string(port) +
                                    " is in use by another process: stop it or choose another address");
}

TEST_F(ListenerTest, a_port_in_use_is_refused_with_a_sentence) {
  const RawListener other;
  expect_in_use(Listener::tcp(loopback(other.address().port()), 1), other.address().port());
}

TEST_F(ListenerTest, a_port_in_use_is_refused_even_when_the_other_would_share_it) {
  const RawListener other(16, true);
  expect_in_use(Listener::tcp(loopback(other.address().port()), 2), other.address().port());
}

TEST_F(ListenerTest, a_port_that_listeners_of_ours_hold_is_refused_too) {
  const auto mine = Listener::tcp(loopback(), 2).value();
  expect_in_use(Listener::tcp(loopback(mine[0].port()), 2), mine[0].port());
}

TEST_F(ListenerTest, an_address_of_another_machine_is_refused) {
  const auto opened = Listener::tcp({"192.0.2.1", 0}, 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::io_failed);
  EXPECT_NE(opened.error().say.find("192.0.2.1"), std::string::npos);
}

TEST_F(ListenerTest, a_name_that_does_not_resolve_is_refused_with_a_sentence) {
  const auto opened = Listener::tcp({"no host has spaces", 80}, 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().say, "no host has spaces:80 is not an address of this machine");
}

TEST_F(ListenerTest, a_path_too_long_for_a_unix_socket_is_refused_with_a_sentence) {
  const auto opened = Listener::unix_socket(folder / std::string(120, 'x'));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::io_failed);
  EXPECT_NE(opened.error().say.find("too long for a unix socket"), std::string::npos);
}

TEST_F(ListenerTest, a_unix_socket_in_a_folder_that_is_not_there_is_refused) {
  const auto opened = Listener::unix_socket(folder / "absent/s.sock");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::io_failed);
}

TEST_F(ListenerTest, several_listeners_share_one_free_port) {
  const auto all = Listener::tcp(loopback(), 3).value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_NE(all[0].port(), 0);
  EXPECT_EQ(all[0].port(), all[1].port());
  EXPECT_EQ(all[0].port(), all[2].port());
  EXPECT_EQ(all[0].text(), "127.0.0.1:" + std::to_string(all[0].port()));
}

TEST_F(ListenerTest, a_closed_listener_leaves_its_port_free) {
  auto first = Listener::tcp(loopback(), 1).value();
  const std::uint16_t port = first[0].port();
  first.clear();
  EXPECT_TRUE(Listener::tcp(loopback(port), 1).has_value());
}

TEST_F(ListenerTest, a_unix_socket_is_for_its_owner_alone) {
  const std::string path = folder / "s.sock";
  const auto listener = Listener::unix_socket(path);
  ASSERT_TRUE(listener.has_value());
  struct stat found{};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 07777U, 0600U);
  EXPECT_EQ(listener->text(), path);
}

TEST_F(ListenerTest, a_stale_socket_file_is_replaced) {
  const std::string path = folder / "s.sock";
  {
    ASSERT_TRUE(Listener::unix_socket(path).has_value());
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto again = Listener::unix_socket(path);
  ASSERT_TRUE(again.has_value());
  ::close(connect_unix(path));
}

TEST_F(ListenerTest, the_user_behind_a_unix_socket_is_told) {
  Listener listener = Listener::unix_socket(folder / "s.sock").value();
  int user = -2;
  const auto always = [] { return true; };
  const auto on_connection = [&](std::unique_ptr<Stream> stream) {
    user = peer_user(*stream);
    listener.stop_accepting();
  };
  const Peer client(connect_unix(folder / "s.sock"));
  run(listener.accept_on(loop, always, on_connection));
  EXPECT_EQ(user, static_cast<int>(::geteuid()));
}

TEST_F(ListenerTest, the_user_behind_a_tcp_connection_cannot_be_told) {
  const Ends both = tcp_ends();
  EXPECT_EQ(peer_user(*both.stream), -1);
}

TEST_F(ListenerTest, connections_that_waited_already_are_all_handed_over) {
  auto listeners = Listener::tcp(loopback(), 1).value();
  std::vector<Peer> clients;
  for (int i = 0; i < 5; ++i) clients.emplace_back(connect_tcp(listeners[0].port()));
  std::vector<std::unique_ptr<Stream>> got;
  const auto always = [] { return true; };
  const auto on_connection = [&](std::unique_ptr<Stream> stream) {
    got.push_back(std::move(stream));
    if (got.size() == 5) listeners[0].stop_accepting();
  };
  run(listeners[0].accept_on(loop, always, on_connection));
  ASSERT_EQ(got.size(), 5U);
  for (const auto& stream : got) EXPECT_EQ(stream->peer().ip(), "127.0.0.1");
}

TEST_F(ListenerTest, a_full_gate_accepts_nothing_until_there_is_room) {
  auto listeners = Listener::tcp(loopback(), 1).value();
  const Peer client(connect_tcp(listeners[0].port()));
  int asked = 0;
  int accepted_after = 0;
  const auto may_accept = [&] { return ++asked > 3; };
  const auto on_connection = [&](std::unique_ptr<Stream>) {
    accepted_after = asked;
    listeners[0].stop_accepting();
  };
  run(listeners[0].accept_on(loop, may_accept, on_connection));
  EXPECT_EQ(accepted_after, 4);
}

TEST_F(ListenerTest, after_stop_accepting_the_loop_ends_and_connections_are_refused) {
  auto listeners = Listener::tcp(loopback(), 1).value();
  const std::uint16_t port = listeners[0].port();
  int handed_over = 0;
  const auto always = [] { return true; };
  const auto on_connection = [&](std::unique_ptr<Stream>) { ++handed_over; };
  bool ended = false;
  const auto accepting = [&]() -> Task<void> {
    co_await listeners[0].accept_on(loop, always, on_connection);
    ended = true;
  };
  bool refused = false;
  const auto test = [&]() -> Task<void> {
    loop.spawn(accepting());
    co_await settle(loop);
    EXPECT_FALSE(ended);
    listeners[0].stop_accepting();
    co_await until(loop, ended);
    Address address;
    EXPECT_TRUE(numeric_address(loopback(port), address));
    std::vector<Address> only(1, address);
    const auto connected = co_await Stream::connect(loop, std::move(only), INT64_MAX);
    refused = !connected.has_value();
  };
  run(test());
  EXPECT_TRUE(refused);
  EXPECT_EQ(handed_over, 0);
}

TEST_F(ListenerTest, an_accept_loop_that_was_stopped_before_it_began_ends_at_once) {
  auto listeners = Listener::tcp(loopback(), 1).value();
  int handed_over = 0;
  const auto always = [] { return true; };
  const auto on_connection = [&](std::unique_ptr<Stream>) { ++handed_over; };
  const Peer client(connect_tcp(listeners[0].port()));
  listeners[0].stop_accepting();
  run(listeners[0].accept_on(loop, always, on_connection));
  EXPECT_EQ(handed_over, 0);
}

}  // namespace
}  // namespace claviger::net
