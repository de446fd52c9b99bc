// Names and the values given to them.
#include "detect/value.hpp"

#include <algorithm>

#include "detect/names.hpp"
#include "detect/prose.hpp"
#include "detect/survey.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kLongestValue = 4096;
constexpr std::size_t kMostBlank = 200;
constexpr std::size_t kElement = 640;   // of XML: so far on its end tag stands
constexpr std::size_t kAccessors = 64;  // { get; set; } behind a property's name
constexpr std::size_t kGlance = 64;     // longer than what is looked at behind a place without moving on
constexpr std::string_view kValueWords[] = {"value",         "Value",        "default", "stringData",
                                            "android:value", "secretString", "content", "ParameterValue"};
constexpr std::string_view kOperators[] = {"===", "!==", ":=",   ":-", "=>", "==", "!=",  "->",
                                           "<-",  "||=", "?\?=", "?=", "+=", "||", "?\?", "?:"};
constexpr std::string_view kSchemes[] = {"Bearer", "bearer", "Basic",   "basic",  "Token", "token",   "Key",
                                         "ApiKey", "apikey", "Api-Key", "Apikey", "Bot",   "GenieKey"};
constexpr std::string_view kFolds[] = {">-", "|-", ">", "|"};  // of YAML: the value stands on the next line

bool is_name(char c) { return is(c, kWord) || c == '.' || c == '$'; }

// ESC[1;33m, by which a terminal is told a colour, stands for nothing.
std::size_t skip_colour(std::string_view text, std::size_t at) {
  std::size_t i = at + 1;
  if (i >= text.size() || text[at] != '\x1b' || text[i] != '[') return at;
  const std::size_t ceiling = std::min(text.size(), at + kEscapeReach);
  for (++i; i < ceiling && (is(text[i], kDigit) || text[i] == ';');) ++i;
  return i < ceiling && text[i] == 'm' ? i + 1 : at;
}

std::size_t blanks(std::string_view text, std::size_t at, bool lines) {
  const std::size_t ceiling = std::min(text.size(), at + kMostBlank);
  while (at < ceiling) {
    if (is(text[at], kSpace) || (lines && (text[at] == '\n' || text[at] == '\r'))) {
      ++at;
      continue;
    }
    const std::size_t behind = skip_colour(text, at);
    if (behind == at) break;
    at = behind;
  }
  return at;
}

bool stands(std::string_view text, std::size_t at, std::string_view what) {
  return at < text.size() && text[at] == what[0] && text.substr(at, what.size()) == what;
}

constexpr std::string_view kCurly = "\xe2\x80";  // how quotes begin that a word processor has bent

// A quote, also one that is escaped once or twice, three in a row, or an entity; 0 when there is none.
std::size_t quote_size(std::string_view text, std::size_t at) {
  if (stands(text, at, "\"\"\"") || stands(text, at, "'''")) return 3;
  if (stands(text, at, kCurly) && at + 2 < text.size() && text[at + 2] >= '\x98' && text[at + 2] <= '\x9f')
    return 3;
  std::size_t i = at;
  while (i < text.size() && text[i] == '\\' && i - at < 3) ++i;
  if (i < text.size() && is(text[i], kQuote)) return i + 1 - at;
  if (stands(text, at, "&quot;")) return 6;
  if (stands(text, at, "%22") || stands(text, at, "%27")) return 3;
  return 0;
}

// What closes a name: quotes and brackets.
std::size_t skip_closers(std::string_view text, std::size_t at) {
  for (int i = 0; i < 4 && at < text.size(); ++i) {
    const std::size_t quote = quote_size(text, at);
    if (quote > 0)
      at += quote;
    else if (text[at] == ']' || text[at] == ')')
      ++at;
    else if (stands(text, at, "[]") || stands(text, at, "**"))  // char key[] = "...", **key**: ...
      at += 2;
    else if (stands(text, at, "} =") || stands(text, at, "}="))  // $ENV{KEY} = "..."
      ++at;
    else
      break;
  }
  return at;
}

// `: str =`, ` string =`, `: Optional[str] =`: where the "=" stands; `at` when there is no type.
std::size_t skip_type(std::string_view text, std::size_t at) {
  std::size_t i = at;
  const auto is_type = [](char c) {
    return is(c, kAlnum | kSpace) || std::string_view("_&<>[]?|.*:!").contains(c);
  };
  while (i < text.size() && i - at < 48 && is_type(text[i])) ++i;
  const bool sign = i > at && i < text.size() && text[i] == '=' && !stands(text, i, "==");
  return sign && text[i - 1] == ' ' && !stands(text, i, "=>") ? i : at;  // base64 ends in "=" too
}

