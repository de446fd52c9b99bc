// Making an engine of rules.
#include "detect/engine.hpp"

#include <algorithm>
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
  // Of the project's own rules it is known that their classes hold nothing that ends a run, but for "any".
  form.one_run = rule.least > 0 && !rule.pattern.contains("!-~");
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

std::unique_ptr<Engine::Parts> parts_of(const Ruleset& rules, Watch anywhere, Watch near_dense) {
  auto parts = std::make_unique<Engine::Parts>(std::move(anywhere), std::move(near_dense));
  std::vector<std::string> shapes;
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules.at(i);
    parts->forms.push_back(form_of(rule));
    if (rule.is_public || !rule.public_near.empty()) parts->public_rules.push_back(i);
    if (rule.kind == Kind::context) {
      parts->context_rules.push_back(i);
      shapes.push_back(rule.pattern);
    }
    if (has_sum(rule.check) || (rule.kind == Kind::token && !rule.stopwords.empty()))
      parts->refusing_rules.push_back(i);
    if (rule.kind == Kind::pattern && rule.anchors.empty()) parts->always.push_back(i);
  }
  parts->context_shapes = Shapes(std::move(shapes));
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

Watch watch(Literals literals, std::vector<Meaning> meanings) {
  Watch out{std::nullopt, std::move(literals), std::move(meanings)};
  for (const Meaning& meaning : out.meanings) out.longest = std::max<std::size_t>(out.longest, meaning.size);
  return out;
}

Result<Watch> compile(Catalogue catalogue) {
  TRY(Literals literals, Literals::compile(catalogue.literals, Target::here));
  return watch(std::move(literals), std::move(catalogue.meanings));
}

// What is sought everywhere: few literals, unless a user's rules bring many.
Result<Watch> compile_anywhere(Catalogue catalogue) {
  if (!Heads::suits(catalogue.literals)) return compile(std::move(catalogue));
  Heads heads(std::move(catalogue.literals));
  TRY(Watch out, compile({{}, std::move(catalogue.meanings)}));
  out.heads = std::move(heads);
  return out;
}

// The best of what the build compiled that this processor can run.
Result<Watch> load(Catalogue catalogue) {
  auto literals = Literals::load(compiled_literals(Target::avx2));
  if (!literals) literals = Literals::load(compiled_literals(Target::generic));
  if (!literals) return compile(std::move(catalogue));
  return watch(std::move(*literals), std::move(catalogue.meanings));
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
  TRY(Watch anywhere, compile_anywhere(std::move(made.anywhere)));
  TRY(Watch near_dense, compile(std::move(made.near_dense)));
  auto parts = parts_of(rules, std::move(anywhere), std::move(near_dense));
  TRY_VOID(all_patterns_compile(rules, *parts));
  return std::make_shared<const Engine>(std::move(rules), std::move(parts));
}

Result<std::shared_ptr<const Engine>> Engine::built_in() {
  TRY(Ruleset rules, Ruleset::built_in());
  Plan made = plan(rules);
  TRY(Watch anywhere, compile_anywhere(std::move(made.anywhere)));
  TRY(Watch near_dense, load(std::move(made.near_dense)));
  auto parts = parts_of(rules, std::move(anywhere), std::move(near_dense));
  return std::make_shared<const Engine>(std::move(rules), std::move(parts));
}

}  // namespace claviger::detect
