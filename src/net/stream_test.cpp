// Streams: deadlines, aborts, resets and refused connections first, then bytes through in both directions.
#include "net/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "net/rig_test.hpp"

namespace claviger::net {
namespace {

class StreamTest : public NetTest {};

// A text that repeats at no power of two, so that a lost or doubled piece shows.
std::string pattern(std::size_t size, unsigned seed) {
  std::string part(65'521, '\0');
  std::uint32_t state = seed;
  for (char& c : part) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  std::string text;
  while (text.size() < size) text.append(part, 0, std::min(part.size(), size - text.size()));
  return text;
}

// Reads until the end of the stream or `size` bytes.
Task<std::string> read_all(Stream& from, std::size_t size) {
  std::string text;
  std::array<char, 16 * 1024> buffer;
  while (text.size() < size) {
    const auto got = co_await from.read_some(buffer.data(), std::min(buffer.size(), size - text.size()));
    if (!got || *got == 0) break;
    text.append(buffer.data(), *got);
  }
  co_return text;
}

Task<void> read_into(Stream& from, std::size_t size, std::string& into, bool& done) {
  into = co_await read_all(from, size);
  done = true;
}

Task<void> write_from(Stream& to, std::string text, bool& done) {
  const auto sent = co_await to.write(text);
  EXPECT_TRUE(sent.has_value());
  done = true;
}

struct Outcome {
  bool done = false;
  Result<std::size_t> result = std::size_t{0};
};

Task<void> read_once(Stream& from, Outcome& outcome) {
  char byte = 0;
  outcome.result = co_await from.read_some(&byte, 1);
  outcome.done = true;
}

Task<void> write_once(Stream& to, const std::string& text, Outcome& outcome) {
  const auto sent = co_await to.write(text);
  if (!sent) outcome.result = std::unexpected(sent.error());
  outcome.done = true;
}

struct Connected {
  bool done = false;
  Result<std::unique_ptr<Stream>> result = std::unique_ptr<Stream>();
};

Task<void> connect_to(Loop& loop, std::vector<Address> where, std::int64_t deadline_ns, Connected& out) {
  out.result = co_await Stream::connect(loop, std::move(where), deadline_ns);
  out.done = true;
}

// A listener whose queue is full: the kernel answers no further connection.
class FullListener {
 public:
  FullListener() : listener_(0) {
    for (int i = 0; i < 8; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const auto* address = reinterpret_cast<const sockaddr*>(&listener_.address().storage);
      (void)::connect(fd, address, listener_.address().length);
      waiting_.emplace_back(fd);
    }
  }
  const Address& address() const { return listener_.address(); }

 private:
  RawListener listener_;
  std::vector<Peer> waiting_;
};

TEST_F(StreamTest, a_refused_connection_is_upstream_failed) {
  RawListener listener;
  listener.close();
  Connected connected;
  run(connect_to(loop, {listener.address()}, INT64_MAX, connected));
  ASSERT_FALSE(connected.result.has_value());
  EXPECT_EQ(connected.result.error().code, Code::upstream_failed);
  EXPECT_NE(connected.result.error().detail.find(listener.address().text()), std::string::npos);
  EXPECT_NE(connected.result.error().detail.find("refused"), std::string::npos);
}

TEST_F(StreamTest, without_an_address_connecting_is_upstream_failed) {
  Connected connected;
  run(connect_to(loop, {}, INT64_MAX, connected));
  ASSERT_FALSE(connected.result.has_value());
  EXPECT_EQ(connected.result.error().code, Code::upstream_failed);
}

TEST_F(StreamTest, a_connection_that_is_not_answered_is_upstream_timeout) {
  const FullListener full;
  Connected connected;
  run(connect_to(loop, {full.address()}, loop.now_ns(), connected));
  ASSERT_FALSE(connected.result.has_value());
  EXPECT_EQ(connected.result.error().code, Code::upstream_timeout);
  EXPECT_NE(connected.result.error().detail.find("in time"), std::string::npos);
}

TEST_F(StreamTest, the_next_address_is_tried_after_a_refused_one) {
  RawListener refused;
  refused.close();
  const RawListener open;
  Connected connected;
  run(connect_to(loop, {refused.address(), open.address()}, INT64_MAX, connected));
  ASSERT_TRUE(connected.result.has_value());
  EXPECT_EQ((*connected.result)->peer().text(), open.address().text());
}

TEST_F(StreamTest, the_next_address_is_tried_after_one_that_does_not_answer) {
  const FullListener full;
  const RawListener open;
  Connected connected;
  run(connect_to(loop, {full.address(), open.address()}, loop.now_ns() + kSecondNs, connected));
  ASSERT_TRUE(connected.result.has_value());
  EXPECT_EQ((*connected.result)->peer().text(), open.address().text());
  EXPECT_EQ((*connected.result)->deadline_ns(), INT64_MAX);
}

TEST_F(StreamTest, a_read_fails_when_the_deadline_passes) {
  Ends both = ends();
  Outcome outcome;
  both.stream->set_deadline(loop.now_ns());
  run(read_once(*both.stream, outcome));
  ASSERT_FALSE(outcome.result.has_value());
  EXPECT_EQ(outcome.result.error().code, Code::upstream_timeout);
  EXPECT_TRUE(both.stream->timed_out());
  EXPECT_FALSE(both.stream->broken());
}

TEST_F(StreamTest, a_write_fails_when_the_deadline_passes) {
  Ends both = ends();
  const std::string much = pattern(4'000'000, 1);
  Outcome outcome;
  both.stream->set_deadline(loop.now_ns());
  run(write_once(*both.stream, much, outcome));
  ASSERT_FALSE(outcome.result.has_value());
  EXPECT_EQ(outcome.result.error().code, Code::upstream_timeout);
  EXPECT_TRUE(both.stream->timed_out());
}

TEST_F(StreamTest, after_the_deadline_every_call_fails_even_when_bytes_are_there) {
  Ends both = ends();
  Outcome first;
  Outcome read;
  Outcome written;
  both.stream->set_deadline(loop.now_ns());
  const auto test = [&]() -> Task<void> {
    co_await read_once(*both.stream, first);
    both.peer.send("late");
    co_await settle(loop);
    co_await read_once(*both.stream, read);
    co_await write_once(*both.stream, "x", written);
  };
  run(test());
  EXPECT_EQ(read.result.error().code, Code::upstream_timeout);
  EXPECT_EQ(written.result.error().code, Code::upstream_timeout);
  EXPECT_EQ(both.peer.take(), "");
}

TEST_F(StreamTest, a_new_deadline_makes_the_stream_usable_again) {
  Ends both = ends();
  Outcome first;
  std::string text;
  Outcome written;
  both.stream->set_deadline(loop.now_ns());
  const auto test = [&]() -> Task<void> {
    co_await read_once(*both.stream, first);
    EXPECT_TRUE(both.stream->timed_out());
    both.stream->set_deadline(INT64_MAX);
    EXPECT_FALSE(both.stream->timed_out());
    both.peer.send("late");
    text = co_await read_all(*both.stream, 4);
    co_await write_once(*both.stream, "told", written);
  };
  run(test());
  EXPECT_FALSE(first.result.has_value());
  EXPECT_EQ(text, "late");
  EXPECT_TRUE(written.result.has_value());
  EXPECT_EQ(both.peer.take(), "told");
}

TEST_F(StreamTest, an_abort_wakes_a_reader_with_upstream_failed) {
  Ends both = ends();
  Outcome outcome;
  const auto test = [&]() -> Task<void> {
    loop.spawn(read_once(*both.stream, outcome));
    co_await settle(loop);
    EXPECT_FALSE(outcome.done);
    both.stream->abort();
    co_await until(loop, outcome.done);
  };
  run(test());
  EXPECT_EQ(outcome.result.error().code, Code::upstream_failed);
  EXPECT_TRUE(both.stream->broken());
}

TEST_F(StreamTest, an_abort_wakes_a_writer_with_upstream_failed) {
  Ends both = ends();
  const std::string much = pattern(4'000'000, 2);
  Outcome outcome;
  const auto test = [&]() -> Task<void> {
    loop.spawn(write_once(*both.stream, much, outcome));
    co_await settle(loop);
    EXPECT_FALSE(outcome.done);
    both.stream->abort();
    co_await until(loop, outcome.done);
  };
  run(test());
  EXPECT_EQ(outcome.result.error().code, Code::upstream_failed);
}

TEST_F(StreamTest, a_reset_by_the_peer_breaks_a_read) {
  Ends both = tcp_ends();
  Outcome outcome;
  const auto test = [&]() -> Task<void> {
    loop.spawn(read_once(*both.stream, outcome));
    co_await settle(loop);
    both.peer.reset();
    co_await until(loop, outcome.done);
  };
  run(test());
  ASSERT_FALSE(outcome.result.has_value());
  EXPECT_EQ(outcome.result.error().code, Code::upstream_failed);
  EXPECT_TRUE(both.stream->broken());
  EXPECT_TRUE(both.stream->hung_up());
}

TEST_F(StreamTest, a_peer_that_went_away_breaks_a_waiting_write) {
  Ends both = tcp_ends();
  const std::string much = pattern(16'000'000, 3);
  Outcome outcome;
  const auto test = [&]() -> Task<void> {
    loop.spawn(write_once(*both.stream, much, outcome));
    co_await settle(loop);
    EXPECT_FALSE(outcome.done);
    both.peer.reset();
    co_await until(loop, outcome.done);
  };
  run(test());
  EXPECT_EQ(outcome.result.error().code, Code::upstream_failed);
}

TEST_F(StreamTest, the_end_of_the_stream_is_zero_bytes_and_stays) {
  Ends both = ends();
  both.peer.send("a");
  both.peer.hang_up();
  Outcome last;
  Outcome end;
  Outcome again;
  const auto test = [&]() -> Task<void> {
    co_await read_once(*both.stream, last);
    co_await read_once(*both.stream, end);
    co_await read_once(*both.stream, again);
  };
  run(test());
  EXPECT_EQ(last.result.value(), 1U);
  EXPECT_EQ(end.result.value(), 0U);
  EXPECT_EQ(again.result.value(), 0U);
}

TEST_F(StreamTest, a_peer_that_half_closed_can_still_be_answered) {
  Ends both = tcp_ends();
  both.peer.send("question");
  both.peer.half_close();
  std::string question;
  Outcome written;
  const auto test = [&]() -> Task<void> {
    question = co_await read_all(*both.stream, 1000);
    co_await settle(loop);
    EXPECT_TRUE(both.stream->hung_up());
    co_await write_once(*both.stream, "answer", written);
  };
  run(test());
  EXPECT_EQ(question, "question");
  EXPECT_TRUE(written.result.has_value());
  EXPECT_EQ(both.peer.take(), "answer");
}

TEST_F(StreamTest, a_finished_stream_gives_the_peer_the_last_bytes_and_the_end) {
  Pair both = tcp_pair();
  std::string text;
  const auto test = [&]() -> Task<void> {
    Outcome written;
    co_await write_once(*both.here, "bye", written);
    both.here->finish();
    text = co_await read_all(*both.there, 1000);
  };
  run(test());
  EXPECT_EQ(text, "bye");
}

TEST_F(StreamTest, nothing_there_is_again_and_not_the_end) {
  Ends both = ends();
  char byte = 0;
  EXPECT_EQ(both.stream->try_read(&byte, 1), Stream::kAgain);
}

TEST_F(StreamTest, pieces_are_gathered_in_order_and_empty_ones_passed_over) {
  Ends both = ends();
  const auto test = [&]() -> Task<void> {
    const auto first = co_await both.stream->write("head ", "", "tail ");
    const auto second = co_await both.stream->write("", "", "end");
    const auto nothing = co_await both.stream->write("");
    EXPECT_TRUE(first && second && nothing);
  };
  run(test());
  EXPECT_EQ(both.peer.take(), "head tail end");
}

TEST_F(StreamTest, an_echo_returns_what_was_sent) {
  Pair both = tcp_pair();
  const auto echo = [](Stream& stream) -> Task<void> {
    const std::string text = co_await read_all(stream, 5);
    const auto sent = co_await stream.write(text);
    EXPECT_TRUE(sent.has_value());
  };
  std::string back;
  const auto test = [&]() -> Task<void> {
    const auto sent = co_await both.here->write("hello");
    EXPECT_TRUE(sent.has_value());
    back = co_await read_all(*both.here, 5);
  };
  loop.spawn(echo(*both.there));
  run(test());
  EXPECT_EQ(back, "hello");
}

void move_ten_megabytes_both_ways(Loop& loop, Pair& both, const std::function<void(Task<void>)>& run) {
  const std::string out = pattern(10'000'000, 7);
  const std::string back = pattern(10'000'000, 8);
  std::string got_there;
  std::string got_here;
  std::array<bool, 4> done{};
  const auto test = [&]() -> Task<void> {
    loop.spawn(write_from(*both.here, out, done[0]));
    loop.spawn(write_from(*both.there, back, done[1]));
    co_await settle(loop);
    EXPECT_FALSE(done[0]) << "nobody reads, yet all of it was taken";
    EXPECT_FALSE(done[1]) << "nobody reads, yet all of it was taken";
    loop.spawn(read_into(*both.there, out.size(), got_there, done[2]));
    loop.spawn(read_into(*both.here, back.size(), got_here, done[3]));
    for (const bool& one : done) co_await until(loop, one);
  };
  run(test());
  EXPECT_TRUE(got_there == out);
  EXPECT_TRUE(got_here == back);
}

TEST_F(StreamTest, ten_megabytes_pass_both_ways_with_back_pressure_over_tcp) {
  Pair both = tcp_pair();
  move_ten_megabytes_both_ways(loop, both, [this](Task<void> test) { run(std::move(test)); });
}

TEST_F(StreamTest, ten_megabytes_pass_both_ways_with_back_pressure_over_a_unix_socket) {
  Pair both = pair();
  move_ten_megabytes_both_ways(loop, both, [this](Task<void> test) { run(std::move(test)); });
}

TEST_F(StreamTest, an_idle_stream_is_quiet_until_something_arrives) {
  Ends both = ends();
  const auto test = [&]() -> Task<void> {
    co_await settle(loop);
    EXPECT_TRUE(both.stream->quiet());
    both.peer.send("x");
    co_await settle(loop);
    EXPECT_FALSE(both.stream->quiet());
  };
  run(test());
}

TEST_F(StreamTest, a_stream_whose_peer_hung_up_is_not_quiet) {
  Ends both = ends();
  const auto test = [&]() -> Task<void> {
    both.peer.hang_up();
    co_await settle(loop);
    EXPECT_FALSE(both.stream->quiet());
    EXPECT_TRUE(both.stream->hung_up());
  };
  run(test());
}

}  // namespace
}  // namespace claviger::net
