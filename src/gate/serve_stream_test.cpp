// End-to-end tests of streamed answers: how they pass, how they break, and what they then cost.
#include "gate/serve.hpp"

#include <list>

#include "gate/serve_rig_test.hpp"

namespace claviger::gate {
namespace {

using testing::HasSubstr;
using testing::Not;

class ServeStreamTest : public ServeTest {
 protected:
  // Asks for a stream and reads what comes.
  Answer streamed() const { return asked(chat_request(kStream)); }
  void expect_presumed(std::string_view outcome) {
    ASSERT_EQ(ended(), "intent receipt");
    EXPECT_EQ(found[1]["outcome"], outcome);
    EXPECT_EQ(found[1]["presumed"], true);
    EXPECT_EQ(found[1]["cost_nanousd"], found[0]["hold_nanousd"]);
    EXPECT_GT(found[1]["cost_nanousd"], 0);
  }
  void expect_exact(std::string_view outcome) {
    ASSERT_EQ(ended(), "intent receipt");
    EXPECT_EQ(found[1]["outcome"], outcome);
    EXPECT_EQ(found[1]["cost_nanousd"], kAnswerNanousd);
    EXPECT_FALSE(found[1].contains("presumed"));
    EXPECT_FALSE(found[1].contains("estimated"));
  }
};

TEST_F(ServeStreamTest, a_stream_that_the_provider_cuts_ends_with_an_error_and_costs_the_hold) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), cut()});
  start();
  const Answer answer = streamed();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(answer.body, testing::StartsWith(std::string(kFrame) + "data: {\"error\":"));
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_failed\""));
  EXPECT_THAT(answer.body, Not(HasSubstr("[DONE]")));
  expect_presumed("upstream_cut");
}

TEST_F(ServeStreamTest, a_stream_that_is_cut_inside_an_event_still_shows_its_error) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame, "data: {\"choi"})), cut()});
  start();
  const std::string body = request("POST", "/v1/chat/completions", kStreamWithUsage);
  const Answer answer = asked(body);
  EXPECT_THAT(answer.body, HasSubstr("\n\ndata: {\"error\":"));
  expect_presumed("upstream_cut");
}

TEST_F(ServeStreamTest,
       a_stream_with_a_length_that_is_cut_still_ends_with_an_error_and_its_connection_goes_on) {
  upstream.plays(
      {send_bytes("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100000\r\n\r\n"),
       send_bytes(std::string(kFrame)), cut()});
  start();
  Dialer client = dial();
  client.send(chat_request(kStreamWithUsage));
  const Answer answer = client.answer();
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(answer.body, testing::StartsWith(std::string(kFrame) + "data: {\"error\":"));
  client.send(request("GET", "/v1/files", ""));
  EXPECT_EQ(client.answer().status, 403);
  ASSERT_EQ(ended(), "intent receipt refusal");
  EXPECT_EQ(found[1]["presumed"], true);
}

TEST_F(ServeStreamTest, the_error_of_a_cut_stream_speaks_the_anthropic_dialect) {
  constexpr std::string_view kStart =
      "event: message_start\ndata: "
      "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5}}}\n\n";
  upstream.plays({send_bytes(stream_head() + chunks({kStart})), cut()});
  start();
  const Answer answer = asked(request("POST", "/v1/messages", kStream));
  EXPECT_THAT(answer.body,
              HasSubstr("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\""));
  expect_presumed("upstream_cut");
}

TEST_F(ServeStreamTest, the_error_of_a_cut_stream_speaks_the_dialect_of_responses) {
  constexpr std::string_view kCreated =
      "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":4}\n\n";
  upstream.plays({send_bytes(stream_head() + chunks({kCreated})), cut()});
  start();
  const Answer answer = asked(request(
      "POST", "/v1/responses", R"({"model":"plain","max_output_tokens":10,"stream":true,"input":"x"})"));
  EXPECT_THAT(answer.body, HasSubstr("event: error\ndata: {\"type\":\"error\",\"code\":\"upstream_failed\""));
  EXPECT_THAT(answer.body, HasSubstr("\"sequence_number\":5"));
  expect_presumed("upstream_cut");
}

TEST_F(ServeStreamTest, a_stream_that_just_ends_without_its_own_end_is_no_success) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame}) + std::string(wire::kLastChunk))});
  start();
  const Answer answer = streamed();
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"upstream_failed\""));
  expect_presumed("upstream_cut");
}

