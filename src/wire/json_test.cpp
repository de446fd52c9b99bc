// Tests of the JSON scanner.
#include "wire/json.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"

namespace claviger::wire {
namespace {

void expect_refused(std::string_view text, std::string_view code = "invalid_json",
                    Duplicates duplicates = Duplicates::refuse) {
  SCOPED_TRACE(text.substr(0, 100));
  Json json;
  const auto read = scan(text, json, duplicates);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(code_name(read.error().code), code);
  EXPECT_EQ(read.error().origin, Origin::client);
  EXPECT_FALSE(json.root().exists());
}

// A scanned text that lives as long as its Json.
struct Scanned {
  explicit Scanned(std::string source, Duplicates duplicates = Duplicates::refuse) : text(std::move(source)) {
    const auto read = scan(text, json, duplicates);
    EXPECT_TRUE(read.has_value()) << (read ? "" : read.error().say);
  }
  JsonValue root() const { return json.root(); }
  std::string text;
  Json json;
};

std::string nested(std::size_t depth, char open, char close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text.append(open == '{' && i > 0 ? "\"a\":" : "").push_back(open);
  return text.append(depth, close);
}

TEST(JsonScan, refuses_what_is_no_value) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "tru",
                           "True",
                           "nul",
                           "NaN",
                           "Infinity",
                           "'a'",
                           "{",
                           "[",
                           "}",
                           "]",
                           ",",
                           ":",
                           "[}",
                           "{]",
                           "\"",
                           "\"a",
                           "//c\n1",
                           "undefined",
                           "\xef\xbb\xbf{}",
                           "\x0b"
                           "1",
                           "\f1"})
    expect_refused(text);
  expect_refused(std::string_view("\0", 1));
  expect_refused(std::string_view("1\0", 2));
}

TEST(JsonScan, refuses_misplaced_commas_and_colons) {
  for (const char* text :
       {"[1,]", "[,1]", "[1 2]", "[1,,2]", "[,]", "{,}", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":}", "{\"a\"}",
        "{1:2}", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\"::1}", "[1:2]", "{\"a\":1,,\"b\":2}", "[[]", "[]]"})
    expect_refused(text);
}

TEST(JsonScan, refuses_anything_behind_the_value) {
  for (const char* text : {"{} x", "1 2", "{}{}", "null,", "\"a\"b", "[1]\x01"}) expect_refused(text);
  EXPECT_TRUE(Scanned(" \t\r\n{} \t\r\n").root().is_object());
}

TEST(JsonScan, refuses_misshapen_numbers) {
  for (const char* text : {"01", "-", "+1", "-01", "1.", ".5", "1.e3", "1e", "1e+", "1E-", "0x1", "1_000",
                           "--1", "00", "1a", "-a", "[1.]", "[-]"})
    expect_refused(text);
  for (const char* text : {"0", "-0", "1", "-12", "0.5", "-0.5", "1e3", "1E+3", "1.25e-3", "0e0"})
    EXPECT_TRUE(Scanned(text).root().is_number()) << text;
}

TEST(JsonScan, refuses_every_control_byte_in_a_string_wherever_it_stands) {
  for (std::size_t place = 0; place < 40; ++place) {
    for (int byte = 0; byte < 0x20; ++byte) {
      std::string text = "\"" + std::string(40, 'a') + "\"";
      text[1 + place] = static_cast<char>(byte);
      Json json;
      ASSERT_FALSE(scan(text, json).has_value()) << byte << " at " << place;
    }
  }
  EXPECT_TRUE(Scanned("\"\x7f\"").root().is_string());
}

TEST(JsonScan, refuses_unknown_escapes) {
  for (const char* text : {"\"\\x\"", "\"\\\"", "\"\\u123\"", "\"\\u12g4\"", "\"\\u\"", "\"\\U0041\"",
                           "\"\\'\"", "\"\\u-123\"", "\"\\", "\"\\u00", "\"\\a\"", "\"\\0\""})
    expect_refused(text);
  expect_refused(std::string_view("\"\\\0\"", 4));
}

TEST(JsonScan, refuses_bytes_that_are_no_utf8) {
  for (const char* text : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
                           "\"\xe4\xb8\"", "{\"\x80\":1}"})
    expect_refused(text);
}

