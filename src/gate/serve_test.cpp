// End-to-end tests of the gate: what a client and a provider see of each other, and what stands on record.
#include "gate/serve.hpp"

#include "gate/serve_rig_test.hpp"

namespace claviger::gate {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ServeTest, a_stranger_is_refused_before_its_body_and_nothing_goes_upstream) {
  start();
  Dialer client = dial();
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\nx-api-key: sk-x\r\ncontent-length: 1000\r\n\r\n{");
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "unknown_key");
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(ended(), "refusal");
  EXPECT_EQ(upstream.connections(), 0);
}

TEST_F(ServeTest, a_request_that_is_no_http_is_refused_and_its_connection_closed) {
  start();
  Dialer client = dial();
  client.send("HELO gate\r\n\r\n");
  EXPECT_EQ(client.answer().status, 400);
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(ended(), "refusal");
  EXPECT_EQ(found[0]["code"], "malformed_request");
}

TEST_F(ServeTest, a_body_that_is_no_json_is_refused_and_the_connection_goes_on) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  Dialer client = dial();
  client.send(chat_request("{oops"));
  EXPECT_EQ(client.answer().status, 400);
  client.send(chat_request());
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(ended(), "refusal intent receipt");
  EXPECT_EQ(found[0]["code"], "invalid_json");
}

TEST_F(ServeTest, a_body_for_which_there_is_no_room_is_refused_as_overloaded_before_it_comes) {
  shared.body_room = 100;
  start();
  Dialer client = dial();
  const std::string body = R"({"model":"plain","max_tokens":10,"x":")" + std::string(200, 'x') + R"("})";
  const std::string whole = request("POST", "/v1/chat/completions", body, "expect: 100-continue\r\n");
  client.send(std::string_view(whole).substr(0, whole.size() - body.size()));
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "overloaded");
  EXPECT_NE(answer.header("retry-after"), "");
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(ended(), "refusal");
}

TEST_F(ServeTest, a_receipt_names_the_version_of_the_secret_that_was_sent) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  // In use from now on, and no World knows of it yet.
  std::string secret = "sk-another-secret-of-the-provider";
  ASSERT_TRUE(vault->add_version("openai-dev", Secret::take(secret)));
  EXPECT_EQ(asked(chat_request()).status, 200);
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[0]["credential_version"], 1);
  EXPECT_EQ(found[1]["credential_version"], 2);
}

TEST_F(ServeTest, a_compressed_body_is_refused) {
  start();
  const Answer answer = asked(request("POST", "/v1/chat/completions", kChat, "content-encoding: gzip\r\n"));
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(ended(), "refusal");
  EXPECT_EQ(found[0]["code"], "unsupported_encoding");
}

TEST_F(ServeTest, a_get_with_a_body_is_refused) {
  start();
  Dialer client = dial();
  client.send("GET /v1/models HTTP/1.1\r\nhost: gate\r\nx-api-key: " + key.token +
              "\r\ncontent-length: 2\r\n\r\n{}");
  EXPECT_EQ(client.answer().status, 400);
  EXPECT_EQ(ended(), "refusal");
}

TEST_F(ServeTest, the_body_of_a_refused_request_is_never_taken_for_the_next_request) {
  start();
  const std::string hidden = request("GET", "/v1/hidden", "");
  for (const std::string& refused :
       {request("POST", "/v1/nothing", hidden),
        request("POST", "/v1/chat/completions", hidden, "content-encoding: br\r\n"),
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-length: " +
            std::to_string(hidden.size()) + "\r\n\r\n" + hidden}) {
    Dialer client = dial();
    client.send(refused + request("GET", "/v1/files", ""));
    EXPECT_GE(client.answer().status, 400);
    const Answer second = client.answer();
    // Answered as what it is, or not at all.
    if (second.status != 0) {
      EXPECT_EQ(Json::parse(second.body)["error"]["code"], "route_refused") << refused;
    }
  }
  (void)ended();
}

TEST_F(ServeTest, a_refusal_speaks_the_dialect_of_what_was_asked) {
  start();
  const std::string body = R"({"model":"unheard-of","max_tokens":1,"messages":[]})";
  EXPECT_EQ(Json::parse(asked(request("POST", "/v1/messages", body)).body)["error"]["type"],
            "permission_error");
  EXPECT_EQ(Json::parse(asked(chat_request(body)).body)["error"]["code"], "unpriced_model");
  const Answer gemini =
      asked(request("POST", "/v1beta/models/unheard-of:generateContent", R"({"contents":[]})"));
  EXPECT_EQ(Json::parse(gemini.body)["error"]["status"], "PERMISSION_DENIED");
  EXPECT_EQ(ended(), "refusal refusal refusal");
  EXPECT_EQ(upstream.connections(), 0);
}

