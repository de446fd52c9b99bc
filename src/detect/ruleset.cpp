// The rules of one scan.
#include "detect/ruleset.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/compiled.hpp"
#include "detect/engine.hpp"
#include "detect/gitleaks.hpp"
#include "detect/rule_file.hpp"
#include "detect/sample.hpp"

namespace claviger::detect {
namespace {

constexpr std::array<std::string_view, 4> kSeverities{"low", "medium", "high", "critical"};

}  // namespace

std::string_view severity_name(Severity severity) { return kSeverities[static_cast<std::size_t>(severity)]; }

std::optional<Severity> parse_severity(std::string_view text) {
  const auto found = std::ranges::find(kSeverities, text);
  if (found == kSeverities.end()) return std::nullopt;
  return static_cast<Severity>(found - kSeverities.begin());
}

Result<Ruleset> Ruleset::built_in() {
  Ruleset out;
  TRY(out.rules_, unpack_rules(compiled_rules()));
  return out;
}

Result<Ruleset> Ruleset::from_toml(std::string_view text, std::string_view name) {
  TRY(auto rules, read_rules(text, name));
  Ruleset out;
  for (Rule& rule : rules) {
    if (out.find(rule.id))
      return refuse(Code::configuration, fmt::format("{}: two rules have the id {}.", name, rule.id));
    out.rules_.push_back(std::move(rule));
  }
  return out;
}

std::optional<std::uint32_t> Ruleset::find(std::string_view id) const {
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (rules_[i].id == id) return static_cast<std::uint32_t>(i);
  return std::nullopt;
}

Result<void> Ruleset::extend(std::string_view text, std::string_view name) {
  if (!is_gitleaks(text)) {
    TRY(auto rules, read_rules(text, name));
    for (Rule& rule : rules) add(std::move(rule));
    return {};
  }
  TRY(Gitleaks file, read_gitleaks(text, name));
  if (!file.rules.empty() && !file.use_default) rules_.clear();
  drop(file.disabled);
  for (Rule& rule : file.rules) add(std::move(rule));
  for (Allowlist& list : file.allowlists) add(std::move(list));
  return {};
}

void Ruleset::add(Rule rule) {
  if (const auto known = find(rule.id))
    rules_[*known] = std::move(rule);
  else
    rules_.push_back(std::move(rule));
}

void Ruleset::drop(const std::vector<std::string>& ids) {
  std::erase_if(rules_, [&](const Rule& rule) { return std::ranges::find(ids, rule.id) != ids.end(); });
}

Result<void> Ruleset::only(const std::vector<std::string>& ids) {
  for (const std::string& id : ids)
    if (!find(id))
      return refuse(Code::invalid_input,
                    fmt::format("there is no rule {}; `claviger scan rules` lists them", id));
  std::erase_if(rules_, [&](const Rule& rule) { return std::ranges::find(ids, rule.id) == ids.end(); });
  return {};
}

namespace {

// What goes wrong with one text, or nothing.
std::string mismatch(const Ruleset& rules, Engine::Scanner& scanner, const Rule& rule,
                     const std::string& text, bool wanted) {
  std::vector<std::string> found;
  scanner.scan(text, {}, [&](const Hit& hit) { found.push_back(rules.at(hit.rule).id); });
  const bool right = wanted ? found.size() == 1 && found.front() == rule.id : found.empty();
  if (right) return {};
  const std::string names = found.empty() ? "nothing" : fmt::format("{}", fmt::join(found, ", "));
  return wanted ? fmt::format("finds {} where it should find itself once", names)
                : fmt::format("a counter-example is taken for {}", names);
}

}  // namespace

Result<std::vector<std::string>> Ruleset::test() const {
  constexpr std::uint64_t kSeeds = 20;  // random texts made of each template
  std::vector<std::string> failures;
  TRY(const auto engine, Engine::make(*this));
  Engine::Scanner scanner(engine);
  for (const Rule& rule : rules_) {
    const auto run = [&](const std::vector<std::string>& templates, bool wanted) {
      for (std::size_t i = 0; i < templates.size(); ++i)
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
          const std::string what =
              mismatch(*this, scanner, rule, expand_sample(rule, templates[i], seed), wanted);
          if (what.empty()) continue;
          failures.push_back(
              fmt::format("{}, {} {}: {}", rule.id, wanted ? "example" : "counter-example", i + 1, what));
          break;
        }
    };
    if (!rule.is_public) run(rule.examples, true);
    if (rule.is_public) run(rule.examples, false);
    run(rule.counter_examples, false);
  }
  return failures;
}

}  // namespace claviger::detect