TEST_F(ServeStreamTest, a_json_answer_that_is_cut_is_never_whole_and_costs_the_hold) {
  const std::string answer_bytes = json_answer(200, kAnswer);
  upstream.plays({send_bytes(answer_bytes.substr(0, answer_bytes.size() - 10)), cut()});
  start();
  Dialer client = dial();
  client.send(chat_request());
  EXPECT_FALSE(client.answer().whole);
  EXPECT_TRUE(client.at_end());
  expect_presumed("upstream_cut");
}

TEST_F(ServeStreamTest, an_error_that_the_provider_reports_inside_a_stream_passes_and_costs_the_hold) {
  constexpr std::string_view kError = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
  upstream.plays({send_bytes(stream_head() + chunks({kFrame, kError}) + std::string(wire::kLastChunk))});
  start();
  EXPECT_EQ(streamed().body, joined({kFrame, kError}));
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["presumed"], true);
}

TEST_F(ServeStreamTest, a_key_that_is_revoked_cuts_its_stream_and_says_so) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), wait_for_go()});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  ASSERT_TRUE(client.sees("hi"));
  set_state(key, identity::KeyState::revoked);
  gate->publish(world());
  const Answer answer = client.answer();
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"stream_cut\""));
  client.send(chat_request());
  EXPECT_EQ(client.answer().status, 401);
  upstream.go();
  ASSERT_EQ(ended(), "intent receipt refusal");
  EXPECT_EQ(found[1]["outcome"], "cut_by_revocation");
  EXPECT_EQ(found[1]["presumed"], true);
  EXPECT_EQ(found[2]["code"], "revoked_key");
}

TEST_F(ServeStreamTest, a_key_that_is_revoked_before_the_first_byte_gets_a_whole_refusal) {
  upstream.plays({wait_for_go()});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  while (upstream.bytes_received() == 0) std::this_thread::yield();
  set_state(key, identity::KeyState::revoked);
  gate->publish(world());
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(Json::parse(answer.body)["error"]["code"], "stream_cut");
  upstream.go();
  expect_presumed("cut_by_revocation");
}

TEST_F(ServeStreamTest, a_stream_that_runs_leaves_the_room_of_its_request_to_the_next) {
  shared.body_room = 300;
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), wait_for_go(),
                  send_bytes(chunks({kUsageFrame, kDone}) + std::string(wire::kLastChunk))});
  start();
  const std::string body = R"({"model":"plain","max_tokens":10,"stream":true,"messages":[],"user":")" +
                           std::string(200, 'x') + R"("})";
  const std::string whole = request("POST", "/v1/chat/completions", body,
                                    "expect: 100-continue\r\nuser-agent: an-sdk-with-a-long-name/1.2.3\r\n");
  std::list<Dialer> clients;
  for (int i = 0; i < 3; ++i) {
    Dialer& client = clients.emplace_back(gate->address());
    client.send(std::string_view(whole).substr(0, whole.size() - body.size()));
    ASSERT_TRUE(client.sees("100 Continue\r\n\r\n")) << "stream " << i;
    client.send(body);
    ASSERT_TRUE(client.sees("hi")) << "stream " << i;
  }
  upstream.go();
  for (Dialer& client : clients) EXPECT_THAT(client.answer().body, HasSubstr("[DONE]"));
  ended();
  int receipts = 0;
  for (const Json& record : found) {
    if (record["t"] != "receipt") continue;
    ++receipts;
    EXPECT_EQ(record["user_agent"], "an-sdk-with-a-long-name/1.2.3");
    EXPECT_EQ(record["outcome"], "completed");
  }
  EXPECT_EQ(receipts, 3);
}

TEST_F(ServeStreamTest, a_client_that_leaves_does_not_stop_the_meter) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), wait_for_go(),
                  send_bytes(chunks({kFrame, kFrame, kUsageFrame, kDone}) + std::string(wire::kLastChunk))});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  ASSERT_TRUE(client.sees("hi"));
  client.leave_rudely();
  upstream.go();
  // The reset may be noticed with the last bytes only; the money is the same.
  ASSERT_EQ(ended(), "intent receipt");
  EXPECT_EQ(found[1]["cost_nanousd"], kAnswerNanousd);
  EXPECT_FALSE(found[1].contains("presumed"));
}

