// Tests of what a request's head says: route, provider, query and the places of keys.
#include "gate/request.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

using provider::Dialect;
using testing::HasSubstr;

class RequestTest : public GateTest {
 protected:
  std::unique_ptr<Asked> get(const std::string& target, const Fields& fields = {}) {
    return ask(*picture(), "GET", target, fields);
  }
  std::unique_ptr<Asked> post(const std::string& target, const Fields& fields = {}) {
    return ask(*picture(), "POST", target, fields, "{}");
  }
  const std::shared_ptr<World>& picture() {
    pinned = world();
    return pinned;
  }
  std::shared_ptr<World> pinned;
};

TEST_F(RequestTest, a_path_that_no_route_takes_is_refused) {
  EXPECT_EQ(verdict(post("/v1/nothing")->target), "unknown_route");
  EXPECT_EQ(verdict(get("/")->target), "unknown_route");
}

TEST_F(RequestTest, another_method_than_the_routes_is_refused) {
  EXPECT_EQ(verdict(get("/v1/embeddings")->target), "unsupported_method");
}

TEST_F(RequestTest, a_path_out_of_normal_form_is_refused) {
  for (const char* target :
       {"/v1//chat/completions", "/v1/../v1/models", "/v1/models/a%2fb", "/p//chat/completions"})
    EXPECT_NE(verdict(get(target)->target), "ok") << target;
  EXPECT_EQ(verdict(get("/v1/models/%2e%2e")->target), "malformed_request");
}

TEST_F(RequestTest, a_route_that_is_known_but_shut_says_why) {
  const auto asked = post("/v1/files");
  EXPECT_EQ(verdict(asked->target), "route_refused");
  EXPECT_THAT(asked->target.error().say, HasSubstr("Files belong to the provider's account"));
}

TEST_F(RequestTest, a_websocket_is_refused_on_a_path_that_is_served) {
  for (const Fields& fields : {Fields{{"upgrade", "websocket"}}, Fields{{"Upgrade", "h2c, WebSocket"}},
                               Fields{{"sec-websocket-key", "x"}}}) {
    const auto asked = post("/v1/chat/completions", fields);
    EXPECT_EQ(verdict(asked->target), "route_refused");
    EXPECT_THAT(asked->target.error().say, HasSubstr("WebSockets"));
  }
  EXPECT_EQ(verdict(post("/v1/chat/completions", {{"upgrade", "h2c"}})->target), "ok");
}

TEST_F(RequestTest, a_provider_nobody_knows_is_refused_by_name) {
  const auto asked = post("/p/nobody/v1/chat/completions");
  EXPECT_EQ(verdict(asked->target), "unknown_route");
  EXPECT_THAT(asked->target.error().say, HasSubstr("'nobody'"));
}

TEST_F(RequestTest, a_provider_without_a_path_behind_it_is_refused) {
  EXPECT_EQ(verdict(post("/p/openai")->target), "unknown_route");
  EXPECT_EQ(verdict(post("/p/openai/")->target), "unknown_route");
}

TEST_F(RequestTest, a_provider_of_another_dialect_does_not_serve_the_path) {
  const auto asked = post("/p/anthropic/v1/chat/completions");
  EXPECT_EQ(verdict(asked->target), "unknown_route");
  EXPECT_THAT(asked->target.error().say, HasSubstr("'anthropic' does not serve this path"));
  EXPECT_EQ(asked->request.dialect(), Dialect::anthropic);
}

TEST_F(RequestTest, a_refusal_under_a_named_provider_speaks_that_providers_dialect) {
  for (const char* target :
       {"/p/anthropic/nothing", "/p/anthropic/v1/files", "/p/anthropic/v1/messages/batches"}) {
    const auto asked = post(target);
    EXPECT_FALSE(asked->target);
    EXPECT_EQ(asked->request.dialect(), Dialect::anthropic) << target;
  }
  EXPECT_EQ(post("/p/gemini/nothing")->request.dialect(), Dialect::gemini);
}

TEST_F(RequestTest, options_of_bedrock_that_stand_in_the_head_are_refused_but_for_the_forms_of_bodies) {
  for (const char* verb : {"invoke", "invoke-with-response-stream", "converse"})
    for (const char* name :
         {"X-Amzn-Bedrock-Service-Tier", "x-amzn-bedrock-performanceconfig-latency",
          "X-AMZN-BEDROCK-GUARDRAILIDENTIFIER", "X-Amzn-Bedrock-GuardrailVersion", "X-Amzn-Bedrock-Trace",
          "x-amzn-bedrock-", "x-amzn-bedrock-accepted", "x-amzn-bedrock-of-tomorrow"}) {
      const auto asked = post(std::string("/model/m/") + verb, {{name, "standard"}});
      EXPECT_EQ(verdict(asked->target), "invalid_parameter") << name;
      if (!asked->target) EXPECT_THAT(asked->target.error().say, HasSubstr(name));
      EXPECT_EQ(asked->request.dialect(), Dialect::bedrock);
    }
  for (const char* name : {"X-Amzn-Bedrock-Accept", "x-amzn-bedrock-content-type", "x-amzn-trace-id"})
    EXPECT_EQ(verdict(post("/model/m/invoke", {{name, "application/json"}})->target), "ok") << name;
}

