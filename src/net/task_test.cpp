// Tasks: exceptions and values pass to whoever awaits, and a dropped task destroys what lives in its frame.
#include "net/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/rig_test.hpp"

namespace claviger::net {
namespace {

struct Mark {
  explicit Mark(std::string& into, char name) : into_(into), name_(name) {}
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  ~Mark() { into_.push_back(name_); }
  std::string& into_;
  char name_;
};

struct Never {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};

Task<int> seven() { co_return 7; }
Task<int> broken() {
  throw std::runtime_error("no seven");
  co_return 7;
}
Task<void> broken_void() {
  throw std::runtime_error("nothing");
  co_return;
}
Task<std::unique_ptr<int>> owned() { co_return std::make_unique<int>(5); }

Task<int> sum_to(int n) {
  if (n == 0) co_return 0;
  const int rest = co_await sum_to(n - 1);
  co_return rest + n;
}

Task<void> hang(std::string& log, char name) {
  const Mark mark(log, name);
  co_await Never();
}

Task<void> hang_below(std::string& log) {
  const Mark mark(log, 'a');
  co_await hang(log, 'b');
}

class TaskTest : public NetTest {};

TEST_F(TaskTest, an_exception_passes_to_the_awaiting_coroutine) {
  std::string what;
  const auto test = [&]() -> Task<void> {
    try {
      const int value = co_await broken();
      EXPECT_EQ(value, 0) << "unreachable";
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
  };
  run(test());
  EXPECT_EQ(what, "no seven");
}

TEST_F(TaskTest, an_exception_passes_out_of_a_task_without_value) {
  bool caught = false;
  const auto test = [&]() -> Task<void> {
    try {
      co_await broken_void();
    } catch (const std::runtime_error&) {
      caught = true;
    }
  };
  run(test());
  EXPECT_TRUE(caught);
}

TEST_F(TaskTest, an_exception_destroys_what_lives_in_the_frame_it_leaves) {
  std::string log;
  const auto thrower = [&]() -> Task<void> {
    const Mark mark(log, 'x');
    co_await broken_void();
  };
  const auto test = [&]() -> Task<void> {
    try {
      co_await thrower();
    } catch (const std::runtime_error&) {
      log.push_back('!');
    }
  };
  run(test());
  EXPECT_EQ(log, "x!");
}

TEST_F(TaskTest, the_value_passes_to_the_awaiting_coroutine) {
  int value = 0;
  const auto test = [&]() -> Task<void> { value = co_await seven(); };
  run(test());
  EXPECT_EQ(value, 7);
}

TEST_F(TaskTest, a_value_that_can_only_be_moved_passes_too) {
  std::unique_ptr<int> value;
  const auto test = [&]() -> Task<void> { value = co_await owned(); };
  run(test());
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, 5);
}

TEST_F(TaskTest, a_prompt_value_is_there_without_waiting) {
  Prompt<int> prompt = 5;
  EXPECT_TRUE(prompt.done());
  EXPECT_EQ(prompt.value(), 5);
  int got = 0;
  const auto test = [&]() -> Task<void> { got = co_await std::move(prompt); };
  run(test());
  EXPECT_EQ(got, 5);
}

TEST_F(TaskTest, a_prompt_that_is_not_done_waits_for_its_task) {
  Prompt<int> prompt = seven();
  EXPECT_FALSE(prompt.done());
  int got = 0;
  const auto test = [&]() -> Task<void> { got = co_await std::move(prompt); };
  run(test());
  EXPECT_EQ(got, 7);
}

TEST_F(TaskTest, tasks_nest_as_deep_as_functions) {
  int sum = 0;
  const auto test = [&]() -> Task<void> { sum = co_await sum_to(300); };
  run(test());
  EXPECT_EQ(sum, 300 * 301 / 2);
}

TEST(Task, a_task_does_not_start_before_it_is_awaited) {
  std::string log;
  const auto body = [&]() -> Task<void> {
    log.push_back('s');
    co_return;
  };
  {
    const Task<void> never_awaited = body();
  }
  EXPECT_EQ(log, "");
}

TEST(Task, a_dropped_task_that_never_ran_destroys_its_parameters) {
  const auto shared = std::make_shared<int>(1);
  const auto keep = [](std::shared_ptr<int> held) -> Task<void> {
    EXPECT_TRUE(held);
    co_return;
  };
  {
    const Task<void> task = keep(shared);
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(Task, an_unfinished_task_destroys_its_frame_and_those_it_awaits_innermost_first) {
  std::string log;
  {
    Loop loop;
    loop.spawn(hang_below(log));
    loop.spawn(then_stop(loop, settle(loop)));
    loop.run();
    EXPECT_EQ(log, "");
  }
  EXPECT_EQ(log, "ba");
}

TEST(Task, assigning_over_a_task_keeps_the_frames_apart) {
  std::string log;
  Task<int> one = seven();
  Task<int> other = sum_to(3);
  one = std::move(other);
  Loop loop;
  int value = 0;
  const auto test = [&]() -> Task<void> { value = co_await std::move(one); };
  loop.spawn(then_stop(loop, test()));
  loop.run();
  EXPECT_EQ(value, 6);
}

TEST(Frames, a_frame_that_was_given_back_is_taken_again) {
  void* first = take_frame(700);
  give_frame(first, 700);
  void* again = take_frame(690);  // of the same size class
  EXPECT_EQ(again, first);
  give_frame(again, 690);
}

TEST(Frames, frames_in_use_at_once_are_distinct) {
  std::vector<void*> frames;
  for (int i = 0; i < 200; ++i) frames.push_back(take_frame(300));
  for (std::size_t i = 0; i < frames.size(); ++i) *static_cast<std::size_t*>(frames[i]) = i;
  for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(*static_cast<std::size_t*>(frames[i]), i);
  for (void* frame : frames) give_frame(frame, 300);
}

TEST(Frames, a_frame_larger_than_any_class_is_given_and_taken_back) {
  void* frame = take_frame(100'000);
  ASSERT_NE(frame, nullptr);
  static_cast<char*>(frame)[99'999] = 1;
  give_frame(frame, 100'000);
}

}  // namespace
}  // namespace claviger::net
