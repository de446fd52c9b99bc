// Tests of the three deciding rooms as one: all or nothing, and the docket knows who it was.
#include "gate/admit.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

class AdmitTest : public GateTest {
 protected:
  AdmitTest() { add_credential("openai", "https://api.openai.com/v1"); }
  // Admits a chat of this key and drops what was admitted.
  std::string_view admit_chat(const Known& key, std::string_view body = kChat) {
    const auto pinned = world();
    const auto asked = chat(*pinned, key.token, body);
    Docket docket(*journal, clock, "req_1");
    const auto admission = admitted(*pinned, *asked, docket);
    known_as = docket.key();
    docket.discard();
    return verdict(admission);
  }
  std::unique_ptr<journal::Writer> journal = open_journal();
  std::string known_as;
};

TEST_F(AdmitTest, a_stranger_is_refused_and_the_docket_knows_nobody) {
  EXPECT_EQ(admit_chat({{}, identity::mint(identity::TokenKind::key, rng).token}), "unknown_key");
  EXPECT_EQ(known_as, "");
}

TEST_F(AdmitTest, the_docket_knows_who_it_was_when_authorize_refuses) {
  const Known key = make_key();
  set_state(key, identity::KeyState::frozen);
  EXPECT_EQ(admit_chat(key), "frozen_key");
  EXPECT_EQ(known_as, key.id);
}

TEST_F(AdmitTest, the_docket_knows_who_it_was_when_reserve_refuses) {
  const Known key = make_key();
  add_budget("key:" + key.id, 1);
  EXPECT_EQ(admit_chat(key), "budget_exceeded");
  EXPECT_EQ(known_as, key.id);
}

TEST_F(AdmitTest, a_budget_above_that_is_full_leaves_nothing_held_below) {
  const Known key = make_key();
  add_budget("key:" + key.id, kNanoPerUsd);
  add_budget("org", 1);
  EXPECT_EQ(admit_chat(key), "budget_exceeded");
  EXPECT_EQ(held("key:" + key.id), 0);
  ledger->check_invariants();
}

TEST_F(AdmitTest, a_refusal_for_money_takes_no_place_among_the_requests_in_flight) {
  Wish wish;
  wish.rates.concurrency = 1;
  const Known key = make_key(wish);
  add_budget("key:" + key.id, kNanoPerUsd);
  EXPECT_EQ(admit_chat(key, R"({"model":"plain","max_tokens":900000000,"messages":[]})"), "budget_exceeded");
  EXPECT_EQ(admit_chat(key), "ok");
}

TEST_F(AdmitTest, a_full_key_refuses_and_has_room_again_when_the_first_is_dropped) {
  Wish wish;
  wish.rates.concurrency = 1;
  const Known key = make_key(wish);
  const auto pinned = world();
  const auto asked = chat(*pinned, key.token);
  Docket docket(*journal, clock, "req_1");
  {
    const auto first = admitted(*pinned, *asked, docket);
    ASSERT_TRUE(first);
    EXPECT_EQ(verdict(admitted(*pinned, *asked, docket)), "concurrency_exceeded");
  }
  EXPECT_EQ(verdict(admitted(*pinned, *asked, docket)), "ok");
  docket.discard();
}

TEST_F(AdmitTest, an_admission_holds_the_worst_case_and_dropping_it_gives_it_back) {
  const Known key = make_key();
  add_budget("org", kNanoPerUsd);
  const auto pinned = world();
  const auto asked = chat(*pinned, key.token);
  Docket docket(*journal, clock, "req_1");
  {
    const auto admission = admitted(*pinned, *asked, docket);
    ASSERT_TRUE(admission);
    EXPECT_EQ(admission->caller.key().id, key.id);
    EXPECT_EQ(held("org"), admission->grant.worst.money.value);
    EXPECT_GT(held("org"), 0);
  }
  EXPECT_EQ(held("org"), 0);
  docket.discard();
}

}  // namespace
}  // namespace claviger::gate
