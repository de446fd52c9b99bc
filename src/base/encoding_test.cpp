// Text forms of bytes: what is not canonical is refused; known vectors and round trips.
#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"

namespace claviger {
namespace {

std::string decoded(std::string_view text) {
  const auto bytes = unbase64(text);
  EXPECT_TRUE(bytes.has_value()) << text;
  return bytes ? std::string(as_text(*bytes)) : "refused";
}

TEST(Hex, what_is_not_hex_is_refused) {
  for (const char* bad : {"0", "abc", "0g", "g0", "0x00", " 00", "00 ", "0 0 ", "\xc3\xa9"})
    EXPECT_FALSE(unhex(bad).has_value()) << bad;
}

TEST(Hex, bytes_are_written_in_lower_case_and_read_in_either) {
  const Bytes bytes{0x00, 0x01, 0x7f, 0x80, 0xab, 0xff};
  EXPECT_EQ(hex(bytes), "00017f80abff");
  EXPECT_EQ(unhex("00017f80abff").value(), bytes);
  EXPECT_EQ(unhex("00017F80ABfF").value(), bytes);
  EXPECT_EQ(hex({}), "");
  EXPECT_TRUE(unhex("").value().empty());
}

TEST(Base64, what_is_not_base64_is_refused) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "====", "=Zg=", "Z=g=", "Zm=v", "Zm9v\n", "Zm 9", "Zm9-",
                          "Zm9_", "Zg==Zg==", "Z===", "Zm9vYg==="})
    EXPECT_FALSE(unbase64(bad).has_value()) << bad;
}

TEST(Base64, a_second_spelling_of_the_same_bytes_is_refused) {
  EXPECT_EQ(decoded("Zg=="), "f");
  EXPECT_FALSE(unbase64("Zh==").has_value());
  EXPECT_FALSE(unbase64("Zv==").has_value());
  EXPECT_EQ(decoded("Zm8="), "fo");
  EXPECT_FALSE(unbase64("Zm9=").has_value());
}

TEST(Base64, the_vectors_of_rfc_4648_hold_both_ways) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(base64(as_bytes(plain)), text);
    EXPECT_EQ(decoded(text), plain);
  }
}

TEST(Base64, all_bytes_pass_both_ways_at_every_length) {
  SeededRng rng(4);
  for (std::size_t size = 0; size < 300; ++size) {
    Bytes bytes(size);
    rng.fill(bytes);
    EXPECT_EQ(unbase64(base64(bytes)).value(), bytes);
    EXPECT_EQ(unhex(hex(bytes)).value(), bytes);
  }
  EXPECT_EQ(base64(Bytes{0xfb, 0xff, 0xbf}), "+/+/");
}

TEST(Base62, numbers_are_written_in_their_width_most_significant_first) {
  EXPECT_EQ(base62(Bytes{0}, 3), "000");
  EXPECT_EQ(base62(Bytes{9}, 2), "09");
  EXPECT_EQ(base62(Bytes{10}, 2), "0A");
  EXPECT_EQ(base62(Bytes{35}, 2), "0Z");
  EXPECT_EQ(base62(Bytes{36}, 2), "0a");
  EXPECT_EQ(base62(Bytes{61}, 2), "0z");
  EXPECT_EQ(base62(Bytes{62}, 2), "10");
  EXPECT_EQ(base62(Bytes{0x01, 0x00}, 2), "48");  // 256 = 4 x 62 + 8
  EXPECT_EQ(base62(Bytes{0xff, 0xff, 0xff, 0xff}, 6), "4gfFC3");
}

TEST(Base62, leading_zero_bytes_change_nothing) {
  EXPECT_EQ(base62(Bytes{0, 0, 0x01, 0x00}, 6), base62(Bytes{0x01, 0x00}, 6));
}

TEST(Base62, forty_three_digits_hold_256_bits) {
  const std::string largest = base62(Bytes(32, 0xff), 44);
  EXPECT_EQ(largest.size(), 44U);
  EXPECT_EQ(largest.front(), '0');
  EXPECT_NE(largest[1], '0');
}

TEST(Crc32, the_check_values_hold) {
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339U);
  EXPECT_EQ(crc32(std::string_view("\0\0\0\0", 4)), 0x2144df1cU);
  EXPECT_EQ(crc32("\xff\xff\xff\xff"), 0xffffffffU);
}

TEST(Crc32, any_changed_byte_changes_it) {
  const std::string text = "clv_0123456789ab";
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_NE(crc32(other), crc32(text)) << i;
  }
}

}  // namespace
}  // namespace claviger
