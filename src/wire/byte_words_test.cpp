// Tests of bytes as words.
#include "wire/byte_words.hpp"

#include <gtest/gtest.h>

#include <string>

#include "wire/http1.hpp"

namespace claviger::wire {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

TEST(ByteWords, LowersCapitalsAndNothingElse) {
  for (int first = 0; first < 256; ++first) {
    std::string text(8, static_cast<char>(first));
    text[3] = 'Q';
    text[5] = static_cast<char>(first ^ 0x20);
    const std::uint64_t lowered = lower_word(load<std::uint64_t>(text.data()));
    for (char& c : text) c = lower(c);
    EXPECT_EQ(lowered, load<std::uint64_t>(text.data())) << first;
  }
}

TEST(ByteWords, FewBytesGiveOneWordOnlyWhenTheyAreTheSame) {
  for (std::size_t size = 0; size < 8; ++size) {
    const std::string text = std::string("abcdefg").substr(0, size);
    EXPECT_EQ(load_few(text), load_few(std::string(text)));
    for (std::size_t at = 0; at < size; ++at)
      for (int change = 1; change < 256; ++change) {
        std::string other = text;
        other[at] = static_cast<char>(other[at] ^ change);
        EXPECT_NE(load_few(text), load_few(other)) << size << ' ' << at << ' ' << change;
      }
  }
}

TEST(ByteWords, NamesAreTheSameWhenTheyDifferInCaseOnly) {
  const std::string name = "x-Goog-Api-Client-Version";
  for (std::size_t size = 0; size <= name.size(); ++size) {
    const std::string one = name.substr(0, size);
    EXPECT_FALSE(same_name(one, one + "x"));
    EXPECT_TRUE(same_name(one, one));
    for (std::size_t at = 0; at < size; ++at)
      for (int c = 0; c < 256; ++c) {
        std::string other = one;
        other[at] = static_cast<char>(c);
        EXPECT_EQ(same_name(one, other), lower(one[at]) == lower(other[at])) << size << ' ' << at << ' ' << c;
      }
  }
}

}  // namespace
}  // namespace claviger::wire