TEST(JsonScan, bounds_the_depth) {
  for (const char open : {'[', '{'}) {
    const char close = open == '[' ? ']' : '}';
    Scanned less(nested(limits::kJsonDepth - 1, open, close)), just(nested(limits::kJsonDepth, open, close));
    EXPECT_TRUE(just.root().exists());
    expect_refused(nested(limits::kJsonDepth + 1, open, close), "json_too_deep");
  }
  expect_refused(std::string(100'000, '['), "json_too_deep");
}

TEST(JsonScan, bounds_the_number_of_values) {
  const auto list = [](std::size_t values) {
    std::string text = "[0";
    for (std::size_t i = 2; i < values; ++i) text += ",0";
    return text.append("]");
  };
  EXPECT_EQ(Scanned(list(kJsonNodes - 1)).root().size(), kJsonNodes - 2);
  EXPECT_EQ(Scanned(list(kJsonNodes)).root().size(), kJsonNodes - 1);
  expect_refused(list(kJsonNodes + 1), "body_too_large");
}

TEST(JsonScan, refuses_a_text_that_its_offsets_cannot_count) {
  const char byte = '1';
  Json json;
  const auto read = scan({&byte, UINT32_MAX}, json);  // the size alone decides; nothing is read
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(code_name(read.error().code), "body_too_large");
}

TEST(JsonScan, refuses_doubled_keys_at_any_level) {
  for (const char* text : {"{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":2,\"a\":1}", "[{\"x\":{\"a\":1,\"a\":2}}]",
                           "{\"\":1,\"\":2}", "{\"a\":{},\"b\":{\"c\":[{\"d\":1,\"d\":1}]}}"}) {
    expect_refused(text, "duplicate_json_key");
    EXPECT_TRUE(Scanned(text, Duplicates::allow).root().exists());
  }
}

TEST(JsonScan, compares_keys_unescaped) {
  expect_refused("{\"model\":1,\"m\\u006fdel\":2}", "duplicate_json_key");
  expect_refused("{\"\\u006dodel\":1,\"m\\u006Fdel\":2}", "duplicate_json_key");
  expect_refused("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}", "duplicate_json_key");
  expect_refused("{\"\\/\":1,\"/\":2}", "duplicate_json_key");
  EXPECT_EQ(Scanned("{\"model\":1,\"Model\":2,\"model \":3,\"\\\\u006d\":4}").root().size(), 4U);
}

TEST(JsonScan, says_which_key_stands_twice_unless_it_is_long) {
  Json json;
  EXPECT_NE(scan("{\"model\":1,\"model\":2}", json).error().say.find("'model'"), std::string::npos);
  const std::string key(65, 'k');
  const std::string say = scan("{\"" + key + "\":1,\"" + key + "\":2}", json).error().say;
  EXPECT_EQ(say.find("kkk"), std::string::npos);
  EXPECT_NE(scan("[1,x]", json).error().say.find("byte 3"), std::string::npos);
}

TEST(JsonScan, tells_apart_many_keys) {
  std::string text = "{";
  for (int i = 0; i < 5'000; ++i)
    text.append("\"k").append(std::to_string(i)).append("\":").append(std::to_string(i)).append(",");
  EXPECT_EQ(Scanned(text + "\"z\":0}").root()["k4999"].integer(), 4999);
  expect_refused(text + "\"k2500\":0}", "duplicate_json_key");
}

// Two texts of one hash, found by search.
TEST(JsonScan, tells_apart_keys_of_one_hash) {
  const Scanned apart("{\"gugaroner\":1,\"kurugerur\":2}");
  EXPECT_EQ(apart.root()["kurugerur"].integer(), 2);
  expect_refused("{\"gugaroner\":1,\"kurugerur\":2,\"gugaroner\":3}", "duplicate_json_key");
}

TEST(JsonScan, is_refused_cut_short_at_every_byte) {
  const std::string text =
      "{\"model\":\"a\\u00e9\\n\",\"list\":[1,-2.5e3,true,false,null,{}],\"o\":{\"k\":\"v\"}}";
  Json json;
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    EXPECT_FALSE(scan(std::string_view(text).substr(0, cut), json).has_value()) << cut;
  EXPECT_TRUE(scan(text, json).has_value());
}

TEST(JsonScan, can_be_used_again) {
  Json json;
  ASSERT_TRUE(scan("{\"a\":[1,2,3]}", json).has_value());
  ASSERT_FALSE(scan("[1,2", json).has_value());
  EXPECT_FALSE(json.root().exists());
  ASSERT_TRUE(scan("[7]", json).has_value());
  EXPECT_EQ(json.root().size(), 1U);
  EXPECT_EQ(json.text(), "[7]");
  json.forget();
  EXPECT_FALSE(json.root().exists());
  EXPECT_EQ(json.text(), "");
}

TEST(JsonScan, texts_that_are_looked_at_at_once_have_a_room_each) {
  std::vector<Json> open(6);  // more than a thread keeps rooms for
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < open.size(); ++i) {
      static constexpr std::array<std::string_view, 6> kTexts = {"[0]", "[1]", "[2]", "[3]", "[4]", "[5]"};
      ASSERT_TRUE(scan(kTexts[i], open[i]).has_value());
    }
    for (std::size_t i = 0; i < open.size(); ++i)
      EXPECT_EQ((*open[i].root().elements().begin()).integer(), static_cast<std::int64_t>(i));
    for (Json& json : open) json.forget();
  }
}

TEST(JsonScan, a_text_that_is_moved_is_read_at_its_new_place) {
  Json from;
  ASSERT_TRUE(scan("[7]", from).has_value());
  Json to = std::move(from);
  EXPECT_EQ((*to.root().elements().begin()).integer(), 7);
  EXPECT_EQ(to.text(), "[7]");
}

TEST(JsonScan, names_of_one_mark_are_told_apart_and_doubled_ones_are_found) {
  std::string text = "{";
  for (int i = 0; i < 200; ++i) text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  Json json;
  EXPECT_TRUE(scan(text + "\"last\":1}", json).has_value());
  for (const int again : {0, 77, 199}) {
    const auto read = scan(text + "\"k" + std::to_string(again) + "\":1}", json);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, Code::duplicate_json_key);
  }
}

TEST(JsonValue, is_missing_where_there_is_nothing) {
  const Scanned scanned("{\"a\":1}");
  const JsonValue missing = scanned.root()["b"];
  EXPECT_FALSE(missing.exists());
  EXPECT_FALSE(static_cast<bool>(missing));
  EXPECT_EQ(missing.type(), JsonType::missing);
  EXPECT_FALSE(missing["c"]["d"].exists());
  EXPECT_FALSE(scanned.root()["a"]["b"].exists());
  EXPECT_EQ(missing.raw(), "");
  EXPECT_EQ(missing.key(), "");
  EXPECT_EQ(missing.size() + missing.offset() + missing.end_offset() + missing.key_offset(), 0U);
  EXPECT_FALSE(missing.integer() || missing.boolean() || missing.text() || missing.plain_text());
  EXPECT_FALSE(missing.text_equals(""));
  for (const JsonValue element : missing.elements()) ADD_FAILURE() << element.raw();
  for (const auto& [key, value] : missing.members()) ADD_FAILURE() << key << value.raw();
  EXPECT_FALSE(Json().root().exists());
}

TEST(JsonValue, gives_nothing_of_another_type) {
  const Scanned scanned("[1.0, 1e2, \"1\", true, null, 9223372036854775808, -9223372036854775809, {}, []]");
  for (const JsonValue element : scanned.root().elements()) {
    EXPECT_FALSE(element.integer().has_value()) << element.raw();
    EXPECT_EQ(element.text().has_value(), element.is_string());
    EXPECT_EQ(element.boolean().has_value(), element.is_boolean());
    EXPECT_EQ(element.text_equals("1"), element.is_string());
  }
  EXPECT_FALSE(scanned.root()["a"].exists());
  for (const auto& [key, value] : scanned.root().members()) ADD_FAILURE() << key << value.raw();
}

TEST(JsonValue, reads_integers) {
  EXPECT_EQ(Scanned("0").root().integer(), 0);
  EXPECT_EQ(Scanned("-17").root().integer(), -17);
  EXPECT_EQ(Scanned("9223372036854775807").root().integer(), INT64_MAX);
  EXPECT_EQ(Scanned("-9223372036854775808").root().integer(), INT64_MIN);
}

TEST(JsonValue, unescapes_text) {
  const Scanned scanned(R"(["plain","\"\\\/\b\f\n\r\t","\u0041\u00e9\u4e2d\ud83d\ude00\u0000",""])");
  std::vector<std::string> texts;
  for (const JsonValue element : scanned.root().elements()) texts.push_back(*element.text());
  ASSERT_EQ(texts.size(), 4U);
  EXPECT_EQ(texts[0], "plain");
  EXPECT_EQ(texts[1], "\"\\/\b\f\n\r\t");
  EXPECT_EQ(texts[2], std::string("A\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\0", 11));
  EXPECT_EQ(texts[3], "");
}

