// User and password in a URL: databases, brokers, registries.
#include <algorithm>

#include "detect/find.hpp"
#include "detect/judge.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

std::string undo_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_of(text[i + 1]) >= 0 && hex_of(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_of(text[i + 1]) << 4 | hex_of(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<std::uint32_t> rule_for(const Look& look, std::string_view scheme) {
  std::optional<std::uint32_t> any;
  for (std::uint32_t i = 0; i < look.engine.rules().size(); ++i) {
    const Rule& rule = look.rule(i);
    if (rule.kind != Kind::connection) continue;
    if (rule.context.empty()) any = i;
    if (std::ranges::any_of(rule.context, [&](const std::string& s) { return s == scheme; })) return i;
  }
  return any;
}

}  // namespace

void find_login(Look& look, std::size_t at) {
  const std::string_view text = look.text;
  std::size_t i = at + 3;
  constexpr std::size_t kLongest = 320;
  look.reach.round(at, i, 26, kLongest + 16);
  const std::size_t ceiling = std::min(text.size(), i + kLongest);
  std::size_t colon = 0, sign = 0;
  for (; i < ceiling; ++i) {
    const char c = text[i];
    if (static_cast<std::uint8_t>(c) <= ' ' || std::string_view("\"'`<>/?#,;|\\").contains(c)) break;
    if (c == ':' && colon == 0) colon = i;
    if (c == '@') sign = i;
  }
  if (colon == 0 || sign <= colon + 1 || sign + 1 >= text.size() || !is(text[sign + 1], kAlnum)) return;
  std::size_t scheme = at;
  while (scheme > 0 && at - scheme < 24 &&
         (is(text[scheme - 1], kAlnum) || std::string_view("+.-").contains(text[scheme - 1])))
    --scheme;
  const std::string password = undo_percent(text.substr(colon + 1, sign - colon - 1));
  if (password.contains(':') || text.substr(sign + 1, 11) == "example.com") return;
  if (!is_login(text.substr(at + 3, colon - at - 3), password)) return;
  if (const auto rule = rule_for(look, text.substr(scheme, at - scheme)))
    report(look, *rule, colon + 1, sign, password);
}

}  // namespace claviger::detect