// {"name": "API_KEY", "value": "..."}, and the same in YAML, XML and Terraform: where the ":" or "=" stands.
std::optional<std::size_t> pair_value(std::string_view text, std::size_t name_end, std::size_t at,
                                      Reach& reach) {
  const std::size_t start = blanks(text, at, true);
  reach.take(at, start + kGlance);
  const char open = start < text.size() ? text[start] : '\0';
  const bool block = open == '{' || (open == ',' && at > name_end);
  if (!block && start == at) return std::nullopt;
  const std::size_t ceiling = std::min(text.size(), start + (block ? kMostBlank : 1));
  if (block) reach.take(at, ceiling + kMostBlank + kGlance);
  for (std::size_t i = start; i < ceiling && text[i] != '}'; ++i) {
    if (i > 0 && is(text[i - 1], kWord)) continue;
    for (const std::string_view word : kValueWords) {
      if (!stands(text, i, word)) continue;
      std::size_t after = i + word.size();
      after = blanks(text, after + quote_size(text, after), false);
      if (after < text.size() && (text[after] == ':' || text[after] == '=')) return after;
    }
  }
  return std::nullopt;
}

struct Operator {
  std::size_t after = 0;
  Giving giving = Giving::assigned;
  bool linked = false, cell = false;
};

// <key>name</key> <string>value</string>, as property lists have it.
std::optional<std::size_t> element_value(std::string_view text, std::size_t at, Reach& reach) {
  if (!stands(text, at, "</key>")) return std::nullopt;
  const std::size_t open = blanks(text, at + 6, true);
  reach.take(at, open + kGlance);
  return stands(text, open, "<string>") ? std::optional(open + 8) : std::nullopt;
}

// <string name="key" translatable="false">...: behind the further attributes of an element that a quoted name
// ends at `at`; `at` when that is no such thing.
std::size_t skip_attributes(std::string_view text, std::size_t at, Reach& reach) {
  constexpr std::size_t kLongest = 80;
  std::size_t i = at;
  for (std::size_t open = blanks(text, i, true); open > i; open = blanks(text, i, true)) {
    const std::size_t sign = run_end(text, open, kWord, kGlance);
    reach.take(at, sign + kLongest);
    if (sign == open || !stands(text, sign, "=\"")) break;
    const std::size_t close = text.substr(sign + 2, kLongest).find('"');
    if (close == std::string_view::npos) break;
    i = sign + 3 + close;
  }
  return stands(text, i, ">") ? i : at;
}

// The name before `end` fills the beginning of a cell of a CSV file.
bool is_cell(std::string_view text, std::size_t end) {
  std::size_t begin = end;
  while (begin > 0 && end - begin < kLongestName && is_name(text[begin - 1])) --begin;
  return begin == 0 || text[begin - 1] == '\n' || text[begin - 1] == ',';
}

// key, err := decode("...") and key, region = "...", "eu": behind the sign.
std::optional<std::size_t> result_of(std::string_view text, std::size_t at) {
  if (!stands(text, at, ", ")) return std::nullopt;
  const std::size_t sign = run_end(text, at + 2, kWord, kGlance / 2);
  if (sign == at + 2) return std::nullopt;
  if (stands(text, sign, " := ")) return sign + 3;
  return stands(text, sign, " = ") ? std::optional(sign + 2) : std::nullopt;
}

