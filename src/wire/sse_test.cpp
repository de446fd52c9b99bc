// Tests of server-sent events.
#include "wire/sse.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/limits.hpp"

namespace claviger::wire {
namespace {

struct Seen {
  std::string event, data, raw;
  bool operator==(const Seen&) const = default;
};

// Feeds the pieces one after the other and takes all events; `rest` gets what is left.
std::vector<Seen> read(const std::vector<std::string_view>& pieces, std::string* rest = nullptr) {
  SseReader reader;
  std::vector<Seen> seen;
  for (const std::string_view piece : pieces) {
    EXPECT_TRUE(reader.feed(piece).has_value());
    while (const auto event = reader.next())
      seen.push_back({std::string(event->event), std::string(event->data), std::string(event->raw)});
  }
  if (rest != nullptr) *rest = reader.rest();
  return seen;
}

std::string frame_of(std::size_t size) { return "data: " + std::string(size - 8, 'x') + "\n\n"; }

TEST(Sse, bounds_a_frame) {
  for (const std::size_t size : {limits::kSseEvent - 1, limits::kSseEvent}) {
    SseReader reader;
    ASSERT_TRUE(reader.feed(frame_of(size)).has_value());
    EXPECT_EQ(reader.next()->raw.size(), size);
  }
  SseReader reader;
  const auto refused = reader.feed(frame_of(limits::kSseEvent + 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_name(refused.error().code), "upstream_malformed");
  EXPECT_EQ(refused.error().origin, Origin::upstream);
}

TEST(Sse, bounds_a_frame_that_does_not_end) {
  SseReader reader;
  ASSERT_TRUE(reader.feed("data: first\n\n").has_value());
  ASSERT_TRUE(reader.feed(std::string(limits::kSseEvent - 1, 'x')).has_value());
  ASSERT_TRUE(reader.feed("x").has_value());
  const auto refused = reader.feed("x");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_name(refused.error().code), "upstream_malformed");
}

TEST(Sse, takes_many_frames_at_once_that_are_together_larger_than_one_may_be) {
  const std::string frame = frame_of(1024 * 1024);
  std::string text;
  while (text.size() <= limits::kSseEvent) text += frame;
  SseReader reader;
  ASSERT_TRUE(reader.feed(text).has_value());
  std::size_t frames = 0;
  while (reader.next()) ++frames;
  EXPECT_EQ(frames, text.size() / frame.size());
}

TEST(Sse, keeps_what_it_had_when_it_refuses) {
  SseReader reader;
  ASSERT_TRUE(reader.feed("data: a\n\ndata: b").has_value());
  ASSERT_FALSE(reader.feed("c\n\n" + std::string(limits::kSseEvent + 1, 'x')).has_value());
  EXPECT_EQ(reader.rest(), "data: a\n\ndata: b");
  ASSERT_TRUE(reader.feed("c\n\n").has_value());
  EXPECT_EQ(reader.next()->data, "a");
  EXPECT_EQ(reader.next()->data, "bc");
  EXPECT_FALSE(reader.next().has_value());
}

TEST(Sse, reads_event_and_data) {
  EXPECT_EQ(read({"event: ping\ndata: {}\n\n"}),
            (std::vector<Seen>{{"ping", "{}", "event: ping\ndata: {}\n\n"}}));
  EXPECT_EQ(read({"data:{\"a\":1}\n\n"})[0].data, "{\"a\":1}");
  EXPECT_EQ(read({"data:  two spaces\n\n"})[0].data, " two spaces");
  EXPECT_EQ(read({"data\n\n"})[0].data, "");
  EXPECT_EQ(read({"event: a\nevent: b\ndata: x\n\n"})[0].event, "b");
  EXPECT_EQ(read({"data: a:b\n\n"})[0].data, "a:b");
}

TEST(Sse, joins_data_lines_with_lf) {
  EXPECT_EQ(read({"data: a\r\ndata: b\rdata\ndata: c\n\n"})[0].data, "a\nb\n\nc");
  EXPECT_EQ(read({"data\ndata\n\n"})[0].data, "\n");
}

TEST(Sse, passes_comments_and_unknown_fields_over) {
  const auto seen = read({": ping\n\nid: 7\nretry: 3\nnonsense\ndatax: y\n Data: z\ndata: x\n\n"});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0], (Seen{"", "", ": ping\n\n"}));
  EXPECT_EQ(seen[1].data, "x");
}

