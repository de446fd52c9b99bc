// The loop: posts from other threads, sleepers in order, the tick's end, deadlines, and the end of tasks.
#include "net/loop.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <latch>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "net/rig_test.hpp"
#include "net/worker.hpp"

namespace claviger::net {
namespace {

class LoopTest : public NetTest {};

class Alarm final : public Deadlined {
 public:
  Alarm(Loop& loop, std::string& log, char name) : Deadlined(loop), log_(log), name_(name) {}

 private:
  void deadline_passed() override { log_.push_back(name_); }
  std::string& log_;
  char name_;
};

struct Mark {
  std::string& log;
  char name;
  ~Mark() { log.push_back(name); }
};

Task<void> sleeper(Loop& loop, std::int64_t ns, std::string& log, char name) {
  co_await loop.sleep_ns(ns);
  log.push_back(name);
}

Task<void> sleep_for_ever(Loop& loop, std::string& log, char name) {
  const Mark mark{log, name};
  co_await loop.sleep_ns(3600 * kSecondNs);
}

TEST(LoopDeathTest, an_exception_that_escapes_a_spawned_task_ends_the_process) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto thrower = []() -> Task<void> {
    throw std::runtime_error("escaped");
    co_return;
  };
  EXPECT_DEATH(
      {
        Loop loop;
        loop.spawn(thrower());
        loop.run();
      },
      "");
}

TEST(LoopDeathTest, a_descriptor_that_is_not_open_cannot_be_watched) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Loop loop;
        const Watch watch(loop, -1);
      },
      "can be watched");
}

TEST_F(LoopTest, what_other_threads_post_runs_on_the_loops_thread) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  const std::thread::id mine = std::this_thread::get_id();
  int ran = 0;
  int elsewhere = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i)
        loop.post([&] {
          ++ran;
          if (std::this_thread::get_id() != mine) ++elsewhere;
          if (ran == kThreads * kEach) loop.stop();
        });
    });
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kEach);
  EXPECT_EQ(elsewhere, 0);
}

TEST_F(LoopTest, posts_of_one_thread_keep_their_order) {
  std::string log;
  for (char c = 'a'; c <= 'z'; ++c) loop.post([&log, c] { log.push_back(c); });
  run(settle(loop));
  EXPECT_EQ(log, "abcdefghijklmnopqrstuvwxyz");
}

TEST_F(LoopTest, a_post_made_by_a_post_runs_later_and_is_not_lost) {
  std::string log;
  loop.post([&] {
    loop.post([&] { log.push_back('2'); });
    log.push_back('1');
  });
  run(settle(loop));
  EXPECT_EQ(log, "12");
}

TEST_F(LoopTest, another_thread_stops_a_loop_that_waits) {
  std::latch running(1);
  std::thread stopper([&] {
    running.wait();
    loop.stop();
  });
  loop.post([&] { running.count_down(); });
  loop.run();
  stopper.join();
}

TEST_F(LoopTest, sleepers_wake_in_the_order_of_their_times) {
  std::string log;
  loop.spawn(sleeper(loop, 3'000'000, log, 'c'));
  loop.spawn(sleeper(loop, 1'000'000, log, 'a'));
  loop.spawn(sleeper(loop, 2'000'000, log, 'b'));
  run(sleeper(loop, 4'000'000, log, 'd'));
  EXPECT_EQ(log, "abcd");
}

TEST_F(LoopTest, sleepers_of_one_time_wake_in_the_order_they_came) {
  std::string log;
  const std::int64_t at = loop.now_ns();
  const auto wait = [&](char name) -> Task<void> {
    co_await Loop::Sleep(loop, at);
    log.push_back(name);
  };
  for (char c = 'a'; c <= 'f'; ++c) loop.spawn(wait(c));
  run(settle(loop));
  EXPECT_EQ(log, "abcdef");
}

TEST_F(LoopTest, a_sleeper_sees_the_time_it_waited_for) {
  std::int64_t asked = 0;
  std::int64_t woken = 0;
  const auto test = [&]() -> Task<void> {
    asked = loop.now_ns() + 2'000'000;
    co_await loop.sleep_ns(2'000'000);
    woken = loop.now_ns();
  };
  run(test());
  EXPECT_GE(woken, asked);
}

TEST_F(LoopTest, periodic_work_comes_again) {
  int times = 0;
  loop.every(1'000'000, [&] {
    if (++times == 3) loop.stop();
  });
  loop.run();
  EXPECT_EQ(times, 3);
}

TEST_F(LoopTest, the_ticks_end_comes_once_after_all_that_was_ready) {
  std::string log;
  const auto speaker = [&](char name) -> Task<void> {
    log.push_back(name);
    co_return;
  };
  loop.at_tick_end([&] {
    log.push_back('|');
    loop.stop();
  });
  for (char c = 'a'; c <= 'c'; ++c) loop.spawn(speaker(c));
  loop.run();
  EXPECT_EQ(log, "abc|");
}

TEST_F(LoopTest, what_the_ticks_end_wakes_runs_in_the_same_tick) {
  std::string log;
  std::coroutine_handle<> waiting;
  struct Wait {
    std::coroutine_handle<>& into;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { into = waiter; }
    void await_resume() const noexcept {}
  };
  std::int64_t suspended_at = 0;
  std::int64_t resumed_at = -1;
  const auto waiter = [&]() -> Task<void> {
    suspended_at = loop.now_ns();
    co_await Wait(waiting);
    resumed_at = loop.now_ns();
    log.push_back('w');
  };
  loop.at_tick_end([&] {
    log.push_back('|');
    if (waiting) loop.resume_soon(std::exchange(waiting, nullptr));
  });
  run(waiter());
  EXPECT_EQ(log.substr(0, 3), "|w|");
  EXPECT_EQ(resumed_at, suspended_at);  // the clock is read once a tick
}