TEST_F(ServeStreamTest, a_client_that_left_is_on_record_as_gone) {
  std::string many;
  for (int i = 0; i < 64; ++i)
    many +=
        chunks({"data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(60'000, 'x') + "\"}}]}\n\n"});
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), wait_for_go(), send_bytes(many),
                  send_bytes(chunks({kUsageFrame, kDone}) + std::string(wire::kLastChunk))});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  ASSERT_TRUE(client.sees("hi"));
  client.leave_rudely();
  upstream.go();
  expect_exact("client_gone");
}

TEST_F(ServeStreamTest, a_client_that_left_is_not_read_on_for_without_bound) {
  std::string many;
  const std::string frame =
      "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(500'000, 'x') + "\"}}]}\n\n";
  for (std::size_t size = 0; size < 2 * limits::kDrainAfterAbortBytes; size += frame.size())
    many += chunks({frame});
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), wait_for_go(), send_bytes(many),
                  send_bytes(chunks({kUsageFrame, kDone}) + std::string(wire::kLastChunk))});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  ASSERT_TRUE(client.sees("hi"));
  client.leave_rudely();
  upstream.go();
  expect_presumed("client_gone");
}

TEST_F(ServeStreamTest, a_gate_that_stops_presumes_the_hold_of_what_still_runs) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), wait_for_go()});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  ASSERT_TRUE(client.sees("hi"));
  gate->stop(0);
  upstream.go();
  found = records();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1]["outcome"], "shutdown");
  EXPECT_EQ(found[1]["presumed"], true);
  EXPECT_EQ(found[1]["cost_nanousd"], found[0]["hold_nanousd"]);
  EXPECT_EQ(held("key:" + key.id), 0);
}

TEST_F(ServeStreamTest, a_stream_with_an_event_too_large_to_look_into_passes_whole_and_costs_the_hold) {
  const std::string huge = "data: {\"a\":\"" + std::string(limits::kSseEvent, 'x') + "\"}\n\n";
  upstream.plays({send_bytes(stream_head() + chunks({kFrame, huge, kDone}) + std::string(wire::kLastChunk))});
  start();
  const Answer answer = streamed();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body.size(), kFrame.size() + huge.size() + kDone.size());
  EXPECT_TRUE(answer.body.ends_with(kDone));
  expect_presumed("completed");
}

TEST_F(ServeStreamTest, usage_that_only_the_gate_asked_for_is_metered_and_not_shown) {
  upstream.plays(
      {send_bytes(stream_head() + chunks({kFrame, kUsageFrame, kDone}) + std::string(wire::kLastChunk))});
  start();
  const Answer answer = streamed();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body, joined({kFrame, kDone}));
  EXPECT_THAT(upstream.requests().at(0).second, HasSubstr("\"include_usage\":true"));
  expect_exact("completed");
}

TEST_F(ServeStreamTest, a_stream_passes_byte_for_byte_however_it_is_cut_into_pieces) {
  const std::string events = joined({": ping\n\n", kFrame, kUsageFrame, kDone});
  std::vector<Step> script{send_bytes(stream_head())};
  for (const char byte : events) script.push_back(send_bytes(chunks({std::string(1, byte)})));
  script.push_back(send_bytes(std::string(wire::kLastChunk)));
  upstream.plays(std::move(script));
  start();
  const Answer answer = asked(chat_request(kStreamWithUsage));
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body, events);
  expect_exact("completed");
}

TEST_F(ServeStreamTest, a_head_leaves_before_the_first_event) {
  upstream.plays({send_bytes(stream_head()), wait_for_go(),
                  send_bytes(chunks({kUsageFrame, kDone}) + std::string(wire::kLastChunk))});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  EXPECT_TRUE(client.sees("\r\n\r\n"));
  upstream.go();
  EXPECT_EQ(client.answer().body, kDone);
  expect_exact("completed");
}

TEST_F(ServeStreamTest, a_stream_whose_own_end_came_is_a_success_also_when_the_connection_then_breaks) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame, kUsageFrame, kDone})), wait_for_go(), cut()});
  start();
  Dialer client = dial();
  client.send(chat_request(kStream));
  ASSERT_TRUE(client.sees("[DONE]"));
  upstream.go();
  const Answer answer = client.answer();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.body, joined({kFrame, kDone}));
  expect_exact("completed");
}

}  // namespace
}  // namespace claviger::gate
