// The client's end: answers that break off or cannot be understood first, then each kind of framing.
#include <gtest/gtest.h>

#include "net/http.hpp"
#include "net/rig_test.hpp"

namespace claviger::net {
namespace {

// An answer as it was read: "status body", or the error's code behind what came before it.
struct Answer {
  std::string text;
  bool complete = false;
  bool clean = false;
  bool done = false;
};

Task<void> read_answer(Stream& stream, std::string_view method, Answer& answer) {
  ResponseReader reader(stream);
  wire::ResponseHead head;
  const auto started = co_await reader.read_head(method, head);
  if (!started) {
    answer.text = code_name(started.error().code);
  } else {
    answer.text = std::to_string(head.status) + " ";
    for (;;) {
      const auto piece = co_await reader.next_piece();
      if (!piece) answer.text.append("|").append(code_name(piece.error().code));
      if (!piece || piece->empty()) break;
      answer.text.append(*piece);
    }
  }
  answer.complete = reader.complete();
  answer.clean = reader.clean();
  answer.done = true;
}

class ResponseReaderTest : public NetTest {
 protected:
  ResponseReaderTest() : both_(ends()) {}

  Answer read(std::string_view sent, std::string_view method = "POST") {
    both_.peer.send(sent);
    Answer answer;
    run(read_answer(*both_.stream, method, answer));
    return answer;
  }
  Answer read_then_closed(std::string_view sent) {
    both_.peer.send(sent);
    both_.peer.hang_up();
    Answer answer;
    run(read_answer(*both_.stream, "POST", answer));
    return answer;
  }
  Answer read_then_stalled(std::string_view sent) {
    both_.peer.send(sent);
    both_.stream->set_deadline(loop.now_ns());
    Answer answer;
    run(read_answer(*both_.stream, "POST", answer));
    return answer;
  }

  Ends both_;
};

constexpr std::string_view kFive = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";

TEST_F(ResponseReaderTest, a_close_before_any_answer_is_upstream_failed) {
  EXPECT_EQ(read_then_closed("").text, "upstream_failed");
}

TEST_F(ResponseReaderTest, a_close_inside_the_head_is_upstream_failed) {
  EXPECT_EQ(read_then_closed("HTTP/1.1 200 OK\r\nContent-").text, "upstream_failed");
}

TEST_F(ResponseReaderTest, a_close_inside_a_sized_body_is_upstream_failed) {
  const Answer answer = read_then_closed(kFive.substr(0, kFive.size() - 1));
  EXPECT_EQ(answer.text, "200 hell|upstream_failed");
  EXPECT_FALSE(answer.complete);
  EXPECT_FALSE(answer.clean);
}

TEST_F(ResponseReaderTest, a_close_inside_a_chunked_body_is_upstream_failed_wherever_it_comes) {
  const std::size_t body = kChunked.find("\r\n\r\n") + 4;
  const auto test = [&]() -> Task<void> {
    for (std::size_t cut = body; cut < kChunked.size(); ++cut) {
      Ends both = ends();
      both.peer.send(kChunked.substr(0, cut));
      both.peer.hang_up();
      Answer answer;
      co_await read_answer(*both.stream, "POST", answer);
      EXPECT_TRUE(answer.text.ends_with("|upstream_failed")) << cut;
      EXPECT_FALSE(answer.complete) << cut;
    }
  };
  run(test());
}

TEST_F(ResponseReaderTest, a_head_that_does_not_come_is_upstream_timeout) {
  EXPECT_EQ(read_then_stalled("HTTP/1.1 200 OK\r\n").text, "upstream_timeout");
}

TEST_F(ResponseReaderTest, a_body_that_stops_coming_is_upstream_timeout) {
  Answer answer;
  both_.peer.send(kFive.substr(0, kFive.size() - 1));
  const auto test = [&]() -> Task<void> {
    loop.spawn(read_answer(*both_.stream, "POST", answer));
    co_await until_taken(loop, both_.peer);
    co_await settle(loop);
    both_.stream->set_deadline(loop.now_ns());
    co_await until(loop, answer.done);
  };
  run(test());
  EXPECT_EQ(answer.text, "200 hell|upstream_timeout");
}

TEST_F(ResponseReaderTest, a_head_that_is_no_http_is_upstream_malformed) {
  EXPECT_EQ(read("SSH-2.0-OpenSSH_9.2\r\n").text, "upstream_malformed");
}

TEST_F(ResponseReaderTest, two_framings_at_once_are_upstream_malformed) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n").text,
            "upstream_malformed");
}

