// Who may do what: every role on every route, and what developers do not see.
#include "console/rig_test.hpp"

namespace claviger::console {
namespace {

using identity::Role;

// Written out by hand, apart from the table that the API uses: o owner, p operator, d developer, a auditor, *
// nobody.
struct Expected {
  std::string_view operation;
  std::string_view roles;
};
constexpr Expected kExpected[] = {
    {"listCredentials", "opa"},   {"createCredential", "op"},
    {"showCredential", "opa"},    {"addCredentialVersion", "op"},
    {"rollbackCredential", "op"}, {"disableCredential", "op"},
    {"enableCredential", "op"},   {"destroyCredential", "o"},
    {"listKeys", "opda"},         {"createKey", "opd"},
    {"showKey", "opda"},          {"freezeKey", "opd"},
    {"unfreezeKey", "op"},        {"revokeKey", "op"},
    {"rotateKey", "opd"},         {"listBudgets", "opa"},
    {"setBudget", "op"},          {"removeBudget", "op"},
    {"showUsage", "opda"},        {"explainRequest", "opda"},
    {"listTokens", "oa"},         {"createToken", "o"},
    {"revokeToken", "o"},         {"listAlerts", "opa"},
    {"disposeAlert", "op"},       {"showStatus", "opda"},
    {"tailJournal", "opa"},       {"showOpenApi", "opda"},
    {"showMetrics", "opa"},       {"showHealth", "opda*"},
    {"showReady", "opda*"},       {"explainRequestInBody", "opda"},
    {"suggestScope", "opda"},     {"matchInventory", "opda"},
    {"setCredential", "op"},      {"showVault", "oa"},
    {"rekeyVault", "o"},          {"addRecipient", "o"},
    {"removeRecipient", "o"},     {"rotateCredential", "op"},
    {"forecastRotation", "opa"},  {"linkCredential", "op"},
    {"listRotations", "opa"},     {"showRotation", "opa"},
    {"resumeRotation", "op"},     {"rollbackRotation", "op"},
    {"endLeftKeys", "op"},        {"takeInRotation", "op"},
    {"reportLeaks", "opd"},       {"takeGithubHook", "opda*"},
    {"listIncidents", "opa"},     {"declareIncident", "op"},
    {"showIncident", "opa"},      {"containIncident", "op"},
    {"closeIncident", "op"},      {"reportIncident", "opa"},
    {"listChannels", "opa"},      {"testChannel", "op"},
    {"listMessages", "opa"},      {"showMessage", "opa"},
};

struct Caller {
  char letter;
  Actor actor;
};

std::vector<Caller> callers() {
  return {{'o', {"token:o", Role::owner, Via::token}},
          {'p', {"token:p", Role::operator_, Via::token}},
          {'d', {"token:d", Role::developer, Via::token}},
          {'a', {"token:a", Role::auditor, Via::token}},
          {'*', {"", Role::owner, Via::nobody}}};
}

class AccessTest : public ApiTest {
 protected:
  // A path of the route with something in place of its parameter.
  static std::string path_of(const Route& route) {
    std::string path(route.pattern);
    const std::size_t open = path.find('{');
    if (open != std::string::npos) path.replace(open, path.find('}') - open + 1, "000000000000");
    return path;
  }
};

TEST_F(AccessTest, every_route_lets_in_exactly_the_roles_it_should) {
  ASSERT_EQ(std::size(kExpected), routes().size());
  for (const Route& route : routes()) {
    const auto expected = std::ranges::find(kExpected, route.operation, &Expected::operation);
    ASSERT_NE(expected, std::end(kExpected)) << route.operation;
    for (const Caller& caller : callers()) {
      const ApiResponse response = call(caller.actor, std::string(route.method), path_of(route));
      const bool in = expected->roles.find(caller.letter) != std::string_view::npos;
      if (in) {
        EXPECT_NE(response.status, 401) << route.operation << " " << caller.letter;
        EXPECT_NE(response.status, 403) << route.operation << " " << caller.letter;
      } else {
        EXPECT_EQ(response.status, caller.letter == '*' ? 401 : 403)
            << route.operation << " " << caller.letter;
      }
    }
  }
}

TEST_F(AccessTest, a_refused_caller_changes_nothing_and_leaves_no_record) {
  const std::string id = make_key();
  const auto before = recorded();
  const Actor auditor = actor(Role::auditor);
  EXPECT_EQ(call(auditor, "POST", "/api/v1/keys/" + id + "/freeze").status, 403);
  EXPECT_EQ(call(auditor, "POST", "/api/v1/keys", key_body()).status, 403);
  EXPECT_EQ(call(auditor, "PUT", "/api/v1/budgets", {{"on", "org"}, {"limit", "1usd/day"}}).status, 403);
  EXPECT_EQ(recorded(), before);
  EXPECT_EQ(keys->get(id)->state, identity::KeyState::active);
}

TEST_F(AccessTest, what_is_not_allowed_is_not_even_read) {
  ApiRequest request;
  request.method = "POST";
  request.path = "/api/v1/tokens";
  request.content_type = "application/json";
  request.body = "not json";
  EXPECT_EQ(api->handle(request, actor(Role::developer)).status, 403);
}

TEST_F(AccessTest, metrics_are_open_when_the_operator_says_so) {
  metrics_access = MetricsAccess::everyone;
  build_api();
  EXPECT_EQ(call({"", Role::auditor, Via::nobody}, "GET", "/metrics").status, 200);
}

TEST_F(AccessTest, a_bearer_is_known_by_a_living_admin_token_only) {
  const auto issued =
      tokens->create("ci", Role::operator_, clock.at + std::chrono::hours(1), "owner").value();
  EXPECT_EQ(api->actor_of("Bearer " + issued.token)->role, Role::operator_);
  EXPECT_EQ(api->actor_of("bearer " + issued.token)->via, Via::token);
  EXPECT_EQ(api->actor_of("Basic " + issued.token).error().code, Code::unauthenticated);
  EXPECT_EQ(api->actor_of(issued.token).error().code, Code::unauthenticated);
  EXPECT_EQ(api->actor_of("").error().code, Code::unauthenticated);
  clock.at = clock.at + std::chrono::hours(1);
  EXPECT_EQ(api->actor_of("Bearer " + issued.token).error().code, Code::unauthenticated);
}

class DeveloperTest : public ApiTest {
 protected:
  Actor developer = actor(Role::developer);

