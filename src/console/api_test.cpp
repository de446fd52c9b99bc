// The API's manners: problems, methods, strict fields on every route, and a document that says what is.
#include "console/rig_test.hpp"
#include "crypto/hash.hpp"

namespace claviger::console {
namespace {

class MannersTest : public ApiTest {
 protected:
  static std::string path_of(const Route& route) {
    std::string path(route.pattern);
    const std::size_t open = path.find('{');
    if (open != std::string::npos) path.replace(open, path.find('}') - open + 1, "000000000000");
    return path;
  }
  // A good query for routes that need one.
  static std::string query_of(const Route& route) {
    std::string query;
    for (const Field& field : route.query)
      if (field.need == Need::required)
        query.append(query.empty() ? "?" : "&").append(field.name).append("=x");
    return query;
  }
};

TEST_F(MannersTest, a_problem_says_all_that_rfc_9457_asks_and_more) {
  const ApiResponse response = call("GET", "/api/v1/keys/000000000000");
  EXPECT_EQ(response.content_type, "application/problem+json");
  const Json body = body_of(response, 404);
  EXPECT_EQ(body["type"], "urn:claviger:problem:not_found");
  EXPECT_EQ(body["status"], 404);
  EXPECT_EQ(body["title"], "There is no such object.");
  EXPECT_NE(body["detail"].get<std::string>().find("000000000000"), std::string::npos);
  EXPECT_EQ(body["instance"], "/api/v1/keys/000000000000");
  EXPECT_EQ(body["code"], "not_found");
  EXPECT_EQ(body["request_id"], "req_1");
}

TEST_F(MannersTest, details_for_operators_stay_inside) {
  store->set_down();
  const ApiResponse response = call("GET", "/api/v1/keys");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(body_of(response, 503)["detail"], client_text(Code::store_unavailable));
  store->set_up();
  EXPECT_EQ(call("GET", "/api/v1/keys").status, 200);
}

TEST_F(MannersTest, unknown_paths_and_methods_are_refused) {
  for (const auto* path :
       {"/", "/api", "/api/v1", "/api/v1/", "/api/v1/keys/", "/api/v1/keys//freeze", "/api/v2/keys",
        "/api/v1/keys/a/b", "/api/v1/keys/a/freeze/", "/api/v1/Keys", "/metrics/"})
    EXPECT_EQ(call("GET", path).status, 404) << path;
  for (const auto* method : {"TRACE", "PATCH", "OPTIONS", "HEAD", "get", ""}) {
    const ApiResponse response = call(method, "/api/v1/keys");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(response.headers, testing::Contains(testing::Pair("Allow", "GET, POST")));
  }
}

TEST_F(MannersTest, every_answer_forbids_storing) {
  for (const auto* path : {"/api/v1/keys", "/api/v1/nothing", "/metrics", "/healthz", "/api/v1/openapi.json"})
    EXPECT_THAT(call("GET", path).headers, testing::Contains(testing::Pair("Cache-Control", "no-store")))
        << path;
}

TEST_F(MannersTest, the_unauthenticated_are_told_how) {
  const ApiResponse response = call({"", identity::Role::owner, Via::nobody}, "GET", "/api/v1/keys");
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.headers, testing::Contains(testing::Pair("WWW-Authenticate", "Bearer")));
}

TEST_F(MannersTest, an_unknown_field_is_refused_by_name_on_every_route_that_takes_a_body) {
  for (const Route& route : routes()) {
    if (route.access == Access::hook) continue;  // its body is read by whoever proves it
    if (route.method == "GET") continue;
    const ApiResponse response = call(std::string(route.method), path_of(route), {{"surprise", 1}});
    EXPECT_EQ(response.status, 400) << route.operation;
    EXPECT_NE(response.body.find("surprise"), std::string::npos) << response.body;
  }
}

TEST_F(MannersTest, an_unknown_or_repeated_parameter_is_refused_by_name_on_every_route) {
  for (const Route& route : routes()) {
    const std::string query = query_of(route);
    const std::string more = query + (query.empty() ? "?" : "&") + "surprise=1";
    const ApiResponse response = call(std::string(route.method), path_of(route) + more);
    EXPECT_EQ(response.status, 400) << route.operation;
    EXPECT_NE(response.body.find("surprise"), std::string::npos) << response.body;
    for (const Field& field : route.query) {
      const std::string twice = std::string(field.name) + "=a&" + std::string(field.name) + "=b";
      EXPECT_EQ(call(std::string(route.method), path_of(route) + "?" + twice).status, 400) << route.operation;
    }
  }
}

TEST_F(MannersTest, bodies_that_are_not_sound_json_are_refused) {
  const auto post = [&](std::string body, std::string type = "application/json") {
    ApiRequest request;
    request.method = "POST";
    request.path = "/api/v1/keys";
    request.content_type = std::move(type);
    request.body = std::move(body);
    return api->handle(request, actor(identity::Role::owner));
  };
  EXPECT_EQ(body_of(post("{"), 400)["code"], "invalid_json");
  EXPECT_EQ(body_of(post("[]"), 400)["code"], "invalid_json");
  EXPECT_EQ(body_of(post("{} x"), 400)["code"], "invalid_json");
  EXPECT_EQ(body_of(post(R"({"name":"a","name":"b"})"), 400)["code"], "duplicate_json_key");
  EXPECT_EQ(body_of(post(std::string(100, '[')), 400)["code"], "json_too_deep");
  EXPECT_EQ(post("{}", "text/plain").status, 415);
  EXPECT_EQ(post("{}", "").status, 415);
  EXPECT_EQ(post(std::string(limits::kAdminBody - 1, ' ')).status, 400);
  EXPECT_EQ(post(std::string(limits::kAdminBody, ' ')).status, 400);
  EXPECT_EQ(post(std::string(limits::kAdminBody + 1, ' ')).status, 413);
  EXPECT_EQ(post(key_body().dump(), "Application/JSON; charset=utf-8").status, 201);
}

TEST_F(MannersTest, a_body_on_a_read_is_refused) {
  EXPECT_EQ(call("GET", "/api/v1/keys", Json::object()).status, 400);
}

// Both directions: each route is in the document with its parameters and fields, and each operation of the
// document is a route.
TEST_F(MannersTest, the_document_and_the_routes_are_the_same_set) {
  const Json document = body_of(call("GET", "/api/v1/openapi.json"), 200);
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::set<std::string> written;
  for (const auto& [path, item] : document["paths"].items())
    for (const auto& [method, operation] : item.items()) {
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      EXPECT_TRUE(
          written.insert(upper + " " + path + " " + operation["operationId"].get<std::string>()).second);
    }
  std::set<std::string> served;
  for (const Route& route : routes())
    served.insert(std::string(route.method) + " " + std::string(route.pattern) + " " +
                  std::string(route.operation));
  for (const Route& route : key_routes())
    served.insert(std::string(route.method) + " " + std::string(route.pattern) + " " +
                  std::string(route.operation));
  EXPECT_EQ(written, served);
}

TEST_F(MannersTest, every_path_of_the_document_is_served_and_no_operation_id_stands_twice) {
  const Json document = body_of(call("GET", "/api/v1/openapi.json"), 200);
  std::set<std::string> ids;
  for (const auto& [path, item] : document["paths"].items()) {
    std::string concrete = path;
    const std::size_t open = concrete.find('{');
    if (open != std::string::npos) concrete.replace(open, concrete.find('}') - open + 1, "000000000000");
    for (const auto& [method, operation] : item.items()) {
      EXPECT_TRUE(ids.insert(operation["operationId"]).second);
      if (operation.contains("servers")) continue;  // on the gate
      std::string upper = method;
      std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      const ApiResponse response = call(upper, concrete);
      EXPECT_NE(response.status, 405) << method << " " << path;
      EXPECT_EQ(response.body.find("There is nothing at this path"), std::string::npos) << path;
    }
  }
}

TEST_F(MannersTest, every_reference_of_the_document_leads_somewhere) {
  const Json document = body_of(call("GET", "/api/v1/openapi.json"), 200);
  const std::string text = document.dump();
  int seen = 0;
  for (std::size_t at = text.find("\"$ref\":\"#"); at != std::string::npos;
       at = text.find("\"$ref\":\"#", at + 1)) {
    const std::size_t begin = at + 9;
    const Json::json_pointer pointer(text.substr(begin, text.find('"', begin) - begin));
    EXPECT_TRUE(document.contains(pointer)) << pointer.to_string();
    ++seen;
  }
  EXPECT_GT(seen, 50);
}

// Holds a value against a shape: no field that the shape does not know, none missing that it requires.
void expect_shape(const Json& value, std::string_view name) {
  const auto shape = std::ranges::find(shapes(), name, &Shape::name);
  ASSERT_NE(shape, shapes().end()) << name;
  if (shape->fields.empty()) return;
  ASSERT_TRUE(value.is_object()) << name;
  for (const auto& [field, held] : value.items()) {
    const auto known = std::ranges::find(shape->fields, field, &Field::name);
    ASSERT_NE(known, shape->fields.end()) << name << "." << field;
    if (known->type == Type::objects)
      for (const Json& element : held) expect_shape(element, known->shape);
    else if (known->type == Type::object && !held.is_null())
      expect_shape(held, known->shape);
    else if (known->need == Need::required)
      EXPECT_FALSE(held.is_null()) << name << "." << field;
  }
  for (const Field& field : shape->fields)
    if (field.need == Need::required) {
      EXPECT_TRUE(value.contains(field.name)) << name << "." << field.name;
    }
}

TEST_F(MannersTest, answers_have_the_shapes_of_the_document) {
  const Json issued = body_of(call("POST", "/api/v1/keys", key_body()), 201);
  expect_shape(issued, "IssuedKey");
  const std::string id = issued["id"];
  expect_shape(body_of(call("GET", "/api/v1/keys/" + id), 200), "Key");
  expect_shape(body_of(call("GET", "/api/v1/keys"), 200), "KeyList");
  expect_shape(body_of(call("POST", "/api/v1/keys/" + id + "/rotate"), 200), "IssuedKey");
  expect_shape(body_of(call("POST", "/api/v1/credentials", credential_body()), 201), "Credential");
  expect_shape(body_of(call("GET", "/api/v1/credentials"), 200), "CredentialList");
  expect_shape(body_of(call("PUT", "/api/v1/budgets", {{"on", "org"}, {"limit", "1usd/day"}}), 200),
               "Budget");
  expect_shape(body_of(call("GET", "/api/v1/budgets"), 200), "BudgetList");
  expect_shape(body_of(call("GET", "/api/v1/usage"), 200), "UsageReport");
  explanation = {
      false, "scope.models", "no", {{"scope.models", Code::model_denied, false, "no", "change it"}}};
  expect_shape(body_of(call("GET", "/api/v1/explain?key=" + id + "&endpoint=chat"), 200), "Explanation");
  expect_shape(body_of(call("POST", "/api/v1/tokens", {{"name", "x"}, {"role", "auditor"}}), 201),
               "IssuedToken");
  expect_shape(body_of(call("GET", "/api/v1/tokens"), 200), "TokenList");
  const std::string hash = hex(crypto::sha256(kProviderSecret));
  const Json found = body_of(call("POST", "/api/v1/inventory/match", {{"sha256", {hash}}}), 200);
  EXPECT_EQ(found["matches"].size(), 1U);
  expect_shape(found, "MatchList");
  for (const Json& bad : {Json(Json::array()), Json({"ab"}), Json({std::string(64, 'x')})})
    EXPECT_EQ(call("POST", "/api/v1/inventory/match", {{"sha256", bad}}).status, 400) << bad;
  expect_shape(body_of(call("GET", "/api/v1/alerts"), 200), "AlertList");
  expect_shape(body_of(call("GET", "/api/v1/status"), 200), "Status");
  expect_shape(body_of(call("GET", "/api/v1/journal"), 200), "JournalTail");
  expect_shape(body_of(call("GET", "/healthz"), 200), "Health");
}

TEST_F(MannersTest, the_usage_shape_knows_every_bucket) {
  const auto row = std::ranges::find(shapes(), "UsageRow", &Shape::name);
  for (const provider::UsageField& bucket : provider::kUsageFields)
    EXPECT_NE(std::ranges::find(row->fields, bucket.name, &Field::name), row->fields.end()) << bucket.name;
}

TEST_F(MannersTest, explain_passes_the_question_on_and_the_answer_back) {
  const std::string id = make_key();
  explanation = {false,
                 "scope.models",
                 "not this model",
                 {{"scope.models", Code::model_denied, false, "not this model", "use another"}}};
  const Json body = body_of(
      call("GET", "/api/v1/explain?key=" + id + "&model=gpt%2D5&endpoint=chat&ip=10.0.0.7&at=2026-12-01"),
      200);
  EXPECT_EQ(asked.model, "gpt-5");
  EXPECT_EQ(asked.ip, "10.0.0.7");
  EXPECT_EQ(format_time(asked.at), "2026-12-01T00:00:00.000Z");
  EXPECT_EQ(body["allowed"], false);
  EXPECT_EQ(body["rule"], "scope.models");
  EXPECT_EQ(body["why"], "not this model");
  EXPECT_EQ(body["rules"][0]["code"], "model_denied");
  EXPECT_EQ(call("GET", "/api/v1/explain?key=" + id).status, 400);
  EXPECT_EQ(call("GET", "/api/v1/explain?key=" + id + "&endpoint=chat&at=then").status, 400);
}

TEST_F(MannersTest, usage_refuses_what_it_does_not_know) {
  EXPECT_EQ(call("GET", "/api/v1/usage?by=colour").status, 400);
  EXPECT_EQ(call("GET", "/api/v1/usage?by=key,key").status, 400);
  EXPECT_EQ(call("GET", "/api/v1/usage?from=2026-02-02&to=2026-02-01").status, 400);
  EXPECT_EQ(call("GET", "/api/v1/usage?from=yesterday").status, 400);
}

TEST_F(MannersTest, the_journal_shows_its_last_lines) {
  make_key();
  const Json lines = body_of(call("GET", "/api/v1/journal?last=1&kind=admin"), 200)["lines"];
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["t"], "admin");
  EXPECT_EQ(call("GET", "/api/v1/journal?kind=gossip").status, 400);
  EXPECT_EQ(call("GET", "/api/v1/journal?last=5000").status, 400);
}

TEST_F(MannersTest, texts_that_are_not_utf8_do_not_break_an_answer) {
  ApiRequest request;
  request.method = "GET";
  request.path = "/api/v1/keys/\xff\xfe";
  const ApiResponse response = api->handle(request, actor(identity::Role::owner));
  EXPECT_EQ(response.status, 404);
  EXPECT_FALSE(Json::parse(response.body, nullptr, false).is_discarded());
}

}  // namespace
}  // namespace claviger::console
