// Sentences that give a key.
#include "detect/prose.hpp"

#include <algorithm>
#include <optional>

namespace claviger::detect {
namespace {

constexpr std::size_t kLongestWordLine = 600;
constexpr std::string_view kKeyLinks[] = {"key ", "token ", "key: ", "token: ", "key, ", "token, "};
// Which of a provider's keys it is, or the second word of the provider's name.
constexpr std::string_view kKinds[] = {"API ",    "api ",    "Api ",    "AI ",     "OpenAI ", "Cloud ",
                                       "Search ", "access ", "Access ", "secret ", "Secret "};
constexpr std::string_view kAsides[] = {
    "for",   "now",  "the",   "this", "that", "here", "below",  "in",      "on",      "to",
    "is",    "use",  "my",    "our",  "your", "you",  "today",  "dev",     "staging", "production",
    "local", "test", "tests", "demo", "prod", "team", "please", "instead", "again"};
constexpr std::string_view kLinks[] = {"- ",  "-> ", ":: ",  "\xe2\x80\x93 ", "\xe2\x80\x94 ", "is ",
                                       "to ", "as ", "was ", "with ",         "provided: ",    "provided "};

bool stands(std::string_view text, std::size_t at, std::string_view what) {
  return at < text.size() && text[at] == what[0] && text.substr(at, what.size()) == what;
}

// The next line is one long word and nothing else.
bool is_word_line(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && end - at < kLongestWordLine && text[end] > ' ' && text[end] < 127) ++end;
  return end - at >= 16 && (end == text.size() || text[end] == '\n' || text[end] == '\r');
}

// Behind words that name nothing of their own: "key for now: ", "token in staging: ". Of other words it may
// be the id, the hash or the index that follows.
std::optional<std::size_t> after_aside(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongest = 40;
  const std::string_view rest = text.substr(at, kLongest);
  const std::size_t colon = rest.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  for (std::size_t begin = 0; begin < colon;) {
    const std::size_t end = std::min(rest.find(' ', begin), colon);
    if (std::ranges::find(kAsides, rest.substr(begin, end - begin)) == std::end(kAsides)) return std::nullopt;
    begin = end + 1;
  }
  return at + colon + 2;
}

}  // namespace

// "the mistral key is ...", "mistral key" and the key on the next line.
Link link_at(std::string_view text, std::size_t at, Reach& reach) {
  Link out{at};
  std::size_t key = at;
  for (const std::string_view word : kKinds)
    if (stands(text, key, word)) key += word.size();
  if (stands(text, key, "key") || stands(text, key, "token")) out.after = key;
  for (const std::string_view word : kKeyLinks)
    if (stands(text, out.after, word)) {
      out.after += word.size();
      out.says_key = true;
    }
  for (const std::string_view word : {std::string_view("key? `"), std::string_view("token? `")})
    if (stands(text, out.after, word)) return {out.after + word.size() - 1, true};
  if (out.says_key)
    if (const auto aside = after_aside(text, out.after)) return {*aside, true};
  if (out.says_key && stands(text, out.after, "(")) return {out.after + 1, true};
  for (const std::string_view word : kLinks)
    if (stands(text, out.after, word)) out.after += word.size();
  for (const std::string_view word : {std::string_view("key"), std::string_view("token")}) {
    if (!stands(text, out.after, word)) continue;
    std::size_t line = out.after + word.size();
    if (stands(text, line, ":")) ++line;
    if (stands(text, line, "\r")) ++line;
    if (!stands(text, line, "\n")) continue;
    reach.take(at, line + kLongestWordLine + 2);
    if (is_word_line(text, line + 1)) return {line + 1, true};
  }
  return out;
}

}  // namespace claviger::detect
