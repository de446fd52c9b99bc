// Bounds of what is stored of incidents: places, events, and deliveries of webhooks.
#include "steward/incident_rows.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "store/sqlite.hpp"

namespace claviger::steward {
namespace {

class IncidentRowsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(store::install(*store, {kIncidentSchema})); }
  template <class T>
  void write(T change) {
    const auto done = store->write([&](store::Tx& tx) -> Result<void> { return change(tx); });
    ASSERT_TRUE(done) << done.error().detail;
  }

  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open({}).value();
};

TEST_F(IncidentRowsTest, so_many_places_are_kept_of_one_incident_each_once) {
  write([](store::Tx& tx) -> Result<void> {
    for (std::int64_t i = 0; i <= limits::kIncidentPlaces; ++i)
      for (int twice = 0; twice < 2; ++twice)
        TRY_VOID(add_place(tx, "inc_1", {Time{i}, std::to_string(i), "ci"}));
    return add_place(tx, "inc_2", {Time{0}, "another's", "ci"});
  });
  write([](store::Tx& tx) -> Result<void> {
    TRY(const auto places, places_of(tx, "inc_1"));
    EXPECT_EQ(static_cast<std::int64_t>(places.size()), limits::kIncidentPlaces);
    EXPECT_EQ(places.back().place, std::to_string(limits::kIncidentPlaces - 1));
    EXPECT_EQ(places_of(tx, "inc_2")->size(), 1U);
    return {};
  });
}

TEST_F(IncidentRowsTest, so_many_events_are_kept_of_one_timeline) {
  write([](store::Tx& tx) -> Result<void> {
    for (std::size_t i = 1; i <= limits::kIncidentEvents + 1; ++i) {
      TRY_VOID(add_event(tx, "inc_1", {Time{0}, std::to_string(i), "me", "", "", 0, 0}));
    }
    TRY(const auto events, events_of(tx, "inc_1"));
    EXPECT_EQ(events.size(), limits::kIncidentEvents);
    EXPECT_EQ(events.back().what, std::to_string(limits::kIncidentEvents));
    return {};
  });
}

TEST_F(IncidentRowsTest, a_delivery_is_remembered_for_so_long) {
  constexpr std::int64_t kMs = 1'000'000;
  const Time taken{1'790'000'000'000 * kMs};
  const auto known_at = [&](std::int64_t after_ms) {
    bool known = false;
    write([&](store::Tx& tx) -> Result<void> {
      TRY_VOID(keep_hook(tx, "one", taken));
      TRY_VOID(keep_hook(tx, "another", {taken.ns + after_ms * kMs}));
      TRY(known, hook_known(tx, "one"));
      return {};
    });
    return known;
  };
  EXPECT_TRUE(known_at(limits::kHookMemoryMs - 1));
  EXPECT_TRUE(known_at(limits::kHookMemoryMs));
  EXPECT_FALSE(known_at(limits::kHookMemoryMs + 1));
}

}  // namespace
}  // namespace claviger::steward
