// Usage: sums by any grouping, windows to the quarter of an hour, nothing that callers give becomes SQL.
#include "steward/usage.hpp"

#include <gtest/gtest.h>

#include "store/sqlite.hpp"

namespace claviger::steward {
namespace {

Time at(std::string_view text) { return parse_time(text).value(); }

class UsageTest : public testing::Test {
 protected:
  UsageTest() { EXPECT_TRUE(store::install(*store_, {kUsageSchema})); }

  void add(std::string_view time, std::string_view key, std::string_view model, std::int64_t cost,
           journal::Outcome outcome = journal::Outcome::completed) {
    journal::Receipt r;
    r.intent_at = at(time);
    r.key = key, r.team = key == "k1" ? "core" : "web";
    r.model = model, r.provider = "openai", r.credential = "cred_1";
    r.cost_nanousd = {cost};
    r.outcome = outcome;
    r.usage.text_out = 3;
    UsageBatch batch;
    batch.add(r);
    EXPECT_TRUE(store_->write([&](store::Tx& tx) { return batch.apply(tx); }));
  }
  std::int64_t sum(std::string_view node, std::string_view from, std::string_view to) {
    std::int64_t value = 0;
    EXPECT_TRUE(store_->read([&](store::Tx& tx) -> Result<void> {
      TRY(const Nanousd cost, usage_sum(tx, node, at(from), at(to)));
      value = cost.value;
      return {};
    }));
    return value;
  }

  std::unique_ptr<store::SqliteStore> store_ = store::SqliteStore::open({}).value();
};

TEST_F(UsageTest, an_unknown_grouping_is_refused_with_the_list) {
  const auto by = parse_by("user");
  ASSERT_FALSE(by);
  EXPECT_EQ(by.error().code, Code::invalid_input);
  EXPECT_TRUE(by.error().say.contains("environment"));
  for (int i = 0; i <= static_cast<int>(By::endpoint); ++i)
    EXPECT_EQ(parse_by(by_name(static_cast<By>(i))).value(), static_cast<By>(i));
}

TEST_F(UsageTest, nothing_used_is_no_row) {
  EXPECT_TRUE(usage_query(*store_, {}, {}, at("2026-12-01")).value().empty());
  EXPECT_TRUE(usage_query(*store_, {By::key}, {}, at("2026-12-01")).value().empty());
}

TEST_F(UsageTest, is_grouped_by_any_dimensions_dearest_first) {
  add("2026-11-20T10:05:00Z", "k1", "small", 10);
  add("2026-11-20T10:55:00Z", "k1", "small", 20);
  add("2026-11-20T11:05:00Z", "k2", "large", 500, journal::Outcome::upstream_cut);
  add("2026-12-01T00:00:00Z", "k2", "small", 1);
  const Time to = at("2027-01-01");
  const auto keys = usage_query(*store_, {By::key, By::model}, {}, to).value();
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0].group, (std::vector<std::string>{"k2", "large"}));
  EXPECT_EQ(keys[0].cost_nanousd, Nanousd{500});
  EXPECT_EQ(keys[0].errors, 1);
  EXPECT_EQ(keys[1].requests, 2);
  EXPECT_EQ(keys[1].usage.text_out, 6);
  const auto hours = usage_query(*store_, {By::hour}, {}, to).value();
  ASSERT_EQ(hours.size(), 3U);
  EXPECT_EQ(hours[0].group[0], "2026-11-20T10:00:00Z");
  EXPECT_EQ(hours[0].cost_nanousd, Nanousd{30});
  EXPECT_EQ(usage_query(*store_, {By::day}, {}, to).value()[1].group[0], "2026-12-01");
  EXPECT_EQ(usage_query(*store_, {By::month}, {}, to).value()[0].cost_nanousd, Nanousd{530});
}

