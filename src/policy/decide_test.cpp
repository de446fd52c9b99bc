// Scopes and decisions: each rule refuses alone, in a fixed order, and explain says what decide does.
#include "policy/decide.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.hpp"
#include "base/rng.hpp"

namespace claviger::policy {
namespace {

Question question() {
  Question q;
  q.environment = "dev";
  q.provider = "openai";
  q.model = "gpt-5-mini";
  q.endpoint = "chat";
  q.ip = IpAddress::parse("192.0.2.7").value();
  q.now = {1'000};
  return q;
}

Scope scope() {
  Scope s;
  s.models = {"gpt-5*"};
  s.endpoints = {"chat", "responses"};
  s.cidrs = {Cidr::parse("192.0.2.0/24").value()};
  s.max_output_tokens = 1000;
  s.max_choices = 2;
  s.schedules = {Schedule::parse("thu 00:00-12:00").value()};  // 1970 began on a Thursday
  s.tools = {"web_search", "function:*"};
  s.max_tier = Tier::standard;
  return s;
}

void expect_refused(const Question& q, Code code, std::string_view rule) {
  const auto decided = decide(scope(), q);
  ASSERT_FALSE(decided) << rule;
  EXPECT_EQ(decided.error().code, code);
  EXPECT_EQ(decided.error().detail, rule);
  EXPECT_NE(decided.error().say.find(rule), std::string::npos) << decided.error().say;
  EXPECT_EQ(decided.error().origin, http_status(code) == 401 ? Origin::client : Origin::policy);
}

TEST(Decide, each_rule_refuses_alone_and_names_itself) {
  Question q = question();
  q.standing = Standing::revoked;
  expect_refused(q, Code::revoked_key, "key.revoked");
  q = question();
  q.standing = Standing::frozen;
  expect_refused(q, Code::frozen_key, "key.frozen");
  q = question();
  q.expires = q.now;
  expect_refused(q, Code::expired_key, "key.expires");
  q = question();
  q.endpoint = "embeddings";
  expect_refused(q, Code::endpoint_denied, "scope.endpoints");
  q = question();
  q.model = "gpt-4o";
  expect_refused(q, Code::model_denied, "scope.models");
  q = question();
  q.ip = IpAddress::parse("198.51.100.1").value();
  expect_refused(q, Code::network_denied, "scope.cidrs");
  q = question();
  q.choices = 3;
  expect_refused(q, Code::capability_denied, "scope.max_choices");
  q = question();
  q.now = parse_time("1970-01-01T12:00:00Z").value();
  expect_refused(q, Code::time_denied, "scope.schedules");
  q = question();
  const std::vector<std::string> tools{"function:look", "code_interpreter"};
  q.tools = tools;
  expect_refused(q, Code::capability_denied, "scope.tools");
  q = question();
  q.tier = Tier::priority;
  expect_refused(q, Code::capability_denied, "scope.max_tier");
  q = question();
  q.reach = Reach::none;
  expect_refused(q, Code::environment_denied, "environment");
}

TEST(MayEnter, only_the_rules_about_the_caller_are_asked) {
  Question q = question();
  q.endpoint = "none";
  q.model = "other";
  q.reach = Reach::none;
  EXPECT_TRUE(may_enter(scope(), q));
  q.ip = IpAddress::parse("198.51.100.1").value();
  EXPECT_EQ(may_enter(scope(), q).error().code, Code::network_denied);
  q = question();
  q.now = parse_time("1970-01-02T01:00:00Z").value();
  EXPECT_EQ(may_enter(scope(), q).error().code, Code::time_denied);
  q = question();
  q.standing = Standing::frozen;
  EXPECT_EQ(may_enter(scope(), q).error().code, Code::frozen_key);
}

TEST(Decide, a_tier_that_the_endpoint_does_not_know_is_no_wish) {
  Scope flex;
  flex.max_tier = Tier::flex;
  Question q = question();
  EXPECT_TRUE(decide(flex, q));
  q.tier = Tier::flex;
  EXPECT_TRUE(decide(flex, q));
  q.tier = Tier::standard;
  EXPECT_EQ(decide(flex, q).error().code, Code::capability_denied);
}

TEST(Decide, of_several_refusals_the_first_in_the_order_counts) {
  Question q = question();
  q.endpoint = "embeddings";
  q.model = "other";
  expect_refused(q, Code::endpoint_denied, "scope.endpoints");
  q.standing = Standing::frozen;
  expect_refused(q, Code::frozen_key, "key.frozen");
}

TEST(Decide, an_ipv6_caller_is_not_let_in_by_an_ipv4_network) {
  Question q = question();
  q.ip = IpAddress::parse("2001:db8::1").value();
  expect_refused(q, Code::network_denied, "scope.cidrs");
}

TEST(Decide, a_request_within_the_scope_is_allowed) {
  EXPECT_TRUE(decide(scope(), question()));
  Question q = question();
  q.expires = {1'001};
  q.choices = 2;
  q.max_output = 5000;  // lowered by the gate
  EXPECT_TRUE(decide(scope(), q));
}

TEST(Decide, an_empty_scope_limits_nothing) {
  Question q = question();
  q.choices = 100;
  q.ip = {};
  EXPECT_TRUE(decide(Scope{}, q));
}

TEST(Decide, a_route_without_a_model_is_not_refused_by_the_model_rule) {
  Question q = question();
  q.model = "";
  EXPECT_TRUE(decide(scope(), q));
}

TEST(Decide, the_output_cap_is_the_lesser_of_wish_and_scope) {
  EXPECT_EQ(output_cap(scope(), std::nullopt), 1000);
  EXPECT_EQ(output_cap(scope(), 5000), 1000);
  EXPECT_EQ(output_cap(scope(), 10), 10);
  EXPECT_EQ(output_cap(Scope{}, 10), 10);
  EXPECT_EQ(output_cap(Scope{}, std::nullopt), std::nullopt);
}

// Ten thousand random questions: decide refuses exactly with the first rule that explain does not allow.
TEST(Decide, explain_says_what_decide_does) {
  SeededRng rng(11);
  const auto pick = [&](auto... options) {
    const std::common_type_t<decltype(options)...> all[] = {options...};
    return all[rng.below(sizeof...(options))];
  };
  int refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    Question q = question();
    q.standing =
        pick(Standing::active, Standing::active, Standing::active, Standing::frozen, Standing::revoked);
    q.expires = pick(kNever, Time{1}, Time{2'000});
    q.model = pick(std::string_view("gpt-5"), std::string_view("gpt-4o"), std::string_view(""));
    q.endpoint = pick(std::string_view("chat"), std::string_view("models"), std::string_view("responses"));
    q.reach = pick(Reach::credential, Reach::credential, Reach::none);
    q.choices = pick(1, 2, 3);
    q.ip = IpAddress::parse(pick("192.0.2.1", "::ffff:192.0.2.9", "2001:db8::1")).value();
    Scope s = pick(0, 1) == 0 ? scope() : Scope{};
    const auto decided = decide(s, q);
    const auto verdicts = explain(s, q);
    const auto first = std::ranges::find_if(verdicts, [](const RuleVerdict& v) { return !v.allowed; });
    ASSERT_EQ(decided.has_value(), first == verdicts.end());
    if (decided) continue;
    ++refused;
    EXPECT_EQ(decided.error().code, first->code);
    EXPECT_EQ(decided.error().detail, first->rule);
    EXPECT_NE(decided.error().say.find(first->why), std::string::npos);
    EXPECT_FALSE(first->to_change.empty());
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 10'000);
}

TEST(Glob, what_does_not_match) {
  EXPECT_FALSE(glob_match("gpt-4o", "gpt-4o-mini"));
  EXPECT_FALSE(glob_match("gpt-4o*", "gpt-4"));
  EXPECT_FALSE(glob_match("*mini", "gpt-mini-x"));
  EXPECT_FALSE(glob_match("gpt-?", "gpt-10"));
  EXPECT_FALSE(glob_match("gpt-?", "gpt-"));
  EXPECT_FALSE(glob_match("GPT*", "gpt-5"));
  EXPECT_FALSE(glob_match("", "x"));
  EXPECT_FALSE(glob_match("a*b*c", "acb"));
}

TEST(Glob, what_matches) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*", "anything"));
  EXPECT_TRUE(glob_match("gpt-4o*", "gpt-4o"));
  EXPECT_TRUE(glob_match("gpt-4o*", "gpt-4o-mini"));
  EXPECT_TRUE(glob_match("claude-*-4-?", "claude-sonnet-4-5"));
  EXPECT_TRUE(glob_match("a**b", "ab"));
  EXPECT_TRUE(glob_match("*a*b*c", "xaybzac"));
  EXPECT_TRUE(glob_match("", ""));
}

TEST(Glob, a_hostile_pattern_ends) {
  const std::string text(256, 'a');
  std::string pattern;
  for (int i = 0; i < 80; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "*b", text));
  EXPECT_TRUE(glob_match(pattern + "*", text));
}

TEST(ScopeText, damaged_text_is_never_a_wide_scope) {
  for (const auto* text :
       {"", "[]", "null", "{", R"({"models":"gpt"})", R"({"models":[1]})", R"({"modells":["x"]})",
        R"({"cidrs":["10.0.0.1/8"]})", R"({"max_choices":0})", R"({"max_output_tokens":"5"})",
        R"({"models":["a b"]})", R"({"max_choices":1.5})"}) {
    const auto parsed = parse_scope(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::corrupt) << text;
  }
}

TEST(ScopeText, bad_scopes_are_refused_by_field) {
  Scope bad;
  bad.models = {"a b"};
  EXPECT_NE(check_scope(bad).error().say.find("models"), std::string::npos);
  bad = {};
  bad.endpoints.assign(limits::kScopeEntries - 1, "chat");
  EXPECT_TRUE(check_scope(bad));
  bad.endpoints.assign(limits::kScopeEntries, "chat");
  EXPECT_TRUE(check_scope(bad));
  bad.endpoints.assign(limits::kScopeEntries + 1, "chat");
  EXPECT_NE(check_scope(bad).error().say.find("endpoints"), std::string::npos);
  bad = {};
  bad.max_choices = 0;
  EXPECT_EQ(check_scope(bad).error().code, Code::invalid_input);
}

TEST(ScopeText, reads_back_what_was_written) {
  EXPECT_EQ(parse_scope(scope_text(scope())).value(), scope());
  EXPECT_EQ(parse_scope(scope_text(Scope{})).value(), Scope{});
  EXPECT_EQ(scope_text(Scope{}), "{}");
}

}  // namespace
}  // namespace claviger::policy
