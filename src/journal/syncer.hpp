// When journal bytes reach the disk: one SyncPoint per writer, one thread for all of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "store/mutex.hpp"

namespace claviger::journal {

class Syncer;

// Told to a waiter: `no` means that fdatasync failed and the position may never be on disk.
enum class OnDisk : std::uint8_t { no, yes };
using Waiter = std::function<void(OnDisk)>;

// The files of one writer, as far as syncing them goes. Positions count the bytes a writer wrote since it
// opened. The writer's thread calls attach, wrote, wait and file; the syncing thread calls sync. It owns the
// files, so that a segment that is full can be synced and closed away from the event loop.
class SyncPoint {
 public:
  SyncPoint() = default;
  ~SyncPoint();  // leaves its Syncer first
  SyncPoint(const SyncPoint&) = delete;
  SyncPoint& operator=(const SyncPoint&) = delete;

  // `file` is written from now on; the one before is synced and closed at the next sync.
  void attach(std::unique_ptr<File> file);
  File* file() const { return current_.get(); }  // only changed by attach
  void wrote(std::uint64_t position);
  // Calls `waiter` once, from the thread that syncs, when everything up to `position` is on disk; at once,
  // from this thread, when it already is or the disk has failed.
  void wait(std::uint64_t position, Waiter waiter);
  // fdatasync of what is not on disk, then the waiters. A failure is final: the kernel may have dropped the
  // pages, so a later success would prove nothing.
  Result<void> sync();

  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  std::uint64_t synced() const { return synced_.load(std::memory_order_acquire); }

 private:
  friend class Syncer;
  bool dirty() const;
  bool urgent() const;  // somebody waits for bytes that are written

  struct Waiting {
    std::uint64_t position;
    Waiter waiter;
  };
  std::mutex syncing_;  // one sync at a time; taken before mutex_
  mutable store::Mutex mutex_;
  // Changed under mutex_ by the writer's thread alone, which may therefore read it without.
  std::unique_ptr<File> current_;
  std::vector<std::unique_ptr<File>> retired_ CLAVIGER_GUARDED_BY(mutex_);
  std::vector<Waiting> waiting_ CLAVIGER_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> synced_ = 0;
  std::atomic<bool> failed_ = false;
  Syncer* syncer_ = nullptr;  // set once by Syncer::add, before the threads start to meet
};

// A thread that syncs at once when somebody waits (group commit: all that came meanwhile go with the next
// one), and otherwise at most every `period_ms` when something was written. Must outlive the writers' use of
// it: remove first.
class Syncer {
 public:
  explicit Syncer(std::int64_t period_ms = limits::kJournalSyncMs);
  ~Syncer();  // syncs what is left, then ends the thread
  Syncer(const Syncer&) = delete;
  Syncer& operator=(const Syncer&) = delete;

  void add(SyncPoint& point);
  // Returns when the thread no longer touches `point`.
  void remove(SyncPoint& point);

 private:
  friend class SyncPoint;
  void wake();
  void run();

  const std::int64_t period_ms_;
  std::mutex mutex_;  // protects points_, busy_ and stop_
  std::condition_variable changed_;
  std::vector<SyncPoint*> points_;
  const SyncPoint* busy_ = nullptr;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace claviger::journal
