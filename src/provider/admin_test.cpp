// Admin calls as values, armed and not: each provider's own form, and no secret where none belongs.
#include "provider/admin.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "provider/admin_auth.hpp"

namespace claviger::provider {
namespace {

constexpr Time kNow{1'785'000'000'000'000'000};

Link openai_link() { return {{}, {}, {{"project_id", "proj_1"}, {"service_account_id", "svc_acct_1"}}}; }

AdminCall made(std::string_view provider, Operation operation, const Link& link, const Values& about,
               std::string_view variant = {}) {
  auto call = call_of(*find_adapter(provider, variant), operation, link, about);
  EXPECT_TRUE(call) << told(call.error());
  return call.value_or(AdminCall{});
}

std::string header(const Armed& armed, std::string_view name) {
  for (const auto& [known, value] : armed.headers)
    if (known == name) return value;
  return {};
}

TEST(AdminCalls, a_missing_or_unknown_parameter_is_refused_and_the_known_ones_are_named) {
  const Adapter& openai = *find_adapter("openai");
  Link link = openai_link();
  EXPECT_TRUE(check_link(openai, link));
  link.parameters.erase("project_id");
  const auto missing = check_link(openai, link);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().say.find("needs the parameter project_id"), std::string::npos);
  EXPECT_NE(missing.error().say.find("svc_acct_"), std::string::npos);
  link = openai_link();
  link.parameters["projectid"] = "x";
  EXPECT_NE(check_link(openai, link).error().say.find("does not know the parameter projectid"),
            std::string::npos);
}

TEST(AdminCalls, what_a_provider_does_not_offer_is_refused) {
  const auto call = call_of(*find_adapter("groq"), Operation::create, {}, {});
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().code, Code::invalid_parameter);
  EXPECT_EQ(call.error().say, "groq offers no API to create keys.");
}

TEST(AdminCalls, a_value_that_cannot_be_sent_is_refused) {
  const Adapter& openai = *find_adapter("openai");
  EXPECT_FALSE(call_of(openai, Operation::create, openai_link(), {}));
  EXPECT_FALSE(call_of(openai, Operation::create, openai_link(), {{"name", "a\nb"}}));
  EXPECT_FALSE(call_of(openai, Operation::create, openai_link(), {{"name", "a"}, {"lifetime_s", "soon"}}));
  EXPECT_FALSE(call_of(openai, Operation::usage, openai_link(), {{"from", "x"}, {"to", "y"}, {"id", "k"}}));
  const Adapter& gemini = *find_adapter("gemini");
  EXPECT_FALSE(call_of(gemini, Operation::remove, {}, {{"id", "keys/../../other"}}));
}

TEST(AdminCalls, of_openai_go_where_its_api_has_them) {
  const AdminCall create = made("openai", Operation::create, openai_link(), {{"name", "n"}});
  EXPECT_EQ(create.method, "POST");
  EXPECT_EQ(create.base_url, "https://api.openai.com");
  EXPECT_EQ(create.path, "/v1/organization/projects/proj_1/service_accounts/svc_acct_1/api_keys");
  EXPECT_EQ(create.body, R"({"name":"n"})");
  Link link = openai_link();
  link.parameters["scopes"] = "api.model.read,api.model.request";
  EXPECT_EQ(made("openai", Operation::create, link, {{"name", "n"}, {"lifetime_s", "60"}}).body,
            R"({"expires_in_seconds":60,"name":"n","scopes":["api.model.read","api.model.request"]})");
  EXPECT_EQ(made("openai", Operation::enable, openai_link(), {{"id", "key_1"}}).body, R"({"scopes":[]})");
  EXPECT_EQ(made("openai", Operation::list, openai_link(), {}).path,
            "/v1/organization/projects/proj_1/api_keys?limit=100&owner_project_access=any");
  EXPECT_EQ(made("openai", Operation::list, openai_link(), {{"page", "key/1"}}).path,
            "/v1/organization/projects/proj_1/api_keys?limit=100&owner_project_access=any&after=key%2F1");
}

