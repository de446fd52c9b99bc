// Tests of the outgoing head: whose key is in it, whose is not, and where it may go.
#include "gate/inject.hpp"

#include <algorithm>

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

using testing::HasSubstr;
using testing::Not;

class InjectTest : public GateTest {
 protected:
  // The head that goes upstream for a request with these fields beside its key, or the refusal.
  Result<std::string> injected(std::string_view target, const Fields& fields, std::string_view body = kChat) {
    pinned = world();
    Fields all = fields;
    all.emplace_back("x-api-key", key.token);
    asked = ask(*pinned, "POST", target, all, body);
    EXPECT_EQ(verdict(asked->target), "ok");
    Docket docket(*journal, clock, "req_1");
    auto admission = admitted(*pinned, *asked, docket);
    docket.discard();
    if (!admission) return std::unexpected(admission.error());
    TRY(const Outbound outbound, Injector::inject(asked->request, admission->grant, admission->hold,
                                                  Keyring{*vault, tokens, clock.at}));
    EXPECT_EQ(outbound.credential_version(), 1);
    return outbound.head();
  }
  std::string sent(std::string_view target, const Fields& fields, std::string_view body = kChat) {
    const auto head = injected(target, fields, body);
    EXPECT_EQ(verdict(head), "ok");
    return head.value_or("");
  }
  Known key = make_key();
  Tokens tokens;
  std::unique_ptr<journal::Writer> journal = open_journal();
  std::shared_ptr<World> pinned;
  std::unique_ptr<Asked> asked;
};

constexpr std::string_view kPath = "/v1/chat/completions";

TEST_F(InjectTest, a_key_of_ours_in_a_misspelt_header_stays_here) {
  add_credential("openai", "https://api.openai.com/v1");
  const std::string head = sent(kPath, {{"auhorization", "Bearer " + key.token}, {"x-trace", "abc"}});
  EXPECT_THAT(head, Not(HasSubstr(key.token)));
  EXPECT_THAT(head, Not(HasSubstr("auhorization")));
  EXPECT_THAT(head, HasSubstr("x-trace: abc"));
}

TEST_F(InjectTest, a_base_url_that_the_credential_is_not_bound_to_gets_no_key) {
  add_credential("openai", "https://api.openai.com/v1");
  credentials.back().base = provider::parse_base_url("https://collector.example/v1").value();
  EXPECT_EQ(verdict(injected(kPath, {})), "origin_mismatch");
}

TEST_F(InjectTest, a_disabled_credential_is_unavailable) {
  const std::string id = add_credential("openai", "https://api.openai.com/v1");
  ASSERT_TRUE(vault->disable(id));
  EXPECT_EQ(verdict(injected(kPath, {})), "credential_unavailable");
}

TEST_F(InjectTest, no_key_of_the_client_goes_upstream) {
  add_credential("openai", "https://api.openai.com/v1");
  const std::string head =
      sent(std::string(kPath) + "?key=" + key.token + "&a=1", {{"authorization", "Bearer sk-of-the-client"},
                                                               {"x-goog-api-key", key.token},
                                                               {"API-Key", "azure-of-the-client"},
                                                               {"cookie", "session=1"},
                                                               {"proxy-authorization", "Basic x"}});
  for (const std::string_view secret : {std::string_view(key.token), std::string_view("of-the-client"),
                                        std::string_view("session=1"), std::string_view("Basic")})
    EXPECT_THAT(head, Not(HasSubstr(std::string(secret))));
  EXPECT_THAT(head, HasSubstr("/v1/chat/completions?a=1 HTTP/1.1"));
}

TEST_F(InjectTest, what_names_the_clients_own_account_or_the_way_it_came_stays_here) {
  add_credential("openai", "https://api.openai.com/v1");
  for (const char* name :
       {"openai-organization", "OpenAI-Project", "x-goog-user-project", "forwarded", "x-forwarded-for",
        "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip", "via", "te", "upgrade",
        "keep-alive", "proxy-connection", "accept-encoding"}) {
    const std::string head = sent(kPath, {{name, "of-the-client"}});
    EXPECT_THAT(head, Not(HasSubstr("of-the-client"))) << name;
  }
}

TEST_F(InjectTest, headers_that_the_client_lists_as_the_connections_own_stay_here) {
  add_credential("openai", "https://api.openai.com/v1");
  const std::string head = sent(kPath, {{"Connection", "keep-alive, X-Hop"}, {"X-Hop", "1"}, {"X-End", "1"}});
  EXPECT_THAT(head, Not(HasSubstr("X-Hop")));
  EXPECT_THAT(head, HasSubstr("X-End: 1\r\n"));
}

