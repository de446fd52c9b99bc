// Keys over the API: strict fields, one-time tokens, idempotency, rotation, budgets that come with a key.
#include "console/rig_test.hpp"
#include "identity/token.hpp"

namespace claviger::console {
namespace {

class KeysTest : public ApiTest {
 protected:
  void expect_refused(Json body, std::string_view word) {
    const ApiResponse response = call("POST", "/api/v1/keys", body);
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_NE(response.body.find(word), std::string::npos) << response.body;
    EXPECT_TRUE(keys->list()->empty());
    EXPECT_TRUE(ledger->budgets().empty());
    EXPECT_TRUE(recorded().empty());
  }
  static Json with(std::string field, Json value) {
    Json body = key_body();
    body[field] = std::move(value);
    return body;
  }
};

TEST_F(KeysTest, bad_fields_are_refused_by_name_and_nothing_is_made) {
  expect_refused(with("envirnment", "dev"), "envirnment");
  expect_refused({{"project", "p"}, {"environment", "dev"}}, "name: is missing");
  expect_refused(with("project", 5), "project: must be a text");
  expect_refused(with("rpm", "5"), "rpm: must be an integer");
  expect_refused(with("rpm", 1.5), "rpm: must be an integer");
  expect_refused(with("models", "gpt"), "models: must be a list of texts");
  expect_refused(with("models", {"a b"}), "models");
  expect_refused(with("endpoints", {"chats"}), "chats");
  expect_refused(with("cidrs", {"10.0.0.1/8"}), "10.0.0.0/8");
  expect_refused(with("expires", "soon"), "expires");
  expect_refused(with("expires", "2020-01-01"), "expires");
  expect_refused(with("budgets", {"5usd"}), "5usd");
  expect_refused(with("budgets", {"5usd/day", "6usd/day"}), "budgets");
  expect_refused(with("rpm", -1), "rpm");
  expect_refused(with("max_output_tokens", 0), "max_output_tokens");
  expect_refused(with("project", "a b"), "project");
  expect_refused(with("name", nullptr), "name");
}

TEST_F(KeysTest, a_created_key_is_shown_with_its_token_once) {
  Json wanted = key_body();
  wanted["team"] = "core";
  wanted["models"] = {"gpt-5*"};
  wanted["endpoints"] = {"chat"};
  wanted["cidrs"] = {"10.0.0.0/8", "2001:db8::/32"};
  wanted["expires"] = "30d";
  wanted["rpm"] = 60;
  wanted["max_output_tokens"] = 1000;
  const Json made = body_of(call("POST", "/api/v1/keys", wanted), 201);
  const std::string token = made["key"];
  EXPECT_EQ(identity::parse_token(token)->id, made["id"].get<std::string>());
  const Json shown = body_of(call("GET", "/api/v1/keys/" + made["id"].get<std::string>()), 200);
  EXPECT_FALSE(shown.contains("key"));
  EXPECT_EQ(shown["scope"]["cidrs"], Json({"10.0.0.0/8", "2001:db8::/32"}));
  EXPECT_EQ(shown["scope"]["models"], Json({"gpt-5*"}));
  EXPECT_EQ(shown["rpm"], 60);
  EXPECT_EQ(shown["expires"], format_time(clock.at + std::chrono::hours(24 * 30)));
  EXPECT_TRUE(identity::matches(*keys->get(made["id"].get<std::string>()),
                                identity::digest(keys->pepper(), token), clock.at));
  EXPECT_EQ(call("GET", "/api/v1/keys").body.find(token.substr(17)), std::string::npos);
}

TEST_F(KeysTest, a_key_expires_for_readers_too) {
  Json wanted = key_body();
  wanted["expires"] = "1h";
  const std::string id = body_of(call("POST", "/api/v1/keys", wanted), 201)["id"];
  clock.at = clock.at + std::chrono::hours(1);
  EXPECT_EQ(body_of(call("GET", "/api/v1/keys/" + id), 200)["state"], "expired");
}

TEST_F(KeysTest, a_repeated_creation_makes_no_second_key_and_shows_no_token) {
  const Json first = body_of(call("POST", "/api/v1/keys", with("budgets", {"5usd/day"}), "once-1"), 201);
  const ApiResponse again = call("POST", "/api/v1/keys", with("budgets", {"5usd/day"}), "once-1");
  const Json second = body_of(again, 200);
  EXPECT_EQ(second["id"], first["id"]);
  EXPECT_TRUE(second["key"].is_null());
  EXPECT_EQ(keys->list()->size(), 1U);
  EXPECT_EQ(ledger->budgets().size(), 1U);
  EXPECT_THAT(again.headers, testing::Contains(testing::Pair("Idempotency-Replayed", "true")));
}

TEST_F(KeysTest, an_idempotency_key_used_for_another_request_is_a_conflict) {
  ASSERT_EQ(call("POST", "/api/v1/keys", key_body(), "once-1").status, 201);
  EXPECT_EQ(call("POST", "/api/v1/keys", key_body("staging"), "once-1").status, 409);
  EXPECT_EQ(keys->list()->size(), 1U);
  EXPECT_EQ(call("POST", "/api/v1/keys", key_body(), "bad key").status, 400);
}

TEST_F(KeysTest, another_caller_may_use_the_same_idempotency_key) {
  ASSERT_EQ(
      call({"token:a", identity::Role::owner, Via::token}, "POST", "/api/v1/keys", key_body(), "k").status,
      201);
  ASSERT_EQ(
      call({"token:b", identity::Role::owner, Via::token}, "POST", "/api/v1/keys", key_body(), "k").status,
      201);
  EXPECT_EQ(keys->list()->size(), 2U);
}

TEST_F(KeysTest, budgets_that_come_with_a_key_stand_before_it_can_spend) {
  const std::string id =
      body_of(call("POST", "/api/v1/keys", with("budgets", {"5usd/day", "0/total"})), 201)["id"];
  const auto budgets = ledger->budgets();
  ASSERT_EQ(budgets.size(), 2U);
  for (const ledger::Budget& budget : budgets) {
    EXPECT_EQ(budget.node, "key:" + id);
    EXPECT_EQ(budget.action, ledger::Action::block);
  }
  const auto account = ledger->account({"", "search", id}, {});
  EXPECT_EQ(ledger->reserve(account, {0}, 0, clock.at).error().code, Code::budget_exceeded);
}

TEST_F(KeysTest, when_a_key_cannot_be_stored_neither_key_nor_budget_remains) {
  // The first write puts the budget, the second would make the key.
  store->fail_write(2, store::Fault::rolled_back);
  EXPECT_EQ(call("POST", "/api/v1/keys", with("budgets", {"5usd/day"})).status, 503);
  EXPECT_TRUE(keys->list()->empty());
  EXPECT_TRUE(ledger->budgets().empty());
  const auto records = recorded();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(records[1].starts_with("key.create.failed "));
}

TEST_F(KeysTest, rotation_with_grace_keeps_the_old_token_until_then) {
  const Json made = body_of(call("POST", "/api/v1/keys", key_body()), 201);
  const std::string id = made["id"];
  const Json rotated = body_of(call("POST", "/api/v1/keys/" + id + "/rotate", {{"grace", "30m"}}), 200);
  EXPECT_EQ(rotated["id"], id);
  EXPECT_NE(rotated["key"], made["key"]);
  EXPECT_EQ(rotated["previous_until"], format_time(clock.at + std::chrono::minutes(30)));
  const auto works = [&](const Json& token) {
    return identity::matches(*keys->get(id), identity::digest(keys->pepper(), token.get<std::string>()),
                             clock.at);
  };
  EXPECT_TRUE(works(made["key"]));
  EXPECT_TRUE(works(rotated["key"]));
  clock.at = clock.at + std::chrono::minutes(30);
  EXPECT_FALSE(works(made["key"]));
  EXPECT_TRUE(works(rotated["key"]));
  EXPECT_TRUE(body_of(call("GET", "/api/v1/keys/" + id), 200)["previous_until"].is_null());
}

TEST_F(KeysTest, rotation_refuses_a_bad_grace_and_a_lost_answer_is_given_again) {
  const std::string id = make_key();
  EXPECT_EQ(call("POST", "/api/v1/keys/" + id + "/rotate", {{"grace", "soon"}}).status, 400);
  EXPECT_EQ(call("POST", "/api/v1/keys/" + id + "/rotate", {{"grace", "60d"}}).status, 400);
  const Json first = body_of(call("POST", "/api/v1/keys/" + id + "/rotate", nullptr, "r1"), 200);
  const Json again = body_of(call("POST", "/api/v1/keys/" + id + "/rotate", nullptr, "r1"), 200);
  EXPECT_EQ(again["key"], first["key"]);
  EXPECT_TRUE(identity::matches(*keys->get(id),
                                identity::digest(keys->pepper(), first["key"].get<std::string>()), clock.at));
  const Json second = body_of(call("POST", "/api/v1/keys/" + id + "/rotate", nullptr, "r2"), 200);
  EXPECT_NE(second["key"], first["key"]);
  const Json late = body_of(call("POST", "/api/v1/keys/" + id + "/rotate", nullptr, "r1"), 200);
  EXPECT_TRUE(late["key"].is_null()) << "it was rotated again since";
  EXPECT_EQ(late["id"], id);
}

TEST_F(KeysTest, states_change_as_they_may_and_a_revoked_key_stays_so) {
  const std::string path = "/api/v1/keys/" + make_key();
  EXPECT_EQ(body_of(call("POST", path + "/freeze"), 200)["state"], "frozen");
  EXPECT_EQ(body_of(call("POST", path + "/unfreeze"), 200)["state"], "active");
  EXPECT_EQ(body_of(call("POST", path + "/revoke"), 200)["state"], "revoked");
  for (const auto* action : {"/unfreeze", "/freeze", "/rotate"})
    EXPECT_EQ(body_of(call("POST", path + action), 409)["code"], "conflict");
  EXPECT_EQ(call("POST", "/api/v1/keys/000000000000/freeze").status, 404);
}

TEST_F(KeysTest, pages_follow_each_other) {
  for (int i = 0; i < 5; ++i) make_key();
  std::vector<std::string> seen;
  std::string after;
  for (int page = 0; page < 3; ++page) {
    const Json body =
        body_of(call("GET", "/api/v1/keys?limit=2" + (after.empty() ? "" : "&after=" + after)), 200);
    for (const Json& key : body["keys"]) seen.push_back(key["id"]);
    EXPECT_EQ(body["next"].is_null(), page == 2);
    if (page < 2) after = body["next"];
  }
  EXPECT_EQ(seen.size(), 5U);
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
  EXPECT_EQ(call("GET", "/api/v1/keys?limit=0").status, 400);
  EXPECT_EQ(call("GET", "/api/v1/keys?limit=x").status, 400);
}

}  // namespace
}  // namespace claviger::console
