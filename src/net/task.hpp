// Task<T>: a lazy coroutine that runs on one loop's thread and hands its result to whoever awaits it.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.hpp"

namespace claviger::net {

// Frames are recycled through a free list of the thread: a request makes a handful of them.
void* take_frame(std::size_t size);
void give_frame(void* frame, std::size_t size) noexcept;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> caller;
  std::exception_ptr failure;

  static void* operator new(std::size_t size) { return take_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      const std::coroutine_handle<> next = self.promise().caller;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }
};

}  // namespace detail

// Starts when awaited; the awaiting coroutine goes on when it is done. An exception passes to the awaiting
// coroutine. Owns its frame: dropping a Task that was never finished destroys what lives in the frame.
template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : detail::PromiseBase {
    std::optional<T> value;
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
  };

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    frame_.promise().caller = caller;
    return frame_;
  }
  T await_resume() {
    if (frame_.promise().failure) std::rethrow_exception(frame_.promise().failure);
    return std::move(*frame_.promise().value);
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  struct promise_type : detail::PromiseBase {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    void return_void() {}
  };

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    frame_.promise().caller = caller;
    return frame_;
  }
  void await_resume() {
    if (frame_.promise().failure) std::rethrow_exception(frame_.promise().failure);
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

// What is there already, or the task that will bring it: for steps that mostly need not wait, so that those
// cost no frame. Awaited once, like a Task.
template <class T>
class [[nodiscard]] Prompt {
 public:
  Prompt(T value) : value_(std::move(value)) {}     // NOLINT(google-explicit-constructor): it is one
  Prompt(Task<T> task) : task_(std::move(task)) {}  // NOLINT(google-explicit-constructor)
  bool done() const { return value_.has_value(); }
  T& value() { return *value_; }  // once it is done

  bool await_ready() const noexcept { return done(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    return task_->await_suspend(caller);
  }
  T await_resume() { return value_ ? std::move(*value_) : task_->await_resume(); }

 private:
  std::optional<T> value_;
  std::optional<Task<T>> task_;
};

}  // namespace claviger::net
