// Writes JSON into a string the caller owns: no tree, no allocation of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace claviger {

// Appends `text` as a quoted JSON string. Control bytes, quotes and invalid UTF-8 are escaped or replaced
// (U+FFFD).
void append_json_string(std::string& out, std::string_view text);

// Usage: JsonWriter w(out); w.open('{'); w.key("a"); w.number(1); w.close('}');
// Commas are put by the writer; nesting up to 31 levels.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& open(char bracket);   // '{' or '['
  JsonWriter& close(char bracket);  // '}' or ']'
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // an already written value

  JsonWriter& field(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, std::int64_t value) { return key(name).number(value); }
  JsonWriter& field_bool(std::string_view name, bool value) { return key(name).boolean(value); }

 private:
  void comma();
  std::string& out_;
  std::uint32_t filled_ = 0;  // bit d: level d holds a value already
  int depth_ = 0;
  bool after_key_ = false;
};

}  // namespace claviger
