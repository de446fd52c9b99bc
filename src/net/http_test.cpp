// The server's end: requests that break off, stall or are too large first; then splits, pipelining and
// bodies.
#include "net/http.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/limits.hpp"
#include "net/rig_test.hpp"

namespace claviger::net {
namespace {

constexpr std::string_view kGet = "GET /v1/models HTTP/1.1\r\nHost: gate\r\n\r\n";

std::string post(std::string_view body) {
  return "POST /v1/chat HTTP/1.1\r\nHost: gate\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string chunked_head() {
  return "POST /v1/chat HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n";
}

std::string chunked(std::string_view body, std::size_t step) {
  std::string text = chunked_head();
  for (std::size_t at = 0; at < body.size(); at += step) wire::append_chunk(text, body.substr(at, step));
  return text.append(wire::kLastChunk);
}

// What became of one request, as text: "METHOD target host body", "closed" or the error's code.
struct Seen {
  std::string text;
  std::string say;
  std::string head;  // what is left of it when its body cannot be read
  std::size_t bytes = 0;
  bool done = false;
};

Task<void> read_one(ServerConnection& connection, std::size_t limit, Seen& seen) {
  wire::RequestHead head;
  const auto started = co_await connection.read_head(head);
  if (!started) {
    seen.text = code_name(started.error().code);
    seen.say = told(started.error());
  } else if (!*started) {
    seen.text = "closed";
  } else {
    const auto body = co_await connection.read_body(head, limit);
    seen.bytes = connection.request_bytes();
    if (body) {
      seen.text.append(head.method).append(" ").append(head.target).append(" ");
      seen.text.append(head.headers.find("host")).append(" ").append(*body);
      connection.consume();
    } else {
      seen.text = code_name(body.error().code);
      seen.say = told(body.error());
      seen.head.append(head.method).append(" ").append(head.target).append(" ");
      seen.head.append(head.headers.find("host"));
    }
  }
  seen.done = true;
}

class ServerConnectionTest : public NetTest {
 protected:
  static constexpr std::size_t kLimit = 1 << 20;

  ServerConnectionTest() : ServerConnectionTest(socket_pair()) {}
  explicit ServerConnectionTest(std::pair<int, int> both)
      : peer(both.second), connection(std::make_unique<Stream>(loop, both.first, Address{})) {}

  // The peer sends all of that; what the first request became.
  Seen read(std::string_view sent, std::size_t limit = kLimit) {
    peer.send(sent);
    Seen seen;
    run(read_one(connection, limit, seen));
    return seen;
  }
  Seen read_then_closed(std::string_view sent) {
    peer.send(sent);
    peer.half_close();
    Seen seen;
    run(read_one(connection, kLimit, seen));
    return seen;
  }
  // The peer sends that and then nothing; the deadline passes while the rest is waited for.
  Seen read_then_stalled(std::string_view sent) {
    Seen seen;
    const auto test = [&]() -> Task<void> {
      loop.spawn(read_one(connection, kLimit, seen));
      co_await settle(loop);
      peer.send(sent);
      co_await until_taken(loop, peer);
      co_await settle(loop);
      EXPECT_FALSE(seen.done);
      EXPECT_NE(connection.stream().deadline_ns(), INT64_MAX);
      connection.stream().set_deadline(loop.now_ns());
      co_await until(loop, seen.done);
    };
    run(test());
    return seen;
  }

