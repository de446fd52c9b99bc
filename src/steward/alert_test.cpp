// Alerts: raised once, disposed of once.
#include "steward/alert.hpp"

#include <gtest/gtest.h>

#include "store/sqlite.hpp"

namespace claviger::steward {
namespace {

class AlertTest : public testing::Test {
 protected:
  AlertTest() { EXPECT_TRUE(store::install(*store_, {kAlertSchema})); }
  Result<void> write(const store::Work& work) { return store_->write(work); }
  std::size_t due() {
    std::size_t count = 0;
    EXPECT_TRUE(store_->read([&](store::Tx& tx) -> Result<void> {
      TRY(const auto all, due_alerts(tx));
      count = all.size();
      return {};
    }));
    return count;
  }

  std::unique_ptr<store::SqliteStore> store_ = store::SqliteStore::open({}).value();
};

TEST_F(AlertTest, one_that_is_not_there_or_was_disposed_of_cannot_be_disposed_of) {
  const auto dispose = [&](std::int64_t id) {
    return write([&](store::Tx& tx) { return dispose_alert(tx, id, "ops", "a test run", {5}); });
  };
  EXPECT_EQ(dispose(1).error().code, Code::not_found);
  ASSERT_TRUE(write([](store::Tx& tx) { return raise_alert(tx, damage_alert("s", "w", {1}).record()); }));
  ASSERT_TRUE(dispose(1));
  EXPECT_EQ(dispose(1).error().code, Code::conflict);
  const AlertRow row = alerts(*store_, AlertState::disposed).value().at(0);
  EXPECT_EQ(row.disposition, "a test run");
  EXPECT_EQ(row.disposed_by, "ops");
  EXPECT_EQ(row.disposed_at, Time{5});
  EXPECT_TRUE(alerts(*store_, AlertState::open).value().empty());
}

TEST_F(AlertTest, the_same_is_due_once_and_raised_once) {
  const DueAlert alert = damage_alert("gate0-00000001-000000.jsonl", "torn", {1});
  const auto note = [&] { return write([&](store::Tx& tx) { return note_due(tx, alert); }); };
  const auto raise = [&] { return write([&](store::Tx& tx) { return raise_alert(tx, alert.record()); }); };
  ASSERT_TRUE(note());
  ASSERT_TRUE(note());
  EXPECT_EQ(due(), 1U);
  ASSERT_TRUE(raise());
  EXPECT_EQ(due(), 0U);
  ASSERT_TRUE(raise());
  ASSERT_TRUE(note());
  EXPECT_EQ(due(), 0U);
  EXPECT_EQ(alerts(*store_).value().size(), 1U);
}

TEST_F(AlertTest, another_window_or_threshold_is_another_alert) {
  ledger::Crossing crossing;
  crossing.budget.id = "b1", crossing.budget.node = "team:core",
  crossing.budget.limit = Nanousd{2'000'000'000};
  crossing.percent = 50;
  crossing.settled = {1'100'000'000};
  const auto note = [&] {
    return write([&](store::Tx& tx) { return note_due(tx, budget_alert(crossing, {1})); });
  };
  ASSERT_TRUE(note());
  crossing.percent = 80;
  ASSERT_TRUE(note());
  crossing.from = {86'400};
  ASSERT_TRUE(note());
  ASSERT_TRUE(note());
  EXPECT_EQ(due(), 3U);
  const DueAlert told = budget_alert(crossing, {1});
  EXPECT_TRUE(told.message.contains("1.10 USD of 2.00 USD")) << told.message;
  EXPECT_EQ(told.subject, "team:core");
}

TEST_F(AlertTest, the_newest_come_first) {
  for (const char* segment : {"a", "b", "c"})
    ASSERT_TRUE(
        write([&](store::Tx& tx) { return raise_alert(tx, damage_alert(segment, "w", {1}).record()); }));
  const auto told = alerts(*store_, AlertState::any, 2).value();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].subject, "c");
  EXPECT_EQ(told[1].subject, "b");
}

}  // namespace
}  // namespace claviger::steward
