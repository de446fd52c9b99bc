// Tests of the docket: whatever happens to a request, its journal holds exactly one record of its end.
#include "gate/docket.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

class DocketTest : public GateTest {
 protected:
  // "intent receipt" and the like; the records stay for a closer look.
  std::string written() {
    EXPECT_TRUE(journal->flush());
    found = records();
    std::string kinds;
    for (const Json& record : found) kinds += (kinds.empty() ? "" : " ") + record["t"].get<std::string>();
    return kinds;
  }
  Docket::Ending completed() const {
    Docket::Ending ending;
    ending.status = 200;
    ending.outcome = journal::Outcome::completed;
    ending.usage.uncached_in = 3;
    ending.usage.seen = true;
    ending.cost = Nanousd{70};
    return ending;
  }
  static identity::Key known_key() {
    identity::Key made;
    made.id = "k1";
    made.lineage = "k8/k9";
    made.team = "red";
    made.project = "web";
    made.environment = "dev";
    return made;
  }
  static void expose(Docket& docket) {
    journal::Intent intent;
    intent.at = Time{5};
    intent.hold_nanousd = Nanousd{900};
    docket.exposed(intent);
  }
  const identity::Key key = known_key();
  std::unique_ptr<journal::Writer> journal = open_journal();
  std::vector<Json> found;
};

TEST_F(DocketTest, a_refused_request_leaves_one_refusal_with_its_code) {
  {
    Docket docket(*journal, clock, "req_1");
    docket.came_from("192.0.2.1");
    docket.asks_for("openai.chat", "chat");
    docket.identified(key);
    docket.refused({Code::budget_exceeded, Origin::policy, "detail", "say", 0});
    docket.close();
    docket.close();
  }
  ASSERT_EQ(written(), "refusal");
  EXPECT_EQ(found[0]["code"], "budget_exceeded");
  EXPECT_EQ(found[0]["status"], 429);
  EXPECT_EQ(found[0]["req"], "req_1");
  EXPECT_EQ(found[0]["key"], "k1");
  EXPECT_EQ(found[0]["route"], "openai.chat");
  EXPECT_EQ(found[0]["ip"], "192.0.2.1");
}

TEST_F(DocketTest, a_request_dropped_without_a_word_is_refused_as_internal) {
  {
    const Docket docket(*journal, clock, "req_1");
  }
  ASSERT_EQ(written(), "refusal");
  EXPECT_EQ(found[0]["code"], "internal");
}

TEST_F(DocketTest, texts_that_are_kept_outlive_the_head_they_came_from) {
  {
    std::string head = "an agent whose name is too long to lie in the string itself";
    Docket docket(*journal, clock, "req_1");
    docket.came_with(head);
    docket.keep_texts();
    head.assign(head.size(), 'x');
    expose(docket);
  }
  ASSERT_EQ(written(), "intent receipt");
  EXPECT_EQ(found[1]["user_agent"], "an agent whose name is too long to lie in the string itself");
}

TEST_F(DocketTest, a_discarded_docket_leaves_nothing) {
  {
    Docket docket(*journal, clock, "req_1");
    docket.discard();
  }
  EXPECT_EQ(written(), "");
}

TEST_F(DocketTest, an_exposed_request_that_is_dropped_leaves_a_receipt_that_presumes_the_hold) {
  {
    Docket docket(*journal, clock, "req_1");
    expose(docket);
    EXPECT_TRUE(docket.is_exposed());
  }
  ASSERT_EQ(written(), "intent receipt");
  EXPECT_EQ(found[1]["outcome"], "internal");
  EXPECT_EQ(found[1]["cost_nanousd"], 900);
  EXPECT_EQ(found[1]["hold_nanousd"], 900);
  EXPECT_EQ(found[1]["presumed"], true);
  EXPECT_EQ(found[1]["estimated"], true);
}

TEST_F(DocketTest, an_exposed_request_that_ended_leaves_one_receipt_with_its_cost) {
  {
    Docket docket(*journal, clock, "req_1");
    expose(docket);
    docket.ended(completed());
    docket.sent(10);
    docket.sent(5);
    docket.close();
    docket.close();
  }
  ASSERT_EQ(written(), "intent receipt");
  EXPECT_EQ(found[1]["outcome"], "completed");
  EXPECT_EQ(found[1]["status"], 200);
  EXPECT_EQ(found[1]["cost_nanousd"], 70);
  EXPECT_EQ(found[1]["hold_nanousd"], 900);
  EXPECT_EQ(found[1]["usage"]["uncached_in"], 3);
  EXPECT_EQ(found[1]["bytes_out"], 15);
  EXPECT_FALSE(found[1].contains("presumed"));
  EXPECT_FALSE(found[1].contains("estimated"));
}

TEST_F(DocketTest, an_end_that_is_told_is_recorded_also_by_the_destructor) {
  {
    Docket docket(*journal, clock, "req_1");
    expose(docket);
    docket.ended(completed());
  }
  ASSERT_EQ(written(), "intent receipt");
  EXPECT_EQ(found[1]["cost_nanousd"], 70);
}

TEST_F(DocketTest, intent_and_receipt_name_the_same_request_key_and_credential) {
  {
    Docket docket(*journal, clock, "req_1");
    docket.asks_for("openai.chat", "chat");
    docket.identified(key);
    docket.granted("openai", "plain", "cred_1", "prices/3");
    expose(docket);
  }
  ASSERT_EQ(written(), "intent receipt");
  for (const char* name :
       {"req", "key", "team", "project", "environment", "provider", "route", "model", "credential"}) {
    EXPECT_NE(found[0].value(name, ""), "") << name;
    EXPECT_EQ(found[0][name], found[1][name]) << name;
  }
  EXPECT_EQ(found[1]["intent_at"], 5);
  EXPECT_EQ(found[1]["price_version"], "prices/3");
}

TEST_F(DocketTest, time_is_counted_from_the_opening) {
  Docket docket(*journal, clock, "req_1");
  expose(docket);
  clock.at.ns += 20'000'000;
  docket.first_byte();
  clock.at.ns += 30'000'000;
  docket.close();
  ASSERT_EQ(written(), "intent receipt");
  EXPECT_EQ(found[1]["ttfb_ms"], 20);
  EXPECT_EQ(found[1]["ms"], 50);
}

using DocketDeathTest = DocketTest;

TEST_F(DocketDeathTest, a_request_that_was_exposed_can_no_longer_be_refused) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Docket docket(*journal, clock, "req_1");
  expose(docket);
  EXPECT_DEATH(docket.refused({Code::unknown_key, Origin::client, {}, {}, 0}), "ends with a receipt");
}

}  // namespace
}  // namespace claviger::gate