TEST(AdminCalls, the_span_of_usage_says_how_fine_its_buckets_are) {
  const auto path = [](std::string_view from, std::string_view to) {
    return made("openai", Operation::usage, openai_link(),
                {{"id", "k"}, {"from", std::string(from)}, {"to", std::string(to)}})
        .path;
  };
  EXPECT_NE(path("2026-11-01T00:00:00Z", "2026-11-01T01:00:00Z").find("bucket_width=1m&"), std::string::npos);
  EXPECT_NE(path("2026-11-01", "2026-11-05").find("bucket_width=1h&"), std::string::npos);
  EXPECT_NE(path("2026-11-01", "2026-11-25").find("bucket_width=1d&"), std::string::npos);
  EXPECT_NE(path("2026-11-01", "2026-11-02").find("start_time=1793491200&end_time=1793577600"),
            std::string::npos);
}

TEST(AdminCalls, an_address_of_its_own_moves_every_call_there_and_keeps_one_version) {
  Link link = openai_link();
  for (const auto* base : {"http://127.0.0.1:9090/v1", "http://127.0.0.1:9090", "http://127.0.0.1:9090/"}) {
    link.admin_base_url = link.base_url = base;
    EXPECT_EQ(made("openai", Operation::remove, link, {{"id", "k"}}).path,
              "/v1/organization/projects/proj_1/api_keys/k");
    EXPECT_EQ(made("openai", Operation::probe, link, {}).base_url, "http://127.0.0.1:9090");
    EXPECT_EQ(made("openai", Operation::probe, link, {}).path, "/v1/models");
  }
  link.base_url = "http://127.0.0.1:9090/v1";
  EXPECT_EQ(made("llamacpp", Operation::probe, link, {}).path, "/props");
  EXPECT_EQ(made("cohere", Operation::probe, link, {}).path, "/v1/check-api-key");
  EXPECT_EQ(made("cohere", Operation::probe, link, {}).base_url, "http://127.0.0.1:9090");
  EXPECT_EQ(made("cohere", Operation::probe, {}, {}).base_url, "https://api.cohere.com");
  EXPECT_EQ(made("groq", Operation::probe, {}, {}).path, "/openai/v1/models");
}

TEST(AdminCalls, of_azure_and_pinecone_buy_their_token_beside_the_api_that_is_asked) {
  Link link{
      {}, {}, {{"tenant_id", "t1"}, {"subscription_id", "s"}, {"resource_group", "g"}, {"account", "a"}}};
  AdminCall call = made("azure", Operation::create, link, {{"id", "Key2"}});
  EXPECT_EQ(call.body, R"({"keyName":"Key2"})");
  EXPECT_EQ(call.token_url, "https://login.microsoftonline.com/t1/oauth2/v2.0/token");
  link.admin_base_url = "http://127.0.0.1:9090/azure";
  call = made("azure", Operation::create, link, {{"id", "Key2"}});
  EXPECT_EQ(call.token_url, "http://127.0.0.1:9090/t1/oauth2/v2.0/token");
  EXPECT_TRUE(call.path.starts_with("/azure/subscriptions/s/resourceGroups/g/"));
  link.parameters["token_url"] = "https://login.microsoftonline.us/t1/oauth2/v2.0/token";
  EXPECT_EQ(made("azure", Operation::create, link, {{"id", "Key2"}}).token_url,
            "https://login.microsoftonline.us/t1/oauth2/v2.0/token");
  link.parameters.erase("token_url");
  link.parameters.erase("tenant_id");
  EXPECT_EQ(made("azure", Operation::create, link, {{"id", "Key2"}}).token_url, "");
}