TEST_F(RequestTest, two_keys_in_the_query_conflict) {
  EXPECT_EQ(verdict(post("/v1/chat/completions?key=a&key=b")->target), "conflicting_keys");
}

TEST_F(RequestTest, a_broken_escape_in_the_query_is_refused) {
  EXPECT_EQ(verdict(get("/v1/models?after=%zz")->target), "malformed_request");
}

TEST_F(RequestTest, a_gemini_stream_that_is_not_sse_cannot_be_metered_and_is_refused) {
  EXPECT_EQ(verdict(post("/v1beta/models/plain:streamGenerateContent")->target), "invalid_parameter");
}

TEST_F(RequestTest, every_dialects_calls_find_their_route) {
  const auto found = [&](const std::string& target) {
    const auto asked = post(target);
    return asked->target ? std::string(asked->request.route().id) : std::string(verdict(asked->target));
  };
  EXPECT_EQ(found("/v1/chat/completions"), "openai.chat");
  EXPECT_EQ(found("/v1/responses"), "openai.responses");
  EXPECT_EQ(found("/v1/embeddings"), "openai.embeddings");
  EXPECT_EQ(found("/v1/messages"), "anthropic.messages");
  EXPECT_EQ(found("/v1/messages/count_tokens"), "anthropic.count_tokens");
  EXPECT_EQ(found("/v1beta/models/plain:generateContent"), "gemini.generate");
  EXPECT_EQ(found("/v1beta/models/plain:streamGenerateContent?alt=sse"), "gemini.stream");
  EXPECT_EQ(found("/v1beta/models/plain:embedContent"), "gemini.embed");
}

TEST_F(RequestTest, the_list_of_models_is_told_apart_by_the_anthropic_version_header) {
  EXPECT_EQ(get("/v1/models")->request.route().id, "openai.models");
  EXPECT_EQ(get("/v1/models", {{"anthropic-version", "2023-06-01"}})->request.route().id, "anthropic.models");
}

TEST_F(RequestTest, a_named_provider_may_be_asked_with_and_without_the_version_segment) {
  for (const char* target : {"/p/mistral/v1/chat/completions", "/p/mistral/chat/completions"}) {
    const auto asked = post(target);
    ASSERT_EQ(verdict(asked->target), "ok") << target;
    EXPECT_EQ(asked->request.provider, "mistral");
    EXPECT_EQ(asked->request.path, "/v1/chat/completions");
    EXPECT_EQ(asked->request.dialect(), Dialect::openai);
  }
  EXPECT_EQ(post("/p/gemini/models/plain:generateContent")->request.path,
            "/v1beta/models/plain:generateContent");
  EXPECT_EQ(post("/p/gemini/v1/models/plain:generateContent")->request.path,
            "/v1/models/plain:generateContent");
  EXPECT_EQ(post("/p/anthropic/messages")->request.route().id, "anthropic.messages");
}

TEST_F(RequestTest, a_credential_may_be_named_in_place_of_its_provider) {
  add_credential("anthropic", "https://api.anthropic.com", "dev", "second-account");
  const auto asked = post("/p/second-account/v1/messages");
  ASSERT_EQ(verdict(asked->target), "ok");
  EXPECT_EQ(asked->request.provider, "second-account");
  EXPECT_EQ(asked->request.dialect(), Dialect::anthropic);
}

TEST_F(RequestTest, without_a_name_the_path_is_the_routes_own_and_no_provider_is_named) {
  const auto asked = post("/v1/chat/completions?x=1");
  EXPECT_EQ(asked->request.path, "/v1/chat/completions");
  EXPECT_EQ(asked->request.provider, "");
}

TEST_F(RequestTest, the_key_is_taken_out_of_the_query_and_the_rest_stays) {
  const auto asked = post("/v1beta/models/plain:generateContent?a=1&key=clv%5Fx&b=2&access_token=t");
  ASSERT_EQ(verdict(asked->target), "ok");
  EXPECT_EQ(asked->request.query, "a=1&b=2");
  EXPECT_EQ(asked->request.query_key, "clv_x");
  EXPECT_THAT(asked->request.shown_keys, testing::Contains("clv_x"));
}

}  // namespace
}  // namespace claviger::gate