TEST(Sse, passes_over_a_bom_at_the_start_only) {
  const auto seen =
      read({"\xef\xbb\xbf"
            "data: a\n\n\xef\xbb\xbf"
            "data: b\n\n"});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].data, "a");
  EXPECT_EQ(seen[0].raw,
            "\xef\xbb\xbf"
            "data: a\n\n");
  EXPECT_EQ(seen[1].data, "");
  EXPECT_EQ(read({"data: a\n\xef\xbb\xbf\ndata: b\n\n"})[0].data, "a\nb") << "later it is a field's name";
  EXPECT_EQ(read({"\xef\xbb\xbf\n"}).size(), 1U) << "a line of nothing but a BOM is blank";
}

TEST(Sse, keeps_the_rest_of_a_stream_that_stops) {
  std::string rest;
  EXPECT_EQ(read({"data: a\n\ndata: b\n"}, &rest).size(), 1U);
  EXPECT_EQ(rest, "data: b\n");
}

TEST(Sse, counts_frames_not_yet_taken_as_rest) {
  SseReader reader;
  ASSERT_TRUE(reader.feed("data: a\n\ndata: b\n\n:").has_value());
  ASSERT_TRUE(reader.next().has_value());
  EXPECT_EQ(reader.rest(), "data: b\n\n:");
  ASSERT_TRUE(reader.feed("\n\n").has_value());
  EXPECT_EQ(reader.next()->data, "b");
  EXPECT_EQ(reader.next()->raw, ":\n\n");
}

// An event must not wait for the byte behind it: that byte may come a minute later, or never.
TEST(Sse, gives_an_event_with_the_last_byte_of_its_blank_line) {
  for (const std::string end : {"\n\n", "\r\r", "\r\n\r\n", "\n\r\n", "\r\n\n", "\n\r"}) {
    const std::string text = "data: a" + end;
    EXPECT_EQ(read({text}).size(), 1U);
    EXPECT_TRUE(
        read({std::string_view(text).substr(0, text.size() - 1 - (end.ends_with("\r\n") ? 1 : 0))}).empty());
  }
}

TEST(Sse, reads_alike_however_it_is_split) {
  for (const std::string end : {"\n", "\r", "\r\n"}) {
    std::string text =
        "\xef\xbb\xbf"
        "event: a" +
        end + "data: 1" + end + "data: 2" + end + end + ": ping" + end + end + "data: 3" + end + end + end +
        "data: 4" + end + end + "data: 5";
    std::string expected_rest;
    const auto expected = read({text}, &expected_rest);
    ASSERT_EQ(expected.size(), 5U);
    EXPECT_EQ(expected[0].data, "1\n2");
    EXPECT_EQ(expected[4].data, "4");
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (std::size_t second = first; second <= text.size(); ++second) {
        const std::string_view all = text;
        std::string rest, raw, whole;
        const auto seen =
            read({all.substr(0, first), all.substr(first, second - first), all.substr(second)}, &rest);
        ASSERT_EQ(seen.size(), expected.size()) << "cut at " << first << " and " << second;
        for (std::size_t i = 0; i < seen.size(); ++i) {
          EXPECT_EQ(seen[i].event, expected[i].event);
          EXPECT_EQ(seen[i].data, expected[i].data);
          raw += seen[i].raw;
        }
        ASSERT_EQ(raw + rest, text) << "cut at " << first << " and " << second;
      }
    }
  }
}

TEST(Sse, opens_the_next_frame_with_the_lf_of_a_split_blank_line) {
  const auto seen = read({"data: a\r\n\r", "\ndata: b\r\n\r\n"});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].raw, "data: a\r\n\r");
  EXPECT_EQ(seen[1].raw, "\ndata: b\r\n\r\n");
  EXPECT_EQ(seen[1].data, "b");
}

}  // namespace
}  // namespace claviger::wire
