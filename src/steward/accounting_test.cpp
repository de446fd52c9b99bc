// Accounting: which receipts belong to an exposure, and what they add up to.
#include "steward/accounting.hpp"

#include <gtest/gtest.h>

#include "base/file_memory.hpp"
#include "base/limits.hpp"
#include "journal/writer.hpp"
#include "steward/usage.hpp"
#include "store/sqlite.hpp"
#include "wire/json.hpp"

namespace claviger::steward {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr Time kStart{1'790'000'000 * kSecond};

Time at(std::int64_t second) { return {kStart.ns + second * kSecond}; }

class AccountingTest : public testing::Test {
 protected:
  void open(std::uint64_t epoch = 1, std::size_t segment = limits::kJournalSegment) {
    writer = journal::Writer::open(folder, "gate0", epoch, {kStart, "test", "process"}, segment).value();
  }

  void receipt(std::int64_t second, std::string_view key, std::string_view ip = "10.0.0.1",
               std::int64_t cost = 1'000, std::string_view lineage = {}) {
    journal::Receipt one;
    one.at = at(second + 1);
    one.intent_at = at(second);
    one.req = "req_1";
    one.key = key;
    one.lineage = lineage;
    one.credential = "cred_1";
    one.provider = "openai";
    one.model = "gpt-5";
    one.endpoint = "chat";
    one.status = 200;
    one.usage.uncached_in = 10;
    one.usage.text_out = 5;
    one.cost_nanousd = {cost};
    one.ip = ip;
    one.user_agent = "sdk/1";
    writer->append(one);
  }

  Accounting read(std::string id, std::int64_t from, std::int64_t to, Owned owned = Owned::key) {
    EXPECT_TRUE(writer->flush());
    return account(folder, {owned, std::move(id), at(from), at(to)}).value();
  }

