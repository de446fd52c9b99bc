// Making an engine of rules.
#include "detect/engine.hpp"

#include <array>

#include <fmt/format.h>

#include "detect/compiled.hpp"
#include "detect/parts.hpp"
#include "detect/rule_file.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

std::unique_ptr<Matcher> matcher(const std::string& pattern) { return std::make_unique<Matcher>(pattern); }

Form form_of(const Rule& rule) {
  Form form;
  form.matcher = matcher(rule.pattern);
  form.path = matcher(rule.path);
  form.body = kAlnum;
  if (rule.pattern.contains("_-]") || rule.pattern.contains("\\w-]")) form.body |= kDash;
  if (rule.pattern.contains("+/")) form.body |= kBase64;
  // A pattern that begins with letters shared by its anchors, or with a choice of them, begins at its anchor.
  form.leads = rule.pattern.starts_with("(?:");
  const std::string_view head = std::string_view(rule.pattern).substr(0, rule.pattern.find("(?:"));
  for (const std::string& anchor : rule.anchors) {
    std::string literal;
    for (const char c : anchor) {
      if (!is(c, kWord)) literal.push_back('\\');
      literal.push_back(c);
    }
    const bool shared = !head.empty() && head.size() < rule.pattern.size() && literal.starts_with(head);
    form.leads = form.leads || shared || rule.pattern.starts_with(literal);
  }
  return form;
}

std::unique_ptr<Engine::Parts> parts_of(const Ruleset& rules, Literals literals,
                                        std::vector<Meaning> meanings) {
  auto parts = std::make_unique<Engine::Parts>(std::move(literals));
  parts->meanings = std::move(meanings);
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules.at(i);
    parts->forms.push_back(form_of(rule));
    if (rule.is_public || !rule.public_near.empty()) parts->public_rules.push_back(i);
    if (rule.kind == Kind::context) parts->context_rules.push_back(i);
    if (rule.kind == Kind::pattern && rule.anchors.empty()) parts->always.push_back(i);
  }
  parts->generic_secret = rules.find("generic-secret");
  parts->generic_password = rules.find("generic-password");
  parts->basic_auth = rules.find("http-basic-auth");
  for (const Allowlist& list : rules.allowlists()) {
    Engine::Parts::Allow allow;
    for (const std::string& path : list.paths) allow.paths.push_back(matcher(path));
    for (const std::string& regex : list.regexes) allow.regexes.push_back(matcher(regex));
    parts->allows.push_back(std::move(allow));
  }
  return parts;
}

Result<void> all_patterns_compile(const Ruleset& rules, const Engine::Parts& parts) {
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules.at(i);
    if (!rule.pattern.empty() && parts.forms[i].matcher->get() == nullptr)
      return refuse(Code::configuration,
                    fmt::format("rule {}: the pattern is no regular expression in RE2's syntax.", rule.id));
    if (!rule.path.empty() && parts.forms[i].path->get() == nullptr)
      return refuse(Code::configuration,
                    fmt::format("rule {}: the path is no regular expression in RE2's syntax.", rule.id));
  }
  for (std::size_t i = 0; i < parts.allows.size(); ++i)
    for (const auto* list : {&parts.allows[i].paths, &parts.allows[i].regexes})
      for (const auto& one : *list)
        if (one->get() == nullptr)
          return refuse(Code::configuration,
                        "an allowlist has a pattern that is no regular expression in RE2's syntax.");
  return {};
}

}  // namespace

std::string_view encoding_name(Encoding encoding) {
  constexpr std::array<std::string_view, 7> names{"plain",   "base64", "hex",   "percent",
                                                  "escaped", "utf16",  "joined"};
  return names[static_cast<std::size_t>(encoding)];
}

Engine::Engine(Ruleset rules, std::unique_ptr<Parts> parts)
    : rules_(std::move(rules)), parts_(std::move(parts)) {}
Engine::~Engine() = default;

Result<std::shared_ptr<const Engine>> Engine::make(Ruleset rules) {
  Plan made = plan(rules);
  TRY(Literals literals, Literals::compile(made.literals, Target::here));
  auto parts = parts_of(rules, std::move(literals), std::move(made.meanings));
  TRY_VOID(all_patterns_compile(rules, *parts));
  return std::make_shared<const Engine>(std::move(rules), std::move(parts));
}

Result<std::shared_ptr<const Engine>> Engine::built_in() {
  TRY(Ruleset rules, Ruleset::built_in());
  Plan made = plan(rules);
  auto literals = Literals::load(compiled_literals(Target::avx2));
  if (!literals) literals = Literals::load(compiled_literals(Target::generic));
  if (!literals) literals = Literals::compile(made.literals, Target::here);
  if (!literals) return std::unexpected(literals.error());
  auto parts = parts_of(rules, std::move(*literals), std::move(made.meanings));
  return std::make_shared<const Engine>(std::move(rules), std::move(parts));
}

}  // namespace claviger::detect