std::optional<Operator> operator_at(std::string_view text, std::size_t name_end, Reach& reach) {
  std::size_t closed = skip_closers(text, name_end);
  std::size_t at = blanks(text, closed, false);
  reach.take(name_end, at + kGlance);
  if (stands(text, at, "{ get")) {
    const std::size_t close = text.substr(at, kAccessors).find('}');
    reach.take(at, at + kAccessors + kMostBlank + kGlance);
    if (close != std::string_view::npos) at = blanks(text, at + close + 1, false);
  }
  if (const auto element = element_value(text, closed, reach)) return Operator{*element};
  if (const auto pair = pair_value(text, name_end, closed, reach)) at = *pair;
  for (const std::string_view op : kOperators)
    if (stands(text, at, op)) return Operator{at + op.size()};
  if (at >= text.size()) return std::nullopt;
  if (text[at] == ':')
    return Operator{std::max(at + 1, [&] {
      const std::size_t typed = skip_type(text, at + 1);
      return typed == at + 1 ? at + 1 : typed + 1;
    }())};
  if (text[at] == '=') return Operator{at + 1};
  if (const auto result = result_of(text, at)) return Operator{*result};
  if (stands(text, at, ".unwrap_or")) {  // of Rust, and the closure that it may be
    const std::size_t open = run_end(text, at + 1, kWord, kGlance / 2);
    const bool closure = stands(text, open, "(|_| ") || stands(text, open, "(|| ");
    if (stands(text, open, "(")) return Operator{closure ? text.find(' ', open) : open + 1, Giving::called};
  }
  if (text[at] == ',') {  // put("name", "value"), or a row of a CSV file
    const bool shouted = name_end > 0 && is(text[name_end - 1], kUpper | kDigit);
    const bool row = (shouted || is_cell(text, name_end)) && at == name_end && at + 1 < text.size() &&
                     !is(text[at + 1], kSpace);
    return Operator{at + 1, row ? Giving::spaced : Giving::called, false, row && !shouted};
  }
  if (at > closed && closed > name_end && is(text[closed - 1], kQuote)) {
    const std::size_t end = skip_attributes(text, closed, reach);
    if (end > closed) at = closed = end;
  }
  if (text[at] == '>' && at == closed) {
    reach.take(at, at + 1 + kElement);
    if (text.substr(at + 1, kElement).contains("</")) return Operator{at + 1};
  }
  if (text[at] == '(') return Operator{at + 1, Giving::called};
  if (text[at] == '{') {  // std::string key{"..."}
    const std::size_t inside = blanks(text, at + 1, false);
    reach.take(at, inside + kGlance);
    if (quote_size(text, inside) > 0) return Operator{at + 1, Giving::called};
  }
  if (stands(text, at, "%3D") || stands(text, at, "%3d")) return Operator{at + 3};
  if (text[at] == '|') return Operator{at + 1, Giving::spaced};  // a row of a table
  if (at == closed) return std::nullopt;
  const std::size_t typed = skip_type(text, at);
  if (typed != at) return Operator{typed + 1};
  const Link link = link_at(text, at, reach);
  return Operator{link.after, Giving::spaced, link.says_key};
}

// Secret("..."), new Key("..."), env("NAME", "..."): the quote inside; `at` when there is no such call.
std::size_t enter_call(std::string_view text, std::size_t at, Reach& reach) {
  std::size_t i = at;
  while (i < text.size() && i - at < 48 && (is(text[i], kWord | kSpace) || text[i] == '.' || text[i] == ':'))
    ++i;
  if (i >= text.size() || text[i] != '(') return at;
  std::size_t open = blanks(text, i + 1, true);
  reach.take(at, open + kGlance);
  // field(default="...")
  const std::size_t word = run_end(text, open, kWord, kGlance / 2);
  if (word > open && word < text.size() && text[word] == '=') open = word + 1;
  return quote_size(text, open) > 0 ? open : at;
}

// $(echo "..." | base64 -d), also within quotes: what is echoed; `at` when nothing is.
std::size_t enter_echo(std::string_view text, std::size_t at, Reach& reach) {
  std::size_t i = at + (quote_size(text, at) == 1 && text[at] == '"' ? 1 : 0);
  if (!stands(text, i, "$(") && !stands(text, i, "`")) return at;
  i += text[i] == '$' ? 2 : 1;
  if (!stands(text, i, "echo ")) return at;
  i += 5;
  if (stands(text, i, "-n ")) i += 3;
  i = blanks(text, i, false);
  reach.take(at, i + kGlance);
  return i;
}

// !!binary and !!str, by which YAML says what a value is.
std::size_t skip_tag(std::string_view text, std::size_t at) {
  if (!stands(text, at, "!!")) return at;
  return blanks(text, run_end(text, at + 2, kWord, kGlance / 2), false);
}

std::size_t skip_scheme(std::string_view text, std::size_t at) {
  for (const std::string_view word : kSchemes)
    if (stands(text, at, word) && at + word.size() < text.size() && text[at + word.size()] == ' ')
      return blanks(text, at + word.size(), false);
  return at;
}

