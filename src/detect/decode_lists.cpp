// Texts written as lists: strings that are joined or added to each other, and characters as numbers.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/limits.hpp"
#include "detect/decode.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kListReach = 1024;    // so far before ".join" its list begins
constexpr std::size_t kFewestNumbers = 12;  // characters
constexpr std::size_t kMostNumbers = 4096;
constexpr std::string_view kJoin = ".join(";
constexpr std::string_view kConcat = "CONCAT(";
constexpr std::array<std::string_view, 6> kNumbers{"fromCharCode(", "bytes([",      "bytearray([",
                                                   "[]byte{",       "Uint8Array([", "[] = {"};

std::size_t skip_blank(std::string_view text, std::size_t at, std::size_t ceiling) {
  ceiling = std::min(ceiling, text.size());
  while (at < ceiling && (is(text[at], kSpace) || text[at] == '\n' || text[at] == '\r')) ++at;
  return at;
}

bool is_empty_string(std::string_view text, std::size_t at) {
  return at + 1 < text.size() && is(text[at], kQuote) && text[at + 1] == text[at];
}

// The end of the string whose inside begins at `at`, when it is one word; npos when it is not.
std::size_t word_end(std::string_view text, std::size_t at, char quote) {
  const std::size_t ceiling = std::min(text.size(), at + kListReach);
  for (std::size_t i = at; i < ceiling; ++i) {
    if (text[i] == quote) return i;
    if (static_cast<std::uint8_t>(text[i]) <= ' ' || text[i] == '\\') break;
  }
  return std::string_view::npos;
}

// Behind a string's end: the quote of what is added to it on the next line, as in `key += "..."`.
std::optional<std::size_t> added_behind(std::string_view text, std::size_t quote) {
  std::size_t at = quote + 1;
  if (at < text.size() && text[at] == ';') ++at;
  const std::size_t line = skip_blank(text, at, at + 64);
  if (line == at) return std::nullopt;
  const std::size_t name = run_end(text, line, kWord, 64);
  at = skip_blank(text, name, name + 8);
  if (name == line || text.substr(at, 2) != "+=") return std::nullopt;
  at = skip_blank(text, at + 2, at + 10);
  return at < text.size() && is(text[at], kQuote) ? std::optional(at) : std::nullopt;
}

// The next of a list of numbers, 0x73 or 115; -1 when there is none. Moves `at` behind it and its comma.
int next_number(std::string_view text, std::size_t& at) {
  std::size_t i = skip_blank(text, at, at + 64);
  const bool is_hex = text.substr(i, 2) == "0x" || text.substr(i, 2) == "0X";
  if (is_hex) i += 2;
  int value = -1;
  const char* const end = text.data() + std::min(text.size(), i + 3);
  const auto read = std::from_chars(text.data() + std::min(i, text.size()), end, value, is_hex ? 16 : 10);
  if (read.ec != std::errc() || value < 0) return -1;
  i = skip_blank(text, static_cast<std::size_t>(read.ptr - text.data()), i + 64);
  at = i < text.size() && text[i] == ',' ? i + 1 : i;
  return value;
}

}  // namespace

// What stands before a text on its line, which gives it its name, as the beginning of a made text.
View Decoder::named(std::size_t begin, std::size_t most) const {
  View view;
  view.encoding = Encoding::joined;
  std::size_t head = begin;
  while (head > 0 && begin - head < most && text_[head - 1] != '\n') --head;
  view.text = text_.substr(head, begin - head);
  view.stretches.push_back({0, head, 1, 1});
  return view;
}

// ["sk-", "..."].join("") and "".join(["sk-", "..."])
std::size_t Decoder::list(std::size_t at) {
  std::size_t open = at, begin = at;
  const std::size_t behind = at + kJoin.size();
  if (at > 0 && text_[at - 1] == ']' && is_empty_string(text_, behind)) {
    while (open > 0 && at - open < kListReach && text_[open - 1] != '[') --open;
    begin = open > 0 ? open - 1 : 0;
  } else if (at > 1 && is_empty_string(text_, at - 2)) {
    open = behind < text_.size() && (text_[behind] == '[' || text_[behind] == '(') ? behind + 1 : behind;
    begin = at - 2;
  } else {
    return at;
  }
  return pieces(at, begin, open);
}

