// Rotations over the API: links, beginnings, and the token that may do nothing else.
#include "console/rig_test.hpp"
#include "console/route.hpp"
#include "crypto/hash.hpp"

namespace claviger::console {
namespace {

using identity::Role;

class RotationApiTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    credential = body_of(call("POST", "/api/v1/credentials", credential_body()), 201)["id"];
    Json admin = credential_body("openai-admin");
    admin["kind"] = "admin";
    admin["secret"] = "sk-admin-0123456789";
    body_of(call("POST", "/api/v1/credentials", admin), 201);
  }
  Json link(Json parameters, int status, std::string admin = "openai-admin") {
    return body_of(call("PUT", "/api/v1/credentials/openai-dev/link",
                        {{"admin_credential", std::move(admin)}, {"parameters", std::move(parameters)}}),
                   status);
  }
  void link_well() { link({"project_id=proj_1", "service_account_id=svc_1"}, 200); }

  std::string credential;
};

TEST_F(RotationApiTest, a_link_names_an_admin_credential_and_all_that_the_provider_needs) {
  EXPECT_NE(link({"project_id=proj_1"}, 400)["detail"].get<std::string>().find("service_account_id"),
            std::string::npos);
  link({"project_id=proj_1", "service_account_id=svc_1", "colour=red"}, 400);
  link({"project_id"}, 400);
  link({"project_id=proj_1", "service_account_id=svc_1"}, 400, "openai-dev");
  link({"project_id=proj_1", "service_account_id=svc_1"}, 404, "nobody");
  const Json made = link({"project_id=proj_1", "service_account_id=svc_1"}, 200);
  EXPECT_EQ(made["credential"], credential);
  EXPECT_EQ(made["parameters"].size(), 2U);
}

TEST_F(RotationApiTest, what_would_be_done_is_told_without_doing_it) {
  link_well();
  const Json plan = body_of(call("GET", "/api/v1/credentials/openai-dev/rotate?mode=now"), 200);
  EXPECT_TRUE(plan["possible"].get<bool>()) << plan;
  EXPECT_EQ(plan["class"], "create");
  EXPECT_TRUE(body_of(call("GET", "/api/v1/rotations"), 200)["rotations"].empty());
}

TEST_F(RotationApiTest, without_an_admin_credential_a_person_takes_part) {
  const Json begun = body_of(call("POST", "/api/v1/credentials/openai-dev/rotate", Json::object()), 202);
  EXPECT_EQ(begun["class"], "human");
}

TEST_F(RotationApiTest, a_rotation_is_on_record_and_one_goes_on_at_a_time) {
  link_well();
  const Json begun = body_of(
      call("POST", "/api/v1/credentials/" + credential + "/rotate", {{"mode", "now"}, {"reason", "a test"}}),
      202);
  EXPECT_EQ(begun["state"], "planned");
  EXPECT_EQ(begun["mode"], "now");
  EXPECT_EQ(begun["credential"], credential);
  body_of(call("POST", "/api/v1/credentials/openai-dev/rotate", Json::object()), 409);
  const std::string id = begun["id"];
  EXPECT_EQ(body_of(call("GET", "/api/v1/rotations/" + id), 200)["id"], id);
  EXPECT_EQ(body_of(call("GET", "/api/v1/rotations?credential=openai-dev"), 200)["rotations"].size(), 1U);
  EXPECT_EQ(body_of(call("POST", "/api/v1/rotations/" + id + "/rollback"), 200)["state"], "undoing");
  body_of(call("POST", "/api/v1/rotations/" + id + "/rollback"), 409);
  body_of(call("GET", "/api/v1/rotations/rot_none"), 404);
  body_of(call("POST", "/api/v1/credentials/openai-dev/rotate", {{"mode", "soon"}}), 400);
  EXPECT_THAT(recorded(), testing::Contains("rotation.start credential:" + credential));
}

