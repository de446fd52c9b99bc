// Allow comments and allowlists.
#include "detect/allow.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "detect/parts.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

std::string_view lines_of(std::string_view bytes, std::size_t begin, std::size_t end) {
  std::size_t from = begin, to = end;
  while (from > 0 && begin - from < limits::kScanWindow && bytes[from - 1] != '\n') --from;
  while (to < bytes.size() && to - end < limits::kScanWindow && bytes[to] != '\n') ++to;
  return bytes.substr(from, to - from);
}

bool pragma(std::string_view line, std::string_view what) {
  const std::size_t at = line.find("pragma:");
  return at != std::string_view::npos && line.find(what, at) != std::string_view::npos;
}

}  // namespace

bool has_allow_comment(std::string_view bytes, std::size_t begin, std::size_t end) {
  const std::string_view lines = lines_of(bytes, begin, end);
  if (lines.contains(":allow") && (lines.contains("claviger:allow") || lines.contains("gitleaks:allow")))
    return true;
  if (pragma(lines, "allowlist secret") || pragma(lines, "whitelist secret")) return true;
  const auto start = static_cast<std::size_t>(lines.data() - bytes.data());
  if (start < 2 || bytes[start - 1] != '\n') return false;
  return pragma(lines_of(bytes, start - 1, start - 1), "allowlist nextline secret");
}

bool is_listed(const Engine& engine, std::string_view bytes, const Place& place, const Hit& hit) {
  const auto& lists = engine.rules().allowlists();
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const Allowlist& list = lists[i];
    const std::string& id = engine.rules().at(hit.rule).id;
    if (!list.rules.empty() && std::ranges::find(list.rules, id) == list.rules.end()) continue;
    const Engine::Parts::Allow& allow = engine.parts().allows[i];
    const std::string_view subject =
        list.target == Allowlist::Target::line    ? lines_of(bytes, hit.begin, hit.end)
        : list.target == Allowlist::Target::match ? bytes.substr(hit.begin, hit.end - hit.begin)
                                                  : std::string_view(hit.secret);
    std::size_t given = 0, held = 0;
    const auto condition = [&](bool is_given, bool holds) {
      given += is_given ? 1 : 0;
      held += is_given && holds ? 1 : 0;
    };
    condition(!allow.paths.empty(),
              std::ranges::any_of(allow.paths, [&](const auto& m) { return m->is_in(place.path); }));
    condition(!allow.regexes.empty(),
              std::ranges::any_of(allow.regexes, [&](const auto& m) { return m->is_in(subject); }));
    condition(!list.stopwords.empty(), std::ranges::any_of(list.stopwords, [&](const std::string& word) {
      return holds_any_case(hit.secret, word);
    }));
    if (held > 0 && (!list.all || held == given)) return true;
  }
  return false;
}

}  // namespace claviger::detect
