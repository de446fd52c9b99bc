// The strict JSON scanner.
#include "wire/json.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>

#include "base/limits.hpp"
#include "wire/byte_scan.hpp"

namespace claviger::wire {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hex digits at `at`, or -1.
int hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_value(text[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  } else {
    out.push_back(static_cast<char>(0xf0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 63)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 63)));
    out.push_back(static_cast<char>(0x80 | (c & 63)));
  }
}

// Text between quotes, already found well-formed. A lone surrogate becomes U+FFFD.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    switch (const char c = text[++i]) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        std::uint32_t code = static_cast<std::uint32_t>(hex4(text, i + 1));
        i += 4;
        if (code >= 0xd800 && code < 0xdc00 && i + 6 < text.size() && text[i + 1] == '\\' &&
            text[i + 2] == 'u') {
          const int low = hex4(text, i + 3);
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(low) - 0xdc00);
            i += 6;
          }
        }
        append_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
        break;
      }
      default:
        out.push_back(c);
    }
  }
  return out;
}

// A text of more values than this is rare; its room is not kept for the next one.
constexpr std::size_t kKeptNodes = 16 * 1024;
constexpr std::size_t kFirstNodes = 64;

constexpr std::size_t kFewKeys = 16;   // of an object whose keys are compared each with each
constexpr std::size_t kShownKey = 64;  // bytes of a key that a refusal quotes

}  // namespace

// What the thread's next scans use again.
struct Json::Rooms {
  static constexpr std::size_t kKept = 4;  // few texts are looked at while others are
  std::array<std::vector<Node>, kKept> spare;
  std::size_t count = 0;

  std::vector<Node> take() {
    if (count > 0) return std::move(spare[--count]);
    std::vector<Node> room;
    room.reserve(kFirstNodes);
    return room;
  }
  void give(std::vector<Node> room) noexcept {
    room.clear();
    if (count < kKept && room.capacity() <= kKeptNodes) spare[count++] = std::move(room);
  }
  static thread_local Rooms of_thread;
};
thread_local Json::Rooms Json::Rooms::of_thread;

// One pass over one text. Its functions return false after noting the refusal.
class JsonScanner {
 public:
  JsonScanner(std::string_view text, Json& out, Duplicates duplicates)
      : text_(text), at_(text.data()), end_(at_ + text.size()), out_(out), duplicates_(duplicates) {}

  Result<void> run() {
    out_.nodes_.clear();
    if (out_.nodes_.capacity() == 0) out_.nodes_ = Json::Rooms::of_thread.take();
    out_.text_ = text_;
    if (read()) return {};
    out_.nodes_.clear();
    out_.text_ = {};
    return std::unexpected(std::move(error_));
  }

 private:
  struct Open {
    std::uint32_t node;  // the container
    std::uint32_t last;  // its newest child, 0: none
    std::uint64_t seen;  // a bit of each key's hash
    bool doubtful;       // two keys have one bit
  };

  [[gnu::cold, gnu::noinline]] bool no(Code code, std::string say) {
    error_ = refuse(code, std::move(say)).error();
    return false;
  }
  [[gnu::cold, gnu::noinline]] bool bad(std::string_view what) {
    return no(Code::invalid_json, fmt::format("The JSON body is not valid at byte {}: {}.", place(), what));
  }

  bool read() {
    if (text_.size() >= UINT32_MAX) return no(Code::body_too_large, "The JSON body is larger than 4 GiB.");
    if (!simdjson::validate_utf8(text_.data(), text_.size()))
      return no(Code::invalid_json, "The JSON body is not valid UTF-8.");
    do {
      if (!value() || !close_finished()) return false;
    } while (depth_ > 0);
    skip_space();
    return at_ == end_ || bad("something follows the value");
  }

  std::uint32_t place() const { return static_cast<std::uint32_t>(at_ - text_.data()); }
  void skip_space() {
    constexpr unsigned char kHighestSpace = ' ';
    while (at_ != end_ && static_cast<unsigned char>(*at_) <= kHighestSpace && is_space(*at_)) ++at_;
  }
  char peek() const { return at_ != end_ ? *at_ : '\0'; }

  // Reads the key when inside an object, then one value; containers are only opened.
  bool value() {
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    if (index == kJsonNodes)
      return no(Code::body_too_large, fmt::format("The JSON body has more than {} values.", kJsonNodes));
    Json::Node& node = out_.nodes_.emplace_back();
    skip_space();
    if (depth_ > 0 && !child(index, node)) return false;
    node.begin = place();
    switch (peek()) {
      case '{':
        return open(index, node, JsonType::object);
      case '[':
        return open(index, node, JsonType::array);
      case '"':
        node.type = JsonType::string;
        if (!string(node.escaped)) return false;
        break;
      case 't':
        node.type = JsonType::boolean;
        if (!literal("true")) return false;
        break;
      case 'f':
        node.type = JsonType::boolean;
        if (!literal("false")) return false;
        break;
      case 'n':
        node.type = JsonType::null;
        if (!literal("null")) return false;
        break;
      default:
        node.type = JsonType::number;
        if (!number()) return false;
        break;
    }
    node.end = place();
    expect_more_ = false;
    return true;
  }

