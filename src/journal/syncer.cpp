// Group commit: one fdatasync for all who wait.
#include "journal/syncer.hpp"

#include <algorithm>
#include <chrono>

#include "base/check.hpp"

namespace claviger::journal {

SyncPoint::~SyncPoint() {
  if (syncer_ != nullptr) syncer_->remove(*this);
}

void SyncPoint::attach(std::unique_ptr<File> file) {
  const store::Lock lock(mutex_);
  if (current_) retired_.push_back(std::move(current_));
  current_ = std::move(file);
}

void SyncPoint::wrote(std::uint64_t position) {
  written_.store(position, std::memory_order_release);
  if (syncer_ != nullptr && urgent()) syncer_->wake();
}

void SyncPoint::wait(std::uint64_t position, Waiter waiter) {
  const auto queued = [&] {
    const store::Lock lock(mutex_);
    if (failed() || synced() >= position) return false;
    waiting_.push_back({position, std::move(waiter)});
    return true;
  };
  if (!queued()) return waiter(failed() ? OnDisk::no : OnDisk::yes);
  if (syncer_ != nullptr) syncer_->wake();
}

bool SyncPoint::dirty() const { return !failed() && synced() < written_.load(std::memory_order_acquire); }

bool SyncPoint::urgent() const {
  const std::uint64_t written = written_.load(std::memory_order_acquire);
  const store::Lock lock(mutex_);
  return std::ranges::any_of(waiting_, [&](const Waiting& w) { return w.position <= written; });
}

Result<void> SyncPoint::sync() {
  const std::lock_guard one(syncing_);
  if (failed()) return fail(Code::io_failed, "an earlier fdatasync of the journal failed");
  const std::uint64_t position = written_.load(std::memory_order_acquire);
  std::vector<std::unique_ptr<File>> retired;
  File* current = nullptr;
  {
    const store::Lock lock(mutex_);
    retired.swap(retired_);
    current = current_.get();  // lives on: attach only moves it to retired_, which is emptied here alone
  }
  Result<void> done;
  if (position > synced()) {
    for (const auto& file : retired)
      if (done) done = file->sync();
    if (done && current != nullptr) done = current->sync();
  }
  std::vector<Waiting> called;
  {
    const store::Lock lock(mutex_);
    if (done) {
      synced_.store(position, std::memory_order_release);
    } else {
      failed_.store(true, std::memory_order_relaxed);
    }
    std::vector<Waiting> still;
    for (Waiting& w : waiting_) (done && w.position > position ? still : called).push_back(std::move(w));
    waiting_.swap(still);
  }
  for (const Waiting& w : called) w.waiter(done ? OnDisk::yes : OnDisk::no);
  return done;
}

Syncer::Syncer(std::int64_t period_ms) : period_ms_(period_ms), thread_([this] { run(); }) {}

Syncer::~Syncer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (SyncPoint* point : points_) point->syncer_ = nullptr;
}

void Syncer::add(SyncPoint& point) {
  const std::lock_guard lock(mutex_);
  check(point.syncer_ == nullptr, "a sync point has one syncer");
  point.syncer_ = this;
  points_.push_back(&point);
}

void Syncer::remove(SyncPoint& point) {
  std::unique_lock lock(mutex_);
  std::erase(points_, &point);
  changed_.wait(lock, [&] { return busy_ != &point; });
  point.syncer_ = nullptr;
}

void Syncer::wake() {
  // Under the lock, or the thread could miss it between looking and falling asleep.
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void Syncer::run() {
  using Clock = std::chrono::steady_clock;
  const auto period = std::chrono::milliseconds(period_ms_);
  Clock::time_point last = Clock::now() - period;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto due = [&] {
      return stop_ || std::ranges::any_of(points_, [](const SyncPoint* p) { return p->urgent(); });
    };
    changed_.wait_until(lock, last + period, due);
    const bool stopping = stop_;
    const bool early = !stopping && Clock::now() < last + period;
    const std::vector<SyncPoint*> round = points_;
    for (SyncPoint* point : round) {
      if (std::ranges::find(points_, point) == points_.end()) continue;  // removed meanwhile
      if (early ? !point->urgent() : !point->dirty()) continue;
      busy_ = point;
      lock.unlock();
      static_cast<void>(point->sync());  // the point keeps the failure and tells its writer and waiters
      lock.lock();
      busy_ = nullptr;
      changed_.notify_all();
    }
    if (!early) last = Clock::now();
    if (stopping) return;
  }
}

}  // namespace claviger::journal
