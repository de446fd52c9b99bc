// The double of the admin APIs, asked through the adapters: who is refused, what becomes true when, what is
// lost.
#include "sandbox/admin.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "provider/admin.hpp"
#include "provider/admin_auth.hpp"
#include "provider/admin_read.hpp"
#include "provider/verdict.hpp"
#include "sandbox/provider.hpp"

namespace claviger::sandbox {
namespace {

using provider::Operation;
using provider::Outcome;
using provider::Values;
using provider::Verdict;

constexpr std::string_view kSecret = "sk-admin-made-up-for-tests";
constexpr std::string_view kPrices = R"(
version = "test"
[[price]]
provider = "openai"
models = ["gpt-test"]
valid_from = "2026-01-01"
source = "made up"
input = "1000"
output = "10000"
)";

class MovableClock final : public Clock {
 public:
  Time at{1'800'000'000'000'000'000};
  Time now() const override { return at; }
  std::int64_t monotonic_ns() const override { return at.ns; }
};

// What a person would have to know of each provider to link a credential.
Values link_of(std::string_view name) {
  if (name == "openai") return {{"project_id", "proj_sandbox"}, {"service_account_id", "svc_acct_sandbox"}};
  if (name == "pinecone") return {{"project_id", "p1"}};
  if (name == "x-ai") return {{"team_id", "team_sandbox"}};
  if (name == "mistral") return {{"workspace_uuid", "w1"}, {"user_id", "u1"}};
  if (name == "fireworks") return {{"account_id", "sandbox"}, {"user_id", "bot"}};
  if (name == "cloudflare") return {{"account_id", "sandbox"}, {"policies", R"([{"effect":"allow"}])"}};
  if (name == "gemini") return {{"project_number", "42"}};
  if (name == "bedrock") return {{"user_name", "bot"}};
  if (name == "azure_openai") return {{"subscription_id", "s"}, {"resource_group", "g"}, {"account", "a"}};
  return {};
}

class AdminDouble : public testing::Test {
 protected:
  void SetUp() override { start({{}, {}, std::string(kSecret)}); }
  void start(const Options& options) {
    provider_ = std::make_unique<Provider>(Provider::make(*prices_, clock_, options).value());
  }
  void pass(std::int64_t ms) { clock_.at = clock_.at + std::chrono::milliseconds(ms); }

  Plan send(const provider::AdminCall& call, std::string_view secret, std::string_view fault = {}) {
    auto armed = provider::arm(call, secret, clock_.now());
    EXPECT_TRUE(armed);
    Request request{armed->method, armed->path, {}, armed->body};
    for (const auto& [name, value] : armed->headers) request.headers.emplace_back(name, value);
    request.headers.emplace_back("host", armed->host);
    if (!fault.empty()) request.headers.emplace_back("x-sandbox-fault", fault);
    const Plan plan = provider_->plan(request);
    provider_->finish(plan);
    return plan;
  }
  Plan ask(std::string_view name, Operation operation, const Values& about = {}, std::string_view fault = {},
           std::string_view variant = {}) {
    const auto& adapter = *provider::find_adapter(name, variant);
    const provider::Link link{"http://127.0.0.1:1", "http://127.0.0.1:1", link_of(name)};
    const auto call = provider::call_of(adapter, operation, link, about);
    EXPECT_TRUE(call) << told(call.error());
    const bool aws = call->auth == provider::AdminAuth::aws;
    return send(*call, aws ? "AKIAADMIN:" + std::string(kSecret) : std::string(kSecret), fault);
  }
  provider::CreatedKey made(std::string_view name, const Values& about = {{"name", "n"}},
                            std::string_view fault = {}, std::string_view variant = {}) {
    const Plan plan = ask(name, Operation::create, about, fault, variant);
    EXPECT_LT(plan.status, 300) << body(plan);
    const auto& adapter = *provider::find_adapter(name, variant);
    auto key = provider::read_created(adapter, Operation::create, about, body(plan));
    EXPECT_TRUE(key) << told(key.error());
    return key.value_or(provider::CreatedKey{});
  }
  std::vector<provider::ListedKey> listed(std::string_view name, std::string_view variant = {}) {
    auto page = provider::read_keys(*provider::find_adapter(name, variant), {},
                                    body(ask(name, Operation::list, {}, {}, variant)));
    EXPECT_TRUE(page);
    return page->keys;
  }
  Verdict probed(std::string_view name, std::string_view secret, std::string_view variant = {}) {
    const provider::Link link{"http://127.0.0.1:1", "http://127.0.0.1:1", link_of(name)};
    const auto call = provider::call_of(*provider::find_adapter(name, variant), Operation::probe, link, {});
    const Plan plan = send(*call, secret);
    return provider::classify(name, plan.status, body(plan));
  }
  Outcome outcome(std::string_view name, Operation operation, const Values& about,
                  std::string_view fault = {}) {
    const Plan plan = ask(name, operation, about, fault);
    return provider::outcome_of(*provider::find_adapter(name), operation, plan.status, body(plan));
  }
  static std::string body(const Plan& plan) { return plan.pieces.empty() ? "" : plan.pieces.front().bytes; }
  Plan control(std::string_view json) {
    return provider_->plan({"POST", "/_sandbox/admin", {}, std::string(json)});
  }