// "&name=": the next part of a query, where "&" is no part of the value.
bool begins_parameter(std::string_view text, std::size_t at) {
  if (text[at] != '&') return false;
  const std::size_t end = run_end(text, at + 1, kWord, kLongestName);
  return end > at + 1 && end < text.size() && text[end] == '=';
}

// A word before ":" or "=" that begins no other value: a type, or the variable that is asked first.
bool continues_value(std::string_view word) {
  constexpr std::string_view words[] = {"string", "String", "str",  "Text", "text",
                                        "value",  "Value",  "data", "body", "default"};
  if (std::ranges::find(words, word) != std::end(words)) return true;
  const NameClass name = classify_name(word);
  return name == NameClass::key || name == NameClass::weak;
}

std::size_t quoted_end(std::string_view text, std::size_t at, std::string_view quote) {
  const std::size_t ceiling = std::min(text.size(), at + kLongestValue);
  for (std::size_t i = at; i < ceiling; ++i) {
    if (text[i] == '\n') return std::string_view::npos;
    if (text.substr(i, quote.size()) == quote) return i;
    if (text[i] == '\\' && quote.size() == 1) ++i;
  }
  return std::string_view::npos;
}

}  // namespace

std::string_view name_around(std::string_view text, std::size_t begin, std::size_t end) {
  while (begin < end && !is_name(text[begin])) ++begin;
  while (end > begin && !is_name(text[end - 1])) --end;
  std::size_t from = begin, to = end;
  while (from > 0 && begin - from < kLongestName && is_name(text[from - 1])) --from;
  while (to < text.size() && to - end < kLongestName && is_name(text[to])) ++to;
  while (from < begin && is(text[from], kDash)) ++from;
  const std::size_t colour = run_end(text, from, kDigit, 3);  // the end of ESC[33m
  if (colour > from && colour < begin && text[colour] == 'm' && after_escape(text, colour + 1))
    from = colour + 1;
  return text.substr(from, to - from);
}

