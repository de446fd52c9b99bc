// Tests of what a caller may do, through which credential, and what it may cost at worst.
#include "gate/authorize.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view kUnpriced = R"({"model":"unheard-of","max_tokens":10,"messages":[]})";
constexpr std::string_view kBare = R"({"model":"plain","messages":[]})";

class AuthorizeTest : public GateTest {
 protected:
  AuthorizeTest() {
    add_credential("openai", "https://api.openai.com/v1");
    add_credential("anthropic", "https://api.anthropic.com");
    add_credential("gemini", "https://generativelanguage.googleapis.com");
  }
  // The wish for a key whose scope has this one field set.
  template <class T>
  static Wish scoped(T policy::Scope::* field, std::type_identity_t<T> value) {
    Wish wish;
    wish.scope.*field = std::move(value);
    return wish;
  }
  static Wish capped(std::int64_t most) {
    Wish wish;
    wish.scope.max_output_tokens = most;
    return wish;
  }
  std::unique_ptr<Asked> post(const Known& key, std::string_view target, std::string_view body) {
    pinned = world();
    auto asked = ask(*pinned, "POST", target, {{"x-api-key", key.token}}, body);
    EXPECT_EQ(verdict(asked->target), "ok") << target;
    return asked;
  }
  // The body that would go upstream.
  std::string sent(const Known& key, std::string_view body,
                   std::string_view target = "/v1/chat/completions") {
    const auto asked = post(key, target, body);
    const auto grant = authorized(*pinned, *asked);
    return grant ? outgoing(*asked, *grant) : std::string(verdict(grant));
  }
  std::shared_ptr<World> pinned;
};

TEST_F(AuthorizeTest, a_frozen_key_is_refused) {
  const Known key = make_key();
  set_state(key, identity::KeyState::frozen);
  EXPECT_EQ(chat_verdict(key), "frozen_key");
}

TEST_F(AuthorizeTest, a_revoked_key_is_refused) {
  const Known key = make_key();
  set_state(key, identity::KeyState::revoked);
  EXPECT_EQ(chat_verdict(key), "revoked_key");
}

TEST_F(AuthorizeTest, a_key_is_refused_from_the_moment_it_expires) {
  Wish wish;
  wish.expires = clock.at + 1h;
  const Known key = make_key(wish);
  EXPECT_EQ(chat_verdict(key), "ok");
  clock.at = wish.expires;
  EXPECT_EQ(chat_verdict(key), "expired_key");
}

TEST_F(AuthorizeTest, a_model_out_of_scope_is_refused) {
  EXPECT_EQ(chat_verdict(make_key(scoped(&policy::Scope::models, {"gpt-*"}))), "model_denied");
}

TEST_F(AuthorizeTest, an_endpoint_out_of_scope_is_refused) {
  EXPECT_EQ(chat_verdict(make_key(scoped(&policy::Scope::endpoints, {"embeddings"}))), "endpoint_denied");
}

TEST_F(AuthorizeTest, a_network_out_of_scope_is_refused) {
  EXPECT_EQ(
      chat_verdict(make_key(scoped(&policy::Scope::cidrs, {policy::Cidr::parse("10.0.0.0/8").value()}))),
      "network_denied");
}

TEST_F(AuthorizeTest, more_choices_than_the_scope_allows_are_refused) {
  const Known key = make_key(scoped<std::optional<std::int64_t>>(&policy::Scope::max_choices, 1));
  EXPECT_EQ(chat_verdict(key, R"({"model":"plain","n":2,"messages":[]})"), "capability_denied");
}