  std::unique_ptr<provider::PriceBook> prices_ =
      std::make_unique<provider::PriceBook>(provider::PriceBook::parse(kPrices).value());
  MovableClock clock_;
  std::unique_ptr<Provider> provider_;
};

constexpr std::array<std::string_view, 9> kCreating{
    "openai", "openrouter", "pinecone", "x-ai", "gemini", "bedrock", "mistral", "fireworks", "cloudflare"};
std::string_view variant_of(std::string_view name) { return name == "x-ai" ? "create" : ""; }

TEST_F(AdminDouble, without_an_admin_secret_there_are_no_admin_apis) {
  start({});
  EXPECT_EQ(ask("openai", Operation::list).status, 404);
  EXPECT_EQ(provider_->plan({"GET", "/_sandbox/admin", {}, {}}).status, 404);
}

TEST_F(AdminDouble, another_secret_is_refused_by_each_api_in_its_own_words) {
  for (const auto& [name, status] : {std::pair<std::string_view, int>{"openai", 401},
                                     {"anthropic", 401},
                                     {"openrouter", 401},
                                     {"pinecone", 401},
                                     {"x-ai", 401},
                                     {"gemini", 401},
                                     {"mistral", 401},
                                     {"fireworks", 401},
                                     {"cloudflare", 401},
                                     {"bedrock", 403}}) {
    const provider::Link link{"http://127.0.0.1:1", {}, link_of(name)};
    const auto call = provider::call_of(*provider::find_adapter(name), Operation::list, link, {});
    const Plan plan = send(*call, name == "bedrock" ? "AKIAADMIN:wrong" : "wrong");
    EXPECT_EQ(plan.status, status) << name;
    EXPECT_EQ(body(plan).find(kSecret), std::string::npos);
  }
}

TEST_F(AdminDouble, the_admin_secret_runs_nothing) { EXPECT_NE(probed("openai", kSecret), Verdict::valid); }

TEST_F(AdminDouble, a_key_lives_from_its_creation_to_its_removal_at_every_provider) {
  for (const std::string_view name : kCreating) {
    const std::string_view variant = variant_of(name);
    provider::CreatedKey key = made(name, {{"name", "claviger-a-1"}}, {}, variant);
    if (key.next() == Operation::progress)
      key = *provider::read_created(*provider::find_adapter(name), Operation::progress, {},
                                    body(ask(name, Operation::progress, {{"operation", key.operation}})));
    if (key.next() == Operation::reveal) {
      const Values about{{"id", key.id}};
      key = *provider::read_created(*provider::find_adapter(name), Operation::reveal, about,
                                    body(ask(name, Operation::reveal, about)));
    }
    EXPECT_EQ(probed(name, key.secret), Verdict::valid) << name;
    const auto keys = listed(name, variant);
    ASSERT_EQ(keys.size(), 1U) << name;
    EXPECT_EQ(keys[0].id, key.id);
    if (provider::find_adapter(name)->named) EXPECT_EQ(keys[0].name, "claviger-a-1");
    const auto& adapter = *provider::find_adapter(name, variant);
    EXPECT_NE(provider::fits_hint(adapter, keys[0], key.secret), false) << keys[0].hint;
    EXPECT_LT(ask(name, Operation::remove, {{"id", key.id}}, {}, variant).status, 300);
    EXPECT_EQ(probed(name, key.secret), Verdict::invalid) << name;
    EXPECT_TRUE(listed(name, variant).empty());
    EXPECT_EQ(outcome(name, Operation::remove, {{"id", key.id}}), Outcome::gone) << name;
  }
}

TEST_F(AdminDouble, a_disabled_key_is_refused_until_it_is_enabled) {
  for (const std::string_view name : {"openrouter", "x-ai", "bedrock", "openai", "gemini"}) {
    const std::string_view variant = variant_of(name);
    provider::CreatedKey key = made(name, {{"name", "a"}}, {}, variant);
    if (name == "gemini") {
      key.id = "projects/42/locations/global/keys/a";
      key = *provider::read_created(*provider::find_adapter(name), Operation::reveal, {{"id", key.id}},
                                    body(ask(name, Operation::reveal, {{"id", key.id}})));
    }
    EXPECT_EQ(outcome(name, Operation::disable, {{"id", key.id}}), Outcome::done) << name;
    const bool narrows = provider::find_adapter(name)->disable_narrows;
    if (name == "gemini") EXPECT_EQ(probed(name, key.secret), Verdict::scope_limited);
    if (!narrows) EXPECT_EQ(probed(name, key.secret), Verdict::invalid) << name;
    EXPECT_EQ(outcome(name, Operation::enable, {{"id", key.id}}), Outcome::done) << name;
    EXPECT_EQ(probed(name, key.secret), Verdict::valid) << name;
  }
}

TEST_F(AdminDouble, a_narrowed_key_lists_models_and_runs_none) {
  const auto key = made("openai");
  ask("openai", Operation::disable, {{"id", key.id}});
  EXPECT_EQ(probed("openai", key.secret), Verdict::valid);
  const Plan plan = provider_->plan({"POST",
                                     "/v1/chat/completions",
                                     {{"authorization", "Bearer " + key.secret}},
                                     R"({"model":"gpt-test","messages":[]})"});
  EXPECT_EQ(plan.status, 401);
  EXPECT_EQ(provider::classify("openai", 401, body(plan)), Verdict::scope_limited);
}

TEST_F(AdminDouble, each_change_takes_as_long_as_was_said_and_lists_lag_behind) {
  EXPECT_EQ(control(R"({"create_delay_ms":1000,"delete_delay_ms":2000,"list_lag_ms":500})").status, 200);
  const auto key = made("openai");
  EXPECT_EQ(probed("openai", key.secret), Verdict::invalid);
  EXPECT_TRUE(listed("openai").empty());
  pass(500);
  EXPECT_EQ(listed("openai").size(), 1U);
  pass(500);
  EXPECT_EQ(probed("openai", key.secret), Verdict::valid);
  ask("openai", Operation::remove, {{"id", key.id}});
  EXPECT_EQ(listed("openai").size(), 1U);
  EXPECT_EQ(probed("openai", key.secret), Verdict::valid);
  pass(2000);
  EXPECT_TRUE(listed("openai").empty());
  EXPECT_EQ(probed("openai", key.secret), Verdict::invalid);
  const auto slow = made("openrouter", {{"name", "n"}}, "propagation=3000");  // this one alone
  pass(2000);
  EXPECT_EQ(probed("openrouter", slow.secret), Verdict::invalid);
  EXPECT_EQ(control(R"({"advance_ms":1000})").status, 200);
  EXPECT_EQ(probed("openrouter", slow.secret), Verdict::valid);
  EXPECT_EQ(control(R"({"colour":1})").status, 400);
}

TEST_F(AdminDouble, what_was_asked_for_is_done_although_the_answer_is_lost_or_an_error) {
  for (const std::string_view name : kCreating) {
    const Values about{{"name", "claviger-lost"}};
    const std::size_t before = listed(name, variant_of(name)).size();
    EXPECT_EQ(ask(name, Operation::create, about, "lost", variant_of(name)).ending, Ending::drop) << name;
    EXPECT_EQ(listed(name, variant_of(name)).size(), before + 1) << name;
    EXPECT_EQ(ask(name, Operation::create, {{"name", "second"}}, "status_after=503", variant_of(name)).status,
              503);
    EXPECT_EQ(listed(name, variant_of(name)).size(), before + 2) << name;
    EXPECT_EQ(ask(name, Operation::create, {{"name", "third"}}, "drop", variant_of(name)).ending,
              Ending::drop);
    EXPECT_EQ(outcome(name, Operation::list, {}, "status=500"), Outcome::again);
    EXPECT_EQ(listed(name, variant_of(name)).size(), before + 2) << name;
  }
}

TEST_F(AdminDouble, limits_are_told_with_and_without_a_time_to_wait) {
  const Plan with = ask("openai", Operation::list, {}, "status=429,retry_after=1500");
  EXPECT_EQ(with.status, 429);
  EXPECT_EQ(with.headers.back(), (std::pair<std::string, std::string>{"retry-after", "2"}));
  const Plan without = ask("bedrock", Operation::list, {}, "status=429");
  EXPECT_EQ(without.headers.back().first, "content-type");
  EXPECT_NE(body(without).find("<Code>Throttling</Code>"), std::string::npos);
}

TEST_F(AdminDouble, a_policy_of_lifetimes_refuses_at_openai_and_shortens_elsewhere) {
  control(R"({"longest_life_s":3600})");
  EXPECT_EQ(outcome("openai", Operation::create, {{"name", "n"}}), Outcome::refused);
  EXPECT_EQ(outcome("openai", Operation::create, {{"name", "n"}, {"lifetime_s", "7200"}}), Outcome::refused);
  const auto key = made("openai", {{"name", "n"}, {"lifetime_s", "3600"}});
  EXPECT_EQ(*key.expires, clock_.at + std::chrono::hours(1));
  const auto other = made("openrouter", {{"name", "n"}, {"expires", "2030-01-01T00:00:00Z"}});
  EXPECT_EQ(*other.expires, clock_.at + std::chrono::hours(1));
  pass(3'600'000);
  EXPECT_EQ(probed("openai", key.secret), Verdict::invalid);
}

TEST_F(AdminDouble, openai_knows_one_project_with_one_service_account) {
  const provider::Link link{
      "http://127.0.0.1:1", {}, {{"project_id", "proj_x"}, {"service_account_id", "svc_acct_sandbox"}}};
  const auto call =
      provider::call_of(*provider::find_adapter("openai"), Operation::create, link, {{"name", "n"}});
  const Plan plan = send(*call, kSecret);
  EXPECT_EQ(plan.status, 404);
  EXPECT_NE(body(plan).find("The project proj_x was not found"), std::string::npos);
}

TEST_F(AdminDouble, openais_admin_keys_are_keys_too_and_run_nothing_else) {
  const auto admin = made("openai", {{"name", "next"}}, {}, "admin");
  const auto call = provider::call_of(*provider::find_adapter("openai"), Operation::list,
                                      {"http://127.0.0.1:1", {}, link_of("openai")}, {});
  EXPECT_EQ(send(*call, admin.secret).status, 200);
  EXPECT_EQ(probed("openai", admin.secret), Verdict::invalid);
  EXPECT_EQ(ask("openai", Operation::remove, {{"id", admin.id}}, {}, "admin").status, 200);
  EXPECT_EQ(send(*call, admin.secret).status, 401);
}

TEST_F(AdminDouble, a_key_that_was_used_before_is_found_as_if_a_person_had_made_it) {
  constexpr std::string_view kOld = "sk-old-0123456789abcdefgh";
  EXPECT_EQ(probed("openai", kOld), Verdict::valid);
  const auto keys = listed("openai");
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(provider::fits_hint(*provider::find_adapter("openai"), keys[0], kOld), true);
  EXPECT_EQ(keys[0].last_used, clock_.at);
  EXPECT_EQ(outcome("openai", Operation::remove, {{"id", keys[0].id}}), Outcome::done);
  EXPECT_EQ(probed("openai", kOld), Verdict::invalid);
}

TEST_F(AdminDouble, anthropics_keys_are_made_in_the_console_and_ended_by_api) {
  const Plan plan =
      provider_->plan({"POST", "/_sandbox/console", {}, R"({"provider":"anthropic","name":"x"})"});
  const Json given = Json::parse(body(plan));
  const std::string secret = given["secret"], id = given["id"];
  EXPECT_EQ(probed("anthropic", secret), Verdict::valid);
  const auto keys = listed("anthropic");
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(provider::fits_hint(*provider::find_adapter("anthropic"), keys[0], secret), true);
  EXPECT_EQ(outcome("anthropic", Operation::disable, {{"id", id}}), Outcome::done);
  EXPECT_EQ(probed("anthropic", secret), Verdict::invalid);
  EXPECT_EQ(listed("anthropic")[0].state, provider::KeyState::disabled);
  EXPECT_EQ(outcome("anthropic", Operation::remove, {{"id", id}}), Outcome::done);
  EXPECT_EQ(outcome("anthropic", Operation::enable, {{"id", id}}), Outcome::refused);  // archived is final
  EXPECT_EQ(provider_->plan({"POST", "/_sandbox/console", {}, "{}"}).status, 400);
}

TEST_F(AdminDouble, xais_rotation_keeps_the_id_and_the_old_secret_for_as_long_as_was_said) {
  const auto key = made("x-ai", {{"name", "n"}}, {}, "create");
  const std::string until = format_time(clock_.at + std::chrono::hours(1));
  const auto next = made("x-ai", {{"id", key.id}, {"old_expires", until}}, "propagation=1000");
  EXPECT_EQ(next.id, key.id);
  EXPECT_EQ(probed("x-ai", key.secret), Verdict::valid);
  EXPECT_EQ(probed("x-ai", next.secret), Verdict::invalid);
  const auto spread = [&] {
    const Plan plan = ask("x-ai", Operation::propagation, {{"id", key.id}});
    return *provider::read_propagation(*provider::find_adapter("x-ai"), body(plan));
  };
  EXPECT_FALSE(spread());
  pass(1000);
  EXPECT_TRUE(spread());
  EXPECT_EQ(probed("x-ai", next.secret), Verdict::valid);
  pass(3'600'000);
  EXPECT_EQ(probed("x-ai", key.secret), Verdict::invalid);
  const std::string far = format_time(clock_.at + std::chrono::hours(24 * 8));
  EXPECT_EQ(outcome("x-ai", Operation::create, {{"id", key.id}, {"old_expires", far}}), Outcome::refused);
}

TEST_F(AdminDouble, azures_slots_change_at_once_and_can_be_read_again) {
  const auto slot = [&](Operation operation, std::string_view id) {
    const Values about{{"id", std::string(id)}};
    return provider::read_created(*provider::find_adapter("azure"), operation, about,
                                  body(ask("azure_openai", operation, about)))
        ->secret;
  };
  const std::string one = slot(Operation::reveal, "Key1"), two = slot(Operation::reveal, "Key2");
  EXPECT_EQ(probed("azure_openai", one), Verdict::valid);
  const std::string next = slot(Operation::create, "Key2");
  EXPECT_NE(next, two);
  EXPECT_EQ(slot(Operation::reveal, "Key2"), next);
  EXPECT_EQ(slot(Operation::reveal, "Key1"), one);
  EXPECT_EQ(probed("azure_openai", two), Verdict::invalid);
  EXPECT_EQ(probed("azure_openai", next), Verdict::valid);
}

TEST_F(AdminDouble, aws_gives_two_keys_a_user_and_knows_who_signed) {
  const auto first = made("bedrock", {}, {}, "access_key");
  EXPECT_EQ(probed("bedrock", first.secret, "access_key"), Verdict::valid);
  made("bedrock", {}, {}, "access_key");
  const Plan third = ask("bedrock", Operation::create, {}, {}, "access_key");
  EXPECT_EQ(provider::outcome_of(*provider::find_adapter("bedrock", "access_key"), Operation::create,
                                 third.status, body(third)),
            Outcome::full);
  const Plan used = ask("bedrock", Operation::last_used, {{"id", first.id}}, {}, "access_key");
  EXPECT_EQ(**provider::read_last_used(*provider::find_adapter("bedrock", "access_key"), body(used)),
            clock_.at);
  EXPECT_EQ(ask("bedrock", Operation::remove, {{"id", first.id}}, {}, "access_key").status, 200);
  EXPECT_EQ(probed("bedrock", first.secret, "access_key"), Verdict::invalid);
}

TEST_F(AdminDouble, keys_of_bedrock_run_its_models_until_they_are_removed) {
  const auto key = made("bedrock", {});
  const auto status = [&] {
    const Fields proof{{"authorization", "Bearer " + key.secret}};
    const Plan plan = provider_->plan({"POST", "/model/unknown/converse", proof, R"({"messages":[]})"});
    provider_->finish(plan);
    return plan.status;
  };
  EXPECT_EQ(status(), 404);  // the key is good, the model is not
  EXPECT_EQ(outcome("bedrock", Operation::remove, {{"id", key.id}}), Outcome::done);
  EXPECT_EQ(status(), 403);
}

TEST_F(AdminDouble, google_makes_one_key_of_a_name) {
  EXPECT_EQ(outcome("gemini", Operation::create, {{"name", "claviger-a"}}), Outcome::done);
  EXPECT_EQ(outcome("gemini", Operation::create, {{"name", "claviger-a"}}), Outcome::exists);
  EXPECT_EQ(outcome("gemini", Operation::create, {{"name", "Not A Name"}}), Outcome::refused);
}

TEST_F(AdminDouble, a_token_is_bought_with_the_admin_secret_only) {
  const auto buys = [&](std::string_view secret) {
    const std::string body = R"({"grant_type":"client_credentials","client_id":"c","client_secret":")" +
                             std::string(secret) + "\"}";
    return provider_->plan({"POST", "/oauth/token", {{"content-type", "application/json"}}, body});
  };
  EXPECT_EQ(buys("wrong").status, 401);
  const std::string token = Json::parse(body(buys(kSecret)))["access_token"];
  const auto call = provider::call_of(*provider::find_adapter("pinecone"), Operation::list,
                                      {"http://127.0.0.1:1", {}, link_of("pinecone")}, {});
  EXPECT_EQ(send(*call, token).status, 200);
}