std::optional<Value> word_on_line(std::string_view text, std::size_t name_end, Reach& reach) {
  constexpr std::size_t kFar = 160;
  const std::size_t closed = skip_closers(text, name_end);
  std::size_t at = blanks(text, closed, false);
  const std::size_t ceiling = std::min(text.size(), at + kFar);
  reach.take(name_end, ceiling + kGlance);
  const bool option = at > closed && (stands(text, at, "--") || stands(text, at, "or "));
  if (at >= ceiling || (!option && !stands(text, at, "->") && !std::string_view("=:({>|").contains(text[at])))
    return std::nullopt;
  bool prose = false;  // a word stood before, as in "key: <redacted> trace 4bf92f35"
  while (at < ceiling) {
    if (text[at] == '\n') {  // a function's first line may return it
      const std::size_t line = blanks(text, at, true);
      reach.take(at, line + kGlance);
      if (!stands(text, line, "return ")) break;
      at = line;
      continue;
    }
    if (text[at] == ';' || text[at] == ',') break;
    if (!is_in_run(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && end - at < kLongestValue && is_in_run(text[end])) ++end;
    Value out;
    out.begin = at;
    out.end = end;
    const std::size_t quote = is(text[at - 1], kQuote) ? quote_size(text, end) : 0;
    out.quoted = quote > 0;
    out.giving = text[at - 1 - (out.quoted && at > 1 ? 1 : 0)] == '(' ? Giving::called : Giving::assigned;
    std::string_view word = text.substr(at, end - at);
    const std::size_t next = blanks(text, end + quote, false);
    reach.take(end, next + kGlance);
    const char after = next < text.size() ? text[next] : '\0';
    const bool pads = word.size() >= kShortestDense && word.ends_with('=');  // of base64
    const bool names = word.ends_with(':') || (word.ends_with('=') && !pads) || after == ':' || after == '=';
    if (word.contains("://")) break;
    if (word.size() >= kShortestDense && !names && after != '(')
      return out.quoted || option || !prose ? std::optional(out) : std::nullopt;
    while (word.ends_with(':') || word.ends_with('=')) word.remove_suffix(1);
    if (names && !word.empty() && !continues_value(word)) break;
    prose = prose || (word.size() > 2 && is(word[0], kLower) && !names);
    at = end;
  }
  return std::nullopt;
}

std::optional<Value> string_behind(std::string_view text, const Value& first, Reach& reach) {
  std::size_t at = first.end + 1;
  if (!first.quoted) return std::nullopt;
  at = blanks(text, at, true);
  reach.take(first.end, at + kGlance);
  if (!stands(text, at, ",")) return std::nullopt;
  at = blanks(text, at + 1, true);
  reach.take(first.end, at + kGlance);
  const std::size_t quote = quote_size(text, at);
  if (quote == 0) return std::nullopt;
  Value out = first;
  out.begin = at + quote;
  out.end = quoted_end(text, out.begin, text.substr(at, quote));
  reach.round(at, out.end == std::string_view::npos ? out.begin + kLongestValue : out.end, 0, kLongestName);
  return out.end == std::string_view::npos ? std::nullopt : std::optional(out);
}

std::optional<Value> value_after(std::string_view text, std::size_t name_end, Reach& reach) {
  const auto op = operator_at(text, name_end, reach);
  if (!op) return std::nullopt;
  Value out;
  out.giving = op->giving;
  out.linked = op->linked;
  out.cell = op->cell;
  std::size_t at = blanks(text, op->after, op->giving != Giving::spaced);
  reach.take(op->after, at + kGlance);
  for (const std::string_view fold : kFolds) {
    if (op->giving != Giving::assigned || !stands(text, at, fold)) continue;
    const std::size_t line = blanks(text, at + fold.size(), false);
    if (line < text.size() && (text[line] == '\n' || text[line] == '\r')) at = blanks(text, line, true);
    reach.take(at, at + kGlance);
    break;
  }
  if (op->giving == Giving::assigned && stands(text, at, "{")) {  // { value = "...", force = true }
    const auto pair = pair_value(text, name_end, at, reach);
    if (pair) at = blanks(text, *pair + 1, true);
  }
  if (op->giving == Giving::assigned && stands(text, at, "[")) {
    const std::size_t first = blanks(text, at + 1, true);
    out.listed = quote_size(text, first) > 0;
    if (out.listed) at = first;
    reach.take(at, first + kGlance);
  }
  if (op->giving == Giving::assigned && stands(text, at, "**"))
    at = blanks(text, at + 2, false);                                          // **key:** ...
  if (op->giving == Giving::assigned && stands(text, at, "return ")) at += 7;  // case 'mistral': return '...'
  if (op->giving == Giving::assigned)
    at = enter_echo(text, enter_call(text, skip_tag(text, at), reach), reach);
  if (at < text.size() && std::string_view("bBrRfFuUxX@$").contains(text[at]) &&
      quote_size(text, at + 1) == 1)
    ++at;
  if (stands(text, at, "%q(") || stands(text, at, "%Q(")) at += 3;      // Ruby
  if (quote_size(text, at) == 1 && stands(text, at + 1, "\\\"")) ++at;  // "\"...\""
  const std::size_t quote = quote_size(text, at);
  if (quote > 0) {
    const std::string_view mark = text.substr(at, stands(text, at, kCurly) ? kCurly.size() : quote);
    out.begin = skip_scheme(text, at + quote);
    reach.take(at, out.begin + kGlance);
    out.end = quoted_end(text, out.begin, mark);
    out.quoted = true;
    const bool open = out.end == std::string_view::npos;
    reach.round(at, open ? out.begin + kLongestValue : out.end, 0, kLongestName);
    if (out.end == std::string_view::npos) return std::nullopt;
    return out;
  }
  if (op->giving == Giving::called) return std::nullopt;
  at = skip_scheme(text, at);
  reach.take(at, at + kGlance);
  const bool angled = at < text.size() && text[at] == '<';  // the key is <...>
  if (angled) ++at;
  const std::size_t ceiling = std::min(text.size(), at + kLongestValue);
  std::size_t end = at;
  const auto goes_on = [](char c) {
    return static_cast<std::uint8_t>(c) > ' ' && static_cast<std::uint8_t>(c) < 127 &&
           !std::string_view("\"'`,;)]}<>|\\").contains(c);
  };
  while (end < ceiling && goes_on(text[end]) && !begins_parameter(text, end)) ++end;
  reach.round(at, end, 0, kLongestName + 2);
  if (angled && !stands(text, end, ">")) return std::nullopt;
  while (end > at && (text[end - 1] == '.' || text[end - 1] == ':')) --end;
  out.begin = at;
  out.end = end;
  return out;
}

}  // namespace claviger::detect