TEST_F(AuthorizeTest, a_tool_out_of_scope_is_refused_in_whatever_place_it_stands) {
  const Known key = make_key(scoped(&policy::Scope::tools, {"function:look*", "web_search*"}));
  for (const std::string_view fields :
       {R"("tools":[{"type":"function","function":{"name":"act"}}])", R"("functions":[{"name":"act"}])",
        R"("tools":[{"type":"code_interpreter"}])", R"("tools":[{"type":"custom","custom":{"name":"act"}}])",
        R"("tools":[{"type":"function","function":{"name":"look"}},{"type":"mcp"}])", R"("tools":"all")"})
    EXPECT_EQ(chat_verdict(key, R"({"model":"plain",)" + std::string(fields) + R"(,"messages":[]})"),
              "capability_denied")
        << fields;
  EXPECT_EQ(chat_verdict(key, R"({"model":"plain","messages":[],"tools":[{"type":"function","function":)"
                              R"({"name":"look_up"}}]})"),
            "ok");
  EXPECT_EQ(chat_verdict(key, R"({"model":"plain","messages":[]})"), "ok");
}

TEST_F(AuthorizeTest, a_dearer_service_tier_than_the_scope_allows_is_refused) {
  const Known key =
      make_key(scoped<std::optional<policy::Tier>>(&policy::Scope::max_tier, policy::Tier::flex));
  for (const std::string_view tier : {"priority", "auto", "default", "scale", "unheard-of"})
    EXPECT_EQ(
        chat_verdict(key, R"({"model":"plain","service_tier":")" + std::string(tier) + R"(","messages":[]})"),
        "capability_denied")
        << tier;
  EXPECT_EQ(chat_verdict(key, R"({"model":"plain","messages":[]})"), "capability_denied");
  EXPECT_EQ(chat_verdict(key, R"({"model":"plain","service_tier":"flex","messages":[]})"), "ok");
}

TEST_F(AuthorizeTest, hours_out_of_scope_are_refused) {
  const Known key =
      make_key(scoped(&policy::Scope::schedules, {policy::Schedule::parse("fri 12:00-13:00").value()}));
  EXPECT_EQ(chat_verdict(key), "ok");  // the rig's clock stands on a Friday at noon
  clock.at = clock.at + 1h;
  EXPECT_EQ(chat_verdict(key), "time_denied");
}

TEST_F(AuthorizeTest, an_environment_without_a_credential_for_the_provider_is_refused) {
  Wish wish;
  wish.environment = "prod";
  EXPECT_EQ(chat_verdict(make_key(wish)), "environment_denied");
}

TEST_F(AuthorizeTest, a_credential_of_another_environment_is_out_of_reach_by_name_too) {
  add_credential("openai", "https://api.openai.com/v1", "prod", "payroll");
  const auto asked = post(make_key(), "/p/payroll/v1/chat/completions", kChat);
  EXPECT_EQ(verdict(authorized(*pinned, *asked)), "environment_denied");
}

TEST_F(AuthorizeTest, a_disabled_credential_is_unavailable_and_no_other_is_taken_where_it_was_named) {
  add_credential("openai", "https://api.openai.com/v1", "dev", "second");
  credentials.back().usable = false;
  const Known key = make_key();
  const auto named = post(key, "/p/second/v1/chat/completions", kChat);
  EXPECT_EQ(verdict(authorized(*pinned, *named)), "credential_unavailable");
  EXPECT_EQ(chat_verdict(key), "ok");
  for (CredentialEntry& credential : credentials) credential.usable = false;
  EXPECT_EQ(chat_verdict(key), "credential_unavailable");
}

TEST_F(AuthorizeTest, a_request_that_names_no_model_is_refused) {
  EXPECT_EQ(chat_verdict(make_key(), R"({"messages":[]})"), "missing_model");
}

TEST_F(AuthorizeTest, a_parameter_of_the_wrong_type_is_refused) {
  EXPECT_EQ(chat_verdict(make_key(), R"({"model":"plain","n":"two","messages":[]})"), "invalid_parameter");
}

TEST_F(AuthorizeTest, a_request_bound_to_stored_objects_is_refused) {
  const auto asked =
      post(make_key(), "/v1/responses", R"({"model":"plain","input":"x","previous_response_id":"r"})");
  EXPECT_EQ(verdict(authorized(*pinned, *asked)), "route_refused");
}

TEST_F(AuthorizeTest, a_model_without_a_price_is_refused_under_a_blocking_budget) {
  add_budget("org", kNanoPerUsd);
  EXPECT_EQ(chat_verdict(make_key(), kUnpriced), "unpriced_model");
}

