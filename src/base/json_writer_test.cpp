// JSON text: what must not stand in it is escaped or replaced, and commas come where they belong.
#include "base/json_writer.hpp"

#include <gtest/gtest.h>

namespace claviger {
namespace {

constexpr std::string_view kReplaced = "\xef\xbf\xbd";

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string with_replaced(int count, std::string_view before = {}, std::string_view behind = {}) {
  std::string out = "\"" + std::string(before);
  for (int i = 0; i < count; ++i) out += kReplaced;
  return out.append(behind).append("\"");
}

TEST(JsonWriterDeathTest, nesting_deeper_than_the_bound_ends_the_process) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::string out;
  JsonWriter writer(out);
  for (int i = 0; i < 31; ++i) writer.open('[');
  EXPECT_DEATH(writer.open('['), "31 deep");
}

TEST(JsonString, bytes_that_are_no_utf8_are_replaced_each) {
  EXPECT_EQ(quoted("\x80"), with_replaced(1));
  EXPECT_EQ(quoted("\xff\xfe"), with_replaced(2));
  EXPECT_EQ(quoted("a\xbfz"), with_replaced(1, "a", "z"));
}

TEST(JsonString, sequences_that_are_cut_short_are_replaced) {
  EXPECT_EQ(quoted("\xc3"), with_replaced(1));
  EXPECT_EQ(quoted("\xe2\x82"), with_replaced(2));
  EXPECT_EQ(quoted("\xf0\x9f\x98"), with_replaced(3));
  EXPECT_EQ(quoted("\xe2\x82x"), with_replaced(2, "", "x"));
  EXPECT_EQ(quoted("\xc3\""), with_replaced(1, "", "\\\""));
}

TEST(JsonString, overlong_forms_surrogates_and_what_lies_beyond_unicode_are_replaced) {
  EXPECT_EQ(quoted("\xc0\x80"), with_replaced(2));
  EXPECT_EQ(quoted("\xc1\xbf"), with_replaced(2));
  EXPECT_EQ(quoted("\xe0\x9f\xbf"), with_replaced(3));
  EXPECT_EQ(quoted("\xed\xa0\x80"), with_replaced(3));
  EXPECT_EQ(quoted("\xed\xbf\xbf"), with_replaced(3));
  EXPECT_EQ(quoted("\xf0\x8f\xbf\xbf"), with_replaced(4));
  EXPECT_EQ(quoted("\xf4\x90\x80\x80"), with_replaced(4));
  EXPECT_EQ(quoted("\xf5\x80\x80\x80"), with_replaced(4));
}

TEST(JsonString, the_first_and_last_characters_of_each_length_pass_unchanged) {
  for (const std::string_view text : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                      "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(quoted(text), "\"" + std::string(text) + "\"");
}

TEST(JsonString, control_bytes_quotes_and_backslashes_are_escaped) {
  EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(quoted("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(quoted(std::string_view("\0\x01\x1f\x7f", 4)), R"("\u0000\u0001\u001f\u007f")");
  EXPECT_EQ(quoted("\b\f"), R"("\u0008\u000c")");
}

TEST(JsonString, no_control_byte_is_left_as_it_is) {
  for (int c = 0; c < 0x20; ++c) {
    const char byte = static_cast<char>(c);
    EXPECT_EQ(quoted({&byte, 1}).find(byte), std::string::npos) << c;
  }
}

TEST(JsonString, plain_text_and_the_empty_text_pass) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("a/b <c> \xe2\x82\xac"), "\"a/b <c> \xe2\x82\xac\"");
}

TEST(JsonWriter, commas_stand_between_values_only) {
  std::string out;
  JsonWriter w(out);
  w.open('{').field("a", "x").field("b", 1).field_bool("c", true).key("d").null();
  w.key("e").open('[').number(1).text("two").open('{').close('}').open('[').close(']').boolean(false).close(
      ']');
  w.key("f").open('{').key("g").raw("[1,2]").close('}').field("h", -1).close('}');
  EXPECT_EQ(out, R"({"a":"x","b":1,"c":true,"d":null,"e":[1,"two",{},[],false],"f":{"g":[1,2]},"h":-1})");
}

TEST(JsonWriter, keys_are_escaped_too) {
  std::string out;
  JsonWriter w(out);
  w.open('{').field("a\"\n", "").close('}');
  EXPECT_EQ(out, R"({"a\"\n":""})");
}

TEST(JsonWriter, the_largest_and_smallest_numbers_are_exact) {
  std::string out;
  JsonWriter w(out);
  w.open('[').number(INT64_MAX).number(INT64_MIN).number(0).close(']');
  EXPECT_EQ(out, "[9223372036854775807,-9223372036854775808,0]");
}

TEST(JsonWriter, a_sibling_after_a_deep_value_gets_its_comma) {
  std::string out;
  JsonWriter w(out);
  w.open('[').open('[').open('[').number(1).close(']').close(']').number(2).close(']');
  EXPECT_EQ(out, "[[[1]],2]");
}

}  // namespace
}  // namespace claviger
