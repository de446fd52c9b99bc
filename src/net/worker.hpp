// A few threads for work that blocks: name resolution, files. The loops never block.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "net/loop.hpp"

namespace claviger::net {

class Workers {
 public:
  explicit Workers(std::size_t threads);
  ~Workers();  // waits for running jobs; queued ones are dropped

  void submit(std::function<void()> job);

 private:
  void work();
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by lock_
  bool stopping_ = false;                   // guarded by lock_
  std::vector<std::thread> threads_;
};

// co_await on_worker(workers, loop, f): runs f on a worker and comes back to the loop with its result.
template <class F>
auto on_worker(Workers& workers, Loop& loop, F work) {
  using T = std::invoke_result_t<F>;
  struct Awaiter {
    Workers& workers;
    Loop& loop;
    F work;
    std::optional<T> result;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      workers.submit([this, waiter] {
        result.emplace(work());
        loop.post([this, waiter] { loop.resume_soon(waiter); });
      });
    }
    T await_resume() { return std::move(*result); }
  };
  return Awaiter{workers, loop, std::move(work), std::nullopt};
}

}  // namespace claviger::net
