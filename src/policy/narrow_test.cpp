// A child's rights: never wider than its parent's, whatever the scopes and whatever is asked.
#include "policy/narrow.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "base/rng.hpp"
#include "policy/decide.hpp"

namespace claviger::policy {
namespace {

TEST(GlobCovers, what_is_not_covered) {
  for (const auto& [outer, inner] : {std::pair{"gpt-5*", "gpt-*"},
                                     {"gpt-5", "gpt-5*"},
                                     {"gpt-?", "gpt-*"},
                                     {"gpt-?", "gpt-??"},
                                     {"*a", "*"},
                                     {"a?", "a*"},
                                     {"", "*"},
                                     {"?", "*"},
                                     {"*x*", "*?*"},
                                     {"ab", "a?"},
                                     {"?*", "*"},
                                     {"*mini", "*mini*"}})
    EXPECT_FALSE(glob_covers(outer, inner)) << outer << " does not cover " << inner;
}

TEST(GlobCovers, what_is_covered) {
  for (const auto& [outer, inner] : {std::pair{"*", "*"},
                                     {"*", "gpt-5*"},
                                     {"gpt-5*", "gpt-5-mini"},
                                     {"gpt-5*", "gpt-5*"},
                                     {"gpt-*", "gpt-5?mini*"},
                                     {"gpt-?", "gpt-5"},
                                     {"?*", "*?"},
                                     {"*?", "??*"},
                                     {"*a*b*", "xa?b"},
                                     {"", ""},
                                     {"a**", "a*"}})
    EXPECT_TRUE(glob_covers(outer, inner)) << outer << " covers " << inner;
}

std::string random_text(SeededRng& rng, std::string_view letters, std::size_t most) {
  std::string text;
  for (std::uint64_t i = rng.below(most + 1); i > 0; --i) text += letters[rng.below(letters.size())];
  return text;
}

TEST(GlobCovers, whatever_a_covered_glob_matches_is_matched) {
  SeededRng rng{11};
  int covered = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string outer = random_text(rng, "ab*?", 5);
    const std::string inner = random_text(rng, "ab*?", 5);
    if (!glob_covers(outer, inner)) continue;
    ++covered;
    for (int n = 0; n < 40; ++n) {
      const std::string text = random_text(rng, "abc", 6);
      if (glob_match(inner, text)) {
        ASSERT_TRUE(glob_match(outer, text)) << outer << " " << inner << " " << text;
      }
    }
  }
  EXPECT_GT(covered, 1'000);
}

Scope parent() {
  Scope s;
  s.models = {"gpt-5*", "o3"};
  s.endpoints = {"chat", "responses"};
  s.cidrs = {Cidr::parse("10.0.0.0/8").value(), Cidr::parse("2001:db8::/32").value()};
  s.schedules = {Schedule::parse("mon-fri 08:00-18:00 Europe/Berlin").value()};
  s.tools = {"function:*", "web_search"};
  s.max_tier = Tier::standard;
  s.max_output_tokens = 1000;
  s.max_choices = 2;
  return s;
}

TEST(Narrow, what_is_left_out_is_the_parents) {
  EXPECT_EQ(narrow(parent(), Scope{}).value(), parent());
  EXPECT_EQ(narrow(Scope{}, parent()).value(), parent());
}

TEST(Narrow, each_field_that_is_wider_is_refused_by_name) {
  const std::vector<std::pair<std::string, Scope>> wishes = [] {
    std::vector<std::pair<std::string, Scope>> all(9);
    all[0].first = "models", all[0].second.models = {"gpt-5-mini", "gpt-*"};
    all[1].first = "endpoints", all[1].second.endpoints = {"chat", "embeddings"};
    all[2].first = "cidrs", all[2].second.cidrs = {Cidr::parse("10.0.0.0/7").value()};
    all[3].first = "cidrs", all[3].second.cidrs = {Cidr::parse("0.0.0.0/0").value()};
    all[4].first = "schedules";
    all[4].second.schedules = {Schedule::parse("mon-sat 09:00-10:00 Europe/Berlin").value()};
    all[5].first = "tools", all[5].second.tools = {"code_interpreter"};
    all[6].first = "max_tier", all[6].second.max_tier = Tier::priority;
    all[7].first = "max_output_tokens", all[7].second.max_output_tokens = 1001;
    all[8].first = "max_choices", all[8].second.max_choices = 3;
    return all;
  }();
  for (const auto& [field, wish] : wishes) {
    const auto made = narrow(parent(), wish);
    ASSERT_FALSE(made) << field;
    EXPECT_EQ(made.error().code, Code::scope_exceeded) << field;
    EXPECT_TRUE(made.error().say.starts_with(field + ": ")) << made.error().say;
  }
}

TEST(Narrow, hours_of_another_zone_cannot_be_compared_and_are_refused) {
  Scope wish;
  wish.schedules = {Schedule::parse("tue 12:00-13:00 UTC").value()};
  EXPECT_EQ(narrow(parent(), wish).error().code, Code::scope_exceeded);
  wish.schedules = {Schedule::parse("tue 12:00-13:00 Europe/Berlin").value()};
  EXPECT_TRUE(narrow(parent(), wish));
}

// Random scopes and questions over few values, so that they meet often.
class Lattice {
 public:
  explicit Lattice(std::uint64_t seed) : rng_(seed) {}
  std::uint64_t below(std::uint64_t n) { return rng_.below(n); }