  // Hangs a value into its container, below its key when that is an object.
  bool child(std::uint32_t index, Json::Node& node) {
    Open& parent = stack_.data()[depth_ - 1];
    Json::Node* const nodes = out_.nodes_.data();
    Json::Node& container = nodes[parent.node];
    if (container.type == JsonType::object) {
      if (!key(node)) return false;
      container.keys |= JsonKey::bit_of(node.key_hash);
      const std::uint64_t bit = std::uint64_t{1} << (node.key_hash >> 8 & 63);
      parent.doubtful = parent.doubtful || (parent.seen & bit) != 0;
      parent.seen |= bit;
    }
    if (parent.last != 0) nodes[parent.last].next = index;
    parent.last = index;
    ++container.children;
    return true;
  }

  bool key(Json::Node& node) {
    if (peek() != '"') return bad("a key is missing");
    const char* const begin = at_ + 1;
    if (!string(node.key_escaped)) return false;
    const std::string_view plain(begin, static_cast<std::size_t>(at_ - 1 - begin));
    node.key_end = place() - 1;
    node.key_begin = node.key_end - static_cast<std::uint32_t>(plain.size());
    node.key_hash = node.key_escaped ? JsonKey::hash_of(unescape(plain)) : JsonKey::hash_of(plain);
    skip_space();
    if (peek() != ':') return bad("a colon is missing");
    ++at_;
    skip_space();
    return true;
  }

  bool open(std::uint32_t index, Json::Node& node, JsonType type) {
    if (depth_ == limits::kJsonDepth)
      return no(Code::json_too_deep,
                fmt::format("The JSON body is nested deeper than {} levels.", limits::kJsonDepth));
    node.type = type;
    ++at_;
    stack_[depth_++] = {index, 0, 0, false};
    skip_space();
    expect_more_ = peek() != (type == JsonType::object ? '}' : ']');
    return true;
  }

  // After a value: a comma leads to the next one, closing brackets end containers.
  bool close_finished() {
    while (depth_ > 0 && !expect_more_) {
      skip_space();
      Json::Node& parent = out_.nodes_[stack_[depth_ - 1].node];
      const char close = parent.type == JsonType::object ? '}' : ']';
      if (peek() == ',') {  // an empty container's comma was refused as no value
        ++at_;
        expect_more_ = true;
        continue;
      }
      if (peek() != close) return bad("a comma or a closing bracket is missing");
      ++at_;
      parent.end = place();
      if (parent.type == JsonType::object && !keys_differ(stack_[depth_ - 1])) return false;
      --depth_;
    }
    return true;
  }

  bool keys_differ(const Open& open) {
    if (duplicates_ == Duplicates::allow || !open.doubtful) return true;
    const std::uint32_t object = open.node;
    const std::uint32_t children = out_.nodes_[object].children;
    if (children <= kFewKeys && hashes_differ(object)) return true;
    std::vector<std::uint64_t>& keys = out_.keys_;
    keys.clear();
    for (std::uint32_t child = object + 1; child != 0; child = out_.nodes_[child].next)
      keys.push_back(static_cast<std::uint64_t>(out_.nodes_[child].key_hash) << 32 | child);
    std::sort(keys.begin(), keys.end());
    for (std::size_t first = 0, end = 1; first < keys.size(); first = end++) {
      while (end < keys.size() && keys[end] >> 32 == keys[first] >> 32) ++end;
      if (end - first > 1 && !texts_differ({keys.data() + first, end - first})) return false;
    }
    return true;
  }

  // Each with each, without a list of them. Equal hashes are looked at again.
  bool hashes_differ(std::uint32_t object) const {
    std::array<std::uint32_t, kFewKeys> seen;
    std::size_t count = 0;
    for (std::uint32_t child = object + 1; child != 0; child = out_.nodes_[child].next) {
      const std::uint32_t hash = out_.nodes_[child].key_hash;
      for (std::size_t i = 0; i < count; ++i)
        if (seen[i] == hash) return false;
      seen[count++] = hash;
    }
    return true;
  }

  // Of keys with one hash. Sorted, not compared each with each: a hostile body may have a million of them.
  bool texts_differ(std::span<const std::uint64_t> keys) {
    std::vector<std::string> texts;
    texts.reserve(keys.size());
    for (const std::uint64_t key : keys)
      texts.push_back(JsonValue(&out_, static_cast<std::uint32_t>(key)).key());
    std::sort(texts.begin(), texts.end());
    const auto twice = std::adjacent_find(texts.begin(), texts.end());
    if (twice == texts.end()) return true;
    const std::string_view shown = twice->size() > kShownKey ? "(a long one)" : std::string_view(*twice);
    return no(Code::duplicate_json_key, fmt::format("The JSON body names the key '{}' twice.", shown));
  }

