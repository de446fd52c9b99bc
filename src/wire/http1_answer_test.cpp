// Tests of HTTP/1.1 answers' heads.
#include <gtest/gtest.h>

#include <string>

#include "wire/http1.hpp"

namespace claviger::wire {
namespace {

void expect_refused(const std::string& text, std::string_view method = "POST") {
  SCOPED_TRACE(text.substr(0, 100));
  ResponseHead head;
  const auto read = parse_response_head(text, method, head);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(code_name(read.error().code), "upstream_malformed");
  EXPECT_EQ(read.error().origin, Origin::upstream);
  EXPECT_FALSE(read.error().detail.empty());
  EXPECT_TRUE(read.error().say.empty()) << "what the provider did wrong is for operators";
}

// Expects `text` to be one whole head, and every shorter beginning to be not enough.
ResponseHead expect_accepted(const std::string& text, std::string_view method = "POST") {
  SCOPED_TRACE(text.substr(0, 100));
  ResponseHead head;
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const auto part = parse_response_head(std::string_view(text).substr(0, cut), method, head);
    EXPECT_TRUE(part && *part == 0) << "at " << cut;
  }
  const auto read = parse_response_head(text, method, head);
  EXPECT_TRUE(read && *read == text.size());
  return head;
}

std::string answer(std::string_view status, std::string_view fields) {
  return std::string("HTTP/1.1 ").append(status).append("\r\n").append(fields).append("\r\n");
}

TEST(ResponseHead, refuses_misshapen_status_lines) {
  for (const char* line : {"", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 2x0 OK", "HTTP/1.1  200",
                           "HTTP/1.1 099 X", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "http/1.1 200 OK",
                           "HTTP/1.1\t200 OK", "HTTP/1.1 200OK", "200 OK", "HTTP/1.1 200 a\x01"})
    expect_refused(std::string(line).append("\r\nA: b\r\n\r\n"));
}

TEST(ResponseHead, refuses_what_a_request_head_would_be_refused_for) {
  for (const char* fields :
       {"A : b\r\n", "A: b\n", "A: b\r\n c\r\n", "A\r\n", "A: b\rc\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -1\r\n", "Transfer-Encoding: gzip, chunked\r\n"})
    expect_refused(answer("200 OK", fields));
}

TEST(ResponseHead, refuses_too_large_a_head) {
  const std::string line = "A: " + std::string(limits::kHeaderLine - 3, 'x') + "\r\n";
  expect_accepted(answer("200 OK", "A: b\r\n"));
  ResponseHead head;
  EXPECT_TRUE(parse_response_head(answer("200 OK", line), "POST", head).has_value());
  expect_refused(answer("200 OK", "A" + line));
  expect_refused(answer("200 OK", line + line + line + line));
  expect_refused("HTTP/1.1 200 " + std::string(limits::kHeaderLine, 'x'));
}

TEST(ResponseHead, refuses_another_protocol_and_codings_of_an_old_version) {
  expect_refused(answer("101 Switching Protocols", "Upgrade: websocket\r\n"));
  expect_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(ResponseHead, reads_an_answer) {
  const std::string text = answer("200 Very Well", "Content-Length: 7\r\nX-Request-Id: r\r\n");
  const ResponseHead head = expect_accepted(text);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.reason, "Very Well");
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_EQ(head.content_length, 7U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.headers.find("x-request-id"), "r");
  EXPECT_EQ(expect_accepted(answer("200", "Content-Length: 0\r\n")).reason, "");
  EXPECT_EQ(expect_accepted(answer("200 ", "Content-Length: 0\r\n")).reason, "");
  EXPECT_EQ(expect_accepted(answer("529 Overloaded", "Content-Length: 0\r\n")).status, 529);
}

TEST(ResponseHead, reads_the_framing) {
  EXPECT_EQ(expect_accepted(answer("200 OK", "Transfer-Encoding: Chunked\r\n")).framing, Framing::chunked);
  const ResponseHead open = expect_accepted(answer("200 OK", ""));
  EXPECT_EQ(open.framing, Framing::until_close);
  EXPECT_FALSE(open.keep_alive);
  EXPECT_FALSE(expect_accepted(answer("200 OK", "Content-Length: 1\r\nConnection: close\r\n")).keep_alive);
}

TEST(ResponseHead, knows_the_answers_that_never_have_a_body) {
  const ResponseHead to_head = expect_accepted(answer("200 OK", "Content-Length: 7\r\n"), "HEAD");
  EXPECT_EQ(to_head.framing, Framing::none);
  EXPECT_EQ(to_head.content_length, 7U);
  EXPECT_TRUE(to_head.keep_alive);
  EXPECT_EQ(expect_accepted(answer("200 OK", "Transfer-Encoding: chunked\r\n"), "HEAD").framing,
            Framing::none);
  for (const char* status : {"100 Continue", "103 Early Hints", "204 No Content", "304 Not Modified"}) {
    const ResponseHead head = expect_accepted(answer(status, ""));
    EXPECT_EQ(head.framing, Framing::none) << status;
    EXPECT_TRUE(head.keep_alive) << status;
  }
  EXPECT_TRUE(expect_accepted(answer("304 Not Modified", "Content-Length: 7\r\n")).keep_alive);
}

// Bytes behind such a head could be a body or an answer to somebody else's request.
TEST(ResponseHead, gives_up_the_connection_when_an_answer_without_a_body_announces_one) {
  for (const char* fields : {"Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n"}) {
    for (const char* status : {"204 No Content", "103 Early Hints"}) {
      const ResponseHead head = expect_accepted(answer(status, fields));
      EXPECT_EQ(head.framing, Framing::none);
      EXPECT_EQ(head.content_length, 0U);
      EXPECT_FALSE(head.keep_alive);
    }
  }
  EXPECT_TRUE(expect_accepted(answer("204 No Content", "Content-Length: 0\r\n")).keep_alive);
}

TEST(ResponseHead, takes_an_old_version_and_does_not_keep_its_connection) {
  const ResponseHead head =
      expect_accepted("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseHead, does_not_pass_over_a_blank_line) { expect_refused("\r\n" + answer("200 OK", "")); }

}  // namespace
}  // namespace claviger::wire
