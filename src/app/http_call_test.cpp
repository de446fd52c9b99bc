// One exchange of a command: how long its answer may be, and how long it may take.
#include "app/http_call.hpp"

#include <gtest/gtest.h>

#include "gate/upstream_test.hpp"

namespace claviger::app {
namespace {

class HttpCallTest : public testing::Test {
 protected:
  Result<HttpReply> asked(std::size_t most, std::int64_t timeout_ms = limits::kProbeTimeoutMs) {
    return call({"GET", server.base_url(), "/models", {{"x-test", "1"}}, {}}, most, timeout_ms);
  }
  void answer_with(std::size_t bytes) {
    server.plays({gate::send_bytes("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(bytes) +
                                   "\r\n\r\n" + std::string(bytes, 'x'))});
  }
  gate::Upstream server;
};

TEST_F(HttpCallTest, an_answer_may_be_as_long_as_the_bound_and_no_longer) {
  for (const std::size_t more : {0U, 1U, 2U}) {
    answer_with(limits::kProbeAnswer - 1 + more);
    const auto reply = asked(limits::kProbeAnswer);
    EXPECT_EQ(reply.has_value(), more < 2) << more;
    if (reply) EXPECT_EQ(reply->body.size(), limits::kProbeAnswer - 1 + more);
    if (!reply) EXPECT_EQ(reply.error().code, Code::upstream_malformed);
  }
}

TEST_F(HttpCallTest, a_server_that_says_nothing_is_given_up) {
  server.plays({gate::wait_for_go()});
  EXPECT_EQ(asked(100, 50).error().code, Code::upstream_timeout);
  server.go();
}

}  // namespace
}  // namespace claviger::app
