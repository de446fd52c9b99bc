// Fuzzes the JSON scanner against simdjson's document: same verdict, same tree, same doubled keys.
#include <simdjson.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/json.hpp"

namespace claviger::wire {
namespace {

namespace dom = simdjson::dom;

bool same_tree(JsonValue ours, dom::element theirs);

bool same_array(JsonValue ours, dom::array theirs) {
  std::size_t count = 0;
  auto other = theirs.begin();
  for (const JsonValue element : ours.elements()) {
    if (!(other != theirs.end()) || !same_tree(element, *other)) return false;
    ++other;
    ++count;
  }
  return !(other != theirs.end()) && count == ours.size();
}

bool same_object(JsonValue ours, dom::object theirs) {
  std::size_t count = 0;
  auto other = theirs.begin();
  for (const auto& [key, value] : ours.members()) {
    if (!(other != theirs.end()) || key != other.key() || !same_tree(value, other.value())) return false;
    if (!ours[key].exists() || ours[key].key() != key) return false;
    ++other;
    ++count;
  }
  return !(other != theirs.end()) && count == ours.size();
}

bool same_tree(JsonValue ours, dom::element theirs) {
  switch (theirs.type()) {
    case dom::element_type::ARRAY:
      return ours.is_array() && same_array(ours, theirs.get_array().value());
    case dom::element_type::OBJECT:
      return ours.is_object() && same_object(ours, theirs.get_object().value());
    case dom::element_type::STRING: {
      const std::string_view text = theirs.get_string().value();
      return ours.is_string() && ours.text() == text && ours.text_equals(text);
    }
    case dom::element_type::BOOL:
      return ours.is_boolean() && ours.boolean() == theirs.get_bool().value();
    case dom::element_type::NULL_VALUE:
      return ours.is_null() && ours.raw() == "null";
    case dom::element_type::INT64:
      return ours.is_number() && ours.integer() == theirs.get_int64().value();
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      return ours.is_number() && !ours.integer().has_value();
  }
  return false;
}

bool has_doubled_keys(dom::element value) {
  if (value.is_array()) {
    for (const dom::array all = value.get_array().value(); const dom::element element : all)
      if (has_doubled_keys(element)) return true;
    return false;
  }
  if (!value.is_object()) return false;
  std::set<std::string_view> keys;
  for (const dom::object all = value.get_object().value(); const auto& [key, member] : all)
    if (!keys.insert(key).second || has_doubled_keys(member)) return true;
  return false;
}

void check_offsets(std::string_view text, JsonValue value) {
  check(text.substr(value.offset(), value.end_offset() - value.offset()) == value.raw(),
        "offsets name the bytes");
  check(!value.raw().empty(), "a value has bytes");
  for (const JsonValue element : value.elements()) check_offsets(text, element);
  for (const auto& [key, member] : value.members()) {
    check(text[member.key_offset()] == '"' && member.key_offset() < member.offset(),
          "a key stands before its value");
    check_offsets(text, member);
  }
}

int run(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Json json;
  const auto verdict = scan(text, json, Duplicates::allow);
  check(verdict.has_value() == json.root().exists(), "what is refused leaves nothing");
  dom::parser parser;
  dom::element theirs;
  const simdjson::error_code error = parser.parse(text.data(), text.size()).get(theirs);
  if (!verdict) {
    const Code code = verdict.error().code;
    check(code == Code::invalid_json || code == Code::json_too_deep, "a refusal has its code");
    if (code == Code::invalid_json)
      check(error != simdjson::SUCCESS || text.starts_with("\xef\xbb\xbf"), "simdjson refuses it too");
    return 0;
  }
  check_offsets(text, json.root());
  // simdjson also refuses numbers too large for it, and lone surrogates.
  const bool stricter = error == simdjson::NUMBER_ERROR ||
                        (error == simdjson::STRING_ERROR && text.find("\\u") != std::string_view::npos);
  if (stricter) return 0;
  check(error == simdjson::SUCCESS, "simdjson accepts it too");
  check(same_tree(json.root(), theirs), "both see the same tree");
  const auto strict = scan(text, json, Duplicates::refuse);
  check(strict.has_value() != has_doubled_keys(theirs), "doubled keys are refused, and only they");
  if (!strict) check(strict.error().code == Code::duplicate_json_key, "with their own code");
  return 0;
}

}  // namespace
}  // namespace claviger::wire

#if defined(CLAVIGER_FUZZ_AS_TEST)
#include "base/corpus_test.hpp"
TEST(JsonFuzz, keeps_its_promises_over_the_corpus) { claviger::run_corpus("json_fuzz", claviger::wire::run); }
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return claviger::wire::run(data, size);
}
#endif
