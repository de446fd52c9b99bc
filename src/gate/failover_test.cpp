// Tests of several credentials for one route, end to end: who is asked next, what each attempt leaves on
// record, and what is never tried twice.
#include "gate/serve_rig_test.hpp"

namespace claviger::gate {
namespace {

using testing::HasSubstr;

constexpr std::string_view kRefused = R"({"error":{"message":"Incorrect API key","code":"invalid_api_key"}})";
constexpr std::string_view kLimited = R"({"error":{"message":"Rate limit reached"}})";
constexpr std::string_view kBad = R"({"error":{"message":"bad request"}})";

class FailoverTest : public ServeTest {
 protected:
  FailoverTest() { add_credential("openai", second.base_url(), "dev", "openai-second"); }

  void first_says(int status, std::string_view body, std::string_view fields = {}) {
    upstream.plays({send_bytes(json_answer(status, body, fields))});
  }
  void second_says(int status, std::string_view body) {
    second.plays({send_bytes(json_answer(status, body))});
  }
  std::string outcomes() const {
    std::string all;
    for (const Json& record : found)
      if (record["t"] == "receipt") all += record["outcome"].get<std::string>() + " ";
    return all;
  }

  Upstream second;
};

TEST_F(FailoverTest, a_refused_key_costs_nothing_and_the_next_credential_answers) {
  first_says(401, kRefused);
  second_says(200, kAnswer);
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, kAnswer);
  EXPECT_EQ(ended(), "intent receipt intent receipt");
  EXPECT_EQ(outcomes(), "upstream_error completed ");
  EXPECT_EQ(found[1].value("cost_nanousd", std::int64_t{0}), 0);
  EXPECT_EQ(found[3]["cost_nanousd"].get<std::int64_t>(), kAnswerNanousd);
  EXPECT_EQ(found[0]["credential"], credentials[0].id);
  EXPECT_EQ(found[2]["credential"], credentials.back().id);
  const std::string first = found[0]["req"], next = found[2]["req"];
  EXPECT_EQ(next, first + ".2");
  EXPECT_EQ(answer.header("x-claviger-request-id"), next);
}

TEST_F(FailoverTest, a_key_that_was_refused_twice_rests_and_the_journal_tells) {
  first_says(401, kRefused);
  second_says(200, kAnswer);
  start();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(asked(chat_request()).status, 200);
  EXPECT_EQ(upstream.requests().size(), 2u) << "suspect after one, benched after two";
  EXPECT_EQ(second.requests().size(), 4u);
  ended();
  EXPECT_EQ(alerts(), "credential_suspect credential_benched ");
}

TEST_F(FailoverTest, a_rate_limit_and_a_failure_go_on_to_the_next_credential) {
  for (const int status : {429, 500, 503}) {
    first_says(status, kLimited, "retry-after: 1\r\n");
    second_says(200, kAnswer);
    if (gate == nullptr) start();
    EXPECT_EQ(asked(chat_request()).status, 200) << status;
    clock.at = clock.at + std::chrono::minutes(10);  // whatever rested is whole again
  }
  EXPECT_EQ(upstream.requests().size(), 3u);
  ended();
}

TEST_F(FailoverTest, a_rate_limit_is_honoured_as_long_as_the_provider_says) {
  first_says(429, kLimited, "retry-after: 30\r\n");
  second_says(200, kAnswer);
  start();
  EXPECT_EQ(asked(chat_request()).status, 200);
  clock.at = clock.at + std::chrono::seconds(29);
  EXPECT_EQ(asked(chat_request()).status, 200);
  EXPECT_EQ(upstream.requests().size(), 1u);
  clock.at = clock.at + std::chrono::seconds(61);
  first_says(200, kAnswer);
  EXPECT_EQ(asked(chat_request()).status, 200);
  EXPECT_EQ(upstream.requests().size(), 2u);
  ended();
}

TEST_F(FailoverTest, an_error_of_the_request_itself_goes_to_the_client_at_once) {
  first_says(400, kBad);
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, kBad);
  EXPECT_EQ(second.connections(), 0);
  EXPECT_EQ(ended(), "intent receipt");
}

