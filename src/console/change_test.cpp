// Credentials, budgets and tokens over the API; every change on record first and in force before it is
// answered.
#include "console/rig_test.hpp"

namespace claviger::console {
namespace {

class ChangeTest : public ApiTest {};

TEST_F(ChangeTest, when_the_journal_cannot_be_written_nothing_is_changed) {
  const std::string id = make_key();
  journal.set_capacity(0);
  EXPECT_EQ(body_of(call("POST", "/api/v1/keys/" + id + "/revoke"), 503)["code"], "journal_unavailable");
  EXPECT_EQ(call("POST", "/api/v1/keys", key_body()).status, 503);
  EXPECT_EQ(call("POST", "/api/v1/credentials", credential_body()).status, 503);
  EXPECT_EQ(keys->get(id)->state, identity::KeyState::active);
  EXPECT_EQ(keys->list()->size(), 1U);
  EXPECT_EQ(call("GET", "/readyz").status, 503);
  EXPECT_EQ(call("GET", "/healthz").status, 200);
  journal.set_capacity(std::nullopt);
  EXPECT_EQ(call("POST", "/api/v1/keys/" + id + "/revoke").status, 200);
  EXPECT_EQ(call("GET", "/readyz").status, 200);
}

TEST_F(ChangeTest, a_change_that_is_not_in_force_is_not_called_done) {
  publish_result = fail(Code::internal, "loop 1 does not answer");
  const ApiResponse response = call("POST", "/api/v1/keys", key_body());
  EXPECT_EQ(response.status, 500);
  EXPECT_NE(response.body.find("not yet in force"), std::string::npos);
  EXPECT_EQ(response.body.find("clv_"), std::string::npos);
  EXPECT_EQ(response.body.find("loop 1"), std::string::npos);
}

TEST_F(ChangeTest, each_change_is_recorded_and_published_once) {
  const std::string key = make_key();
  const std::string credential = body_of(call("POST", "/api/v1/credentials", credential_body()), 201)["id"];
  const std::string path = "/api/v1/credentials/" + credential;
  ASSERT_EQ(call("POST", path + "/disable").status, 200);
  ASSERT_EQ(call("POST", path + "/enable").status, 200);
  ASSERT_EQ(call("POST", path + "/versions", {{"secret", "sk-second-0123456789abcdefghij"}}).status, 201);
  ASSERT_EQ(call("POST", path + "/rollback").status, 200);
  ASSERT_EQ(call("DELETE", path).status, 200);
  ASSERT_EQ(call("PUT", "/api/v1/budgets", {{"on", "org"}, {"limit", "5usd/day"}}).status, 200);
  ASSERT_EQ(call("DELETE", "/api/v1/budgets/org.day").status, 204);
  const std::string token =
      body_of(call("POST", "/api/v1/tokens", {{"name", "ci"}, {"role", "auditor"}}), 201)["id"];
  ASSERT_EQ(call("DELETE", "/api/v1/tokens/" + token).status, 204);
  ASSERT_EQ(call("POST", "/api/v1/keys/" + key + "/freeze").status, 200);
  const std::vector<std::string> expected{
      "key.create key:" + key,
      "credential.create credential:openai-dev",
      "credential.disable credential:" + credential,
      "credential.enable credential:" + credential,
      "credential.add_version credential:" + credential,
      "credential.rollback credential:" + credential,
      "credential.destroy credential:" + credential,
      "budget.set budget:org.day",
      "budget.remove budget:org.day",
      "token.create token:ci",
      "token.revoke token:" + token,
      "key.freeze key:" + key,
  };
  EXPECT_EQ(recorded(), expected);
  EXPECT_EQ(published, static_cast<int>(expected.size()));
}

TEST_F(ChangeTest, no_answer_and_no_record_holds_a_secret) {
  std::string all;
  const auto keep = [&](const ApiResponse& response) { all += response.body; };
  keep(call("POST", "/api/v1/credentials", credential_body()));
  keep(call("POST", "/api/v1/credentials", credential_body()));  // the name is taken
  Json bad = credential_body("other");
  bad["provider"] = "nosuch";
  keep(call("POST", "/api/v1/credentials", bad));
  bad = credential_body("spaced");
  bad["secret"] = std::string(kProviderSecret) + " with spaces";
  keep(call("POST", "/api/v1/credentials", bad));
  keep(call("POST", "/api/v1/credentials/openai-dev/versions", {{"secret", kProviderSecret}}));
  keep(call("GET", "/api/v1/credentials"));
  keep(call("GET", "/api/v1/journal"));
  keep(call("GET", "/api/v1/status"));
  keep(call("GET", "/metrics"));
  for (const auto names = journal.list().value(); const std::string& name : names)
    all += journal.content(name);
  EXPECT_EQ(all.find(kProviderSecret.substr(8, 12)), std::string::npos);
}

TEST_F(ChangeTest, a_credential_takes_the_providers_address_unless_it_brings_one) {
  const Json made = body_of(call("POST", "/api/v1/credentials", credential_body()), 201);
  EXPECT_EQ(made["origins"], Json({"https://api.openai.com:443"}));
  Json own = credential_body("own");
  own["provider"] = "openai_compatible";
  EXPECT_EQ(call("POST", "/api/v1/credentials", own).status, 400);
  own["base_url"] = "https://models.example.com/v1";
  EXPECT_EQ(body_of(call("POST", "/api/v1/credentials", own), 201)["origins"],
            Json({"https://models.example.com:443"}));
}

TEST_F(ChangeTest, plain_http_is_refused_for_a_public_provider) {
  Json body = credential_body();
  body["base_url"] = "http://api.example.com";
  EXPECT_EQ(call("POST", "/api/v1/credentials", body).status, 400);
  body["provider"] = "vllm";
  EXPECT_EQ(call("POST", "/api/v1/credentials", body).status, 201);
}

TEST_F(ChangeTest, bad_credentials_are_refused_by_field) {
  const auto refused = [&](std::string field, Json value, std::string_view word) {
    Json body = credential_body();
    body[field] = std::move(value);
    const ApiResponse response = call("POST", "/api/v1/credentials", body);
    EXPECT_EQ(response.status, 400) << field;
    EXPECT_NE(response.body.find(word), std::string::npos) << response.body;
  };
  refused("provider", "opneai", "opneai");
  refused("kind", "root", "kind");
  refused("spend_alert", "lots", "lots");
  refused("environment", "a b", "environment");
  refused("secret", "", "secret");
  refused("base_url", "ftp://x", "");
  EXPECT_TRUE(vault->list()->empty());
}

TEST_F(ChangeTest, a_budget_is_set_changed_listed_and_removed) {
  const Json made = body_of(
      call("PUT", "/api/v1/budgets", {{"on", "team:core"}, {"limit", "5usd/day"}, {"alert_at", {100, 50}}}),
      200);
  EXPECT_EQ(made["limit_nanousd"], 5'000'000'000);
  EXPECT_EQ(made["alert_at"], Json({50, 100}));
  const Json changed = body_of(
      call("PUT", "/api/v1/budgets", {{"on", "team:core"}, {"limit", "7usd/day"}, {"action", "alert"}}), 200);
  EXPECT_EQ(changed["id"], made["id"]);
  EXPECT_EQ(changed["action"], "alert");
  EXPECT_EQ(body_of(call("GET", "/api/v1/budgets?on=team:core"), 200)["budgets"].size(), 1U);
  EXPECT_TRUE(body_of(call("GET", "/api/v1/budgets?on=org"), 200)["budgets"].empty());
  const std::string id = made["id"];
  EXPECT_EQ(call("DELETE", "/api/v1/budgets/" + id).status, 204);
  EXPECT_EQ(call("DELETE", "/api/v1/budgets/" + id).status, 404);
}

TEST_F(ChangeTest, bad_budgets_are_refused) {
  const auto status = [&](Json body) { return call("PUT", "/api/v1/budgets", body).status; };
  EXPECT_EQ(status({{"on", "org"}, {"limit", "5usd"}}), 400);
  EXPECT_EQ(status({{"on", "org"}, {"limit", "5usd/year"}}), 400);
  EXPECT_EQ(status({{"on", "everyone"}, {"limit", "5usd/day"}}), 400);
  EXPECT_EQ(status({{"on", "team:a b"}, {"limit", "5usd/day"}}), 400);
  EXPECT_EQ(status({{"on", "key:000000000000"}, {"limit", "5usd/day"}}), 404);
  EXPECT_EQ(status({{"on", "org"}, {"limit", "5usd/day"}, {"action", "warn"}}), 400);
  EXPECT_EQ(status({{"on", "org"}, {"limit", "5usd/day"}, {"alert_at", {0}}}), 400);
  EXPECT_EQ(status({{"on", "org"}, {"limit", "5usd/day"}, {"alert_at", {5'000'000'000}}}), 400);
  EXPECT_EQ(status({{"on", "org"}, {"limit", "5usd/day"}, {"time_zone", "Mars/Olympus"}}), 400);
  EXPECT_TRUE(ledger->budgets().empty());
}

TEST_F(ChangeTest, a_budget_of_no_limit_is_possible) {
  const Json made = body_of(call("PUT", "/api/v1/budgets", {{"on", "org"}, {"limit", "none/month"}}), 200);
  EXPECT_TRUE(made["limit_nanousd"].is_null());
  EXPECT_EQ(made["limit"], "none/month");
}

TEST_F(ChangeTest, an_admin_token_is_shown_once_and_opens_until_revoked) {
  const Json made =
      body_of(call("POST", "/api/v1/tokens", {{"name", "ci"}, {"role", "operator"}, {"expires", "1d"}}), 201);
  const std::string token = made["token"];
  EXPECT_EQ(api->actor_of("Bearer " + token)->name, "token:" + made["id"].get<std::string>());
  const ApiResponse list = call("GET", "/api/v1/tokens");
  EXPECT_EQ(list.body.find(token.substr(18)), std::string::npos);
  EXPECT_EQ(body_of(list, 200)["tokens"].size(), 1U);
  EXPECT_EQ(call("DELETE", "/api/v1/tokens/" + made["id"].get<std::string>()).status, 204);
  EXPECT_FALSE(api->actor_of("Bearer " + token));
  EXPECT_EQ(call("POST", "/api/v1/tokens", {{"name", "ci"}, {"role", "root"}}).status, 400);
}

TEST_F(ChangeTest, an_alert_is_listed_and_disposed_of_once) {
  journal::Alert alert;
  alert.at = clock.at;
  alert.kind = "budget_threshold";
  alert.subject = "team:core";
  alert.budget = "team:core.day";
  alert.threshold = 80;
  alert.message = "80 % of 5usd/day are spent";
  writer->append(alert);
  ASSERT_TRUE(writer->flush());
  const Json listed = body_of(call("GET", "/api/v1/alerts?state=open"), 200)["alerts"];
  ASSERT_EQ(listed.size(), 1U);
  const std::string path = "/api/v1/alerts/" + listed[0]["id"].dump() + "/disposition";
  EXPECT_EQ(call("POST", path, {{"disposition", "load test, expected"}}).status, 204);
  EXPECT_EQ(call("POST", path, {{"disposition", "again"}}).status, 409);
  EXPECT_TRUE(body_of(call("GET", "/api/v1/alerts?state=open"), 200)["alerts"].empty());
  EXPECT_EQ(body_of(call("GET", "/api/v1/alerts"), 200)["alerts"][0]["disposition"], "load test, expected");
  EXPECT_EQ(call("GET", "/api/v1/alerts?state=old").status, 400);
  EXPECT_EQ(call("POST", "/api/v1/alerts/x/disposition", {{"disposition", "y"}}).status, 404);
  EXPECT_EQ(call("POST", "/api/v1/alerts/999/disposition", {{"disposition", "y"}}).status, 404);
}

}  // namespace
}  // namespace claviger::console
