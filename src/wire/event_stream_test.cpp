// Tests of AWS event streams: what is no message is refused, what is passes byte for byte.
#include "wire/event_stream.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/encoding.hpp"
#include "base/limits.hpp"

namespace claviger::wire {
namespace {

std::string number(std::size_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

// A message by hand, so that its parts may be wrong.
std::string framed(const std::string& headers, const std::string& payload) {
  std::string out = number(16 + headers.size() + payload.size(), 4) + number(headers.size(), 4);
  out += number(crc32(out), 4);
  out += headers + payload;
  return out + number(crc32(out), 4);
}

// Names and payloads of all messages; nullopt when the stream is refused.
std::optional<std::vector<std::string>> read(std::string_view stream, std::size_t piece) {
  EventStreamReader reader;
  std::vector<std::string> out;
  std::string seen;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    if (!reader.feed(stream.substr(at, piece))) return std::nullopt;
    for (;;) {
      const auto message = reader.next();
      if (!message) return std::nullopt;
      if (!*message) break;
      seen += (*message)->raw;
      out.push_back(std::string((*message)->type) + " " + std::string((*message)->name) + " " +
                    std::string((*message)->payload));
    }
  }
  EXPECT_EQ(seen.append(reader.rest()), stream);
  return out;
}

// The prelude and checksums of the format's own description: an empty message is 16 bytes.
TEST(EventStream, AnEmptyMessageHasTheBytesOfTheFormat) {
  EXPECT_EQ(hex(as_bytes(framed("", ""))), "000000100000000005c248eb7d98c8ff");
  EXPECT_EQ(read(framed("", ""), 1), (std::vector<std::string>{"  "}));
}

TEST(EventStream, MessagesComeOutWhateverThePieces) {
  const std::string stream = event_message("event", "metadata", R"({"usage":{}})") +
                             event_message("exception", "throttlingException", "{}");
  const std::vector<std::string> expected{R"(event metadata {"usage":{}})",
                                          "exception throttlingException {}"};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) EXPECT_EQ(read(stream, piece), expected);
}

TEST(EventStream, HeadersOfEveryTypeArePassedOver) {
  std::string headers;
  const std::vector<std::pair<int, std::string>> values{{0, ""},
                                                        {1, ""},
                                                        {2, "a"},
                                                        {3, "ab"},
                                                        {4, "abcd"},
                                                        {5, "abcdefgh"},
                                                        {6, number(3, 2) + "abc"},
                                                        {8, "abcdefgh"},
                                                        {9, "abcdefghijklmnop"},
                                                        {7, number(5, 2) + "chunk"}};
  for (const auto& [type, value] : values) {
    const std::string name = type == 7 ? ":event-type" : "x" + std::to_string(type);
    headers += number(name.size(), 1) + name + number(static_cast<std::size_t>(type), 1) + value;
  }
  EXPECT_EQ(read(framed(headers, "p"), 7), (std::vector<std::string>{" chunk p"}));
}

TEST(EventStream, EveryFlippedBitIsRefusedOrLeavesTheStreamIncomplete) {
  const std::string whole = event_message("event", "chunk", R"({"bytes":"e30="})");
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bent = whole;
    bent[bit / 8] = static_cast<char>(bent[bit / 8] ^ (1 << bit % 8));
    const auto got = read(bent, bent.size());
    EXPECT_FALSE(got && !got->empty()) << "bit " << bit;
  }
}

TEST(EventStream, HeadersThatDoNotFillTheirPlaceAreRefused) {
  for (const std::string& headers :
       {std::string(1, '\0'), number(1, 1) + "x", number(9, 1) + "x", number(1, 1) + "x" + number(10, 1),
        number(1, 1) + "x" + number(7, 1) + number(9, 2), number(1, 1) + "x" + number(7, 1) + "\x01"})
    EXPECT_FALSE(read(framed(headers, ""), 64)) << hex(as_bytes(headers));
}

TEST(EventStream, AMessageOrItsHeadersMayBeAsLargeAsTheBoundAndNoLarger) {
  const auto begins = [](std::size_t whole, std::size_t headers) {
    std::string prelude = number(whole, 4) + number(headers, 4);
    prelude += number(crc32(prelude), 4);
    EventStreamReader reader;
    return reader.feed(prelude).has_value();
  };
  for (const int over : {-1, 0, 1}) {
    EXPECT_EQ(begins(limits::kEventMessage + static_cast<std::size_t>(over), 0), over <= 0) << over;
    EXPECT_EQ(begins(limits::kEventMessage, limits::kEventHeaders + static_cast<std::size_t>(over)),
              over <= 0)
        << over;
  }
  EXPECT_FALSE(begins(15, 0));
  EXPECT_FALSE(begins(100, 85)) << "headers beyond the message";
  EXPECT_TRUE(begins(100, 84));
}

TEST(EventStream, WhatIsRefusedIsNotTaken) {
  EventStreamReader reader;
  ASSERT_TRUE(reader.feed(std::string(2, '\0')));
  EXPECT_FALSE(reader.feed(std::string(20, 'x')));
  EXPECT_EQ(reader.rest().size(), 2U);
}

}  // namespace
}  // namespace claviger::wire
