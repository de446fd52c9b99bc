// Messages in the shapes of their receivers, and what their answers mean.
#include "steward/channel.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "crypto/hmac.hpp"
#include "wire/json.hpp"

namespace claviger::steward {
namespace {

using Fate = Judgement::Fate;

constexpr Time kNow{1'790'000'000'000'000'000};

Channel channel_of(ChannelKind kind) {
  Channel channel;
  channel.name = "security";
  channel.kind = kind;
  channel.url = {"https://hooks.example.com", "/in"};
  channel.secrets = {"0123456789abcdef01234567"};
  channel.from = "claviger@example.com";
  channel.to = {"lead@example.com"};
  return channel;
}

Message message() {
  Message made;
  made.uid = "msg_1";
  made.notice = {"incident.detected",
                 "key:abc",
                 "inc_1",
                 Severity::critical,
                 false,
                 kNow,
                 "The secret of <bot> & co was found.",
                 R"({"incident":"inc_1"})"};
  return made;
}

std::string_view header(const OutsideCall& call, std::string_view name) {
  for (const auto& [key, value] : call.headers)
    if (key == name) return value;
  return {};
}

Judgement judged(int status, std::int64_t attempt = 1, std::string retry_after = {}) {
  SeededRng rng(7);
  OutsideAnswer answer{status, {}, {}};
  if (!retry_after.empty()) answer.headers.emplace_back("retry-after", retry_after);
  return judge(answer, attempt, kNow, rng);
}

TEST(Channel, an_event_is_signed_over_its_name_time_and_body) {
  const OutsideCall call = call_of(channel_of(ChannelKind::cloudevents), message(), kNow);
  const std::string signed_text = "msg_1.1790000000." + call.body;
  const Digest mac = crypto::HmacSha256(as_bytes("0123456789abcdef01234567")).mac(signed_text);
  EXPECT_EQ(header(call, "webhook-id"), "msg_1");
  EXPECT_EQ(header(call, "webhook-timestamp"), "1790000000");
  EXPECT_EQ(header(call, "webhook-signature"), "v1," + base64(mac));
  wire::Json read;
  ASSERT_TRUE(wire::scan(call.body, read));
  for (const std::string_view field : {"specversion", "id", "source", "type", "time", "subject", "data"})
    EXPECT_TRUE(read.root()[field]) << field;
}

TEST(Channel, what_is_too_long_to_go_out_is_left_out_or_cut) {
  constexpr std::size_t kMost = limits::kNotifyBody / 2;
  for (const std::size_t size : {kMost - 1, kMost, kMost + 1}) {
    Message made = message();
    made.notice.data = R"({"x":")" + std::string(size - 8, 'd') + R"("})";
    ASSERT_EQ(made.notice.data.size(), size);
    const OutsideCall event = call_of(channel_of(ChannelKind::cloudevents), made, kNow);
    EXPECT_EQ(event.body.find("ddd") != std::string::npos, size <= kMost) << size;
    EXPECT_EQ(event.timeout_ms, limits::kNotifyTimeoutMs);
    made.notice.summary = std::string(size - std::string_view("[critical]  (inc_1)").size(), 's');
    const OutsideCall slack = call_of(channel_of(ChannelKind::slack), made, kNow);
    EXPECT_EQ(slack.body.size(), std::string_view(R"({"text":""})").size() + std::min(size, kMost)) << size;
  }
}

TEST(Channel, old_and_new_secrets_both_sign) {
  Channel channel = channel_of(ChannelKind::cloudevents);
  channel.secrets.emplace_back("another-secret-0123456789");
  const OutsideCall call = call_of(channel, message(), kNow);
  const std::string_view signatures = header(call, "webhook-signature");
  EXPECT_EQ(std::count(signatures.begin(), signatures.end(), ' '), 1);
}

TEST(Channel, markup_of_slack_is_escaped) {
  const OutsideCall call = call_of(channel_of(ChannelKind::slack), message(), kNow);
  EXPECT_NE(call.body.find("&lt;bot&gt; &amp; co"), std::string::npos) << call.body;
  EXPECT_EQ(call.body.find("<bot>"), std::string::npos);
}

TEST(Channel, a_thread_that_is_over_is_resolved_at_pagerduty) {
  Message made = message();
  const OutsideCall opened = call_of(channel_of(ChannelKind::pagerduty), made, kNow);
  EXPECT_NE(opened.body.find(R"("event_action":"trigger")"), std::string::npos);
  EXPECT_NE(opened.body.find(R"("dedup_key":"inc_1")"), std::string::npos);
  made.notice.over = true;
  const OutsideCall over = call_of(channel_of(ChannelKind::pagerduty), made, kNow);
  EXPECT_NE(over.body.find(R"("event_action":"resolve")"), std::string::npos);
}

TEST(Channel, no_line_end_gets_into_the_head_of_a_mail) {
  Message made = message();
  made.notice.summary = "one\r\nBcc: other@example.com";
  const Mail mail = mail_of(channel_of(ChannelKind::smtp), made, kNow);
  EXPECT_EQ(mail.text.find("\nBcc:"), std::string::npos);
  EXPECT_NE(mail.text.find("Subject: [claviger] one"), std::string::npos);
}

TEST(Channel, globs_choose_the_events) {
  Channel channel = channel_of(ChannelKind::slack);
  EXPECT_TRUE(channel.wants("alert.journal_damage"));
  channel.events = {"incident.*"};
  EXPECT_TRUE(channel.wants("incident.closed"));
  EXPECT_FALSE(channel.wants("alert.journal_damage"));
}

TEST(Channel, a_signing_secret_has_24_to_64_bytes) {
  EXPECT_TRUE(read_signing_secret("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"));
  EXPECT_EQ(read_signing_secret("whsec_c2hvcnQ=").error().code, Code::invalid_input);
  EXPECT_EQ(read_signing_secret("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz").error().code, Code::invalid_input);
}

TEST(Judge, only_2xx_is_success_and_a_redirect_is_none) {
  EXPECT_EQ(judged(200).fate, Fate::sent);
  EXPECT_EQ(judged(204).fate, Fate::sent);
  for (const int status : {301, 302, 307, 400, 404, 500})
    EXPECT_EQ(judged(status).fate, Fate::retry) << status;
}

TEST(Judge, who_says_it_is_gone_is_believed) { EXPECT_EQ(judged(410).fate, Fate::gone); }

TEST(Judge, the_channel_rests_when_it_is_asked_to_and_as_long_as_it_is_asked) {
  for (const int status : {429, 502, 504}) EXPECT_EQ(judged(status).fate, Fate::pause) << status;
  const Judgement asked = judged(429, 1, "120");
  EXPECT_EQ((asked.next - kNow), std::chrono::seconds(120));
  const Judgement absurd = judged(429, 1, "99999999999");
  EXPECT_LE((absurd.next - kNow).count(), limits::kNotifyRetryLongestMs * 1'000'000);
}

TEST(Judge, pauses_grow_and_end_in_a_dead_letter) {
  std::chrono::nanoseconds before{0};
  for (std::int64_t attempt = 1; attempt < limits::kNotifyAttempts; ++attempt) {
    const Judgement one = judged(500, attempt);
    ASSERT_EQ(one.fate, Fate::retry) << attempt;
    EXPECT_GT(one.next - kNow, before * 8 / 10);
    before = one.next - kNow;
  }
  EXPECT_EQ(judged(500, limits::kNotifyAttempts).fate, Fate::dead);
}

TEST(Judge, an_address_that_may_not_be_called_is_given_up_at_once) {
  SeededRng rng(7);
  const Result<OutsideAnswer> refused = refuse(Code::private_address, "no");
  EXPECT_EQ(judge(refused, 1, kNow, rng).fate, Fate::dead);
  const Result<OutsideAnswer> down = fail_upstream(Code::upstream_failed, "down");
  EXPECT_EQ(judge(down, 1, kNow, rng).fate, Fate::retry);
}

}  // namespace
}  // namespace claviger::steward