TEST_F(ServeTest, a_provider_that_cannot_be_reached_is_upstream_failed_and_costs_nothing) {
  credentials.clear();
  {
    const Upstream gone;
    add_credential("openai", gone.base_url(), "dev", "gone");
  }
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "upstream_failed");
  EXPECT_EQ(ended(), "refusal");
  EXPECT_EQ(found[0]["code"], "upstream_failed");
  EXPECT_EQ(ledger->counters().posted, 0);
}

TEST_F(ServeTest, a_provider_that_closes_without_a_word_is_upstream_failed_and_costs_the_hold) {
  upstream.plays({cut()});
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "upstream_failed");
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["outcome"], "upstream_failed");
  EXPECT_EQ(found[1]["status"], 502);
  EXPECT_EQ(found[1]["presumed"], true);
  EXPECT_EQ(found[1]["cost_nanousd"], found[0]["hold_nanousd"]);
}

TEST_F(ServeTest, a_provider_that_speaks_no_http_is_upstream_malformed) {
  upstream.plays({send_bytes("220 smtp ready\r\n\r\n")});
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "upstream_malformed");
  EXPECT_THAT(answer.body, Not(HasSubstr("smtp")));
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["presumed"], true);
}

TEST_F(ServeTest, a_refused_credential_is_unavailable_and_the_providers_words_stay_here) {
  upstream.plays(
      {send_bytes(json_answer(401, R"({"error":{"message":"Incorrect API key provided: sk-te***"}})"))});
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "credential_unavailable");
  EXPECT_THAT(answer.body, HasSubstr("openai-dev"));
  EXPECT_THAT(answer.body, Not(HasSubstr("Incorrect")));
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["outcome"], "upstream_error");
  EXPECT_EQ(found[1].value("cost_nanousd", 0), 0);
}

TEST_F(ServeTest, a_redirect_is_never_followed_nor_shown) {
  upstream.plays({send_bytes(
      "HTTP/1.1 302 Found\r\nlocation: https://collector.example/\r\ncontent-length: 0\r\n\r\n")});
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "upstream_malformed");
  EXPECT_THAT(answer.head + answer.body, Not(HasSubstr("collector")));
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1].value("cost_nanousd", 0), 0);
}

TEST_F(ServeTest, a_disabled_credential_is_unavailable_and_no_byte_goes_upstream) {
  ASSERT_TRUE(vault->disable(credentials.front().id));
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "credential_unavailable");
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1].value("cost_nanousd", 0), 0);
  EXPECT_EQ(upstream.bytes_received(), 0u);
}

TEST_F(ServeTest, without_a_journal_no_byte_goes_upstream) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  folder.set_capacity(0);
  Dialer client = dial();
  for (int i = 0; i < 2; ++i) {
    client.send(chat_request());
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "journal_unavailable");
  }
  EXPECT_FALSE(gate->journals_writable());
  EXPECT_EQ(upstream.bytes_received(), 0u);
  folder.set_capacity(std::nullopt);
  (void)ended();
  for (const Json& record : found) EXPECT_EQ(record.value("cost_nanousd", 0), 0);
}

TEST_F(ServeTest, a_journal_that_can_be_written_again_opens_the_gate_again) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  folder.set_capacity(0);
  EXPECT_EQ(asked(chat_request()).status, 503);
  folder.set_capacity(std::nullopt);
  (void)asked(chat_request());  // at the latest its own record shows that writing works again
  EXPECT_EQ(asked(chat_request()).status, 200);
  (void)ended();
}

TEST_F(ServeTest, a_whole_answer_passes_as_it_came_and_costs_its_usage) {
  upstream.plays({send_bytes(json_answer(200, kAnswer, "openai-organization: acme\r\n"))});
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, kAnswer);
  EXPECT_EQ(answer.header("openai-organization"), "");
  EXPECT_EQ(answer.header("x-claviger-request-id").substr(0, 4), "req_");
  ASSERT_EQ(upstream.requests().size(), 1u);
  const auto [head, body] = upstream.requests().front();
  EXPECT_EQ(body, kChat);
  EXPECT_THAT(head, HasSubstr("authorization: Bearer " + std::string(kProviderSecret)));
  EXPECT_THAT(head, Not(HasSubstr(key.token)));
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["outcome"], "completed");
  EXPECT_EQ(found[1]["cost_nanousd"], kAnswerNanousd);
  EXPECT_EQ(found[1]["key"], key.id);
  EXPECT_EQ(found[1]["bytes_out"], kAnswer.size());
  EXPECT_FALSE(found[1].contains("presumed"));
  EXPECT_EQ(found[1]["ip"], "127.0.0.1");
}

