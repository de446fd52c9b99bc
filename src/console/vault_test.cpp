// The vault's own keys through the API.
#include "console/rig_test.hpp"

namespace claviger::console {
namespace {

using VaultRouteTest = ApiTest;

TEST_F(VaultRouteTest, shares_are_shown_once_and_are_not_in_the_list) {
  const Json made = body_of(
      call("POST", "/api/v1/vault/recipients", {{"kind", "shares"}, {"threshold", 2}, {"shares", 3}}), 201);
  EXPECT_EQ(made["threshold"], 2);
  ASSERT_EQ(made["lines"].size(), 3U);
  const std::string text = call("GET", "/api/v1/vault").body;
  EXPECT_EQ(text.find(made["lines"][0].get<std::string>()), std::string::npos);
  const Json answer = Json::parse(text);
  ASSERT_EQ(answer["recipients"].size(), 2U);
  EXPECT_EQ(answer["recipients"][1]["kind"], "shares");
  EXPECT_EQ(answer["recipients"][1]["shares"], 3);
}

TEST_F(VaultRouteTest, shares_default_to_three_of_five) {
  const Json made = body_of(call("POST", "/api/v1/vault/recipients", {{"kind", "shares"}}), 201);
  EXPECT_EQ(made["lines"].size(), 5U);
  EXPECT_EQ(made["threshold"], 3);
}

TEST_F(VaultRouteTest, a_recipient_is_added_and_removed_but_the_last_stays) {
  const Json made = body_of(call("POST", "/api/v1/vault/recipients",
                                 {{"kind", "passphrase"}, {"passphrase", "another long passphrase"}}),
                            201);
  EXPECT_EQ(made["lines"], nullptr);
  EXPECT_EQ(call("DELETE", "/api/v1/vault/recipients/1").status, 204);
  EXPECT_EQ(call("DELETE", "/api/v1/vault/recipients/" + std::to_string(made["id"].get<int>())).status, 409);
  EXPECT_EQ(call("DELETE", "/api/v1/vault/recipients/99").status, 404);
  EXPECT_EQ(call("DELETE", "/api/v1/vault/recipients/x").status, 404);
}

TEST_F(VaultRouteTest, what_cannot_be_is_refused_by_field) {
  for (const Json& body : {Json{{"kind", "pigeon"}}, Json{{"kind", "passphrase"}, {"passphrase", "short"}},
                           Json{{"kind", "shares"}, {"threshold", 9}, {"shares", 3}},
                           Json{{"kind", "shares"}, {"threshold", 2}, {"shares", 4'294'967'298}}})
    EXPECT_EQ(call("POST", "/api/v1/vault/recipients", body).status, 400) << body;
  EXPECT_EQ(call("POST", "/api/v1/vault/recipients", {{"kind", "key_file"}, {"key_file", "/tmp/k"}}).status,
            403)
      << "only over the unix socket";
}

TEST_F(VaultRouteTest, a_rekey_says_what_it_did_and_is_on_record) {
  EXPECT_EQ(call("POST", "/api/v1/credentials", credential_body()).status, 201);
  const Json done = body_of(call("POST", "/api/v1/vault/rekey"), 200);
  EXPECT_EQ(done["term"], 2);
  EXPECT_EQ(done["rewrapped"], 1);
  EXPECT_EQ(done["dropped"], Json::array({1}));
  const Json answer = body_of(call("GET", "/api/v1/vault"), 200);
  EXPECT_EQ(answer["term"], 2);
  EXPECT_EQ(answer["terms"][0]["versions"], 1);
  EXPECT_TRUE(answer["damaged"].empty());
}

}  // namespace
}  // namespace claviger::console
