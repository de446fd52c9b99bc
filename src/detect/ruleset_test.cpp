// Rules from the program, from users' files and from gitleaks.
#include "detect/ruleset.hpp"

#include <gtest/gtest.h>

#include <set>

#include "detect/engine.hpp"
#include "detect/rule_file.hpp"

namespace claviger::detect {
namespace {

std::vector<Hit> scan(Ruleset rules, std::string_view text, std::string_view path = {}) {
  const auto engine = Engine::make(std::move(rules));
  EXPECT_TRUE(engine.has_value()) << told(engine.error());
  std::vector<Hit> hits;
  Engine::Scanner scanner(*engine);
  scanner.scan(text, {path}, [&](const Hit& hit) { hits.push_back(hit); });
  return hits;
}

Ruleset with(std::string_view file) {
  auto rules = *Ruleset::built_in();
  const auto done = rules.extend(file, "test.toml");
  EXPECT_TRUE(done.has_value()) << told(done.error());
  return rules;
}

void expect_refused(std::string_view file, std::string_view words) {
  auto rules = *Ruleset::built_in();
  const auto done = rules.extend(file, "test.toml");
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, Code::configuration);
  EXPECT_TRUE(told(done.error()).contains(words)) << told(done.error());
}

constexpr std::string_view kWidget = R"([[rules]]
id = "widget"
regex = '''widget_([a-z0-9]{20})'''
keywords = ["Widget_"]
)";
constexpr std::string_view kText = "x = widget_k3j5h2g8f7d6s9a1q0w2\n";

TEST(Ruleset, a_misspelt_key_or_pattern_is_refused_with_its_rule) {
  expect_refused("[[rule]]\nid = \"x\"\npatern = \"a\"\n", "rule x: unknown key \"patern\"");
  expect_refused("[[rule]]\nid = \"x\"\npattern = \"a\"\nseverity = \"huge\"\n", "severity is one of");
  expect_refused("[[rule]]\nid = \"x\"\npattern = \"a\"\n", "names anchors");
  expect_refused("[[rule]]\nid = \"x\"\nkind = \"guess\"\n", "no kind");
  expect_refused("[[rule]]\nid = \"x\"\ncheck = \"guess\"\n", "no check");
  expect_refused("[[rule]\n", "line 1");
  const auto engine = Engine::make(with("[[rule]]\nid = \"x\"\npattern = \"(a\"\nanchors = [\"ab\"]\n"));
  ASSERT_FALSE(engine.has_value());
  EXPECT_TRUE(told(engine.error()).contains("rule x"));
}

TEST(Ruleset, two_rules_of_one_id_in_a_file_are_refused) {
  constexpr std::string_view rule = "[[rule]]\nid = \"x\"\npattern = \"ab\"\nanchors = [\"ab\"]\n";
  EXPECT_FALSE(Ruleset::from_toml(std::string(rule) + std::string(rule), "a.toml").has_value());
}

TEST(Ruleset, every_rule_says_what_to_do_and_proves_itself) {
  const auto rules = *Ruleset::built_in();
  EXPECT_GT(rules.size(), 200U);
  std::set<std::string> ids;
  for (const Rule& rule : rules.rules()) {
    EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
    EXPECT_FALSE(rule.examples.empty()) << rule.id;
    EXPECT_FALSE(rule.description.empty()) << rule.id;
    EXPECT_TRUE(rule.is_public || !rule.advice.empty()) << rule.id;
  }
}

TEST(Ruleset, the_compiled_form_keeps_every_field_and_a_damaged_one_is_refused) {
  const auto rules = *Ruleset::built_in();
  const std::string packed = pack_rules(rules.rules());
  const auto again = unpack_rules(packed);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(pack_rules(*again), packed);
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, packed.size() / 2, packed.size() - 1}) {
    const auto cut = unpack_rules(std::string_view(packed).substr(0, size));
    ASSERT_FALSE(cut.has_value());
    EXPECT_EQ(cut.error().code, Code::corrupt);
  }
}

TEST(Ruleset, only_leaves_the_named_rules) {
  auto rules = *Ruleset::built_in();
  EXPECT_FALSE(rules.only({"no-such-rule"}).has_value());
  ASSERT_TRUE(rules.only({"groq-api-key"}).has_value());
  EXPECT_EQ(rules.size(), 1U);
}

TEST(Ruleset, a_rule_of_gitleaks_finds_its_group) {
  const Ruleset rules = with(kWidget);
  EXPECT_EQ(rules.size(), 1U);  // no useDefault: only its own
  const auto hits = scan(rules, kText);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].secret, "k3j5h2g8f7d6s9a1q0w2");  // claviger:allow
  EXPECT_EQ(hits[0].begin, 11U);
}

TEST(Ruleset, gitleaks_may_extend_the_default_and_disable_rules) {
  const Ruleset rules = with(std::string(kWidget) +
                             "[extend]\nuseDefault = true\ndisabledRules = [\"generic-api-key\", \"jwt\"]\n");
  EXPECT_TRUE(rules.find("widget"));
  EXPECT_TRUE(rules.find("anthropic-api-key"));
  EXPECT_FALSE(rules.find("jwt"));
  EXPECT_FALSE(rules.find("generic-secret"));
  expect_refused("[extend]\npath = \"base.toml\"\n", "extend.path");
}

TEST(Ruleset, allowlists_hold_findings_back_by_secret_line_path_and_stopword) {
  const std::string rule(kWidget);
  EXPECT_TRUE(scan(with(rule + "[[allowlists]]\nregexes = ['^k3j5']\n"), kText).empty());
  EXPECT_FALSE(scan(with(rule + "[[allowlists]]\nregexes = ['^x =']\n"), kText).empty());
  EXPECT_TRUE(
      scan(with(rule + "[[allowlists]]\nregexTarget = \"line\"\nregexes = ['^x =']\n"), kText).empty());
  EXPECT_TRUE(scan(with(rule + "[allowlist]\npaths = ['^vendor/']\n"), kText, "vendor/a.js").empty());
  EXPECT_FALSE(scan(with(rule + "[allowlist]\npaths = ['^vendor/']\n"), kText, "src/a.js").empty());
  EXPECT_TRUE(scan(with(rule + "[[rules.allowlists]]\nstopwords = [\"H2G8\"]\n"), kText).empty());
  EXPECT_FALSE(scan(with(rule + "[[allowlists]]\ntargetRules = [\"other\"]\nstopwords = [\"h2g8\"]\n"), kText)
                   .empty());
  const std::string both =
      rule + "[[allowlists]]\ncondition = \"AND\"\npaths = ['^vendor/']\nstopwords = [\"h2g8\"]\n";
  EXPECT_TRUE(scan(with(both), kText, "vendor/a.js").empty());
  EXPECT_FALSE(scan(with(both), kText, "src/a.js").empty());
}

TEST(Ruleset, entropy_and_path_of_a_gitleaks_rule_hold) {
  EXPECT_TRUE(scan(with(std::string(kWidget) + "entropy = 4.9\n"), kText).empty());
  EXPECT_FALSE(scan(with(std::string(kWidget) + "entropy = 3.0\n"), kText).empty());
  EXPECT_TRUE(scan(with(std::string(kWidget) + "path = '\\.env$'\n"), kText, "a.js").empty());
  EXPECT_FALSE(scan(with(std::string(kWidget) + "path = '\\.env$'\n"), kText, ".env").empty());
}

}  // namespace
}  // namespace claviger::detect
