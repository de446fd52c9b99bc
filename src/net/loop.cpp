// The event loop over epoll.
#include "net/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace claviger::net {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kDeadlineSweepNs = 100 * kMs;
constexpr std::size_t kScratch = 64 * 1024;
constexpr std::size_t kEvents = 256;  // taken at once

std::int64_t monotonic() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Watch::Watch(Loop& loop, int fd) : loop_(loop), fd_(fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = this;
  check(::epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "a descriptor can be watched");
}

Watch::~Watch() { ::epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, fd_, nullptr); }

void Watch::wake() {
  if (reader_) loop_.resume_soon(std::exchange(reader_, nullptr));
  if (writer_) loop_.resume_soon(std::exchange(writer_, nullptr));
}

Deadlined::Deadlined(Loop& loop) : owner_(loop), place_(loop.deadlines_.size()) {
  loop.deadlines_.push_back({INT64_MAX, this});
}

Deadlined::~Deadlined() {
  std::vector<Loop::Deadline>& all = owner_.deadlines_;
  all[place_] = all.back();
  all[place_].whose->place_ = place_;
  all.pop_back();
}

// A spawned coroutine: destroys itself when done, and is known to the loop so that it can be destroyed
// before.
struct Loop::Root {
  struct promise_type {
    Loop* loop = nullptr;
    std::size_t place = 0;

    static void* operator new(std::size_t size) { return take_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }

    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept {
      std::vector<std::coroutine_handle<>>& roots = loop->roots_;
      roots[place] = roots.back();
      std::coroutine_handle<promise_type>::from_address(roots[place].address()).promise().place = place;
      roots.pop_back();
      --loop->live_;
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> frame;
};

Loop::Root Loop::make_root(Task<void> task) {
  Task<void> body = std::move(task);
  co_await body;
}

Loop::Loop() : scratch_(kScratch), events_(kEvents) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  check(epoll_ >= 0 && wake_ >= 0, "an event loop can be made");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0, "the wake-up can be watched");
  now_ns_ = monotonic();
}

void Loop::destroy_tasks() {
  ready_.clear();
  timers_.clear();
  while (!roots_.empty()) {
    const std::coroutine_handle<> last = roots_.back();
    roots_.pop_back();
    --live_;
    last.destroy();
  }
}

Loop::~Loop() {
  destroy_tasks();
  ::close(wake_);
  ::close(epoll_);
}

void Loop::spawn(Task<void> task) {
  const Root root = make_root(std::move(task));
  root.frame.promise().loop = this;
  root.frame.promise().place = roots_.size();
  roots_.push_back(root.frame);
  ++live_;
  ready_.push_back(root.frame);
}

void Loop::stop() {
  stopping_.store(true);
  post([] {});
}

void Loop::post(std::function<void()> job) {
  {
    const std::scoped_lock lock(posted_lock_);
    posted_.push_back(std::move(job));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof(one));
}

void Loop::every(std::int64_t period_ns, std::function<void()> job) {
  periodic_.push_back({now_ns_ + period_ns, period_ns, std::move(job)});
}

void Loop::run() {
  now_ns_ = monotonic();
  every(kDeadlineSweepNs, [this] {
    // A passed deadline only wakes coroutines; it destroys nothing, so the list stays as it is.
    for (Deadline& one : deadlines_)
      if (one.at_ns <= now_ns_) {
        one.at_ns = INT64_MAX;
        one.whose->deadline_passed();
      }
  });
  while (!stopping_.load()) {
    take_events(wait_ms());
    now_ns_ = monotonic();
    run_posted();
    run_due();
    run_ready();
  }
}

int Loop::wait_ms() const {
  if (!ready_.empty()) return 0;
  std::int64_t next = INT64_MAX;
  if (!timers_.empty()) next = timers_.begin()->first;
  for (const Periodic& job : periodic_) next = std::min(next, job.next_ns);
  if (next == INT64_MAX) return -1;
  const std::int64_t left = next - monotonic();
  return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>((left + kMs - 1) / kMs, 60'000));
}

void Loop::take_events(int timeout_ms) {
  const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    Watch* watch = static_cast<Watch*>(event.data.ptr);
    const std::uint32_t what = event.events;
    if (watch == nullptr) {
      std::uint64_t drained = 0;
      [[maybe_unused]] const ssize_t got = ::read(wake_, &drained, sizeof(drained));
      continue;
    }
    const bool broken = (what & (EPOLLERR | EPOLLHUP)) != 0;
    if (broken || (what & EPOLLRDHUP)) watch->hung_up_ = true;
    if (broken || (what & (EPOLLIN | EPOLLRDHUP))) {
      watch->readable_ = true;
      if (watch->reader_) ready_.push_back(std::exchange(watch->reader_, nullptr));
    }
    if (broken || (what & EPOLLOUT)) {
      watch->writable_ = true;
      if (watch->writer_) ready_.push_back(std::exchange(watch->writer_, nullptr));
    }
  }
}

void Loop::run_posted() {
  std::vector<std::function<void()>> jobs;
  {
    const std::scoped_lock lock(posted_lock_);
    jobs.swap(posted_);
  }
  for (const std::function<void()>& job : jobs) job();
}

void Loop::run_due() {
  while (!timers_.empty() && timers_.begin()->first <= now_ns_) {
    ready_.push_back(timers_.begin()->second);
    timers_.erase(timers_.begin());
  }
  for (std::size_t i = 0; i < periodic_.size(); ++i) {
    if (periodic_[i].next_ns > now_ns_) continue;
    periodic_[i].next_ns = now_ns_ + periodic_[i].period_ns;
    periodic_[i].job();
  }
}

void Loop::run_ready() {
  constexpr int kRounds = 64;  // then sockets get their turn again
  for (int round = 0; round < kRounds; ++round) {
    running_.swap(ready_);
    for (const std::coroutine_handle<> waiter : running_) waiter.resume();
    running_.clear();
    if (ready_.empty() && tick_end_) tick_end_();
    if (ready_.empty()) return;
  }
}

}  // namespace claviger::net
