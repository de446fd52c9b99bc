// Messages that are kept, sent, tried again and given up; a receiver that does as the test says.
#include "steward/notify.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "steward/alert.hpp"
#include "store/sqlite.hpp"

namespace claviger::steward {
namespace {

class ManualClock final : public Clock {
 public:
  Time now() const override { return at; }
  std::int64_t monotonic_ns() const override { return at.ns; }
  Time at{1'790'000'000'000'000'000};
};

// Answers when the test says so.
class Receiver final : public Outside {
 public:
  void send(OutsideCall call, Done done) override {
    calls.push_back(std::move(call));
    waiting.push_back(std::move(done));
  }
  void answer(Result<OutsideAnswer> answer) {
    Done done = std::move(waiting.front());
    waiting.erase(waiting.begin());
    done(std::move(answer));
  }
  void answer(int status) { answer(OutsideAnswer{status, {}, {}}); }
  std::vector<OutsideCall> calls;
  std::vector<Done> waiting;
};

class NotifyTest : public testing::Test {
 protected:
  void SetUp() override {
    store = store::SqliteStore::open({}).value();
    ASSERT_TRUE(store::install(*store, {kAlertSchema, kNotifySchema}));
    open({"one"});
  }
  // As after a start of the program.
  void open(const std::vector<std::string>& names) {
    notices = std::make_unique<Notices>(NotifyParts{*store, clock, rng, &receiver, nullptr});
    std::vector<Channel> channels;
    for (const std::string& name : names) {
      Channel channel;
      channel.name = name;
      channel.url = {"https://" + name + ".example.com", "/in"};
      channels.push_back(std::move(channel));
    }
    ASSERT_TRUE(notices->adopt(std::move(channels)));
  }
  void post(std::string summary = "something happened") {
    Notice notice;
    notice.type = "incident.detected";
    notice.subject = "key:a";
    notice.at = clock.at;
    notice.summary = std::move(summary);
    ASSERT_TRUE(store->write([&](store::Tx& tx) { return notices->post(tx, notice); }));
  }
  // So many messages of channel "one" that are there already.
  void fill(std::int64_t count, std::string_view state) {
    ASSERT_TRUE(store->write([&](store::Tx& tx) -> Result<void> {
      TRY_VOID(tx.run(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
          "INSERT INTO notify_message (channel, uid, type, subject, thread, severity, over, at, summary, "
          "data, state, attempts, next, problem, done) SELECT 'one', 'u' || i, 't', 's', 's', 0, 0, 0, "
          "'', '{}', ?2, 1, 0, '', 0 FROM n",
          {count, store::value(state)}));
      return {};
    }));
  }
  void tick() { ASSERT_TRUE(notices->tick()); }
  std::size_t count(MessageState state) { return notices->list(state, 100)->size(); }
  void wait(std::chrono::nanoseconds span) { clock.at = clock.at + span; }

  ManualClock clock;
  SeededRng rng{3};
  Receiver receiver;
  std::unique_ptr<store::SqliteStore> store;
  std::unique_ptr<Notices> notices;
};

TEST_F(NotifyTest, a_message_is_sent_once_and_kept_as_sent) {
  post();
  tick();
  tick();
  ASSERT_EQ(receiver.calls.size(), 1U);
  receiver.answer(200);
  tick();
  EXPECT_EQ(receiver.calls.size(), 1U);
  EXPECT_EQ(count(MessageState::sent), 1U);
}

TEST_F(NotifyTest, what_failed_is_tried_again_later_under_the_same_name) {
  post();
  tick();
  receiver.answer(500);
  tick();
  EXPECT_EQ(receiver.calls.size(), 1U);
  const std::string uid = notices->list(MessageState::waiting, 1)->front().message.uid;
  wait(std::chrono::seconds(10));
  tick();
  ASSERT_EQ(receiver.calls.size(), 2U);
  receiver.answer(204);
  EXPECT_EQ(notices->list(MessageState::sent, 1)->front().message.uid, uid);
}

TEST_F(NotifyTest, a_message_survives_the_end_of_the_program) {
  post();
  tick();  // under way when the program dies
  open({"one"});
  tick();
  EXPECT_EQ(receiver.calls.size(), 2U);
}

TEST_F(NotifyTest, attempts_end_and_the_dead_letter_is_seen) {
  post();
  for (int i = 0; i < limits::kNotifyAttempts; ++i) {
    tick();
    ASSERT_EQ(receiver.waiting.size(), 1U) << i;
    receiver.answer(fail_upstream(Code::upstream_timeout, "slow"));
    wait(std::chrono::hours(48));
  }
  tick();
  EXPECT_TRUE(receiver.waiting.empty());
  const auto dead = *notices->list(MessageState::dead, 10);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].attempts, limits::kNotifyAttempts);
  EXPECT_EQ(dead[0].problem, "upstream_timeout");
}