TEST(AdminCalls, the_secret_is_put_in_where_each_provider_wants_it_and_nowhere_else) {
  const auto armed = [](std::string_view provider, Operation operation, const Link& link) {
    const AdminCall call = made(provider, operation, link, {{"name", "n"}, {"id", "i"}});
    EXPECT_EQ(call.path.find("s3cret"), std::string::npos);
    auto out = arm(call, "s3cret", kNow);
    EXPECT_TRUE(out);
    EXPECT_EQ(out->path.find("s3cret"), std::string::npos);
    return *std::move(out);
  };
  EXPECT_EQ(header(armed("openai", Operation::create, openai_link()), "authorization"), "Bearer s3cret");
  EXPECT_EQ(header(armed("anthropic", Operation::disable, {}), "x-api-key"), "s3cret");
  EXPECT_EQ(header(armed("anthropic", Operation::disable, {}), "anthropic-version"), "2023-06-01");
  EXPECT_EQ(header(armed("gemini", Operation::probe, {}), "x-goog-api-key"), "s3cret");
  EXPECT_EQ(header(armed("pinecone", Operation::probe, {}), "api-key"), "s3cret");
  const Link mistral{{}, {}, {{"workspace_uuid", "w"}, {"user_id", "u"}}};
  EXPECT_EQ(header(armed("mistral", Operation::create, mistral), "x-api-key"), "s3cret");
  EXPECT_EQ(header(armed("mistral", Operation::create, mistral), "authorization"), "Bearer s3cret");
  const Armed revoke = armed("huggingface", Operation::revoke, {});
  EXPECT_EQ(revoke.body, R"({"credentials":["s3cret"]})");
  EXPECT_EQ(header(revoke, "authorization"), "");
}

TEST(AdminCalls, a_secret_that_would_break_a_header_is_refused_without_being_repeated) {
  const AdminCall call = made("openai", Operation::create, openai_link(), {{"name", "n"}});
  for (const std::string_view secret : {"", "a b", "a\r\nx: y", "caf\xc3\xa9"}) {
    const auto armed = arm(call, secret, kNow);
    ASSERT_FALSE(armed);
    EXPECT_EQ(armed.error().code, Code::credential_unavailable);
    if (!secret.empty()) EXPECT_EQ(armed.error().say.find(secret), std::string::npos);
  }
}

