// What a key was used for, as narrower scopes are drawn from it.
#include "steward/suggest.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "base/limits.hpp"
#include "steward/usage.hpp"
#include "store/sqlite.hpp"

namespace claviger::steward {
namespace {

class SuggestTest : public testing::Test {
 protected:
  SuggestTest() { EXPECT_TRUE(store::install(*store_, {kUsageSchema})); }

  static Time at(std::string_view text) { return parse_time(text).value(); }
  static journal::Receipt receipt(std::string_view time, std::string_view ip, std::string_view key = "k1") {
    journal::Receipt made;
    made.intent_at = at(time);
    made.key = key, made.model = "m", made.endpoint = "chat", made.provider = "openai", made.credential = "c";
    made.ip = ip;
    made.usage.uncached_in = 100;
    made.usage.text_out = 10;
    return made;
  }
  void apply(const std::vector<journal::Receipt>& receipts) {
    UsageBatch batch;
    for (const journal::Receipt& one : receipts) batch.add(one);
    EXPECT_TRUE(store_->write([&](store::Tx& tx) { return batch.apply(tx); }));
  }
  KeyUse use() { return key_use(*store_, "k1", at("2026-11-01"), at("2026-12-01")).value(); }

  std::unique_ptr<store::SqliteStore> store_ = store::SqliteStore::open({}).value();
};

TEST_F(SuggestTest, addresses_of_a_day_are_kept_apart_up_to_a_bound_and_then_counted_together) {
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i <= limits::kUsedAddresses; ++i)
    texts.push_back("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256));
  std::vector<journal::Receipt> some;
  for (std::int64_t i = 0; i + 1 < limits::kUsedAddresses; ++i)
    some.push_back(receipt("2026-11-20T10:00:00Z", texts[static_cast<std::size_t>(i)]));
  apply(some);
  EXPECT_EQ(std::ssize(use().addresses), limits::kUsedAddresses - 1);
  apply({receipt("2026-11-20T10:00:00Z", texts[static_cast<std::size_t>(limits::kUsedAddresses) - 1])});
  EXPECT_EQ(std::ssize(use().addresses), limits::kUsedAddresses);
  EXPECT_TRUE(use().all_addresses);
  apply({receipt("2026-11-20T10:00:00Z", texts.back())});
  EXPECT_EQ(std::ssize(use().addresses), limits::kUsedAddresses);
  EXPECT_FALSE(use().all_addresses) << "one request came from an address that is not kept";
}

TEST_F(SuggestTest, addresses_older_than_the_days_that_count_are_forgotten) {
  const Time newest = at("2026-11-30T10:00:00Z");
  for (const std::int64_t days : {limits::kSuggestDays - 1, limits::kSuggestDays, limits::kSuggestDays + 1}) {
    const Time old = newest + -std::chrono::hours(24) * days;
    const std::string key = "k" + std::to_string(days);
    journal::Receipt first = receipt("2026-11-20", "10.0.0.1", key);
    first.intent_at = old;
    journal::Receipt last = first;
    last.ip = "10.0.0.2";
    last.intent_at = newest;
    apply({first});
    apply({last});
    const auto found = key_use(*store_, key, old, newest + std::chrono::hours(24)).value();
    EXPECT_EQ(found.addresses.size(), days <= limits::kSuggestDays ? 2U : 1U) << days;
  }
}

TEST_F(SuggestTest, the_busiest_hour_the_hours_and_the_providers_own_tools_are_told) {
  journal::Receipt searched = receipt("2026-11-20T11:05:00Z", "10.0.0.1");
  searched.usage.tool_calls = 2;
  apply({receipt("2026-11-20T10:05:00Z", "10.0.0.1"), receipt("2026-11-20T10:55:00Z", "10.0.0.1"), searched,
         receipt("2026-11-20T11:05:00Z", "10.0.0.1", "k2")});
  const KeyUse found = use();
  EXPECT_EQ(found.busiest_requests, 2);
  EXPECT_EQ(found.hosted_calls, 2);
  EXPECT_EQ(found.hours, (std::vector<Time>{at("2026-11-20T10:00:00Z"), at("2026-11-20T11:00:00Z")}));
}

TEST_F(SuggestTest, what_a_key_used_includes_the_keys_below_it) {
  journal::Receipt below = receipt("2026-11-20T11:05:00Z", "10.0.0.1", "k2");
  below.lineage = "k1";
  apply({receipt("2026-11-20T10:05:00Z", "10.0.0.1"), below, receipt("2026-11-20T10:05:00Z", "::1", "k3")});
  UsageFilter filter;
  filter.key = "k1";
  const auto rows = usage_query(*store_, {By::key}, {}, at("2026-12-01"), filter).value();
  EXPECT_EQ(rows.size(), 2U);
  filter.key = "k2";
  EXPECT_EQ(usage_query(*store_, {By::key}, {}, at("2026-12-01"), filter).value().size(), 1U);
}

}  // namespace
}  // namespace claviger::steward