TEST_F(ServeTest, the_receipt_stands_before_the_client_has_the_whole_answer) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  EXPECT_TRUE(asked(chat_request()).whole);
  EXPECT_EQ(records().size(), 2u);
  (void)ended();
}

TEST_F(ServeTest, an_error_of_the_provider_passes_with_its_words_and_costs_nothing) {
  upstream.plays({send_bytes(json_answer(429, R"({"error":"slow down"})", "retry-after: 7\r\n"))});
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.body, R"({"error":"slow down"})");
  EXPECT_EQ(answer.header("retry-after"), "7");
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["outcome"], "upstream_error");
  EXPECT_EQ(found[1].value("cost_nanousd", 0), 0);
}

// More than that passes, too; it is not looked into.
TEST_F(ServeTest, an_error_passes_whole_whether_it_is_looked_into_or_too_long_for_it) {
  start();
  for (const std::size_t size :
       {limits::kErrorBody - 1, limits::kErrorBody, limits::kErrorBody + 1, 4 * limits::kErrorBody}) {
    const std::string body = R"({"error":")" + std::string(size - 12, 'e') + R"("})";
    upstream.plays({send_bytes(json_answer(400, body))});
    const Answer answer = asked(chat_request());
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(answer.whole);
    EXPECT_TRUE(answer.body == body) << size;
  }
  (void)ended();
}

TEST_F(ServeTest, so_many_clients_are_connected_and_the_next_waits_for_one_to_leave) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  shared.connections = 2;
  start();
  Dialer one = dial();
  Dialer two = dial();
  for (Dialer* client : {&one, &two}) {
    client->send(chat_request());
    EXPECT_EQ(client->answer().status, 200);
  }
  Dialer three = dial();
  three.send(chat_request());
  for (int i = 0; i < 20; ++i) {  // the gate has had its turns
    one.send(chat_request());
    EXPECT_EQ(one.answer().status, 200);
  }
  EXPECT_EQ(three.peeked(), "");
  two.leave();
  EXPECT_EQ(three.answer().status, 200);
  one.leave();
  three.leave();
  (void)ended();
}

TEST_F(ServeTest, one_connection_serves_many_requests_over_one_connection_to_the_provider) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  Dialer client = dial();
  for (int i = 0; i < 3; ++i) {
    client.send(chat_request());
    EXPECT_EQ(client.answer().body, kAnswer);
  }
  EXPECT_EQ(ended(), "intent receipt intent receipt intent receipt");
  EXPECT_EQ(upstream.connections(), 1);
}

TEST_F(ServeTest, a_body_that_comes_after_its_head_goes_upstream_whole) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  Dialer client = dial();
  const std::string body = R"({"model":"plain","max_tokens":10,"messages":[{"role":"user","content":")" +
                           std::string(200'000, 'x') + R"("}]})";
  const std::string whole =
      request("POST", "/v1/chat/completions", body, "expect: 100-continue\r\nuser-agent: sdk/1\r\n");
  client.send(std::string_view(whole).substr(0, whole.size() - body.size()));
  ASSERT_TRUE(client.sees("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send(body);
  EXPECT_EQ(client.answer().status, 200);
  ASSERT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(upstream.requests().front().second, body);
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["key"], key.id);
  EXPECT_EQ(found[1]["user_agent"], "sdk/1");
}

TEST_F(ServeTest, a_chunked_body_goes_upstream_with_its_length) {
  upstream.plays({send_bytes(json_answer(200, kAnswer))});
  start();
  std::string text = "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\nx-api-key: " + key.token +
                     "\r\ntransfer-encoding: chunked\r\n\r\n";
  wire::append_chunk(text, kChat.substr(0, 9));
  wire::append_chunk(text, kChat.substr(9));
  EXPECT_EQ(asked(text + std::string(wire::kLastChunk)).status, 200);
  ASSERT_EQ(upstream.requests().size(), 1u);
  EXPECT_EQ(upstream.requests().front().second, kChat);
  EXPECT_THAT(upstream.requests().front().first,
              HasSubstr("content-length: " + std::to_string(kChat.size())));
  EXPECT_EQ(ended(), "intent receipt");
}

TEST_F(ServeTest, a_list_of_models_is_free) {
  upstream.plays({send_bytes(json_answer(200, R"({"data":[]})"))});
  start();
  EXPECT_EQ(asked(request("GET", "/v1/models", "")).body, R"({"data":[]})");
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1].value("cost_nanousd", 0), 0);
  EXPECT_EQ(found[1]["outcome"], "completed");
}

}  // namespace
}  // namespace claviger::gate
