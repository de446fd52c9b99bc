// JSON, looked at in place: one strict pass makes a flat index with byte offsets; nothing is copied or
// converted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "wire/json_key.hpp"

namespace claviger::wire {

enum class JsonType : std::uint8_t { missing, null, boolean, number, string, array, object };
// Whether an object may name a key twice. What we judge must not be read differently by somebody else.
enum class Duplicates : std::uint8_t { refuse, allow };

// Values a text may hold. Bounds the room that a hostile text of many tiny values takes: 36 bytes each.
inline constexpr std::size_t kJsonNodes = 4'000'000;

class Json;
class JsonElements;
class JsonMembers;

// A value inside a Json, or a missing one. Cheap to copy; lives as long as the Json and its text.
class JsonValue {
 public:
  JsonValue() = default;

  JsonType type() const;
  bool exists() const { return json_ != nullptr; }
  explicit operator bool() const { return exists(); }
  bool is_object() const { return type() == JsonType::object; }
  bool is_array() const { return type() == JsonType::array; }
  bool is_string() const { return type() == JsonType::string; }
  bool is_number() const { return type() == JsonType::number; }
  bool is_boolean() const { return type() == JsonType::boolean; }
  bool is_null() const { return type() == JsonType::null; }

  // The member of that (unescaped) name; missing when there is none or this is no object.
  JsonValue operator[](const JsonKey& key) const;
  JsonElements elements() const;  // nothing unless an array
  JsonMembers members() const;    // pairs of unescaped key and value; nothing unless an object
  std::size_t size() const;       // elements or members

  std::string_view raw() const;  // the bytes of the value, quotes included
  std::size_t offset() const;    // where they begin in the text
  std::size_t end_offset() const;
  // Of a member of an object: where its key's opening quote stands, and the unescaped key.
  std::size_t key_offset() const;
  std::string key() const;

  // A number written without fraction and exponent that fits; nothing otherwise.
  std::optional<std::int64_t> integer() const;
  std::optional<bool> boolean() const;
  std::optional<std::string> text() const;  // unescaped
  // The string's bytes when it holds no escapes: no copy.
  std::optional<std::string_view> plain_text() const;
  bool text_equals(std::string_view expected) const;

 private:
  friend class Json;
  friend class JsonScanner;
  friend class JsonElements;
  friend class JsonMembers;
  JsonValue(const Json* json, std::uint32_t index) : json_(json), index_(index) {}
  JsonValue first_child() const;
  JsonValue next_sibling() const;
  JsonValue member(const JsonKey& key) const;

  const Json* json_ = nullptr;
  std::uint32_t index_ = 0;
};

// A scanned text. Reusable. The text stays the caller's and must outlive it. The room that a scan needs is
// its thread's: what is forgotten or destroyed leaves it to the next scan.
class Json {
 public:
  Json() = default;
  Json(Json&& other) noexcept { *this = std::move(other); }
  Json& operator=(Json&& other) noexcept {
    text_ = std::exchange(other.text_, {});
    nodes_.swap(other.nodes_);
    keys_.swap(other.keys_);
    return *this;
  }
  ~Json() { forget(); }

  // Missing before the first scan, after a refused one and after forget().
  JsonValue root() const { return nodes_.empty() ? JsonValue() : JsonValue(this, 0); }
  std::string_view text() const { return text_; }
  // Lets go of the text and of the room. For what idles between two scans.
  void forget() noexcept;

 private:
  friend class JsonValue;
  friend class JsonScanner;
  struct Node {
    std::uint32_t begin, end;          // the value's bytes
    std::uint32_t key_begin, key_end;  // between the key's quotes; both 0 when there is no key
    std::uint32_t next;                // index of the next sibling, 0 when there is none
    std::uint32_t key_hash;            // of the unescaped key
    std::uint32_t children;
    std::uint32_t keys;  // of an object: JsonKey::bit_of each of its keys
    JsonType type;
    bool escaped;  // the string has escapes
    bool key_escaped;
  };
  struct Rooms;
  std::string_view text_;
  std::vector<Node> nodes_;          // a container's first child stands right behind it
  std::vector<std::uint64_t> keys_;  // scratch of the search for doubled keys
};

inline JsonType JsonValue::type() const {
  return json_ == nullptr ? JsonType::missing : json_->nodes_[index_].type;
}

inline JsonValue JsonValue::operator[](const JsonKey& key) const {
  const bool may_have =
      json_ != nullptr && (json_->nodes_.data()[index_].keys & JsonKey::bit_of(key.hash)) != 0;
  return may_have ? member(key) : JsonValue();
}

// Scans all of `text`: RFC 8259, valid UTF-8, nested at most limits::kJsonDepth deep, at most kJsonNodes
// values, no doubled keys (compared unescaped) unless allowed; of allowed ones operator[] finds the first. A
// lone surrogate escape is accepted and reads as U+FFFD. Refuses with invalid_json, json_too_deep,
// duplicate_json_key or body_too_large, saying where; `out` is then empty.
Result<void> scan(std::string_view text, Json& out, Duplicates duplicates = Duplicates::refuse);

class JsonElements {
 public:
  class Iterator {
   public:
    using value_type = JsonValue;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(JsonValue at) : at_(at) {}
    JsonValue operator*() const { return at_; }
    Iterator& operator++() { return at_ = at_.next_sibling(), *this; }
    bool operator==(const Iterator& other) const { return at_.exists() == other.at_.exists(); }

   private:
    JsonValue at_;
  };
  explicit JsonElements(JsonValue first) : first_(first) {}
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(JsonValue()); }

 private:
  JsonValue first_;
};

class JsonMembers {
 public:
  class Iterator {
   public:
    using value_type = std::pair<std::string, JsonValue>;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(JsonValue at) : at_(at) {}
    std::pair<std::string, JsonValue> operator*() const { return {at_.key(), at_}; }
    Iterator& operator++() { return at_ = at_.next_sibling(), *this; }
    bool operator==(const Iterator& other) const { return at_.exists() == other.at_.exists(); }

   private:
    JsonValue at_;
  };
  explicit JsonMembers(JsonValue first) : first_(first) {}
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(JsonValue()); }

 private:
  JsonValue first_;
};

}  // namespace claviger::wire
