// The pool: what hung up, spoke unasked, idled too long or is one too many is not kept; the rest is used
// again.
#include "net/upstream.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "net/listener.hpp"
#include "net/tls_rig_test.hpp"

namespace claviger::net {
namespace {

class UpstreamsTest : public TlsTest {
 protected:
  UpstreamsTest() : context(client()), upstreams(loop, workers, context) {}

  Origin plain() const { return {false, "127.0.0.1", provider.address().port()}; }
  // The provider's end of the next connection.
  Peer accepted() { return Peer(provider.accept()); }

  RawListener provider;
  Workers workers{1};
  TlsContext context;
  Upstreams upstreams;
};

TEST_F(UpstreamsTest, a_provider_that_refuses_is_upstream_failed) {
  const Origin origin = plain();
  provider.close();
  const auto test = [&]() -> Task<void> {
    const auto got = co_await upstreams.acquire(origin);
    EXPECT_FALSE(got.has_value());
    if (!got) EXPECT_EQ(got.error().code, Code::upstream_failed);
  };
  run(test());
}

TEST_F(UpstreamsTest, a_name_that_does_not_resolve_is_upstream_failed) {
  const Origin origin{false, "no host has spaces", 80};
  const auto test = [&]() -> Task<void> {
    const auto got = co_await upstreams.acquire(origin);
    EXPECT_FALSE(got.has_value());
    if (!got) EXPECT_EQ(got.error().code, Code::upstream_failed);
  };
  run(test());
}

TEST_F(UpstreamsTest, a_connection_that_hung_up_is_not_used_again) {
  const auto test = [&]() -> Task<void> {
    auto first = co_await upstreams.acquire(plain());
    EXPECT_TRUE(first.has_value());
    Peer peer = accepted();
    upstreams.release(plain(), std::move(*first));
    EXPECT_EQ(upstreams.idle(), 1U);
    peer.hang_up();
    co_await settle(loop);
    auto second = co_await upstreams.acquire(plain());
    EXPECT_TRUE(second && !(*second)->hung_up());
    const Peer fresh = accepted();  // waits unless a second connection was made
    EXPECT_GE(fresh.descriptor(), 0);
    EXPECT_EQ(upstreams.idle(), 0U);
  };
  run(test());
}

TEST_F(UpstreamsTest, a_connection_on_which_the_provider_spoke_unasked_is_not_used_again) {
  const auto test = [&]() -> Task<void> {
    auto first = co_await upstreams.acquire(plain());
    EXPECT_TRUE(first.has_value());
    Peer peer = accepted();
    upstreams.release(plain(), std::move(*first));
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await settle(loop);
    const auto second = co_await upstreams.acquire(plain());
    EXPECT_TRUE(second.has_value());
    const Peer fresh = accepted();
    EXPECT_GE(fresh.descriptor(), 0);
  };
  run(test());
}

TEST_F(UpstreamsTest, a_connection_that_broke_or_hung_up_is_not_kept) {
  Ends broken = ends();
  Ends gone = ends();
  const auto test = [&]() -> Task<void> {
    broken.stream->abort();
    gone.peer.hang_up();
    co_await settle(loop);
    upstreams.release(plain(), std::move(broken.stream));
    upstreams.release(plain(), std::move(gone.stream));
    EXPECT_EQ(upstreams.idle(), 0U);
  };
  run(test());
}

TEST_F(UpstreamsTest, one_connection_more_than_the_pool_holds_is_closed) {
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < limits::kPoolPerOrigin + 1; ++i) {
    Ends both = ends();
    peers.push_back(std::move(both.peer));
    upstreams.release(plain(), std::move(both.stream));
  }
  EXPECT_EQ(upstreams.idle(), limits::kPoolPerOrigin);
  char byte = 0;
  EXPECT_EQ(::recv(peers.back().descriptor(), &byte, 1, MSG_DONTWAIT), 0) << "the last one is closed";
  EXPECT_EQ(::recv(peers.front().descriptor(), &byte, 1, MSG_DONTWAIT), -1) << "the first one is open";
}

TEST_F(UpstreamsTest, the_bound_holds_for_each_origin) {
  std::vector<Peer> peers;
  const Origin other{true, "127.0.0.1", provider.address().port()};
  for (std::size_t i = 0; i < limits::kPoolPerOrigin + 2; ++i) {
    Ends both = ends();
    peers.push_back(std::move(both.peer));
    upstreams.release(i < 2 ? other : plain(), std::move(both.stream));
  }
  EXPECT_EQ(upstreams.idle(), limits::kPoolPerOrigin + 2);
}

TEST_F(UpstreamsTest, connections_that_idle_too_long_are_closed) {
  Ends both = ends();
  upstreams.release(plain(), std::move(both.stream));
  upstreams.close_idle();
  EXPECT_EQ(upstreams.idle(), 1U);
  upstreams.close_idle(-1);  // any age is too long
  EXPECT_EQ(upstreams.idle(), 0U);
  char byte = 0;
  EXPECT_EQ(::recv(both.peer.descriptor(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(UpstreamsTest, idle_connections_that_hung_up_are_closed_at_once) {
  Ends stays = ends();
  Ends goes = ends();
  const auto test = [&]() -> Task<void> {
    upstreams.release(plain(), std::move(stays.stream));
    upstreams.release(plain(), std::move(goes.stream));
    goes.peer.hang_up();
    co_await settle(loop);
    upstreams.close_idle();
    EXPECT_EQ(upstreams.idle(), 1U);
  };
  run(test());
}

TEST_F(UpstreamsTest, a_connection_of_one_origin_is_not_used_for_another) {
  RawListener second;
  const Origin other{false, "127.0.0.1", second.address().port()};
  const auto test = [&]() -> Task<void> {
    auto first = co_await upstreams.acquire(plain());
    EXPECT_TRUE(first.has_value());
    upstreams.release(plain(), std::move(*first));
    const auto got = co_await upstreams.acquire(other);
    EXPECT_TRUE(got.has_value());
    EXPECT_EQ((*got)->peer().port(), second.address().port());
    EXPECT_EQ(upstreams.idle(), 1U);
  };
  run(test());
}

TEST_F(UpstreamsTest, a_connection_that_was_given_back_is_used_again) {
  const auto test = [&]() -> Task<void> {
    auto first = co_await upstreams.acquire(plain());
    EXPECT_TRUE(first.has_value());
    const Stream* same = first->get();
    (*first)->set_deadline(loop.now_ns() + 3600 * kSecondNs);
    upstreams.release(plain(), std::move(*first));
    co_await settle(loop);
    const auto second = co_await upstreams.acquire(plain());
    EXPECT_TRUE(second && second->get() == same);
    EXPECT_EQ((*second)->deadline_ns(), INT64_MAX);
    EXPECT_EQ(upstreams.idle(), 0U);
  };
  run(test());
}

TEST_F(UpstreamsTest, a_name_is_resolved_on_a_worker) {
  const Origin origin{false, "localhost", provider.address().port()};
  const auto test = [&]() -> Task<void> {
    const auto got = co_await upstreams.acquire(origin);
    EXPECT_TRUE(got && (*got)->peer().is_loopback());
  };
  run(test());
}

TEST(Origin, its_text_is_what_credentials_name) {
  EXPECT_EQ((Origin{true, "api.example.com", 443}.text()), "https://api.example.com:443");
  EXPECT_EQ((Origin{false, "::1", 8080}.text()), "http://[::1]:8080");
}

class SecuredUpstreamsTest : public UpstreamsTest {
 protected:
  // Serves TLS on the provider's next connection until the handshake is over.
  Task<void> serve(const TlsContext& identity, std::unique_ptr<Stream>& served, bool& done) {
    int descriptor = -1;
    while ((descriptor = provider.accept_now()) < 0) co_await loop.sleep_ns(0);
    served = std::make_unique<Stream>(loop, descriptor, Address{});
    const auto shaken = co_await served->start_tls_server(identity);
    if (!shaken) served->abort();
    done = true;
  }
};

TEST_F(SecuredUpstreamsTest, a_provider_with_the_wrong_certificate_is_upstream_failed_and_named) {
  const TlsContext identity = server(make_identity("DNS:elsewhere.test", &authority));
  const Origin origin{true, "127.0.0.1", provider.address().port()};
  std::unique_ptr<Stream> served;
  bool done = false;
  const auto test = [&]() -> Task<void> {
    loop.spawn(serve(identity, served, done));
    const auto got = co_await upstreams.acquire(origin);
    EXPECT_FALSE(got.has_value());
    if (!got) {
      EXPECT_EQ(got.error().code, Code::upstream_failed);
      EXPECT_NE(got.error().detail.find("TLS to " + origin.text()), std::string::npos) << got.error().detail;
    }
    co_await until(loop, done);
  };
  run(test());
}

TEST_F(SecuredUpstreamsTest, a_secured_connection_is_used_again) {
  const TlsContext identity = server();
  const Origin origin{true, "127.0.0.1", provider.address().port()};
  std::unique_ptr<Stream> served;
  bool done = false;
  const auto test = [&]() -> Task<void> {
    loop.spawn(serve(identity, served, done));
    auto first = co_await upstreams.acquire(origin);
    EXPECT_TRUE(first && (*first)->is_tls());
    const Stream* same = first->get();
    co_await until(loop, done);
    co_await settle(loop);  // the session's tickets have come by now
    upstreams.release(origin, std::move(*first));
    const auto second = co_await upstreams.acquire(origin);
    EXPECT_TRUE(second && second->get() == same);
  };
  run(test());
}

}  // namespace
}  // namespace claviger::net
