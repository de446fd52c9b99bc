// The engine as a whole: what is found, where, and what is not.
#include "detect/engine.hpp"

#include <gtest/gtest.h>

#include "detect/sample.hpp"

namespace claviger::detect {
namespace {

std::shared_ptr<const Engine> built_in() {
  auto engine = Engine::built_in();
  EXPECT_TRUE(engine.has_value());
  return *engine;
}

std::vector<Hit> scan(std::string_view text, std::string_view path = {}) {
  Engine::Scanner scanner(built_in());
  std::vector<Hit> hits;
  scanner.scan(text, {path}, [&](const Hit& hit) { hits.push_back(hit); });
  return hits;
}

std::string key_of(std::string_view rule, std::uint64_t seed = 1) {
  const auto engine = built_in();
  return expand_sample(engine->rules().at(*engine->rules().find(rule)), "{secret}", seed);
}

TEST(Engine, every_rule_finds_its_examples_and_no_counter_example) {
  const auto failures = Ruleset::built_in()->test();
  ASSERT_TRUE(failures.has_value()) << told(failures.error()) << failures.error().detail;
  for (const std::string& failure : *failures) ADD_FAILURE() << failure;
}

TEST(Engine, a_hit_says_where_the_secret_stands) {
  const std::string key = key_of("anthropic-api-key");
  const auto hits = scan("key = \"" + key + "\"\n");
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].begin, 7U);
  EXPECT_EQ(hits[0].end, 7 + key.size());
  EXPECT_EQ(hits[0].secret, key);
}

TEST(Engine, a_secret_in_pieces_is_joined) {
  const std::string key = key_of("anthropic-api-key");
  for (const std::string seam : {"\" + \"", "\"\n    \"", "' . '", "\\\n", "\n    "}) {
    const auto hits = scan("x = \"" + key.substr(0, 30) + seam + key.substr(30) + "\"\n");
    ASSERT_EQ(hits.size(), 1U) << seam;
    EXPECT_EQ(hits[0].secret, key) << seam;
    EXPECT_EQ(hits[0].encoding, Encoding::joined);
    EXPECT_EQ(hits[0].begin, 5U);
    EXPECT_EQ(hits[0].end, 5 + key.size() + seam.size());
  }
}

TEST(Engine, an_allow_comment_on_the_line_holds_the_finding_back) {
  const std::string key = key_of("anthropic-api-key");
  for (const std::string comment : {"# claviger:allow", "// gitleaks:allow", "# pragma: allowlist secret"})
    EXPECT_TRUE(scan("k = '" + key + "' " + comment + "\n").empty()) << comment;
  EXPECT_TRUE(scan("# pragma: allowlist nextline secret\nk = '" + key + "'\n").empty());
  EXPECT_EQ(scan("# claviger:allow\nk = '" + key + "'\n").size(), 1U);
}

}  // namespace
}  // namespace claviger::detect