TEST_F(FailoverTest, when_all_fail_the_client_gets_the_last_answer) {
  first_says(429, kLimited);
  second_says(429, kLimited);
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.body, kLimited);
  EXPECT_EQ(ended(), "intent receipt intent receipt");
}

TEST_F(FailoverTest, an_exposure_without_an_answer_is_never_tried_again) {
  upstream.plays({cut()});
  second_says(200, kAnswer);
  start();
  const Answer answer = asked(chat_request());
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(second.connections(), 0);
  EXPECT_EQ(ended(), "intent receipt");
  EXPECT_TRUE(found[1]["presumed"].get<bool>());
}

TEST_F(FailoverTest, an_answer_that_broke_off_is_never_tried_again) {
  upstream.plays({send_bytes(stream_head() + chunks({kFrame})), cut()});
  second_says(200, kAnswer);
  start();
  EXPECT_THAT(asked(chat_request(kStream)).body, HasSubstr("upstream_failed"));
  EXPECT_EQ(second.connections(), 0);
  ended();
}

TEST_F(FailoverTest, a_hold_that_cannot_be_had_again_ends_the_trip) {
  Wish one_a_minute;
  one_a_minute.rates.rpm = 1;
  const Known poor = make_key(one_a_minute);
  first_says(503, kBad);
  second_says(200, kAnswer);
  start();
  Dialer client = dial();
  std::string text = chat_request();
  text.replace(text.find(key.token), key.token.size(), poor.token);
  client.send(text);
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 503) << "the first attempt took the minute's only request";
  EXPECT_EQ(answer.body, kBad);
  EXPECT_EQ(second.connections(), 0);
  ended();
}

TEST_F(FailoverTest, a_host_that_cannot_be_reached_costs_no_second_hold) {
  credentials.clear();
  // A port that nobody listens on: bound, then given back.
  auto gone = std::make_unique<Upstream>();
  const std::string nowhere = gone->base_url();
  gone.reset();
  add_credential("openai", nowhere, "dev", "openai-gone");
  add_credential("openai", second.base_url(), "dev", "openai-third");
  second_says(200, kAnswer);
  start();
  EXPECT_EQ(asked(chat_request()).status, 200);
  EXPECT_EQ(ended(), "intent receipt") << "nothing was exposed to the host that is not there";
  EXPECT_EQ(found[0]["credential"], credentials.back().id);
}

TEST_F(FailoverTest, requests_to_providers_that_one_request_may_cause_are_bounded) {
  Upstream third, fourth;
  add_credential("openai", third.base_url(), "dev", "openai-third");
  add_credential("openai", fourth.base_url(), "dev", "openai-fourth");
  for (Upstream* one : {&upstream, &second, &third, &fourth})
    one->plays({send_bytes(json_answer(503, kBad))});
  start();
  EXPECT_EQ(asked(chat_request()).status, 503);
  const std::size_t asked_in_all = upstream.requests().size() + second.requests().size() +
                                   third.requests().size() + fourth.requests().size();
  EXPECT_EQ(asked_in_all, static_cast<std::size_t>(limits::kUpstreamAttempts));
  ended();
}

TEST_F(FailoverTest, a_credential_that_is_asked_for_by_name_has_no_stand_in) {
  first_says(503, kBad);
  start();
  EXPECT_EQ(asked(request("POST", "/p/openai-dev/v1/chat/completions", kChat)).status, 503);
  EXPECT_EQ(second.connections(), 0);
  ended();
}

TEST_F(FailoverTest, another_environments_credential_never_takes_over) {
  credentials.back().environment = "prod";
  first_says(503, kBad);
  start();
  EXPECT_EQ(asked(chat_request()).status, 503);
  EXPECT_EQ(second.connections(), 0);
  ended();
}

TEST_F(FailoverTest, weights_share_the_traffic) {
  for (CredentialEntry& one : credentials) one.weight = 1;
  first_says(200, kAnswer);
  second_says(200, kAnswer);
  start();
  for (int i = 0; i < 40; ++i) EXPECT_EQ(asked(chat_request()).status, 200);
  EXPECT_GT(upstream.requests().size(), 8u);
  EXPECT_GT(second.requests().size(), 8u);
  ended();
}

}  // namespace
}  // namespace claviger::gate