TEST(AdminCalls, aws_calls_are_forms_signed_over_what_is_sent) {
  const Link link{{}, {}, {{"user_name", "bot"}}};
  const AdminCall call = made("bedrock", Operation::disable, link, {{"id", "ACCA1"}});
  EXPECT_EQ(call.base_url, "https://iam.amazonaws.com");
  EXPECT_EQ(call.body,
            "Action=UpdateServiceSpecificCredential&ServiceSpecificCredentialId=ACCA1&Status=Inactive&"
            "UserName=bot&Version=2010-05-08");
  const auto armed = arm(call, "AKIDEXAMPLE:wJalrXUtnFEMI", kNow);
  ASSERT_TRUE(armed);
  EXPECT_EQ(armed->host, "iam.amazonaws.com");
  const std::string proof = header(*armed, "authorization");
  EXPECT_TRUE(proof.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")) << proof;
  EXPECT_NE(proof.find("/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date"),
            std::string::npos);
  EXPECT_EQ(proof.find("wJalr"), std::string::npos);
  const Link own{{}, "https://bedrock-runtime.eu-west-1.amazonaws.com", {}};
  const AdminCall probe = made("bedrock", Operation::probe, own, {});
  EXPECT_EQ(probe.base_url + probe.path, "https://bedrock.eu-west-1.amazonaws.com/foundation-models");
  EXPECT_EQ(header(*arm(probe, "ABSKbearer", kNow), "authorization"), "Bearer ABSKbearer");
  EXPECT_NE(header(*arm(probe, "AKID:secret", kNow), "authorization").find("/eu-west-1/bedrock/"),
            std::string::npos);
}

TEST(AdminCalls, a_pair_of_client_id_and_secret_buys_a_token_first) {
  const Link link{{}, {}, {{"project_id", "p"}}};
  const AdminCall call = made("pinecone", Operation::list, link, {});
  const auto ask = token_call(call, "id1:s3cret", kNow);
  ASSERT_TRUE(ask && *ask);
  EXPECT_EQ((*ask)->host, "login.pinecone.io");
  EXPECT_EQ((*ask)->path, "/oauth/token");
  EXPECT_EQ(header(**ask, "x-pinecone-api-version"), "2026-07");
  EXPECT_EQ((*ask)->body, R"({"client_id":"id1","client_secret":"s3cret","grant_type":"client_credentials",)"
                          R"("audience":"https://api.pinecone.io/"})");
  EXPECT_FALSE(arm(call, "id1:s3cret", kNow));  // the pair itself is never sent as a token
  EXPECT_EQ(header(*arm(call, "token", kNow), "authorization"), "Bearer token");
  const auto none = token_call(call, "token", kNow);
  EXPECT_TRUE(none && !*none);
  const Link azure{{}, {}, {{"subscription_id", "s"}, {"resource_group", "g"}, {"account", "a"}}};
  const auto no_tenant = token_call(made("azure", Operation::create, azure, {{"id", "Key1"}}), "a:b", kNow);
  ASSERT_FALSE(no_tenant);
  EXPECT_NE(no_tenant.error().say.find("tenant_id"), std::string::npos);
}

TEST(AdminCalls, the_origins_an_admin_secret_goes_to_are_known_beforehand) {
  const Link azure{
      {}, {}, {{"tenant_id", "t"}, {"subscription_id", "s"}, {"resource_group", "g"}, {"account", "a"}}};
  EXPECT_EQ(admin_origins(*find_adapter("azure"), azure).value(),
            (std::vector<std::string>{"https://management.azure.com:443",
                                      "https://login.microsoftonline.com:443"}));
  EXPECT_EQ(admin_origins(*find_adapter("openai"), openai_link()).value(),
            std::vector<std::string>{"https://api.openai.com:443"});
}

TEST(AdminCalls, names_carry_the_nonce_and_fit) {
  const Adapter& gemini = *find_adapter("gemini");
  EXPECT_EQ(key_name(gemini, "OpenAI dev!", "n1"), "claviger-openai-dev--n1");
  const std::string longest = key_name(gemini, std::string(200, 'x'), "0123456789abcdef");
  EXPECT_EQ(longest.size(), 63U);
  EXPECT_TRUE(longest.ends_with("-0123456789abcdef"));
  const Adapter& openai = *find_adapter("openai");
  const std::size_t room = limits::kKeyName - std::string_view("claviger--n1").size();
  EXPECT_EQ(key_name(openai, std::string(room, 'x'), "n1"), "claviger-" + std::string(room, 'x') + "-n1");
  EXPECT_EQ(key_name(openai, std::string(room + 1, 'x'), "n1").size(), limits::kKeyName);
}

TEST(AdminCalls, a_status_tells_what_became_of_the_call) {
  const Adapter& openai = *find_adapter("openai");
  const Adapter& bedrock = *find_adapter("bedrock");
  const auto outcome = [](const Adapter& adapter, Operation operation, int status,
                          std::string_view body = {}) {
    return outcome_name(outcome_of(adapter, operation, status, body));
  };
  EXPECT_EQ(outcome(openai, Operation::create, 201), "done");
  EXPECT_EQ(outcome(openai, Operation::remove, 404), "gone");
  EXPECT_EQ(outcome(openai, Operation::create, 404), "refused");
  EXPECT_EQ(outcome(openai, Operation::create, 409), "exists");
  EXPECT_EQ(outcome(openai, Operation::remove, 409), "again");
  EXPECT_EQ(outcome(openai, Operation::create, 429), "again");
  EXPECT_EQ(outcome(openai, Operation::create, 503), "again");
  EXPECT_EQ(outcome(openai, Operation::create, 401), "denied");
  EXPECT_EQ(outcome(openai, Operation::create, 400), "refused");
  EXPECT_EQ(outcome(bedrock, Operation::create, 409, "<Code>LimitExceeded</Code>"), "full");
  EXPECT_EQ(outcome(bedrock, Operation::list, 400, "<Code>Throttling</Code>"), "again");
}

}  // namespace
}  // namespace claviger::provider