  MemoryFolder folder;
  std::unique_ptr<journal::Writer> writer;
};

TEST_F(AccountingTest, calls_with_another_version_of_a_credential_are_not_the_leaked_ones) {
  open();
  for (const std::int64_t version : {0, 1, 2}) {  // 0: of a program that did not write it
    journal::Receipt one;
    one.at = one.intent_at = at(5);
    one.req = "req_1", one.key = "k", one.credential = "cred_1", one.credential_version = version;
    writer->append(one);
  }
  ASSERT_TRUE(writer->flush());
  AccountAsk ask{Owned::credential, "cred_1", at(0), at(10)};
  EXPECT_EQ(account(folder, ask)->total.calls, 3);
  ask.version = 2;
  EXPECT_EQ(account(folder, ask)->total.calls, 2);
}

TEST_F(AccountingTest, calls_let_in_within_the_window_count_and_no_others) {
  open();
  for (const std::int64_t second : {9, 10, 15, 19, 20}) receipt(second, "leaked");
  receipt(12, "other");
  const Accounting got = read("leaked", 10, 20);
  EXPECT_EQ(got.total.calls, 3);
  EXPECT_EQ(got.total.cost.value, 3'000);
  EXPECT_EQ(got.total.input_tokens, 30);
  EXPECT_EQ(got.total.output_tokens, 15);
  EXPECT_EQ(got.total.first, at(10));
  EXPECT_EQ(got.total.last, at(19));
}

TEST_F(AccountingTest, a_key_whose_name_stands_in_another_field_is_not_meant) {
  open();
  receipt(10, "other", "leaked");
  EXPECT_EQ(read("leaked", 0, 100).total.calls, 0);
}

TEST_F(AccountingTest, keys_that_were_made_below_it_are_counted_with_it) {
  open();
  receipt(10, "leaked");
  receipt(11, "made", "10.0.0.1", 1'000, "root/leaked");
  receipt(12, "older", "10.0.0.1", 1'000, "root/leaked");
  ASSERT_TRUE(writer->flush());
  const Accounting got = account(folder, {Owned::key, "leaked", at(0), at(100), 0, {"made"}}).value();
  EXPECT_EQ(got.total.calls, 2);
  EXPECT_EQ(got.keys.at("made").calls, 1);
  EXPECT_FALSE(got.keys.contains("older"));
}

// Whole hours count; the one in which the exposure began is of both and does not.
TEST(Baseline, is_of_so_many_days_before_the_exposure) {
  constexpr std::int64_t kHour = 3'600, kFrom = 1'790'000'000;
  const auto sqlite = store::SqliteStore::open({}).value();
  ASSERT_TRUE(store::install(*sqlite, {kUsageSchema}));
  const std::int64_t end = kFrom / kHour * kHour, begin = end - limits::kBaselineDays * 24 * kHour;
  for (const std::int64_t hour : {begin - kHour, begin, begin + kHour, end - kHour, end}) {
    journal::Receipt one;
    one.intent_at = {hour * kSecond};
    one.key = "leaked";
    one.credential = "cred_1";
    UsageBatch batch;
    batch.add(one);
    ASSERT_TRUE(sqlite->write([&](store::Tx& tx) { return batch.apply(tx); }));
  }
  for (const auto& [owned, id] : {std::pair{Owned::key, "leaked"}, {Owned::credential, "cred_1"}}) {
    const Baseline found = baseline_of(*sqlite, {owned, id, {kFrom * kSecond}, kStart}).value();
    EXPECT_EQ(found.calls, 3) << id;
    EXPECT_EQ(found.days, limits::kBaselineDays) << id;
  }
}

TEST_F(AccountingTest, a_credential_is_counted_over_all_keys) {
  open();
  receipt(10, "one");
  receipt(11, "two");
  const Accounting got = read("cred_1", 0, 100, Owned::credential);
  EXPECT_EQ(got.total.calls, 2);
  EXPECT_EQ(got.keys.size(), 2U);
}

TEST_F(AccountingTest, refusals_after_the_containment_are_counted_apart) {
  open();
  receipt(10, "leaked");
  journal::Refusal refusal;
  refusal.at = at(50);
  refusal.req = "req_2";
  refusal.key = "leaked";
  refusal.code = Code::frozen_key;
  writer->append(refusal);
  const Accounting got = read("leaked", 0, 20);
  EXPECT_EQ(got.total.calls, 1);
  EXPECT_EQ(got.refused, 1);
}

TEST_F(AccountingTest, many_segments_give_what_one_gives_whatever_the_window) {
  open(1, 64 * 1024);
  for (std::int64_t second = 0; second < 4'000; ++second)
    receipt(second, second % 3 == 0 ? "leaked" : "other", second % 2 == 0 ? "10.0.0.1" : "10.0.0.2", second);
  for (const auto& [from, to] : {std::pair{0, 4'000}, {1'000, 1'001}, {1'234, 3'210}, {3'990, 9'999}}) {
    std::int64_t calls = 0, cost = 0;
    for (std::int64_t second = from; second < std::min(to, 4'000); ++second)
      if (second % 3 == 0) ++calls, cost += second;
    const Accounting got = read("leaked", from, to);
    EXPECT_EQ(got.total.calls, calls) << from << " " << to;
    EXPECT_EQ(got.total.cost.value, cost);
  }
}

TEST_F(AccountingTest, kinds_beyond_the_bound_are_summed_as_others) {
  open();
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(limits::kAccountRows) + 10; ++i)
    receipt(10, "leaked", std::to_string(i));
  const Accounting got = read("leaked", 0, 100);
  EXPECT_LE(got.addresses.size(), limits::kAccountRows + 1);
  EXPECT_GE(got.addresses.at("(others)").calls, 10);
  std::int64_t calls = 0;
  for (const auto& [address, sums] : got.addresses) calls += sums.calls;
  EXPECT_EQ(calls, got.total.calls);
  EXPECT_EQ(got.total.calls, static_cast<std::int64_t>(limits::kAccountRows) + 10);
}

TEST_F(AccountingTest, a_line_that_is_being_written_is_left_alone) {
  open();
  receipt(10, "leaked");
  ASSERT_TRUE(writer->flush());
  ASSERT_TRUE(folder.open_append("gate0-00000001-000000.jsonl").value()->append(R"({"v":1,"key":"leaked")"));
  EXPECT_EQ(account(folder, {Owned::key, "leaked", at(0), at(100)})->total.calls, 1);
}

TEST_F(AccountingTest, what_was_not_seen_before_is_marked_as_new) {
  open();
  receipt(10, "leaked", "10.0.0.1");
  receipt(11, "leaked", "203.0.113.9");
  Baseline baseline;
  baseline.days = 7;
  baseline.addresses = {"10.0.0.1"};
  baseline.models = {"openai/gpt-5"};
  const std::string text = to_json(read("leaked", 0, 100), baseline);
  wire::Json json;
  ASSERT_TRUE(wire::scan(text, json)) << text;
  for (const wire::JsonValue row : json.root()["addresses"].elements())
    EXPECT_EQ(row["new"].boolean(), row["name"].text() == "203.0.113.9");
  EXPECT_NE(account_sentence(text).find("2 calls"), std::string::npos);
  EXPECT_NE(account_sentence(text).find("1 addresses and 0 models were not seen before"), std::string::npos);
}

}  // namespace
}  // namespace claviger::steward