TEST_F(UsageTest, is_cut_to_whole_hours_and_filtered_and_limited) {
  add("2026-11-20T10:05:00Z", "k1", "small", 10);
  add("2026-11-20T11:05:00Z", "k2", "large", 500);
  add("2026-11-20T12:05:00Z", "k2", "large", 7);
  const auto between = [&](std::string_view from, std::string_view to, const UsageFilter& filter) {
    const auto rows = usage_query(*store_, {}, at(from), at(to), filter).value();
    return rows.empty() ? 0 : rows[0].cost_nanousd.value;
  };
  EXPECT_EQ(between("2026-11-20T10:30:00Z", "2026-11-20T11:00:00Z", {}), 10);
  EXPECT_EQ(between("2026-11-20T11:00:00Z", "2026-11-20T11:01:00Z", {}), 500);
  UsageFilter filter;
  filter.key = "k2";
  EXPECT_EQ(between("2026-11-20", "2026-11-21", filter), 507);
  filter.model = "' OR ''='";
  EXPECT_EQ(between("2026-11-20", "2026-11-21", filter), 0);
  EXPECT_EQ(usage_query(*store_, {By::hour}, {}, at("2026-11-21"), {}, 2).value().size(), 2U);
}

TEST_F(UsageTest, a_sum_for_a_window_is_exact_to_the_quarter_of_an_hour) {
  add("2026-11-20T18:14:59Z", "k1", "m", 1);
  add("2026-11-20T18:15:00Z", "k1", "m", 10);
  add("2026-11-20T18:29:59Z", "k1", "m", 100);
  add("2026-11-20T18:30:00Z", "k1", "m", 1'000);
  add("2026-11-20T23:00:00Z", "k2", "m", 10'000);
  add("2026-11-21T18:15:00Z", "k1", "m", 100'000);
  add("2026-11-21T18:30:00Z", "k1", "m", 1'000'000);
  EXPECT_EQ(sum("org", "2026-11-20T18:30:00Z", "2026-11-21T18:30:00Z"), 111'000);  // a day in India
  EXPECT_EQ(sum("org", "2026-11-20T18:15:00Z", "2026-11-20T18:30:00Z"), 110);
  EXPECT_EQ(sum("org", "2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z"), 1'111);
  EXPECT_EQ(sum("key:k2", "2026-11-20", "2026-11-22"), 10'000);
  EXPECT_EQ(sum("team:web", "2026-11-20", "2026-11-22"), 10'000);
  EXPECT_EQ(sum("team:core", "2026-11-20", "2026-11-22"), 1'101'111);
  EXPECT_EQ(sum("project:none", "2026-11-20", "2026-11-22"), 0);
}

TEST_F(UsageTest, a_database_from_before_gets_the_buckets_it_lacks) {
  const auto forget = [](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.run("ALTER TABLE usage DROP COLUMN characters", {}));
    return {};
  };
  ASSERT_TRUE(store_->write(forget));
  EXPECT_FALSE(usage_query(*store_, {}, {}, at("2026-11-21")));
  ASSERT_TRUE(add_missing_buckets(*store_));
  ASSERT_TRUE(add_missing_buckets(*store_)) << "a second time changes nothing";
  EXPECT_EQ(usage_query(*store_, {}, {}, at("2026-11-21")).value().size(), 0U);
  add("2026-11-20T10:00:00Z", "k1", "m", 1);
  EXPECT_EQ(usage_query(*store_, {}, {}, at("2026-11-21")).value().at(0).requests, 1);
}

TEST_F(UsageTest, one_batch_adds_up_like_many) {
  UsageBatch batch;
  journal::Receipt r;
  r.intent_at = at("2026-11-20T10:00:00Z");
  r.credential = "cred_9";
  for (const provider::UsageField& field : provider::kUsageFields) r.usage.*field.member = 2;
  r.cost_nanousd = {5};
  for (int i = 0; i < 10; ++i) batch.add(r);
  ASSERT_TRUE(store_->write([&](store::Tx& tx) { return batch.apply(tx); }));
  ASSERT_TRUE(store_->write([&](store::Tx& tx) { return batch.apply(tx); }));
  const UsageRow row = usage_query(*store_, {}, {}, at("2026-11-21")).value().at(0);
  EXPECT_EQ(row.requests, 20);
  EXPECT_EQ(row.cost_nanousd, Nanousd{100});
  for (const provider::UsageField& field : provider::kUsageFields)
    EXPECT_EQ(row.usage.*field.member, 40) << field.name;
  const auto use = credential_use(*store_, {}, at("2026-11-21")).value();
  ASSERT_EQ(use.size(), 1U);
  EXPECT_EQ(use[0].requests, 20);
  EXPECT_EQ(use[0].last_used, r.intent_at);
}

}  // namespace
}  // namespace claviger::steward