TEST_F(InjectTest, an_outbound_head_is_wiped_when_its_bytes_have_left) {
  add_credential("openai", "https://api.openai.com/v1");
  pinned = world();
  asked = chat(*pinned, key.token);
  Docket docket(*journal, clock, "req_1");
  const auto admission = admitted(*pinned, *asked, docket);
  docket.discard();
  ASSERT_TRUE(admission);
  auto outbound =
      Injector::inject(asked->request, admission->grant, admission->hold, Keyring{*vault, tokens, clock.at});
  ASSERT_TRUE(outbound);
  const char* const at = outbound->head().data();
  const std::size_t size = outbound->head().size();
  ASSERT_NE(outbound->head().find(kProviderSecret), std::string::npos);
  outbound->wipe();
  EXPECT_TRUE(outbound->head().empty());
  EXPECT_TRUE(std::all_of(at, at + size, [](char c) { return c == '\0'; }));
}

TEST_F(InjectTest, the_buffer_does_not_grow_behind_the_key) {
  add_credential("openai", "https://api.openai.com/v1");
  const std::string head = sent(kPath, {{"x-long", std::string(12'000, 'x')}});
  EXPECT_TRUE(head.ends_with(std::string(kProviderSecret) + "\r\n\r\n"));
}

TEST_F(InjectTest, each_provider_finds_its_key_where_it_looks_for_it) {
  add_credential("openai", "https://api.openai.com/v1");
  add_credential("anthropic", "https://api.anthropic.com");
  add_credential("gemini", "https://generativelanguage.googleapis.com");
  const std::string secret(kProviderSecret);
  EXPECT_THAT(sent(kPath, {}), HasSubstr("\r\nauthorization: Bearer " + secret + "\r\n"));
  EXPECT_THAT(sent("/v1/messages", {}), HasSubstr("\r\nx-api-key: " + secret + "\r\n"));
  EXPECT_THAT(sent("/v1beta/models/plain:generateContent", {}, R"({"contents":[]})"),
              HasSubstr("\r\nx-goog-api-key: " + secret + "\r\n"));
}

TEST_F(InjectTest, what_belongs_to_the_call_goes_on) {
  add_credential("anthropic", "https://api.anthropic.com");
  const std::string head = sent("/v1/messages", {{"anthropic-version", "2023-06-01"},
                                                 {"anthropic-beta", "x"},
                                                 {"content-type", "application/json"},
                                                 {"user-agent", "sdk/1"}});
  for (const char* field :
       {"anthropic-version: 2023-06-01\r\n", "anthropic-beta: x\r\n", "user-agent: sdk/1\r\n",
        "content-type: application/json\r\n", "accept-encoding: identity\r\n"})
    EXPECT_THAT(head, HasSubstr(field));
}

TEST_F(InjectTest, host_and_path_are_those_of_the_base_url) {
  add_credential("openai", "http://127.0.0.1:8099/openai/v1");
  const std::string head = sent(kPath, {});
  EXPECT_TRUE(head.starts_with("POST /openai/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:8099\r\n"))
      << head;
}

TEST_F(InjectTest, a_default_port_is_left_out_of_the_host) {
  add_credential("openai", "https://api.openai.com/v1");
  EXPECT_THAT(sent(kPath, {}), HasSubstr("\r\nhost: api.openai.com\r\n"));
}

TEST_F(InjectTest, an_ipv6_host_stands_in_brackets_once) {
  add_credential("openai", "http://[::1]:8099/v1");
  EXPECT_THAT(sent(kPath, {}), HasSubstr("\r\nhost: [::1]:8099\r\n"));
}

TEST_F(InjectTest, the_length_is_that_of_the_body_with_the_gates_edits) {
  add_credential("openai", "https://api.openai.com/v1");
  constexpr std::string_view kUncapped = R"({"model":"plain","messages":[]})";
  const auto length = [](std::size_t size) { return "\r\ncontent-length: " + std::to_string(size) + "\r\n"; };
  EXPECT_THAT(sent(kPath, {}, kUncapped), HasSubstr(length(kUncapped.size())));
  add_budget("key:" + key.id, kNanoPerUsd);
  EXPECT_THAT(sent(kPath, {}, kUncapped),
              HasSubstr(length(kUncapped.size() + std::string(R"("max_completion_tokens":1000,)").size())));
}

}  // namespace
}  // namespace claviger::gate
