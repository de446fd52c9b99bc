// Tests of chunked coding.
#include "wire/chunked.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.hpp"

namespace claviger::wire {
namespace {

struct Decoded {
  std::string payload;
  std::size_t consumed = 0;
  bool done = false;
};

Result<Decoded> decode(std::string_view text) {
  ChunkedDecoder decoder;
  Decoded out;
  TRY(out.consumed, decoder.feed(text, out.payload));
  out.done = decoder.done();
  return out;
}

// Expects a refusal with `code`, in one piece and byte by byte.
void expect_refused(std::string_view text, Code code = Code::malformed_request) {
  SCOPED_TRACE(text.substr(0, 80));
  const auto whole = decode(text);
  ASSERT_FALSE(whole.has_value());
  EXPECT_EQ(code_name(whole.error().code), code_name(code));
  EXPECT_EQ(whole.error().origin, Origin::client);
  ChunkedDecoder decoder;
  std::string payload;
  for (const char& c : text) {
    const auto step = decoder.feed({&c, 1}, payload);
    if (step) continue;
    EXPECT_EQ(code_name(step.error().code), code_name(code));
    return;
  }
  FAIL() << "byte by byte it is accepted";
}

void expect_accepted(std::string_view text, std::string_view payload) {
  const auto read = decode(text);
  ASSERT_TRUE(read.has_value()) << read.error().say;
  EXPECT_TRUE(read->done);
  EXPECT_EQ(read->payload, payload);
  EXPECT_EQ(read->consumed, text.size());
}

TEST(Chunked, refuses_a_size_that_is_no_hex_number) {
  for (const char* text :
       {"x\r\n", "\r\n", ";a\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1 ;a\r\n", "1\t\r\n"})
    expect_refused(text);
}

TEST(Chunked, refuses_line_ends_that_are_not_crlf) {
  expect_refused("1\na\r\n0\r\n\r\n");
  expect_refused("1\rxa\r\n");
  expect_refused("1;a\na\r\n");
  expect_refused("1\r\na\n0\r\n\r\n");
  expect_refused("1\r\na\rx");
  expect_refused("0\r\n\n");
  expect_refused("0\r\n\rx");
  expect_refused("0\r\na: b\n\r\n");
  expect_refused("0\r\na: b\rx");
}

TEST(Chunked, refuses_a_chunk_longer_than_its_size) { expect_refused("2\r\nabc\r\n0\r\n\r\n"); }

TEST(Chunked, refuses_control_bytes_in_extensions_and_trailers) {
  expect_refused(std::string_view("1;a\0b\r\n", 7));
  expect_refused("1;a\x7f\r\n");
  expect_refused(std::string_view("0\r\na: \0\r\n\r\n", 11));
}

TEST(Chunked, refuses_trailers_that_are_no_fields) {
  expect_refused("0\r\nabc\r\n\r\n");
  expect_refused("0\r\n: b\r\n\r\n");
  expect_refused("0\r\na : b\r\n\r\n");
  expect_refused("0\r\na: b\r\n folded\r\n\r\n");
  expect_refused("0\r\nGET / HTTP/1.1\r\n\r\n");
}

TEST(Chunked, takes_sizes_of_15_digits_and_refuses_16) {
  EXPECT_TRUE(decode(std::string(14, '0') + "1\r\n").has_value());
  EXPECT_TRUE(decode(std::string(15, 'f') + "\r\n").has_value());
  expect_refused(std::string(15, '0') + "1\r\n");
  expect_refused(std::string(16, 'f') + "\r\n");
}

TEST(Chunked, bounds_the_chunk_size_line) {
  const auto line = [](std::size_t size) { return "1;" + std::string(size - 2, 'e') + "\r\na\r\n0\r\n\r\n"; };
  expect_accepted(line(limits::kChunkLine - 1), "a");
  expect_accepted(line(limits::kChunkLine), "a");
  expect_refused(line(limits::kChunkLine + 1));
}

TEST(Chunked, bounds_all_extensions_of_a_body_together) {
  const auto body = [](std::size_t extensions) {
    std::string text;
    for (std::size_t left = extensions; left > 0;) {
      const std::size_t here = std::min<std::size_t>(left, 128);
      text.append("1;").append(here - 1, 'e').append("\r\na\r\n");
      left -= here;
    }
    return text.append(kLastChunk);
  };
  EXPECT_TRUE(decode(body(limits::kHeaderLine - 1)).has_value());
  EXPECT_TRUE(decode(body(limits::kHeaderLine)).has_value());
  expect_refused(body(limits::kHeaderLine + 1));
}

TEST(Chunked, bounds_the_trailers) {
  const auto body = [](std::size_t trailers) {
    return "0\r\na:" + std::string(trailers - 4, 'x') + "\r\nb:\r\n\r\n";
  };
  expect_accepted(body(limits::kHeaderLine - 1), "");
  expect_accepted(body(limits::kHeaderLine), "");
  expect_refused(body(limits::kHeaderLine + 1), Code::headers_too_large);
}

TEST(Chunked, decodes_alike_however_it_is_split) {
  const std::string body =
      "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n00\r\nA: b\r\n\r\n";
  const std::string text = body + "GET / HTTP/1.1\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    ChunkedDecoder decoder;
    std::string payload;
    std::size_t consumed = 0;
    for (const std::string_view part :
         {std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)}) {
      const auto fed = decoder.feed(part, payload);
      ASSERT_TRUE(fed.has_value());
      consumed += *fed;
    }
    EXPECT_TRUE(decoder.done());
    EXPECT_EQ(payload, "hello worldabcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(consumed, body.size()) << "cut at " << cut;
  }
}

TEST(Chunked, is_not_done_before_the_last_byte) {
  const std::string text = "1\r\na\r\n0\r\nA: b\r\n\r\n";
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const auto part = decode(std::string_view(text).substr(0, cut));
    ASSERT_TRUE(part.has_value());
    EXPECT_FALSE(part->done) << "at " << cut;
  }
}

TEST(Chunked, gives_payload_as_views_into_its_input) {
  const std::string text = "5\r\nhello\r\n2\r\n, \r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  std::string_view left = text;
  const auto first = decoder.feed(left);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->payload, "hello");
  EXPECT_EQ(first->payload.data(), text.data() + 3);
  EXPECT_EQ(first->consumed, 8U);
  left.remove_prefix(first->consumed);
  const auto second = decoder.feed(left);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->payload, ", ");
  left.remove_prefix(second->consumed);
  const auto last = decoder.feed(left);
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->payload.empty());
  EXPECT_EQ(last->consumed, left.size());
  EXPECT_TRUE(decoder.done());
}

TEST(Chunked, takes_nothing_once_done) {
  ChunkedDecoder decoder;
  std::string payload;
  ASSERT_TRUE(decoder.feed(kLastChunk, payload).has_value());
  EXPECT_EQ(*decoder.feed("5\r\nhello\r\n", payload), 0U);
  EXPECT_TRUE(payload.empty());
}

TEST(Chunked, writes_a_chunk_and_never_an_empty_one) {
  std::string out;
  append_chunk(out, "");
  EXPECT_EQ(out, "");
  append_chunk(out, std::string(26, 'a'));
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'a') + "\r\n");
  out.append(kLastChunk);
  expect_accepted(out, std::string(26, 'a'));
}

}  // namespace
}  // namespace claviger::wire