TEST_F(AuthorizeTest, a_model_without_a_price_is_refused_where_its_provider_has_no_price_at_all) {
  add_credential("openai_compatible", "http://127.0.0.1:9/v1");
  const auto asked = post(make_key(), "/p/openai_compatible/v1/chat/completions", kUnpriced);
  EXPECT_EQ(verdict(authorized(*pinned, *asked)), "unpriced_model");
}

TEST_F(AuthorizeTest, a_model_without_a_price_is_held_at_the_dearest_and_flagged_where_no_budget_blocks) {
  add_budget("org", kNanoPerUsd, ledger::Action::alert);
  const auto asked = post(make_key(), "/v1/chat/completions", kUnpriced);
  const auto grant = authorized(*pinned, *asked);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->guessed_price);
  EXPECT_EQ(grant->price, catalog->prices().dearest("openai"));
}

TEST_F(AuthorizeTest, a_tool_whose_cost_nothing_bounds_is_refused_under_a_blocking_budget) {
  constexpr std::string_view kSearch =
      R"({"model":"plain","max_tokens":1,"web_search_options":{},"messages":[]})";
  const Known key = make_key();
  EXPECT_EQ(chat_verdict(key, kSearch), "ok");
  add_budget("key:" + key.id, kNanoPerUsd);
  EXPECT_EQ(chat_verdict(key, kSearch), "unbounded_cost");
}

TEST_F(AuthorizeTest, an_answer_of_no_known_length_is_refused_under_a_blocking_budget) {
  const Known key = make_key();
  EXPECT_EQ(chat_verdict(key, R"({"model":"endless","messages":[]})"), "ok");
  add_budget("team:red", kNanoPerUsd);
  EXPECT_EQ(chat_verdict(key, R"({"model":"endless","messages":[]})"), "unbounded_cost");
  EXPECT_EQ(chat_verdict(key, R"({"model":"endless","max_tokens":5,"messages":[]})"), "ok");
}

TEST_F(AuthorizeTest, without_a_limit_the_body_goes_as_it_came) { EXPECT_EQ(sent(make_key(), kBare), kBare); }

TEST_F(AuthorizeTest, the_scopes_output_cap_is_inserted_where_the_client_set_none) {
  EXPECT_EQ(sent(make_key(capped(7)), kBare), R"({"max_completion_tokens":7,"model":"plain","messages":[]})");
}

TEST_F(AuthorizeTest, a_larger_wish_is_lowered_to_the_scopes_output_cap) {
  EXPECT_EQ(sent(make_key(capped(7)), kChat), R"({"model":"plain","max_tokens":7,"messages":[]})");
}

TEST_F(AuthorizeTest, a_smaller_wish_stays) { EXPECT_EQ(sent(make_key(capped(70)), kChat), kChat); }

TEST_F(AuthorizeTest, the_cap_stands_where_each_dialect_looks_for_it) {
  const Known key = make_key(capped(7));
  EXPECT_EQ(sent(key, R"({"model":"plain","max_tokens":10,"messages":[]})", "/v1/messages"),
            R"({"model":"plain","max_tokens":7,"messages":[]})");
  EXPECT_EQ(sent(key, R"({"contents":[]})", "/v1beta/models/plain:generateContent"),
            R"({"generationConfig":{"maxOutputTokens":7},"contents":[]})");
  EXPECT_EQ(sent(key, R"({"model":"plain","input":"x"})", "/v1/responses"),
            R"({"max_output_tokens":7,"model":"plain","input":"x"})");
}

TEST_F(AuthorizeTest, under_a_blocking_budget_the_models_own_limit_is_the_cap) {
  const Known key = make_key();
  add_budget("key:" + key.id, kNanoPerUsd);
  EXPECT_EQ(sent(key, kBare), R"({"max_completion_tokens":1000,"model":"plain","messages":[]})");
}