TEST_F(NotifyTest, a_slow_channel_holds_up_no_other) {
  open({"one", "two"});
  post();
  tick();
  ASSERT_EQ(receiver.calls.size(), 2U);
  receiver.waiting.erase(receiver.waiting.begin());  // the first never answers
  receiver.answer(200);
  post();
  tick();
  ASSERT_EQ(receiver.calls.size(), 3U);
  EXPECT_EQ(receiver.calls[2].base, "https://two.example.com");
}

TEST_F(NotifyTest, who_asks_for_less_is_left_alone_for_so_long) {
  post("first");
  post("second");
  tick();
  OutsideAnswer busy{429, {{"retry-after", "600"}}, {}};
  receiver.answer(std::move(busy));
  wait(std::chrono::seconds(599));
  tick();
  EXPECT_EQ(receiver.calls.size(), 1U);
  wait(std::chrono::seconds(2));
  tick();
  EXPECT_EQ(receiver.calls.size(), 2U);
}

TEST_F(NotifyTest, a_receiver_that_is_gone_gets_nothing_until_it_is_tested) {
  post();
  post();
  tick();
  receiver.answer(410);
  post();
  tick();
  EXPECT_EQ(receiver.calls.size(), 1U);
  EXPECT_EQ(count(MessageState::dead), 3U);
  EXPECT_TRUE(notices->channels()->front().disabled);
  ASSERT_TRUE(notices->test("one", "me"));
  ASSERT_EQ(receiver.calls.size(), 2U);
  receiver.answer(200);
  EXPECT_FALSE(notices->channels()->front().disabled);
}

TEST_F(NotifyTest, of_messages_that_ended_so_many_are_kept_whether_sent_or_dead) {
  fill(limits::kNotifyKept, "sent");
  const auto ended = [&] {
    std::size_t all = 0;
    for (const MessageState state : {MessageState::sent, MessageState::dead})
      all += notices->list(state, 2 * limits::kNotifyKept)->size();
    return static_cast<std::int64_t>(all);
  };
  ASSERT_EQ(ended(), limits::kNotifyKept);
  post();
  tick();
  receiver.answer(200);
  EXPECT_EQ(ended(), limits::kNotifyKept);
  post();
  tick();
  receiver.answer(410);
  EXPECT_EQ(ended(), limits::kNotifyKept);
  post();  // to a receiver that is gone
  EXPECT_EQ(ended(), limits::kNotifyKept);
  EXPECT_EQ(count(MessageState::dead), 2U);
}

TEST_F(NotifyTest, so_many_messages_wait_and_the_next_is_a_dead_letter) {
  fill(limits::kNotifyQueue - 1, "waiting");
  post("the last that waits");
  EXPECT_EQ(count(MessageState::dead), 0U);
  post("one too many");
  const auto dead = *notices->list(MessageState::dead, 10);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].message.notice.summary, "one too many");
  EXPECT_EQ(dead[0].problem, "too many messages wait");
}

TEST_F(NotifyTest, so_many_attempts_are_under_way_at_once) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= limits::kNotifyAtOnce; ++i) names.push_back("channel" + std::to_string(i));
  open(names);
  post();
  tick();
  EXPECT_EQ(receiver.calls.size(), limits::kNotifyAtOnce);
  receiver.answer(200);
  tick();
  EXPECT_EQ(receiver.calls.size(), limits::kNotifyAtOnce + 1);
}

TEST_F(NotifyTest, a_test_of_a_channel_that_is_not_there_is_refused) {
  EXPECT_EQ(notices->test("nowhere", "me").error().code, Code::not_found);
}

TEST_F(NotifyTest, messages_of_a_channel_that_was_taken_away_are_dead) {
  post();
  open({"two"});
  EXPECT_EQ(count(MessageState::dead), 1U);
}

TEST_F(NotifyTest, new_alerts_are_told_once_and_older_ones_never) {
  const auto raise = [&](std::int64_t threshold) {
    ASSERT_TRUE(store->write([&](store::Tx& tx) {
      return raise_alert(
          tx, {clock.at, "budget_threshold", "team:core", "bud_1", clock.at, threshold, {}, {}, "so much"});
    }));
  };
  raise(50);
  open({"one"});
  ASSERT_TRUE(store->write([](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("UPDATE notify_position SET alert = 1"));
    return {};
  }));
  raise(80);
  tick();
  tick();
  ASSERT_EQ(receiver.calls.size(), 1U);
  EXPECT_NE(receiver.calls[0].body.find("so much"), std::string::npos);
  receiver.answer(200);
  tick();
  EXPECT_EQ(receiver.calls.size(), 1U);
}

}  // namespace
}  // namespace claviger::steward