  void use(std::string environment, std::string key, std::int64_t cost) {
    const Time at = clock.at;
    const std::string req = "r" + std::to_string(++requests);
    journal::Intent intent;
    intent.at = at;
    intent.req = req;
    intent.key = key;
    intent.project = "search";
    intent.environment = environment;
    intent.provider = "openai";
    intent.model = "gpt-5-mini";
    intent.hold_nanousd = {cost};
    writer->append(intent);
    journal::Receipt receipt;
    receipt.at = at;
    receipt.req = req;
    receipt.intent_at = at;
    receipt.key = key;
    receipt.project = "search";
    receipt.environment = environment;
    receipt.provider = "openai";
    receipt.endpoint = "chat";
    receipt.model = "gpt-5-mini";
    receipt.status = 200;
    receipt.cost_nanousd = {cost};
    receipt.hold_nanousd = {cost};
    writer->append(receipt);
    ASSERT_TRUE(writer->flush());
  }
  int requests = 0;
};

TEST_F(DeveloperTest, a_key_of_production_does_not_exist_for_a_developer) {
  for (const auto* environment : {"prod", "production", "PROD", "Production"}) {
    const std::string id = make_key(environment);
    const std::string path = "/api/v1/keys/" + id;
    EXPECT_EQ(call(developer, "GET", path).status, 404) << environment;
    EXPECT_EQ(call(developer, "POST", path + "/freeze").status, 404);
    EXPECT_EQ(call(developer, "POST", path + "/rotate").status, 404);
    EXPECT_EQ(call(developer, "GET", "/api/v1/explain?key=" + id + "&endpoint=chat&model=m").status, 404);
    EXPECT_EQ(keys->get(id)->state, identity::KeyState::active);
    // The refusal is the one that an unknown key gets, but for the id.
    Json unseen = body_of(call(developer, "GET", path), 404);
    Json unknown = body_of(call(developer, "GET", "/api/v1/keys/000000000000"), 404);
    for (Json* body : {&unseen, &unknown}) {
      body->erase("instance");
      body->erase("detail");
    }
    EXPECT_EQ(unseen, unknown);
  }
}

TEST_F(DeveloperTest, may_not_create_a_key_for_production) {
  EXPECT_EQ(call(developer, "POST", "/api/v1/keys", key_body("production")).status, 403);
  EXPECT_EQ(call(developer, "POST", "/api/v1/keys", key_body("Prod")).status, 403);
  EXPECT_TRUE(keys->list()->empty());
}

TEST_F(DeveloperTest, lists_and_counts_leave_production_out) {
  make_key("dev");
  make_key("prod");
  EXPECT_EQ(body_of(call(developer, "GET", "/api/v1/keys"), 200)["keys"].size(), 1U);
  EXPECT_TRUE(body_of(call(developer, "GET", "/api/v1/keys?environment=prod"), 200)["keys"].empty());
  const Json status = body_of(call(developer, "GET", "/api/v1/status"), 200);
  EXPECT_EQ(status["keys"]["active"], 1);
  EXPECT_TRUE(status["journal"].is_null());
  EXPECT_EQ(body_of(call("GET", "/api/v1/status"), 200)["keys"]["active"], 2);
}

TEST_F(DeveloperTest, usage_leaves_production_out_of_every_sum) {
  const std::string dev = make_key("dev");
  const std::string prod = make_key("prod");
  use("dev", dev, 5);
  use("staging", dev, 2);
  use("prod", prod, 1000);
  const auto total = [&](const Actor& who, const std::string& query) {
    std::int64_t sum = 0;
    const Json usage = body_of(call(who, "GET", "/api/v1/usage" + query), 200);
    for (const Json& row : usage["rows"]) sum += row["cost_nanousd"].get<std::int64_t>();
    return sum;
  };
  for (const auto* query :
       {"", "?by=key", "?by=project", "?by=day", "?by=environment", "?by=day,model", "?project=search"}) {
    EXPECT_EQ(total(developer, query), 7) << query;
    EXPECT_EQ(total(actor(Role::auditor), query), 1007) << query;
  }
  EXPECT_EQ(total(developer, "?environment=prod"), 0);
  EXPECT_EQ(total(developer, "?key=" + prod), 0);
  const Json by_project = body_of(call(developer, "GET", "/api/v1/usage?by=project"), 200);
  ASSERT_EQ(by_project["rows"].size(), 1U);
  EXPECT_EQ(by_project["rows"][0]["requests"], 2);
  EXPECT_EQ(by_project["rows"][0]["project"], "search");
}

TEST_F(DeveloperTest, works_with_keys_of_other_environments) {
  const std::string id = body_of(call(developer, "POST", "/api/v1/keys", key_body("staging")), 201)["id"];
  EXPECT_EQ(call(developer, "GET", "/api/v1/keys/" + id).status, 200);
  EXPECT_EQ(call(developer, "POST", "/api/v1/keys/" + id + "/rotate").status, 200);
  EXPECT_EQ(call(developer, "POST", "/api/v1/keys/" + id + "/freeze").status, 200);
  EXPECT_EQ(call(developer, "GET", "/api/v1/explain?key=" + id + "&endpoint=chat&model=m").status, 200);
}

}  // namespace
}  // namespace claviger::console
