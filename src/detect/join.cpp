// Following a string over its seams.
#include "detect/join.hpp"

#include "base/limits.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kMostBlank = 200;  // indentation between two pieces
constexpr std::string_view kJoins[] = {").append(", ".concat(", "..", "++", "||", "<>",
                                       "+",         ".",        "&",  "~",  "\\"};

std::size_t skip_blank(std::string_view text, std::size_t at) {
  const std::size_t ceiling = std::min(text.size(), at + kMostBlank);
  while (at < ceiling && (is(text[at], kSpace) || text[at] == '\n' || text[at] == '\r')) ++at;
  return at;
}

// Operators and calls that join strings: + . .. & ~ || ++ <> \ .concat( and nothing at all.
std::size_t skip_operator(std::string_view text, std::size_t at) {
  for (const std::string_view op : kJoins)
    if (text.substr(at, op.size()) == op) return at + op.size();
  return at;
}

// The string whose inside begins at `at` is the key of a mapping, or a name that is given something.
bool is_name(std::string_view text, std::size_t at, char quote) {
  constexpr std::size_t kLongest = 80;
  const std::size_t close = text.substr(at, kLongest).find(quote);
  if (close == std::string_view::npos) return false;
  const std::size_t sign = run_end(text, at + close + 1, kSpace, 4);
  return sign < text.size() && (text[sign] == ':' || text[sign] == '=');
}

std::optional<Step> over_quotes(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::size_t gap = skip_blank(text, at + 1);
  const std::size_t after = skip_operator(text, gap);
  std::size_t open = skip_blank(text, after);
  // An operator, and then the line is continued.
  if (after > gap && text.substr(open, 2) == "\\\n") open = skip_blank(text, open + 2);
  if (open >= text.size()) return std::nullopt;
  if (after == gap && gap == at + 1) return std::nullopt;  // "" is no seam
  for (int prefix = 0;
       prefix < 2 && open < text.size() && std::string_view("fFrRbBuU@$").contains(text[open]);)
    ++open, ++prefix;
  if (open >= text.size() || !is(text[open], kQuote)) return std::nullopt;
  if (after == gap && (text[open] != quote || is_name(text, open + 1, quote))) return std::nullopt;
  return Step{open + 1, Seam::quoted};
}

}  // namespace

bool may_be_seam(char c) {
  return is(c, kQuote) || c == '\n' || c == '\r' || c == '\\' || c == '=' || c == '^';
}

std::optional<Step> step_over_seam(std::string_view text, std::size_t at) {
  if (at >= text.size()) return std::nullopt;
  if (is(text[at], kQuote)) return over_quotes(text, at);
  const bool bent = text[at] == '\\' || text[at] == '=' || text[at] == '^';
  if (bent && text[at] == '\\' && text.substr(at + 1, 1) == "\"") return over_quotes(text, at + 1);
  std::size_t line = bent ? at + 1 : at;
  if (text.substr(line, 1) == "\r") ++line;
  if (text.substr(line, 1) != "\n") return std::nullopt;
  std::size_t next = line + 1;
  const std::size_t ceiling = std::min(text.size(), next + kMostBlank);
  while (next < ceiling && is(text[next], kSpace)) ++next;
  if (next >= text.size()) return std::nullopt;
  if (!bent) {  // comment leaders go with the indentation
    const bool hash = text[next] == '#' || text[next] == '*' || text[next] == '>';
    if (hash && text.substr(next + 1, 1) == " ") next += 2;
    if (text.substr(next, 3) == "// ") next += 3;
  }
  if (next >= text.size() || !is(text[next], kWord | kBase64)) return std::nullopt;
  return Step{next, bent ? Seam::continued : Seam::folded};
}

View join_from(std::string_view text, std::size_t from) {
  View out;
  out.encoding = Encoding::joined;
  out.stretches.push_back({0, from, 1, 1});
  std::size_t at = from;
  while (at < text.size() && out.text.size() < limits::kScanWindow) {
    const char c = text[at];
    const bool ends = is(c, kQuote | kSpace) || c == '\n' || c == '\r' || c == '\\' ||
                      (c == '=' && (text.substr(at + 1, 1) == "\n" || text.substr(at + 1, 2) == "\r\n"));
    if (!ends) {
      out.text.push_back(c);
      ++at;
      continue;
    }
    const auto step = step_over_seam(text, at);
    if (!step || out.stretches.size() > 64) break;
    at = step->next;
    out.stretches.push_back({out.text.size(), at, 1, 1});
  }
  return out;
}

}  // namespace claviger::detect