  Scope scope() {
    Scope s;
    s.models = some({"*", "gpt-5*", "gpt-5-mini", "gpt-*", "o?", "o3"});
    s.endpoints = some({"chat", "responses", "messages"});
    for (const std::string& text :
         some({"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0", "2001:db8::/32"}))
      s.cidrs.push_back(Cidr::parse(text).value());
    for (const std::string& text : some({"daily 00:00-24:00", "mon-fri 08:00-18:00", "wed 10:00-12:00",
                                         "fri-sat 22:00-06:00", "mon-fri 08:00-18:00 Europe/Berlin"}))
      s.schedules.push_back(Schedule::parse(text).value());
    s.tools = some({"*", "function:*", "function:look", "web_search"});
    if (below(2) == 0) s.max_tier = static_cast<Tier>(below(3));
    if (below(2) == 0) s.max_choices = 1 + static_cast<std::int64_t>(below(3));
    if (below(2) == 0) s.max_output_tokens = 100 * (1 + static_cast<std::int64_t>(below(3)));
    return s;
  }

  Question question() {
    Question q;
    q.environment = "dev";
    q.provider = "openai";
    q.model = one({"gpt-5", "gpt-5-mini", "gpt-4o", "o3", "o33", ""});
    q.endpoint = one({"chat", "responses", "messages"});
    q.ip = IpAddress::parse(one({"10.1.2.3", "10.1.9.9", "10.9.9.9", "192.0.2.1", "2001:db8::1", "::1"}))
               .value();
    q.choices = 1 + static_cast<std::int64_t>(below(4));
    tools_ = some({"function:look", "function:act", "web_search"});
    q.tools = tools_;
    if (below(3) > 0) q.tier = static_cast<Tier>(below(3));
    q.now = Time{1'790'000'000'000'000'000 + static_cast<std::int64_t>(below(14 * 24 * 60)) * 60'000'000'000};
    return q;
  }

 private:
  std::string_view one(std::initializer_list<std::string_view> all) {
    return *(all.begin() + below(all.size()));
  }
  std::vector<std::string> some(std::initializer_list<std::string_view> all) {
    std::vector<std::string> out;
    for (std::uint64_t n = below(3); n > 0; --n) out.emplace_back(one(all));
    return out;
  }
  SeededRng rng_;
  std::vector<std::string> tools_;
};

TEST(Narrow, whatever_a_child_may_its_parent_and_grandparent_may) {
  Lattice lattice{42};
  int made = 0;
  int allowed = 0;
  for (int i = 0; i < 40'000; ++i) {
    const Scope grandparent = lattice.scope();
    const auto middle = narrow(grandparent, lattice.scope());
    if (!middle) continue;
    const auto child = narrow(*middle, lattice.scope());
    if (!child) continue;
    ++made;
    for (int n = 0; n < 80; ++n) {
      const Question q = lattice.question();
      if (!decide(*child, q)) continue;
      ++allowed;
      ASSERT_TRUE(decide(*middle, q)) << scope_text(*child) << " of " << scope_text(*middle);
      ASSERT_TRUE(decide(grandparent, q)) << scope_text(*child) << " under " << scope_text(grandparent);
      ASSERT_LE(output_cap(*child, 1'000'000).value(), output_cap(grandparent, 1'000'000).value());
    }
  }
  EXPECT_GT(made, 300);
  EXPECT_GT(allowed, 300);
}

}  // namespace
}  // namespace claviger::policy