TEST_F(ResponseReaderTest, another_protocol_unasked_is_upstream_malformed) {
  EXPECT_EQ(read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").text,
            "upstream_malformed");
}

TEST_F(ResponseReaderTest, chunks_that_are_none_are_upstream_malformed) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\nx").text,
            "200 |upstream_malformed");
}

TEST_F(ResponseReaderTest, garbage_behind_a_sized_body_makes_the_connection_unclean) {
  const Answer answer = read(std::string(kFive) + "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(answer.text, "200 hello");
  EXPECT_TRUE(answer.complete);
  EXPECT_FALSE(answer.clean);
}

TEST_F(ResponseReaderTest, garbage_behind_a_chunked_body_makes_the_connection_unclean) {
  const Answer answer = read(std::string(kChunked) + "x");
  EXPECT_EQ(answer.text, "200 hello");
  EXPECT_TRUE(answer.complete);
  EXPECT_FALSE(answer.clean);
}

TEST_F(ResponseReaderTest, a_body_where_there_is_none_makes_the_connection_unclean) {
  const Answer answer = read("HTTP/1.1 204 No Content\r\n\r\nhello");
  EXPECT_EQ(answer.text, "204 ");
  EXPECT_TRUE(answer.complete);
  EXPECT_FALSE(answer.clean);
}

TEST_F(ResponseReaderTest, a_sized_body_is_read_and_leaves_the_connection_clean) {
  const Answer answer = read(kFive);
  EXPECT_EQ(answer.text, "200 hello");
  EXPECT_TRUE(answer.clean);
}

TEST_F(ResponseReaderTest, a_chunked_body_is_read_and_leaves_the_connection_clean) {
  const Answer answer = read(kChunked);
  EXPECT_EQ(answer.text, "200 hello");
  EXPECT_TRUE(answer.clean);
}

TEST_F(ResponseReaderTest, an_empty_body_is_complete_with_its_head) {
  const Answer answer = read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(answer.text, "200 ");
  EXPECT_TRUE(answer.clean);
}

TEST_F(ResponseReaderTest, a_body_without_framing_lasts_until_the_close) {
  const Answer answer = read_then_closed("HTTP/1.1 200 OK\r\n\r\nas long as it takes");
  EXPECT_EQ(answer.text, "200 as long as it takes");
  EXPECT_TRUE(answer.complete);
}

TEST_F(ResponseReaderTest, the_answer_to_head_has_no_body_whatever_it_announces) {
  const Answer answer = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD");
  EXPECT_EQ(answer.text, "200 ");
  EXPECT_TRUE(answer.clean);
}

TEST_F(ResponseReaderTest, interim_answers_are_skipped) {
  const Answer answer = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                             std::string(kFive));
  EXPECT_EQ(answer.text, "200 hello");
  EXPECT_TRUE(answer.clean);
}

TEST_F(ResponseReaderTest, answers_may_be_split_at_every_byte) {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\n" + std::string(kFive);
  const auto test = [&]() -> Task<void> {
    for (const std::string_view text : {std::string_view(interim), kChunked})
      for (std::size_t at = 1; at < text.size(); ++at) {
        Ends both = ends();
        Answer answer;
        both.peer.send(text.substr(0, at));
        loop.spawn(read_answer(*both.stream, "POST", answer));
        co_await until_taken(loop, both.peer);
        co_await settle(loop);
        both.peer.send(text.substr(at));
        co_await until(loop, answer.done);
        EXPECT_EQ(answer.text, "200 hello") << at;
        EXPECT_TRUE(answer.clean) << at;
      }
  };
  run(test());
}

TEST_F(ResponseReaderTest, whether_bytes_of_the_body_are_here_is_known_without_waiting) {
  both_.peer.send(kFive.substr(0, kFive.size() - 5));
  bool before = true;
  bool behind = false;
  const auto test = [&]() -> Task<void> {
    ResponseReader reader(*both_.stream);
    wire::ResponseHead head;
    const auto started = co_await reader.read_head("POST", head);
    EXPECT_TRUE(started.has_value());
    before = reader.body_is_here();
    both_.peer.send("hello");
    const auto piece = co_await reader.next_piece();
    EXPECT_EQ(piece.value(), "hello");
    Ends other = ends();
    other.peer.send(kFive);
    ResponseReader whole(*other.stream);
    const auto again = co_await whole.read_head("POST", head);
    EXPECT_TRUE(again.has_value());
    behind = whole.body_is_here();
  };
  run(test());
  EXPECT_FALSE(before);
  EXPECT_TRUE(behind);
}

}  // namespace
}  // namespace claviger::net
