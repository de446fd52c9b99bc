// Tests of explain: it says what the gate would say, and spends nothing.
#include "gate/explain.hpp"

#include <algorithm>

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

class ExplainTest : public GateTest {
 protected:
  ExplainTest() { add_credential("openai", "https://api.openai.com/v1"); }
  Inquiry inquiry(const Known& key) const { return {key.id, "plain", "chat", "", "", "", "", 1, clock.at}; }
  // What explain says about a chat of this key, after the gate itself has been asked.
  Explanation explained(const Known& key, const std::string& model = "plain") {
    const auto pinned = world();
    const auto asked =
        chat(*pinned, key.token, R"({"model":")" + model + R"(","max_tokens":1,"messages":[]})");
    const std::string_view gates_own = admit_verdict(*pinned, *asked);
    Inquiry about = inquiry(key);
    about.model = model;
    const auto explanation = explain(about, *pinned, *ledger);
    EXPECT_EQ(verdict(explanation), "ok");
    EXPECT_EQ(explanation->allowed ? "ok" : refused_with(*explanation), gates_own) << explanation->why;
    return *explanation;
  }
  // The gate's own verdict; what it held is given back.
  std::string_view admit_verdict(const World& pinned, const Asked& asked) {
    Docket docket(*journal, clock, "req_1");
    const auto admission = admitted(pinned, asked, docket);
    docket.discard();
    return verdict(admission);
  }
  // The code of the first rule that refuses.
  static std::string_view refused_with(const Explanation& explanation) {
    const auto first = std::ranges::find(explanation.rules, false, &policy::RuleVerdict::allowed);
    return first == explanation.rules.end() ? "none" : code_name(first->code);
  }
  std::unique_ptr<journal::Writer> journal = open_journal();
};

TEST_F(ExplainTest, an_unknown_key_is_not_found) {
  EXPECT_EQ(verdict(explain(inquiry({identity::fresh_id(rng), ""}), *world(), *ledger)), "not_found");
}

TEST_F(ExplainTest, an_endpoint_or_address_that_cannot_be_is_refused) {
  const Known key = make_key();
  Inquiry endpoint = inquiry(key);
  endpoint.endpoint = "telepathy";
  EXPECT_EQ(verdict(explain(endpoint, *world(), *ledger)), "invalid_input");
  Inquiry address = inquiry(key);
  address.ip = "300.0.0.1";
  EXPECT_EQ(verdict(explain(address, *world(), *ledger)), "invalid_input");
}

TEST_F(ExplainTest, it_refuses_with_the_gates_own_rule) {
  const Known frozen = make_key();
  set_state(frozen, identity::KeyState::frozen);
  EXPECT_FALSE(explained(frozen).allowed);
  Wish model, network, elsewhere, endpoint;
  model.scope.models = {"gpt-*"};
  network.scope.cidrs = {policy::Cidr::parse("10.0.0.0/8").value()};
  elsewhere.environment = "prod";
  endpoint.scope.endpoints = {"embeddings"};
  for (const Wish& wish : {model, network, elsewhere, endpoint})
    EXPECT_FALSE(explained(make_key(wish)).allowed);
}

TEST_F(ExplainTest, a_name_that_the_environment_does_not_reach_is_refused_as_the_gate_does) {
  add_credential("openai", "https://api.openai.com/v1", "prod", "payroll");
  Inquiry about = inquiry(make_key());
  about.provider = "payroll";
  const auto explanation = explain(about, *world(), *ledger);
  ASSERT_TRUE(explanation);
  EXPECT_FALSE(explanation->allowed);
  EXPECT_EQ(explanation->rule, "provider");
  EXPECT_EQ(refused_with(*explanation), "environment_denied");
}

TEST_F(ExplainTest, a_missing_price_refuses_under_a_blocking_budget_and_is_told_without_one) {
  const Known key = make_key();
  EXPECT_TRUE(explained(key, "unheard-of").allowed);
  add_budget("key:" + key.id, kNanoPerUsd);
  EXPECT_EQ(explained(key, "unheard-of").rule, "price");
}

TEST_F(ExplainTest, a_spent_budget_refuses_as_the_gate_does) {
  const Known key = make_key();
  add_budget("key:" + key.id, 1);
  const Explanation explanation = explained(key);
  EXPECT_EQ(explanation.rule, "budgets and limits");
  EXPECT_EQ(refused_with(explanation), "budget_exceeded");
}

TEST_F(ExplainTest, what_is_allowed_says_so_rule_by_rule) {
  const Explanation explanation = explained(make_key());
  EXPECT_TRUE(explanation.allowed);
  EXPECT_EQ(explanation.rule, "allowed");
  EXPECT_GT(explanation.rules.size(), 5u);
  EXPECT_EQ(refused_with(explanation), "none");
}

TEST_F(ExplainTest, the_address_that_is_asked_about_is_the_one_that_is_judged) {
  Wish wish;
  wish.scope.cidrs = {policy::Cidr::parse("10.0.0.0/8").value()};
  Inquiry about = inquiry(make_key(wish));
  about.ip = "10.1.2.3";
  const auto explanation = explain(about, *world(), *ledger);
  ASSERT_TRUE(explanation);
  EXPECT_TRUE(explanation->allowed) << explanation->why;
}

TEST_F(ExplainTest, nothing_is_held_or_counted_afterwards) {
  Wish wish;
  wish.rates = {.rpm = 1, .tpm = 100'000, .concurrency = 1};
  const Known key = make_key(wish);
  add_budget("key:" + key.id, kNanoPerUsd);
  const auto pinned = world();
  for (int i = 0; i < 3; ++i) {
    const auto explanation = explain(inquiry(key), *pinned, *ledger);
    ASSERT_TRUE(explanation && explanation->allowed) << explanation->why;
  }
  EXPECT_EQ(held("key:" + key.id), 0);
  EXPECT_EQ(chat_verdict(key), "ok");
  EXPECT_TRUE(explained(key).allowed);
}

}  // namespace
}  // namespace claviger::gate
