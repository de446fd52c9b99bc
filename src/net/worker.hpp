// A few threads for work that blocks: name resolution, files. The loops never block.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
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

// co_await on_worker(workers, loop, f): runs f on a worker and comes back to the loop with its result. The
// waiting coroutine may be destroyed meanwhile, and its loop after it: the result is then dropped.
template <class F>
auto on_worker(Workers& workers, Loop& loop, F work) {
  using T = std::invoke_result_t<F>;
  struct Errand {
    explicit Errand(Loop& home, F job) : loop(&home), work(std::move(job)) {}
    std::mutex lock;
    Loop* loop;  // guarded by lock; nullptr: nobody waits any more
    F work;
    std::optional<T> result;
    std::coroutine_handle<> waiter;
  };
  struct Awaiter {
    Workers& workers;
    std::shared_ptr<Errand> errand;
    ~Awaiter() {
      const std::scoped_lock lock(errand->lock);
      errand->loop = nullptr;
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      errand->waiter = waiter;
      workers.submit([mine = errand] {
        mine->result.emplace(mine->work());
        const std::scoped_lock lock(mine->lock);
        if (mine->loop == nullptr) return;
        mine->loop->post([mine] {
          const std::scoped_lock again(mine->lock);
          if (mine->loop != nullptr) mine->loop->resume_soon(mine->waiter);
        });
      });
    }
    T await_resume() { return std::move(*errand->result); }
  };
  return Awaiter{workers, std::make_shared<Errand>(loop, std::move(work))};
}

}  // namespace claviger::net