TEST_F(LoopTest, tasks_are_counted_until_they_are_done) {
  std::string log;
  loop.spawn(sleeper(loop, 0, log, 'a'));
  loop.spawn(sleep_for_ever(loop, log, 'z'));
  EXPECT_EQ(loop.tasks(), 2U);
  const auto test = [&]() -> Task<void> {
    co_await settle(loop);
    EXPECT_EQ(loop.tasks(), 2U);  // the sleeper and this one
  };
  run(test());
  EXPECT_EQ(loop.tasks(), 0U);
}

TEST(Loop, destroying_the_tasks_runs_the_destructors_of_suspended_frames) {
  std::string log;
  Loop loop;
  for (char c = 'a'; c <= 'c'; ++c) loop.spawn(sleep_for_ever(loop, log, c));
  loop.spawn(then_stop(loop, settle(loop)));
  loop.run();
  EXPECT_EQ(log, "");
  loop.destroy_tasks();
  std::sort(log.begin(), log.end());
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(loop.tasks(), 0U);
}

TEST(Loop, a_task_that_never_started_is_destroyed_with_the_loop) {
  const auto shared = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int>) -> Task<void> { co_return; };
  {
    Loop loop;
    loop.spawn(hold(shared));
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST_F(LoopTest, tasks_that_end_out_of_order_leave_the_others_in_place) {
  std::string log;
  loop.spawn(sleep_for_ever(loop, log, 'x'));
  loop.spawn(sleeper(loop, 0, log, 'a'));
  loop.spawn(sleep_for_ever(loop, log, 'y'));
  loop.spawn(sleeper(loop, 0, log, 'b'));
  run(settle(loop));
  std::sort(log.begin(), log.end());
  EXPECT_EQ(log, "abxy");
}

TEST_F(LoopTest, a_passed_deadline_is_told_once_and_a_later_one_is_not) {
  std::string log;
  Alarm passed(loop, log, 'p');
  Alarm never(loop, log, 'n');
  Alarm later(loop, log, 'l');
  passed.set_deadline(loop.now_ns());
  later.set_deadline(loop.now_ns() + 3600 * kSecondNs);
  const auto test = [&]() -> Task<void> {
    while (log.empty()) co_await loop.sleep_ns(1'000'000);
    co_await loop.sleep_ns(250'000'000);  // two more looks at the deadlines
  };
  run(test());
  EXPECT_EQ(log, "p");
  EXPECT_EQ(passed.deadline(), INT64_MAX);
}

TEST_F(LoopTest, deadlines_of_things_that_are_gone_are_not_told) {
  std::string log;
  Alarm first(loop, log, '1');
  auto gone = std::make_unique<Alarm>(loop, log, 'g');
  Alarm last(loop, log, '3');
  first.set_deadline(loop.now_ns());
  gone->set_deadline(loop.now_ns());
  last.set_deadline(loop.now_ns());
  gone.reset();
  const auto test = [&]() -> Task<void> {
    while (log.size() < 2) co_await loop.sleep_ns(1'000'000);
  };
  run(test());
  EXPECT_EQ(log, "13");
}

TEST_F(LoopTest, a_watch_that_is_woken_lets_both_waiters_go_on) {
  const int counter = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::string log;
  {
    Watch watch(loop, counter);
    watch.no_longer_readable();
    watch.no_longer_writable();
    const auto reader = [&]() -> Task<void> {
      co_await watch.readable();
      log.push_back('r');
    };
    const auto writer = [&]() -> Task<void> {
      co_await watch.writable();
      log.push_back('w');
    };
    const auto test = [&]() -> Task<void> {
      watch.wake();
      co_await settle(loop);
    };
    loop.spawn(reader());
    loop.spawn(writer());
    run(test());
  }
  ::close(counter);
  EXPECT_EQ(log.size(), 2U);
}

TEST_F(LoopTest, work_on_a_worker_runs_elsewhere_and_comes_back) {
  Workers workers(1);
  std::thread::id worked;
  std::thread::id came_back;
  int result = 0;
  const auto test = [&]() -> Task<void> {
    const auto work = [&worked] {
      worked = std::this_thread::get_id();
      return 42;
    };
    result = co_await on_worker(workers, loop, work);
    came_back = std::this_thread::get_id();
  };
  run(test());
  EXPECT_EQ(result, 42);
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_EQ(came_back, std::this_thread::get_id());
}

TEST(Loop, a_worker_that_ends_after_the_loop_is_gone_drops_its_result) {
  std::binary_semaphore started(0);
  std::binary_semaphore may_end(0);
  const auto result = std::make_shared<int>(1);
  bool went_on = false;
  {
    Workers workers(1);
    {
      Loop loop;
      const auto waiter = [&]() -> Task<void> {
        const auto work = [&started, &may_end, result] {
          started.release();
          may_end.acquire();
          return result;
        };
        const auto got = co_await on_worker(workers, loop, work);
        went_on = got != nullptr;
      };
      loop.spawn(waiter());
      loop.spawn(then_stop(loop, settle(loop)));
      loop.run();
      started.acquire();
      loop.destroy_tasks();
    }
    may_end.release();
  }
  EXPECT_FALSE(went_on);
  EXPECT_EQ(result.use_count(), 1);
}

}  // namespace
}  // namespace claviger::net