  Peer peer;
  ServerConnection connection;
};

// Sends `text` in two parts, the second once the first was taken; what became of the request.
Task<std::string> in_two(Loop& loop, std::string_view text, std::size_t at) {
  const auto [mine, other] = socket_pair();
  ServerConnection connection(std::make_unique<Stream>(loop, mine, Address{}));
  Peer peer(other);
  Seen seen;
  peer.send(text.substr(0, at));
  loop.spawn(read_one(connection, 1000, seen));
  co_await until_taken(loop, peer);
  co_await settle(loop);
  EXPECT_FALSE(seen.done) << "done before all has come, at " << at;
  peer.send(text.substr(at));
  co_await until(loop, seen.done);
  co_return seen.text;
}

TEST_F(ServerConnectionTest, a_close_inside_a_head_is_malformed_request) {
  EXPECT_EQ(read_then_closed("GET /v1/models HTTP/1.1\r\nHos").text, "malformed_request");
}

TEST_F(ServerConnectionTest, a_close_inside_a_sized_body_is_malformed_request) {
  EXPECT_EQ(read_then_closed(post("hello").substr(0, post("hello").size() - 1)).text, "malformed_request");
}

TEST_F(ServerConnectionTest, a_close_inside_a_chunked_body_is_malformed_request) {
  EXPECT_EQ(read_then_closed(chunked_head() + "5\r\nhel").text, "malformed_request");
}

TEST_F(ServerConnectionTest, a_close_before_the_last_chunk_is_malformed_request) {
  EXPECT_EQ(read_then_closed(chunked_head() + "5\r\nhello\r\n").text, "malformed_request");
}

// A refusal is told in the dialect that the head speaks, and recorded.
TEST_F(ServerConnectionTest, the_head_of_a_body_that_stops_can_still_be_read) {
  EXPECT_EQ(read_then_closed(post(std::string(100'000, 'x')).substr(0, 200)).head, "POST /v1/chat gate");
}

TEST_F(ServerConnectionTest, the_head_of_a_chunked_body_that_stops_can_still_be_read) {
  std::string text = chunked(std::string(100'000, 'x'), 50'000);
  text.resize(text.size() - wire::kLastChunk.size());
  EXPECT_EQ(read_then_closed(text).head, "POST /v1/chat gate");
}

TEST_F(ServerConnectionTest, a_head_that_stops_arriving_is_request_timeout) {
  const Seen seen = read_then_stalled("GET /v1/models HTTP/1.1\r\nHos");
  EXPECT_EQ(seen.text, "request_timeout");
  EXPECT_EQ(seen.say, "The request's head did not arrive in time.");
}

TEST_F(ServerConnectionTest, a_sized_body_that_stops_arriving_is_request_timeout) {
  const Seen seen = read_then_stalled(post("hello").substr(0, post("hello").size() - 1));
  EXPECT_EQ(seen.text, "request_timeout");
  EXPECT_EQ(seen.say, "The request's body did not arrive in time.");
}

TEST_F(ServerConnectionTest, a_chunked_body_that_stops_arriving_is_request_timeout) {
  EXPECT_EQ(read_then_stalled(chunked_head() + "5\r\nhello\r\n").text, "request_timeout");
}

TEST_F(ServerConnectionTest, after_a_request_timeout_the_peer_can_still_be_told) {
  (void)read_then_stalled("GET /");
  const std::string_view answer = "HTTP/1.1 408 Request Timeout\r\n\r\n";
  connection.stream().set_deadline(INT64_MAX);
  EXPECT_EQ(connection.stream().try_write({&answer, 1}), static_cast<ssize_t>(answer.size()));
  EXPECT_EQ(peer.take(), answer);
}

TEST_F(ServerConnectionTest, an_idle_connection_whose_time_is_up_is_closed_and_no_error) {
  EXPECT_EQ(read_then_stalled("").text, "closed");
}

TEST_F(ServerConnectionTest, a_close_between_requests_is_no_error) {
  EXPECT_EQ(read_then_closed("").text, "closed");
}

TEST_F(ServerConnectionTest, a_close_after_a_whole_request_is_no_error) {
  peer.send(kGet);
  peer.half_close();
  Seen first;
  Seen second;
  const auto test = [&]() -> Task<void> {
    co_await read_one(connection, kLimit, first);
    co_await read_one(connection, kLimit, second);
  };
  run(test());
  EXPECT_EQ(first.text, "GET /v1/models gate ");
  EXPECT_EQ(second.text, "closed");
}

TEST_F(ServerConnectionTest, a_connection_that_is_aborted_while_it_waits_is_closed_and_no_error) {
  Seen seen;
  const auto test = [&]() -> Task<void> {
    loop.spawn(read_one(connection, kLimit, seen));
    co_await settle(loop);
    connection.stream().abort();
    co_await until(loop, seen.done);
  };
  run(test());
  EXPECT_EQ(seen.text, "closed");
}

TEST_F(ServerConnectionTest, a_head_that_is_no_http_keeps_its_code) {
  EXPECT_EQ(read("GET /v1/models HTTP/1.0\r\nHost: gate\r\n\r\n").text, "unsupported_version");
}

TEST_F(ServerConnectionTest, a_chunked_body_that_is_none_is_malformed_request) {
  EXPECT_EQ(read(chunked_head() + "five\r\n").text, "malformed_request");
}

TEST_F(ServerConnectionTest, an_announced_body_over_the_limit_is_refused_before_it_comes) {
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: gate\r\nContent-Length: 11\r\n\r\n", 10).text, "body_too_large");
}

TEST_F(ServerConnectionTest, an_announced_body_beyond_all_memory_is_refused) {
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: gate\r\nContent-Length: 18446744073709551615\r\n\r\n").text,
            "body_too_large");
}

TEST_F(ServerConnectionTest, a_chunked_body_one_byte_over_the_limit_is_refused) {
  EXPECT_EQ(read(chunked("hello world", 4), 10).text, "body_too_large");
}

TEST_F(ServerConnectionTest, a_chunked_body_over_the_limit_is_refused_before_its_end) {
  EXPECT_EQ(read(chunked_head() + "b\r\nhello world", 10).text, "body_too_large");
}

TEST_F(ServerConnectionTest, bodies_up_to_the_limit_are_read) {
  const std::string body = "hello world";
  Seen exact;
  Seen below;
  Seen exact_chunked;
  Seen below_chunked;
  peer.send(post(body) + post(body) + chunked(body, 3) + chunked(body, 3));
  const auto test = [&]() -> Task<void> {
    co_await read_one(connection, body.size(), exact);
    co_await read_one(connection, body.size() + 1, below);
    co_await read_one(connection, body.size(), exact_chunked);
    co_await read_one(connection, body.size() + 1, below_chunked);
  };
  run(test());
  for (const Seen& seen : {exact, below, exact_chunked, below_chunked})
    EXPECT_EQ(seen.text, "POST /v1/chat gate hello world");
}

TEST_F(ServerConnectionTest, a_request_may_be_split_at_every_byte) {
  const std::string sized = post("hello");
  const std::string pieces = chunked("hello", 2);
  const auto test = [&]() -> Task<void> {
    for (std::size_t at = 1; at < kGet.size(); ++at) {
      const std::string seen = co_await in_two(loop, kGet, at);
      EXPECT_EQ(seen, "GET /v1/models gate ") << at;
    }
    for (const std::string& text : {sized, pieces})
      for (std::size_t at = 1; at < text.size(); ++at) {
        const std::string seen = co_await in_two(loop, text, at);
        EXPECT_EQ(seen, "POST /v1/chat gate hello") << at;
      }
  };
  run(test());
}

TEST_F(ServerConnectionTest, pipelined_requests_are_read_one_after_the_other) {
  peer.send(std::string(kGet) + post("one") + chunked("two", 1) + std::string(kGet) + post(""));
  std::array<Seen, 5> seen;
  const auto test = [&]() -> Task<void> {
    for (Seen& one : seen) co_await read_one(connection, kLimit, one);
  };
  run(test());
  EXPECT_EQ(seen[0].text, "GET /v1/models gate ");
  EXPECT_EQ(seen[1].text, "POST /v1/chat gate one");
  EXPECT_EQ(seen[2].text, "POST /v1/chat gate two");
  EXPECT_EQ(seen[3].text, "GET /v1/models gate ");
  EXPECT_EQ(seen[4].text, "POST /v1/chat gate ");
}

TEST_F(ServerConnectionTest, nothing_is_read_behind_a_sized_body_that_came_by_itself) {
  std::vector<std::string> seen;
  std::vector<std::string> sent;
  const auto test = [&]() -> Task<void> {
    for (const std::size_t size : std::array<std::size_t, 5>{1, 9, 100, 5'000, 70'000}) {
      const std::string body(size, 'b');
      const std::string text = post(body);
      Seen first;
      Seen second;
      loop.spawn(read_one(connection, kLimit, first));
      peer.send(std::string_view(text).substr(0, text.size() - size));
      co_await until_taken(loop, peer);
      peer.send(body);
      co_await until(loop, first.done);
      loop.spawn(read_one(connection, kLimit, second));
      peer.send(kGet);
      co_await until(loop, second.done);
      seen.push_back(first.text + second.text);
      sent.push_back("POST /v1/chat gate " + body + "GET /v1/models gate ");
    }
  };
  run(test());
  EXPECT_EQ(seen, sent);
}

TEST_F(ServerConnectionTest, a_request_behind_a_chunked_body_in_pieces_is_not_lost) {
  Seen first;
  Seen second;
  const auto test = [&]() -> Task<void> {
    loop.spawn(read_one(connection, kLimit, first));
    peer.send(chunked_head() + "3\r\nabc\r\n");
    co_await until_taken(loop, peer);
    peer.send("3\r\ndef\r\n0\r\n\r\n" + std::string(kGet));
    co_await until(loop, first.done);
    co_await read_one(connection, kLimit, second);
  };
  run(test());
  EXPECT_EQ(first.text, "POST /v1/chat gate abcdef");
  EXPECT_EQ(second.text, "GET /v1/models gate ");
}

TEST_F(ServerConnectionTest, the_bytes_of_a_request_are_counted_as_they_came) {
  const std::string text = chunked("hello world", 3);
  Seen seen;
  const auto test = [&]() -> Task<void> {
    loop.spawn(read_one(connection, kLimit, seen));
    peer.send(text.substr(0, text.size() / 2));
    co_await until_taken(loop, peer);
    peer.send(text.substr(text.size() / 2) + "GET ");
    co_await until(loop, seen.done);
  };
  run(test());
  EXPECT_EQ(seen.bytes, text.size());
}

TEST_F(ServerConnectionTest, whether_a_body_is_here_is_known_without_waiting) {
  std::array<bool, 4> here{};
  const auto ask = [&](std::string text, bool& answer) -> Task<void> {
    peer.send(text);
    wire::RequestHead head;
    const auto got = co_await connection.read_head(head);
    EXPECT_TRUE(got && *got);
    answer = connection.body_is_here(head);
    const auto body = co_await connection.read_body(head, kLimit);
    EXPECT_TRUE(body.has_value());
    connection.consume();
  };
  const auto test = [&]() -> Task<void> {
    co_await ask(std::string(kGet), here[0]);
    co_await ask(post("hello"), here[1]);
    co_await ask(chunked("hello", 5), here[2]);
    peer.send(post("hello").substr(0, post("hello").size() - 1));
    wire::RequestHead head;
    const auto got = co_await connection.read_head(head);
    EXPECT_TRUE(got && *got);
    here[3] = connection.body_is_here(head);
  };
  run(test());
  EXPECT_TRUE(here[0]);
  EXPECT_TRUE(here[1]);
  EXPECT_FALSE(here[2]);  // only reading it tells
  EXPECT_FALSE(here[3]);
}

Task<void> send_slowly(Stream& to, std::string text, bool& done) {
  const auto sent = co_await to.write(text);
  EXPECT_TRUE(sent.has_value());
  done = true;
}

class LargeRequestTest : public NetTest {
 protected:
  static constexpr std::size_t kLarge = 3'000'000;

  // A large request, then a small one; what is kept after each.
  void read_large(const std::string& text) {
    Pair both = pair();
    ServerConnection connection(std::move(both.there));
    bool sent = false;
    const auto test = [&]() -> Task<void> {
      loop.spawn(send_slowly(*both.here, text, sent));
      wire::RequestHead head;
      const auto got = co_await connection.read_head(head);
      EXPECT_TRUE(got && *got);
      const auto body = co_await connection.read_body(head, kLarge);
      EXPECT_TRUE(body && *body == std::string(kLarge, 'x'));
      EXPECT_EQ(head.method, "POST");  // the buffer has grown and moved many times
      EXPECT_EQ(head.target, "/v1/chat");
      EXPECT_EQ(head.headers.find("host"), "gate");
      EXPECT_GE(connection.buffer_bytes(), kLarge);
      connection.consume();
      EXPECT_LE(connection.buffer_bytes(), 2 * limits::kConnectionBuffer);
      co_await until(loop, sent);
      const auto again = co_await both.here->write(kGet);
      EXPECT_TRUE(again.has_value());
      Seen seen;
      co_await read_one(connection, kLarge, seen);
      EXPECT_EQ(seen.text, "GET /v1/models gate ");
    };
    run(test());
  }
};

TEST_F(LargeRequestTest, a_large_sized_body_is_read_and_its_buffer_released) {
  read_large(post(std::string(kLarge, 'x')));
}

TEST_F(LargeRequestTest, a_large_chunked_body_is_read_and_its_buffer_released) {
  read_large(chunked(std::string(kLarge, 'x'), 50'000));
}

}  // namespace
}  // namespace claviger::net