TEST(JsonValue, reads_a_lone_surrogate_as_the_replacement_character) {
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")"})
    EXPECT_TRUE(Scanned(text).root().text()->starts_with("\xef\xbf\xbd")) << text;
  EXPECT_EQ(Scanned(R"("\ud800\ud83d\ude00")").root().text(), "\xef\xbf\xbd\xf0\x9f\x98\x80");
  EXPECT_EQ(Scanned(R"("\ud800\ue000")").root().text(), "\xef\xbf\xbd\xee\x80\x80");
  EXPECT_EQ(Scanned(R"("\ud800\u0041")").root().text(),
            "\xef\xbf\xbd"
            "A");
}

TEST(JsonValue, compares_text_with_and_without_escapes) {
  const Scanned scanned(R"({"a":"gpt-5","b":"gpt\u002d5"})");
  EXPECT_TRUE(scanned.root()["a"].text_equals("gpt-5"));
  EXPECT_TRUE(scanned.root()["b"].text_equals("gpt-5"));
  EXPECT_FALSE(scanned.root()["b"].text_equals("gpt\\u002d5"));
  EXPECT_EQ(scanned.root()["a"].plain_text(), "gpt-5");
  EXPECT_FALSE(scanned.root()["b"].plain_text().has_value());
}

TEST(JsonValue, finds_members_by_their_unescaped_key) {
  const Scanned scanned(R"({"m\u006fdel":1,"":2,"x":{"model":3}})");
  EXPECT_EQ(scanned.root()["model"].integer(), 1);
  EXPECT_EQ(scanned.root()[""].integer(), 2);
  EXPECT_EQ(scanned.root()["x"]["model"].integer(), 3);
  EXPECT_FALSE(scanned.root()["m\\u006fdel"].exists());
  EXPECT_EQ(Scanned(R"({"a":1,"a":2})", Duplicates::allow).root()["a"].integer(), 1);
}

