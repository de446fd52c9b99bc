// Tests of settling: each way an exchange may end, and what it then costs.
#include "gate/settle.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

class SettleTest : public GateTest {
 protected:
  SettleTest() {
    add_credential("openai", "https://api.openai.com/v1");
    add_credential("gemini", "https://generativelanguage.googleapis.com");
    key = make_key();
  }
  // Admits a request, exposes it and settles it with this reply.
  Docket::Ending settled(const Reply& reply, std::string_view body = kChat,
                         std::string_view target = "/v1/chat/completions") {
    const auto pinned = world();
    const auto asked = ask(*pinned, target == "/v1/models" ? "GET" : "POST", target,
                           {{"x-api-key", key.token}}, target == "/v1/models" ? "" : body);
    Docket docket(*journal, clock, "req_1");
    auto admission = admitted(*pinned, *asked, docket);
    docket.discard();
    if (!admission) {
      ADD_FAILURE() << verdict(admission);
      return {};
    }
    hold = admission->hold.worst();
    return settle(ledger::Exposure(std::move(admission->hold)), admission->grant, reply);
  }
  // A whole answer with status 200 that used so much.
  static Reply whole(std::int64_t in, std::int64_t out) {
    Reply reply;
    reply.status = reply.status_sent = 200;
    reply.outcome = journal::Outcome::completed;
    reply.usage.uncached_in = in;
    reply.usage.text_out = out;
    reply.usage.seen = true;
    reply.whole = true;
    return reply;
  }
  Known key;
  Nanousd hold;
  std::unique_ptr<journal::Writer> journal = open_journal();
};

TEST_F(SettleTest, an_answer_that_was_cut_costs_the_hold_whatever_usage_it_had_shown) {
  Reply reply = whole(5, 2);
  reply.whole = false;
  reply.outcome = journal::Outcome::upstream_cut;
  const Docket::Ending ending = settled(reply);
  EXPECT_EQ(ending.cost, hold);
  EXPECT_GT(hold, Nanousd{0});
  EXPECT_TRUE(ending.presumed);
  EXPECT_TRUE(ending.estimated);
  EXPECT_EQ(ending.outcome, journal::Outcome::upstream_cut);
}

TEST_F(SettleTest, no_answer_at_all_costs_the_hold) {
  Reply reply;
  reply.outcome = journal::Outcome::upstream_failed;
  reply.status_sent = 502;
  const Docket::Ending ending = settled(reply);
  EXPECT_EQ(ending.cost, hold);
  EXPECT_TRUE(ending.presumed);
  EXPECT_EQ(ending.status, 502);
}

TEST_F(SettleTest, a_whole_answer_that_is_silent_about_usage_costs_the_hold) {
  Reply reply = whole(0, 0);
  reply.usage = {};
  const Docket::Ending ending = settled(reply);
  EXPECT_EQ(ending.cost, hold);
  EXPECT_TRUE(ending.presumed);
}

TEST_F(SettleTest, a_whole_answer_with_usage_costs_its_price_exactly) {
  const Docket::Ending ending = settled(whole(5, 2));
  EXPECT_EQ(ending.cost, Nanousd{5 * kInputNanousd + 2 * kOutputNanousd});
  EXPECT_FALSE(ending.presumed);
  EXPECT_FALSE(ending.estimated);
  EXPECT_EQ(ending.usage.uncached_in, 5);
  EXPECT_EQ(ending.status, 200);
}

TEST_F(SettleTest, explicit_zeros_of_usage_cost_nothing) {
  const Docket::Ending ending = settled(whole(0, 0));
  EXPECT_EQ(ending.cost, Nanousd{0});
  EXPECT_FALSE(ending.presumed);
}

TEST_F(SettleTest, a_guessed_price_makes_the_cost_an_estimate) {
  const Docket::Ending ending =
      settled(whole(5, 2), R"({"model":"unheard-of","max_tokens":10,"messages":[]})");
  EXPECT_GT(ending.cost, Nanousd{0});
  EXPECT_TRUE(ending.estimated);
  EXPECT_FALSE(ending.presumed);
}

TEST_F(SettleTest, usage_that_does_not_add_up_makes_the_cost_an_estimate) {
  Reply reply = whole(5, 2);
  reply.usage.mismatch = true;
  EXPECT_TRUE(settled(reply).estimated);
}

TEST_F(SettleTest, usage_of_a_class_without_a_price_makes_the_cost_an_estimate) {
  Reply reply = whole(5, 2);
  reply.usage.audio_out = 1;
  const Docket::Ending ending = settled(reply);
  EXPECT_TRUE(ending.estimated);
  EXPECT_GT(ending.cost, Nanousd{5 * kInputNanousd + 2 * kOutputNanousd});
}

TEST_F(SettleTest, an_answer_with_a_status_of_300_and_above_costs_nothing) {
  for (const int status : {300, 400, 429, 500}) {
    Reply reply;
    reply.status = reply.status_sent = status;
    reply.outcome = journal::Outcome::upstream_error;
    const Docket::Ending ending = settled(reply);
    EXPECT_EQ(ending.cost, Nanousd{0}) << status;
    EXPECT_FALSE(ending.presumed) << status;
  }
}

TEST_F(SettleTest, a_free_route_costs_nothing_even_when_it_was_cut) {
  Reply reply;
  reply.status = 200;
  EXPECT_EQ(settled(reply, {}, "/v1/models").cost, Nanousd{0});
}

TEST_F(SettleTest, a_route_whose_answers_never_carry_usage_costs_its_bound_as_an_estimate) {
  Reply reply = whole(0, 0);
  reply.usage = {};
  const Docket::Ending ending =
      settled(reply, R"({"content":{"parts":[]}})", "/v1beta/models/plain:embedContent");
  EXPECT_EQ(ending.cost, hold);
  EXPECT_TRUE(ending.estimated);
  EXPECT_FALSE(ending.presumed);
}

TEST_F(SettleTest, settling_ends_the_hold) {
  add_budget("org", 100 * kNanoPerUsd);
  (void)settled(whole(5, 2));
  EXPECT_EQ(held("org"), 0);
  EXPECT_EQ(ledger->counters().posted, 1);
  EXPECT_EQ(ledger->counters().presumed, 0);
}

}  // namespace
}  // namespace claviger::gate