TEST_F(AdminDouble, usage_and_cost_are_what_its_own_ledger_says) {
  const auto key = made("openai");
  for (int i = 0; i < 3; ++i) {
    const Plan plan =
        provider_->plan({"POST",
                         "/v1/chat/completions",
                         {{"authorization", "Bearer " + key.secret}},
                         R"({"model":"gpt-test","messages":[{"role":"user","content":"hi"}]})"});
    provider_->finish(plan);
  }
  const Values about{{"id", key.id},
                     {"from", format_time(clock_.at + std::chrono::hours(-1))},
                     {"to", format_time(clock_.at + std::chrono::hours(1))}};
  const auto& openai = *provider::find_adapter("openai");
  std::int64_t requests = 0, input = 0, cost = 0;
  Values page = about;
  do {
    const auto rows =
        provider::read_usage(openai, Operation::usage, page, body(ask("openai", Operation::usage, page)));
    ASSERT_TRUE(rows);
    for (const auto& row : rows->rows) requests += row.requests, input += row.input_tokens;
    page["page"] = rows->next;
  } while (!page["page"].empty());
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(input, provider_->book().entries()[1].spent.input * 3);
  const auto costs =
      provider::read_usage(openai, Operation::cost, about, body(ask("openai", Operation::cost, about)));
  for (const auto& row : costs->rows) cost += row.cost->value;
  EXPECT_EQ(cost, provider_->book().total_nanousd());
  EXPECT_GT(cost, 0);
  const Values other{{"id", "key_other"}, {"from", about.at("from")}, {"to", about.at("to")}};
  EXPECT_TRUE(
      provider::read_usage(openai, Operation::cost, other, body(ask("openai", Operation::cost, other)))
          ->rows.empty());
}

TEST(AdminKeysBound, no_more_keys_are_remembered_than_there_is_room_for) {
  AdminKeys keys;
  const auto add = [&](std::size_t number) {
    AdminKey key;
    key.secret = std::to_string(number);
    return keys.add(std::move(key), Time{}) != nullptr;
  };
  for (std::size_t i = 0; i < limits::kDoubleKeys; ++i) ASSERT_TRUE(add(i));
  EXPECT_FALSE(add(limits::kDoubleKeys));
}

TEST_F(AdminDouble, a_body_of_another_shape_is_refused_and_ends_nothing) {
  const Request odd{"POST",
                    "/v1/organizations/api_keys/x",
                    {{"x-api-key", std::string(kSecret)}, {"content-type", "application/json"}},
                    R"({"status":{"a":1}})"};
  EXPECT_EQ(provider_->plan(odd).status, 404);
  const Request worse{
      "POST", "/api/v1/keys", {{"authorization", "Bearer " + std::string(kSecret)}}, R"({"name":7})"};
  EXPECT_EQ(provider_->plan(worse).status, 400);
}

}  // namespace
}  // namespace claviger::sandbox
