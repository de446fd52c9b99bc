// Who waits for the disk is told once, truly, and no later than needed.
#include "journal/syncer.hpp"

#include <gtest/gtest.h>

#include <future>

#include "base/file_memory.hpp"

namespace claviger::journal {
namespace {

constexpr std::int64_t kNever = 3'600'000;  // a period that does not pass in a test

void write(SyncPoint& point, std::string_view bytes) {
  ASSERT_TRUE(point.file()->append(bytes));
  point.wrote(point.file()->size());
}

TEST(sync_point, waiters_of_a_failed_sync_are_told_no_and_so_are_all_after) {
  MemoryFolder folder;
  SyncPoint point;
  point.attach(folder.open_append("a").value());
  write(point, "12345");
  std::vector<OnDisk> told;
  point.wait(5, [&](OnDisk done) { told.push_back(done); });
  point.wait(9, [&](OnDisk done) { told.push_back(done); });
  folder.fail_next_syncs(1);
  EXPECT_FALSE(point.sync());
  EXPECT_TRUE(point.failed());
  point.wait(1, [&](OnDisk done) { told.push_back(done); });
  EXPECT_EQ(told, (std::vector<OnDisk>{OnDisk::no, OnDisk::no, OnDisk::no}));
}

TEST(sync_point, only_those_whose_bytes_are_on_disk_are_called) {
  MemoryFolder folder;
  SyncPoint point;
  point.attach(folder.open_append("a").value());
  int early = 0;
  int late = 0;
  point.wait(5, [&](OnDisk) { ++early; });
  point.wait(6, [&](OnDisk) { ++late; });
  ASSERT_TRUE(point.sync());
  EXPECT_EQ(early + late, 0);
  write(point, "12345");
  ASSERT_TRUE(point.sync());
  EXPECT_EQ(early, 1);
  EXPECT_EQ(late, 0);
  write(point, "6");
  ASSERT_TRUE(point.sync());
  EXPECT_EQ(early, 1);
  EXPECT_EQ(late, 1);
}

TEST(sync_point, a_waiter_for_what_is_on_disk_already_is_called_at_once) {
  MemoryFolder folder;
  SyncPoint point;
  point.attach(folder.open_append("a").value());
  write(point, "12345");
  ASSERT_TRUE(point.sync());
  bool called = false;
  point.wait(5, [&](OnDisk done) { called = done == OnDisk::yes; });
  EXPECT_TRUE(called);
}

TEST(sync_point, a_clean_file_is_not_synced_again) {
  MemoryFolder folder;
  SyncPoint point;
  point.attach(folder.open_append("a").value());
  write(point, "1");
  ASSERT_TRUE(point.sync());
  ASSERT_TRUE(point.sync());
  EXPECT_EQ(folder.syncs(), 1U);
}

TEST(sync_point, a_segment_that_was_left_is_synced_with_the_next) {
  MemoryFolder folder;
  SyncPoint point;
  point.attach(folder.open_append("a").value());
  write(point, "12345");
  point.attach(folder.open_append("b").value());
  ASSERT_TRUE(point.file()->append("678"));
  point.wrote(8);
  ASSERT_TRUE(point.sync());
  SeededRng rng(1);
  folder.restart_after_power_loss(rng);
  EXPECT_EQ(folder.content("a"), "12345");
  EXPECT_EQ(folder.content("b"), "678");
}

TEST(syncer, a_waiter_does_not_wait_for_the_period) {
  MemoryFolder folder;
  Syncer syncer(kNever);
  SyncPoint point;
  syncer.add(point);
  point.attach(folder.open_append("a").value());
  for (std::uint64_t i = 1; i <= 20; ++i) {
    write(point, "x");
    std::promise<OnDisk> told;
    point.wait(i, [&](OnDisk done) { told.set_value(done); });
    EXPECT_EQ(told.get_future().get(), OnDisk::yes);
  }
}

TEST(syncer, a_waiter_that_came_before_its_bytes_is_called_when_they_are_written) {
  MemoryFolder folder;
  Syncer syncer(kNever);
  SyncPoint point;
  syncer.add(point);
  point.attach(folder.open_append("a").value());
  std::promise<OnDisk> told;
  point.wait(3, [&](OnDisk done) { told.set_value(done); });
  write(point, "123");
  EXPECT_EQ(told.get_future().get(), OnDisk::yes);
}

TEST(syncer, several_writers_are_served_by_one_thread) {
  MemoryFolder folder;
  Syncer syncer(1);
  std::vector<std::thread> loops;
  std::atomic<int> told = 0;
  for (int loop = 0; loop < 4; ++loop) {
    loops.emplace_back([&, loop] {
      SyncPoint point;
      syncer.add(point);
      point.attach(folder.open_append(std::to_string(loop)).value());
      std::promise<void> last;
      for (std::uint64_t i = 1; i <= 200; ++i) {
        EXPECT_TRUE(point.file()->append("x"));
        if (i == 100) point.attach(folder.open_append(std::to_string(loop + 10)).value());
        point.wrote(i);
        point.wait(i, [&, i](OnDisk) {
          ++told;
          if (i == 200) last.set_value();
        });
      }
      last.get_future().wait();
    });
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(told, 800);
}

TEST(syncer, its_end_leaves_nothing_unsynced) {
  MemoryFolder folder;
  SyncPoint point;
  {
    Syncer syncer(kNever);
    syncer.add(point);
    point.attach(folder.open_append("a").value());
    write(point, "12345");
  }
  EXPECT_EQ(point.synced(), 5U);
  write(point, "6");  // goes on without one
  EXPECT_TRUE(point.sync());
}

}  // namespace
}  // namespace claviger::journal
