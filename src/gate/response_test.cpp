// Tests of an answer's head as the client gets it.
#include "gate/response.hpp"

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

// What becomes of an answer's head on its way to the client.
struct Passed {
  explicit Passed(std::string_view fields, Framing framing = Framing::length) {
    const std::string came = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n" + std::string(fields) + "\r\n";
    wire::ResponseHead read;
    EXPECT_TRUE(wire::parse_response_head(came, "POST", read).value_or(0) > 0) << came;
    bytes = response_head(read, framing, "req_1");
    EXPECT_TRUE(wire::parse_response_head(bytes, "POST", head).value_or(0) > 0) << bytes;
  }
  bool has(std::string_view name) const { return head.headers.has(name); }
  std::string bytes;
  wire::ResponseHead head;
};

TEST(ResponseTest, account_edge_and_cookie_headers_of_the_provider_are_dropped) {
  for (const char* name : {"set-cookie",
                           "openai-organization",
                           "OpenAI-Project",
                           "anthropic-organization-id",
                           "Server",
                           "via",
                           "alt-svc",
                           "nel",
                           "report-to",
                           "www-authenticate",
                           "location",
                           "strict-transport-security",
                           "x-ratelimit-limit-requests",
                           "X-RateLimit-Remaining-Tokens",
                           "anthropic-ratelimit-tokens-reset",
                           "cf-ray",
                           "CF-Cache-Status",
                           "ratelimit-limit",
                           "x-goog-upload-url",
                           "link",
                           "content-location",
                           "operation-location"})
    EXPECT_FALSE(Passed(std::string(name) + ": x\r\n").has(name)) << name;
}

TEST(ResponseTest, headers_of_the_connection_to_the_provider_are_dropped) {
  for (const char* field :
       {"Connection: keep-alive", "Keep-Alive: timeout=5", "Upgrade: h2c", "Trailer: x"}) {
    const std::string name(field, std::string_view(field).find(':'));
    EXPECT_FALSE(Passed(std::string(field) + "\r\n").has(name)) << name;
  }
}

TEST(ResponseTest, headers_that_the_provider_lists_as_the_connections_own_are_dropped) {
  const Passed passed("Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-End: 1\r\n");
  EXPECT_FALSE(passed.has("x-hop"));
  EXPECT_TRUE(passed.has("x-end"));
}

TEST(ResponseTest, what_is_for_the_client_passes) {
  const Passed passed(
      "content-type: application/json\r\nx-request-id: up_1\r\nretry-after: 3\r\nx-should-retry: true\r\n"
      "openai-processing-ms: 12\r\n");
  EXPECT_EQ(passed.head.status, 200);
  EXPECT_EQ(passed.head.headers.find("content-type"), "application/json");
  EXPECT_EQ(passed.head.headers.find("x-request-id"), "up_1");
  EXPECT_EQ(passed.head.headers.find("retry-after"), "3");
  EXPECT_EQ(passed.head.headers.find("openai-processing-ms"), "12");
}

TEST(ResponseTest, our_request_id_is_added) {
  EXPECT_EQ(Passed("").head.headers.find("x-claviger-request-id"), "req_1");
}

TEST(ResponseTest, the_body_has_its_length_or_is_chunked_and_never_both) {
  const Passed sized("");
  EXPECT_EQ(sized.head.framing, wire::Framing::length);
  EXPECT_EQ(sized.head.content_length, 12u);
  const Passed chunked("", Framing::chunked);
  EXPECT_EQ(chunked.head.framing, wire::Framing::chunked);
  EXPECT_FALSE(chunked.has("content-length"));
}

TEST(ResponseTest, a_chunk_is_its_size_in_hex_and_its_bytes) {
  EXPECT_EQ(chunk("0123456789abcdefX"), "11\r\n0123456789abcdefX\r\n");
  EXPECT_EQ(chunk_head(255), "ff\r\n");
}

TEST(ResponseTest, the_keys_own_limits_stand_in_the_dialects_headers) {
  const ledger::Allowance allowance{ledger::Allowance::One{7, 3, 20}, ledger::Allowance::One{100, 0, 61'000}};
  const Time now = *parse_time("2026-11-24T12:00:00Z");
  std::string openai, anthropic, none;
  append_allowance(openai, provider::Dialect::openai, allowance, now);
  append_allowance(anthropic, provider::Dialect::anthropic, allowance, now);
  append_allowance(none, provider::Dialect::openai, {}, now);
  EXPECT_THAT(openai,
              testing::HasSubstr("x-ratelimit-limit-requests: 7\r\nx-ratelimit-remaining-requests: 3\r\n"
                                 "x-ratelimit-reset-requests: 20ms\r\n"));
  EXPECT_THAT(anthropic, testing::HasSubstr("anthropic-ratelimit-tokens-remaining: 0\r\n"));
  EXPECT_THAT(anthropic, testing::HasSubstr("anthropic-ratelimit-tokens-reset: 2026-11-24T12:01:01"));
  EXPECT_EQ(none, "");
}

TEST(ResponseTest, a_length_beyond_all_bodies_goes_on_as_the_provider_wrote_it) {
  wire::ResponseHead head;
  head.status = 200;
  head.framing = wire::Framing::length;
  head.content_length = UINT64_MAX;
  EXPECT_NE(response_head(head, Framing::length, "req_1").find("content-length: 18446744073709551615\r\n"),
            std::string::npos);
}

}  // namespace
}  // namespace claviger::gate