TEST_F(RotationApiTest, a_secret_is_taken_in_only_where_one_is_waited_for_and_never_a_known_one) {
  const std::string id =
      body_of(call("POST", "/api/v1/credentials/openai-dev/rotate", Json::object()), 202)["id"];
  EXPECT_EQ(call("POST", "/api/v1/rotations/" + id + "/intake", {{"secret", "sk-new"}}).status, 409)
      << "it has not begun";
}

TEST_F(RotationApiTest, a_leaked_secret_is_not_made_current_again_by_a_rollback) {
  link_well();
  const std::string id =
      body_of(call("POST", "/api/v1/credentials/openai-dev/rotate", Json::object()), 202)["id"];
  std::string fresh = "sk-fresh-0123456789";
  ASSERT_TRUE(vault->add_version(credential, Secret::take(fresh)));
  steward::Rotation it = *rotations->get(id);
  it.state = steward::RotationState::draining;
  it.new_version = 2;
  it.promoted = clock.at;
  ASSERT_TRUE(store->write([&](store::Tx& tx) { return steward::put_rotation(tx, it, 1); }));
  const Json leak = {{"sha256", {hex(crypto::sha256(kProviderSecret))}}, {"source", "a test"}};
  const std::string incident = body_of(call("POST", "/api/v1/leaks", leak), 200)["incidents"][0]["id"];
  const std::string path = "/api/v1/rotations/" + id + "/rollback";
  const Json refused = body_of(call("POST", path), 409);
  EXPECT_NE(refused["detail"].get<std::string>().find(incident), std::string::npos) << refused;
  EXPECT_EQ(vault->get(credential)->current()->number, 2);
  body_of(call("POST", "/api/v1/incidents/" + incident + "/close", {{"resolution", "a mistake"}}), 200);
  EXPECT_EQ(body_of(call("POST", path), 200)["state"], "undoing");
  EXPECT_EQ(vault->get(credential)->current()->number, 1);
}

TEST_F(RotationApiTest, a_token_for_one_rotation_does_that_and_nothing_else) {
  link_well();
  const std::string other = body_of(call("POST", "/api/v1/credentials", credential_body("other")), 201)["id"];
  const Json issued =
      body_of(call("POST", "/api/v1/tokens", {{"name", "ci"}, {"rotates", "openai-dev"}}), 201);
  EXPECT_EQ(issued["rotates"], credential);
  const Actor ci = *api->actor_of("Bearer " + issued["token"].get<std::string>());
  for (const Route& route : routes()) {
    std::string path(route.pattern);
    if (const std::size_t open = path.find('{'); open != std::string::npos)
      path.replace(open, path.find('}') - open + 1, other);
    const int status = call(ci, std::string(route.method), path).status;
    if (route.access == Access::open || route.operation == "listRotations") continue;
    if (route.operation == "showRotation") {
      EXPECT_EQ(status, 404);
      continue;
    }
    EXPECT_EQ(status, 403) << route.method << " " << path;
  }
  EXPECT_EQ(call(ci, "POST", "/api/v1/credentials/openai-dev/rotate", {{"mode", "emergency"}}).status, 403);
  EXPECT_TRUE(rotations->list(credential)->empty());
  const Json begun =
      body_of(call(ci, "POST", "/api/v1/credentials/openai-dev/rotate", {{"mode", "now"}}), 202);
  const std::string id = begun["id"];
  EXPECT_EQ(body_of(call(ci, "GET", "/api/v1/rotations/" + id), 200)["id"], id);
  EXPECT_EQ(call(ci, "POST", "/api/v1/rotations/" + id + "/rollback").status, 403);
  EXPECT_EQ(
      call("POST", "/api/v1/tokens", {{"name", "x"}, {"rotates", "openai-dev"}, {"role", "owner"}}).status,
      400);
  EXPECT_EQ(call("POST", "/api/v1/tokens", {{"name", "x"}, {"rotates", "nobody"}}).status, 404);
}

}  // namespace
}  // namespace claviger::console
