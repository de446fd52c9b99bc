// Calls to the outside against a scripted server on loopback.
#include "app/outside.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "gate/upstream_test.hpp"

namespace claviger::app {
namespace {

using steward::OutsideCall;

class OutsideTest : public testing::Test {
 protected:
  Result<steward::OutsideAnswer> send(OutsideCall call, std::vector<std::string> private_hosts = {}) {
    net::Loop loop;  // a loop runs once
    Courier courier(loop, tls_, std::move(private_hosts));
    Result<steward::OutsideAnswer> result = fail(Code::internal, "never answered");
    courier.send(std::move(call), [&](Result<steward::OutsideAnswer> answer) {
      result = std::move(answer);
      loop.stop();
    });
    loop.run();
    return result;
  }
  OutsideCall to(std::string base, steward::Reach reach = steward::Reach::guarded) {
    OutsideCall call;
    call.base = std::move(base);
    call.target = "/hook?x=1";
    call.headers = {{"content-type", "application/json"}, {"authorization", "Bearer 1234"}};
    call.body = "{}";
    call.reach = reach;
    return call;
  }
  static std::string reply(std::string_view status, std::string_view more, std::string_view body) {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(more) +
           "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }

  net::TlsContext tls_ = net::TlsContext::client("").value();
  net::Loop loop_;
  gate::Upstream server_;
};

TEST_F(OutsideTest, loopback_is_refused_unless_the_operator_has_named_it) {
  server_.plays({gate::send_bytes(reply("200 OK", "", "hello"))});
  EXPECT_EQ(send(to(server_.base_url())).error().code, Code::private_address);
  EXPECT_EQ(server_.connections(), 0);
  const auto named = send(to(server_.base_url()), {"127.0.0.1"});
  ASSERT_TRUE(named) << told(named.error());
  EXPECT_EQ(named->status, 200);
  EXPECT_EQ(named->body, "hello");
}

TEST_F(OutsideTest, a_name_that_resolves_to_loopback_is_refused) {
  std::string base = server_.base_url();
  base.replace(base.find("127.0.0.1"), 9, "localhost");
  EXPECT_EQ(send(to(base)).error().code, Code::private_address);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(OutsideTest, a_provider_may_be_where_the_operator_has_put_it) {
  server_.plays({gate::send_bytes(reply("200 OK", "Retry-After: 7\r\n", "[]"))});
  const auto answer = send(to(server_.base_url(), steward::Reach::provider));
  ASSERT_TRUE(answer) << told(answer.error());
  EXPECT_EQ(answer->header("retry-after"), "7");
  const auto seen = server_.requests();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_TRUE(seen[0].first.starts_with("POST /v1/hook?x=1\n")) << seen[0].first;
  EXPECT_NE(seen[0].first.find("authorization: Bearer 1234"), std::string::npos);
  EXPECT_EQ(seen[0].second, "{}");
}

TEST_F(OutsideTest, no_redirect_is_followed) {
  server_.plays({gate::send_bytes(reply("302 Found", "Location: http://169.254.169.254/latest\r\n", ""))});
  const auto answer = send(to(server_.base_url()), {"127.0.0.1"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(OutsideTest, an_answer_that_is_too_long_and_a_broken_connection_are_told) {
  server_.plays({gate::send_bytes(reply("200 OK", "", std::string(200, 'x')))});
  OutsideCall call = to(server_.base_url());
  call.most = 100;
  EXPECT_EQ(send(std::move(call), {"127.0.0.1"}).error().code, Code::upstream_malformed);
  server_.plays({gate::cut()});
  EXPECT_EQ(send(to(server_.base_url()), {"127.0.0.1"}).error().code, Code::upstream_failed);
}

TEST_F(OutsideTest, a_call_ends_when_its_time_is_up) {
  EXPECT_EQ(OutsideCall().timeout_ms, limits::kOutsideTimeoutMs) << "unless it says less";
  server_.plays({gate::wait_for_go()});
  OutsideCall call = to(server_.base_url());
  call.timeout_ms = 50;
  EXPECT_EQ(send(std::move(call), {"127.0.0.1"}).error().code, Code::upstream_timeout);
  server_.go();
}

TEST_F(OutsideTest, so_many_calls_are_under_way_and_the_next_is_refused) {
  server_.plays({gate::wait_for_go(), gate::send_bytes(reply("200 OK", "", "done"))});
  std::size_t answered = 0, overloaded = 0;
  Courier courier(loop_, tls_, {"127.0.0.1"});
  for (std::size_t i = 0; i <= limits::kOutsideCalls; ++i)
    courier.send(to(server_.base_url()), [&](Result<steward::OutsideAnswer> answer) {
      if (!answer) {
        EXPECT_EQ(answer.error().code, Code::overloaded);
        EXPECT_EQ(answered, 0U) << "it does not wait for the others";
        ++overloaded;
        server_.go();
      } else {
        ++answered;
      }
      if (answered + overloaded == limits::kOutsideCalls + 1) loop_.stop();
    });
  loop_.run();
  EXPECT_EQ(answered, limits::kOutsideCalls);
  EXPECT_EQ(overloaded, 1U);
}

TEST_F(OutsideTest, a_header_that_would_break_out_is_refused) {
  OutsideCall call = to(server_.base_url());
  call.headers.emplace_back("x-note", "a\r\nx-evil: 1");
  EXPECT_EQ(send(std::move(call), {"127.0.0.1"}).error().code, Code::invalid_input);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(OutsideTest, a_call_that_waits_when_the_courier_closes_is_broken_off) {
  server_.plays({gate::wait_for_go()});
  Code code = Code::internal;
  {
    Courier courier(loop_, tls_, {"127.0.0.1"});
    courier.send(to(server_.base_url()), [&](Result<steward::OutsideAnswer> answer) {
      code = answer.error().code;
      loop_.stop();
    });
    while (server_.requests().empty()) std::this_thread::yield();
    courier.close();
    loop_.run();
  }
  server_.go();
  EXPECT_EQ(code, Code::shutting_down);
}

}  // namespace
}  // namespace claviger::app