TEST(JsonValue, walks_members_and_elements_in_order) {
  const Scanned scanned(R"({"a":[1,[2,3],{"x":4}],"b\n":{},"c":"d"})");
  std::string walked;
  for (const auto& [key, value] : scanned.root().members())
    walked.append(key).append("=").append(value.raw()).append(";");
  EXPECT_EQ(walked, "a=[1,[2,3],{\"x\":4}];b\n={};c=\"d\";");
  walked.clear();
  for (const JsonValue element : scanned.root()["a"].elements()) walked.append(element.raw()).append(";");
  EXPECT_EQ(walked, "1;[2,3];{\"x\":4};");
  EXPECT_EQ(scanned.root().size(), 3U);
  EXPECT_EQ(scanned.root()["a"].size(), 3U);
  EXPECT_EQ(scanned.root()["b\n"].size(), 0U);
  EXPECT_EQ(scanned.root()["c"].size(), 0U);
}

TEST(JsonValue, gives_offsets_for_splicing) {
  Scanned scanned(" { \"a\" : [ 1 , 22 ] , \"\" : \"x\" } ");
  const JsonValue list = scanned.root()["a"];
  EXPECT_EQ(scanned.root().offset(), 1U);
  EXPECT_EQ(scanned.root().end_offset(), scanned.text.size() - 1);
  EXPECT_EQ(scanned.root().key_offset(), 0U);
  EXPECT_EQ(list.raw(), "[ 1 , 22 ]");
  EXPECT_EQ(list.key_offset(), 3U);
  const JsonValue empty_key = scanned.root()[""];
  EXPECT_EQ(scanned.text.substr(empty_key.key_offset(), 2), "\"\"");
  std::string edited = scanned.text;
  edited.replace(list.offset(), list.end_offset() - list.offset(), "null");
  EXPECT_EQ(edited, " { \"a\" : null , \"\" : \"x\" } ");
}

TEST(JsonValue, knows_its_type) {
  const Scanned scanned("[null,true,false,1,\"a\",[],{}]");
  std::vector<JsonType> types;
  for (const JsonValue element : scanned.root().elements()) types.push_back(element.type());
  EXPECT_EQ(types,
            (std::vector<JsonType>{JsonType::null, JsonType::boolean, JsonType::boolean, JsonType::number,
                                   JsonType::string, JsonType::array, JsonType::object}));
}

TEST(Json, NamesAreHashedByTheCompilerAsTheyAreWhenTheProgramRuns) {
  constexpr JsonKey keys[] = {"",
                              "n",
                              "id",
                              "mode",
                              "model",
                              "index",
                              "content",
                              "messages",
                              "max_tokens",
                              "total_tokens",
                              "prompt_tokens_details"};
  for (const JsonKey& key : keys) {
    EXPECT_EQ(key.hash, JsonKey(std::string(key.text)).hash) << key.text;
    const std::string text = "{\"other\":1,\"" + std::string(key.text) + "\":2}";
    Json json;
    ASSERT_TRUE(scan(text, json)) << text;
    EXPECT_EQ(json.root()[key].integer(), 2) << text;
    EXPECT_FALSE(json.root()[std::string(key.text) + "x"].exists()) << text;
  }
}

}  // namespace
}  // namespace claviger::wire