  bool string(bool& escaped) {
    at_ = find_stop<StringStop>(at_ + 1, end_);
    if (at_ != end_ && *at_ == '"') return ++at_, true;
    return string_rest(escaped);
  }

  // From where a string's first run of plain bytes ends other than by its quote.
  bool string_rest(bool& escaped) {
    for (;;) {
      if (at_ == end_) return bad("a string has no end");
      if (*at_ == '"') return ++at_, true;
      if (*at_ != '\\') return bad("a string holds a control byte");
      escaped = true;
      const char c = at_ + 1 != end_ ? at_[1] : '\0';
      if (c == 'u') {
        if (hex4(text_, place() + 2) < 0) return bad("an escape is not four hex digits");
        at_ += 6;
      } else if (c != '\0' && std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos) {
        at_ += 2;
      } else {
        return bad("an escape is not known");
      }
      at_ = find_stop<StringStop>(at_, end_);
    }
  }

  bool literal(std::string_view word) {
    if (!std::string_view(at_, end_).starts_with(word)) return bad("a value is expected");
    at_ += word.size();
    return true;
  }

  bool digits() {
    if (!is_digit(peek())) return bad("a digit is expected");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number() {
    if (peek() == '-') {
      ++at_;
    } else if (!is_digit(peek())) {
      return bad("a value is expected");
    }
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (peek() == '.' && (++at_, !digits())) return false;
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      return digits();
    }
    return true;
  }

  const std::string_view text_;
  const char* at_;
  const char* const end_;
  Json& out_;
  const Duplicates duplicates_;
  std::size_t depth_ = 0;
  bool expect_more_ = false;  // a value must follow
  std::array<Open, limits::kJsonDepth> stack_;
  Error error_;
};

Result<void> scan(std::string_view text, Json& out, Duplicates duplicates) {
  return JsonScanner(text, out, duplicates).run();
}

void Json::forget() noexcept {
  text_ = {};
  keys_ = {};
  if (nodes_.capacity() > 0) Rooms::of_thread.give(std::exchange(nodes_, {}));
}

JsonValue JsonValue::first_child() const {
  return json_ != nullptr && json_->nodes_[index_].children > 0 ? JsonValue(json_, index_ + 1) : JsonValue();
}

JsonValue JsonValue::next_sibling() const {
  const std::uint32_t next = json_ == nullptr ? 0 : json_->nodes_[index_].next;
  return next == 0 ? JsonValue() : JsonValue(json_, next);
}

JsonValue JsonValue::member(const JsonKey& key) const {
  if (!is_object()) return {};
  const Json::Node* nodes = json_->nodes_.data();
  std::uint32_t at = index_ + 1;
  do {
    const Json::Node& node = nodes[at];
    if (node.key_hash == key.hash) {
      const std::string_view plain = json_->text_.substr(node.key_begin, node.key_end - node.key_begin);
      if (node.key_escaped ? unescape(plain) == key.text : plain == key.text) return JsonValue(json_, at);
    }
    at = node.next;
  } while (at != 0);
  return {};
}

JsonElements JsonValue::elements() const { return JsonElements(is_array() ? first_child() : JsonValue()); }
JsonMembers JsonValue::members() const { return JsonMembers(is_object() ? first_child() : JsonValue()); }

std::size_t JsonValue::size() const { return is_array() || is_object() ? json_->nodes_[index_].children : 0; }

std::size_t JsonValue::offset() const { return json_ == nullptr ? 0 : json_->nodes_[index_].begin; }
std::size_t JsonValue::end_offset() const { return json_ == nullptr ? 0 : json_->nodes_[index_].end; }

std::string_view JsonValue::raw() const {
  return json_ == nullptr ? std::string_view{} : json_->text_.substr(offset(), end_offset() - offset());
}

std::size_t JsonValue::key_offset() const {
  return json_ == nullptr || json_->nodes_[index_].key_begin == 0 ? 0 : json_->nodes_[index_].key_begin - 1;
}

std::string JsonValue::key() const {
  if (json_ == nullptr) return {};
  const Json::Node& node = json_->nodes_[index_];
  const std::string_view plain = json_->text_.substr(node.key_begin, node.key_end - node.key_begin);
  return node.key_escaped ? unescape(plain) : std::string(plain);
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (!is_number()) return std::nullopt;
  const std::string_view digits = raw();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<bool> JsonValue::boolean() const {
  if (!is_boolean()) return std::nullopt;
  return raw().front() == 't';
}

std::optional<std::string> JsonValue::text() const {
  if (!is_string()) return std::nullopt;
  const std::string_view inside = raw().substr(1, raw().size() - 2);
  return json_->nodes_[index_].escaped ? unescape(inside) : std::string(inside);
}

std::optional<std::string_view> JsonValue::plain_text() const {
  if (!is_string() || json_->nodes_[index_].escaped) return std::nullopt;
  return raw().substr(1, raw().size() - 2);
}

bool JsonValue::text_equals(std::string_view expected) const {
  if (!is_string()) return false;
  if (const auto plain = plain_text()) return *plain == expected;
  return *text() == expected;
}

}  // namespace claviger::wire
