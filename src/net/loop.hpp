// The event loop: one thread, one epoll set, edge-triggered; coroutines wait on it for sockets, time and the
// tick's end.
//
// Why our own and not a library's: a governed request must cost less CPU than a bare proxy. Here a message
// costs one receive, one gathered send and no allocation; readiness is remembered, so nothing is read just to
// learn that nothing is there. docs/decisions/0002-own-event-loop.md has the figures.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "net/task.hpp"

struct epoll_event;

namespace claviger::net {

class Loop;

// One file descriptor's readiness on a loop. Lives where its owner lives; leaving takes the descriptor out of
// the loop.
class Watch {
 public:
  Watch(Loop& loop, int fd);  // registers at once; does not own the descriptor
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Awaitables: come back when the descriptor may be readable or writable, or the watch was woken.
  struct Readable {
    Watch& watch;
    bool await_ready() const noexcept { return watch.readable_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { watch.reader_ = waiter; }
    void await_resume() const noexcept {}
  };
  struct Writable {
    Watch& watch;
    bool await_ready() const noexcept { return watch.writable_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { watch.writer_ = waiter; }
    void await_resume() const noexcept {}
  };
  // Of a read that found nothing: TLS may want to write before it can read, during a key update.
  struct Either {
    Watch& watch;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      (watch.readable_ ? watch.writer_ : watch.reader_) = waiter;
    }
    void await_resume() const noexcept {}
  };
  Readable readable() { return {*this}; }
  Writable writable() { return {*this}; }

  // Told by the owner after a call came back with nothing (or not all) to do.
  void no_longer_readable() { readable_ = false; }
  void no_longer_writable() { writable_ = false; }
  bool may_read() const { return readable_; }
  bool hung_up() const { return hung_up_; }  // the peer closed its side, or the connection broke
  // Lets both waiters go on, for instance because a deadline passed.
  void wake();

  Loop& loop() { return loop_; }

 private:
  friend class Loop;
  Loop& loop_;
  int fd_;
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  bool readable_ = true;
  bool writable_ = true;
  bool hung_up_ = false;
};

// Something with a deadline that is looked at every tenth of a second: cheap to move, exact enough for
// time-outs.
class Deadlined {
 public:
  explicit Deadlined(Loop& loop);
  virtual ~Deadlined();
  Deadlined(const Deadlined&) = delete;
  Deadlined& operator=(const Deadlined&) = delete;
  void set_deadline(std::int64_t at_ns);  // monotonic; INT64_MAX: none
  std::int64_t deadline() const;

 protected:
  virtual void deadline_passed() = 0;

 private:
  friend class Loop;
  Loop& owner_;
  std::size_t place_;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(). Call from the thread that owns the loop.
  void run();
  void stop();                           // any thread
  void post(std::function<void()> job);  // any thread; runs on the loop's thread
  void spawn(Task<void> task);  // loop's thread (or before run); an exception that escapes ends the process
  // Destroys the frames of coroutines that still live; what they use must be alive. Not while the loop runs.
  void destroy_tasks();
  std::size_t tasks() const { return live_; }  // spawned and not done

  std::int64_t now_ns() const { return now_ns_; }  // monotonic, read once a tick

  struct Sleep {
    Loop& loop;
    std::int64_t until_ns;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) { loop.timers_.emplace(until_ns, waiter); }
    void await_resume() const noexcept {}
  };
  Sleep sleep_ns(std::int64_t duration_ns) { return {*this, now_ns_ + duration_ns}; }

  // Lets a coroutine go on in this tick, after those that are ready already.
  void resume_soon(std::coroutine_handle<> waiter) { ready_.push_back(waiter); }
  // Runs when all that was ready has run, before the loop waits: the place for one write on behalf of many
  // requests.
  void at_tick_end(std::function<void()> hook) { tick_end_ = std::move(hook); }
  // Runs every `period_ns` on the loop's thread, until the loop ends.
  void every(std::int64_t period_ns, std::function<void()> job);

  // 64 KiB that a coroutine may use between two suspensions.
  char* scratch() { return scratch_.data(); }
  std::size_t scratch_size() const { return scratch_.size(); }

 private:
  friend class Watch;
  friend class Deadlined;
  struct Root;
  // All together, not in what they belong to: ten thousand streams are looked through within microseconds.
  struct Deadline {
    std::int64_t at_ns;
    Deadlined* whose;
  };
  struct Periodic {
    std::int64_t next_ns;
    std::int64_t period_ns;
    std::function<void()> job;
  };

  Root make_root(Task<void> task);
  int wait_ms() const;
  void take_events(int timeout_ms);
  void run_posted();
  void run_due();
  void run_ready();

  int epoll_ = -1;
  int wake_ = -1;
  std::atomic<bool> stopping_{false};
  std::int64_t now_ns_ = 0;
  std::size_t live_ = 0;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> running_;
  std::multimap<std::int64_t, std::coroutine_handle<>> timers_;
  std::vector<Periodic> periodic_;
  std::vector<Deadline> deadlines_;
  std::vector<std::coroutine_handle<>> roots_;
  std::function<void()> tick_end_;
  std::vector<char> scratch_;
  std::vector<epoll_event> events_;
  std::mutex posted_lock_;
  std::vector<std::function<void()>> posted_;  // guarded by posted_lock_
};

inline void Deadlined::set_deadline(std::int64_t at_ns) { owner_.deadlines_[place_].at_ns = at_ns; }
inline std::int64_t Deadlined::deadline() const { return owner_.deadlines_[place_].at_ns; }

}  // namespace claviger::net