// The strings from `open` on, as one that stands at `begin`.
std::size_t Decoder::pieces(std::size_t at, std::size_t begin, std::size_t open) {
  reach_.round(begin, at, kListReach + 2, kListReach);
  View view = named(begin, kNameBefore);
  view.text.push_back('"');
  const std::size_t head = view.text.size();
  std::size_t count = 0, i = open;
  while (true) {
    i = skip_blank(text_, i, i + 64);
    if (i >= text_.size() || !is(text_[i], kQuote)) break;
    const std::size_t end = word_end(text_, i + 1, text_[i]);
    if (end == std::string_view::npos || view.text.size() > limits::kScanWindow) break;
    view.stretches.push_back({view.text.size(), i + 1, 1, 1});
    view.text += text_.substr(i + 1, end - i - 1);
    ++count;
    i = skip_blank(text_, end + 1, end + 65);
    if (i >= text_.size() || text_[i] != ',') break;
    ++i;
  }
  reach_.round(begin, i, kNameBefore + 1, kListReach + 2);
  if (count < 2 || view.text.size() < head + kFewestNumbers) return at;
  view.text.push_back('"');
  if (budget_.take(view.text.size())) visit_(view);
  return std::max(i, at + 1);
}

// key = "sk-..."; key += "..."
std::size_t Decoder::added(std::size_t sign) {
  const auto back = [&](std::size_t from, auto in) {
    while (from > 0 && sign - from < 160 && in(text_[from - 1])) --from;
    return from;
  };
  const auto is_blank = [](char c) { return is(c, kSpace) || c == '\n' || c == '\r' || c == ';'; };
  const std::size_t name = back(back(sign, is_blank), [](char c) { return is(c, kWord); });
  std::size_t quote = back(name, is_blank);
  reach_.round(sign, sign, 161, kListReach);
  if (quote == 0 || !is(text_[quote - 1], kQuote)) return sign;
  --quote;
  const char mark = text_[quote];
  std::size_t begin = quote;
  while (begin > 0 && quote - begin < kListReach && static_cast<std::uint8_t>(text_[begin - 1]) > ' ' &&
         text_[begin - 1] != mark)
    --begin;
  reach_.round(begin, sign, kNameBefore + 2, kListReach);
  if (begin == 0 || text_[begin - 1] != mark) return sign;
  View view = named(begin, kNameBefore);
  std::size_t from = begin, to = quote;
  while (view.text.size() < limits::kScanWindow) {
    view.stretches.push_back({view.text.size(), from, 1, 1});
    view.text += text_.substr(from, to - from);
    const auto next = added_behind(text_, to);
    reach_.round(from, to, 1, 256 + kListReach);
    if (!next) break;
    from = *next + 1;
    to = word_end(text_, from, text_[*next]);
    if (to == std::string_view::npos) break;
  }
  view.text.push_back(mark);
  if (view.stretches.size() > 2 && budget_.take(view.text.size())) visit_(view);
  return std::max(from, sign + 1);
}

// CONCAT('sk-', '...'), of which `at` is the rarer part.
std::size_t Decoder::called(std::size_t at) {
  const std::size_t end = text_.find('(', at) + 1;
  if (!text_.substr(0, end).ends_with(kConcat)) return at;
  return pieces(at, end - kConcat.size(), end);
}

// String.fromCharCode(115, 107, ...), bytes([0x73, ...]) and their like.
std::size_t Decoder::numbers(std::size_t at) {
  const auto* const opener = std::ranges::find_if(
      kNumbers, [&](std::string_view one) { return text_.substr(at, one.size()) == one; });
  if (opener == kNumbers.end()) return called(at);
  const std::size_t open = at + opener->size();
  View view = named(open - 1, kNameBefore);
  const std::size_t sign = view.text.find_last_of("=:");
  if (sign != std::string::npos) view.text.resize(sign + 1);
  view.text.push_back('"');
  const std::size_t head = view.text.size();
  std::size_t i = open;
  while (view.text.size() - head < kMostNumbers) {
    const std::size_t from = skip_blank(text_, i, i + 64);
    const int value = next_number(text_, i);
    if (value <= ' ' || value > '~') break;
    view.stretches.push_back({view.text.size(), from, std::max<std::size_t>(i - from, 1), 1});
    view.text.push_back(static_cast<char>(value));
  }
  reach_.round(open, i, kNameBefore + 24, 160);
  if (view.text.size() < head + kFewestNumbers) return at;
  view.text.push_back('"');
  view.encoding = Encoding::escaped;
  if (budget_.take(view.text.size())) visit_(view);
  return std::max(i, at + 1);
}

}  // namespace claviger::detect