TEST_F(AuthorizeTest, under_a_blocking_budget_the_worlds_default_cap_goes_before_the_models) {
  const Known key = make_key();
  add_budget("key:" + key.id, kNanoPerUsd);
  default_max_output = 50;
  EXPECT_EQ(sent(key, kBare), R"({"max_completion_tokens":50,"model":"plain","messages":[]})");
}

TEST_F(AuthorizeTest, a_limit_of_tokens_a_minute_caps_an_answer_at_a_quarter_of_it) {
  Wish wish;
  wish.rates.tpm = 400;
  EXPECT_EQ(sent(make_key(wish), kBare), R"({"max_completion_tokens":100,"model":"plain","messages":[]})");
}

TEST_F(AuthorizeTest, a_chat_stream_is_asked_for_its_usage_on_the_clients_behalf) {
  const auto asked =
      post(make_key(), "/v1/chat/completions", R"({"model":"plain","stream":true,"messages":[]})");
  const auto grant = authorized(*pinned, *asked);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->edits.usage_inserted);
  EXPECT_THAT(outgoing(*asked, *grant), HasSubstr(R"("stream_options":{"include_usage":true})"));
}

TEST_F(AuthorizeTest, a_client_that_asks_for_usage_itself_is_left_alone) {
  constexpr std::string_view kAsks =
      R"({"model":"plain","stream":true,"stream_options":{"include_usage":true},"messages":[]})";
  const auto asked = post(make_key(), "/v1/chat/completions", kAsks);
  const auto grant = authorized(*pinned, *asked);
  ASSERT_TRUE(grant);
  EXPECT_FALSE(grant->edits.usage_inserted);
  EXPECT_EQ(outgoing(*asked, *grant), kAsks);
}

TEST_F(AuthorizeTest, the_worst_case_is_the_bodys_bytes_and_the_whole_answer) {
  const auto asked = post(make_key(), "/v1/chat/completions", kChat);
  const auto grant = authorized(*pinned, *asked);
  ASSERT_TRUE(grant);
  const auto bytes = static_cast<std::int64_t>(kChat.size());
  EXPECT_GE(grant->worst.money.value, bytes * kInputNanousd + 10 * kOutputNanousd);
  EXPECT_GE(grant->worst.tokens, bytes + 10);
  EXPECT_EQ(grant->worst.output_tokens, 10);
}

TEST_F(AuthorizeTest, the_credential_is_the_one_of_the_keys_environment) {
  add_credential("openai", "https://api.openai.com/v1", "prod");
  Wish wish;
  wish.environment = "prod";
  const auto asked = post(make_key(wish), "/v1/chat/completions", kChat);
  const auto grant = authorized(*pinned, *asked);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->credential->environment, "prod");
}

TEST_F(AuthorizeTest, a_named_credential_is_the_one_that_is_used) {
  add_credential("openai", "https://api.openai.com/v1", "dev", "second");
  const auto asked = post(make_key(), "/p/second/v1/chat/completions", kChat);
  const auto grant = authorized(*pinned, *asked);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->credential->name, "second");
}

TEST_F(AuthorizeTest, a_free_route_needs_no_price_and_holds_nothing) {
  add_budget("org", kNanoPerUsd);
  const Known key = make_key();
  pinned = world();
  const auto list = ask(*pinned, "GET", "/v1/models", {{"x-api-key", key.token}});
  const auto grant = authorized(*pinned, *list);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->price, nullptr);
  EXPECT_EQ(grant->worst.money, Nanousd{0});
  const auto counted = post(key, "/v1/messages/count_tokens", R"({"model":"unheard-of","messages":[]})");
  EXPECT_EQ(verdict(authorized(*pinned, *counted)), "ok");
}

TEST_F(AuthorizeTest, a_free_route_still_obeys_the_scope) {
  const Known key = make_key(scoped(&policy::Scope::endpoints, {"chat"}));
  pinned = world();
  const auto list = ask(*pinned, "GET", "/v1/models", {{"x-api-key", key.token}});
  EXPECT_EQ(verdict(authorized(*pinned, *list)), "endpoint_denied");
}

}  // namespace
}  // namespace claviger::gate
