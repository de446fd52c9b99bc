// Writes one producer's journal: records into a batch, the batch with one write(2) per event-loop tick.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/limits.hpp"
#include "journal/record.hpp"
#include "journal/syncer.hpp"

namespace claviger::journal {

// "gate0-00000003-000012.jsonl". Producer names are [a-z0-9_]+.
std::string segment_name(std::string_view producer, std::uint64_t epoch, std::uint32_t segment);

// One per event loop; used by its thread only, but for writable(). Outlives the loop, so that destructors of
// suspended requests can still write their receipts.
class Writer {
 public:
  // Begins epoch `epoch` of `producer` with a start record (n = 1) in the batch. Refuses with already_exists
  // when that epoch has a file: an epoch is never continued. `folder` must outlive the writer.
  static Result<std::unique_ptr<Writer>> open(Folder& folder, std::string producer, std::uint64_t epoch,
                                              const Start& start,
                                              std::size_t segment_bytes = limits::kJournalSegment);
  ~Writer();  // flushes what it can, without a stop record

  // Puts the record into the batch and returns its ticket: the position its line ends at. Never refuses: a
  // gate that must not expose while the journal fails asks healthy() first. Allocates nothing once the batch
  // has grown.
  std::uint64_t append(const Intent& record) { return put(record); }
  std::uint64_t append(const Receipt& record) { return put(record); }
  std::uint64_t append(const Refusal& record) { return put(record); }
  std::uint64_t append(const Admin& record) { return put(record); }
  std::uint64_t append(const Alert& record) { return put(record); }

  // Writes the batch: one write(2), nothing when it is empty. After it the lines survive the end of the
  // process. On failure (io_failed) nothing is lost: the batch stays and the next flush writes it.
  Result<void> flush();
  // False from a failed flush to the next that succeeds, when the batch has outgrown its bound, and for good
  // once fdatasync has failed. While it is false nothing may be exposed.
  bool healthy() const;
  // What of healthy() other threads may ask for: the last flush succeeded, and no fdatasync has failed.
  bool writable() const { return !unhealthy_.load(std::memory_order_relaxed) && !sync_.failed(); }

  // Durability `disk`: see SyncPoint::wait. The bytes must have been flushed, or be flushed soon.
  void on_synced(std::uint64_t ticket, Waiter waiter) { sync_.wait(ticket, std::move(waiter)); }
  // fdatasync on this thread, for single-threaded users such as the steward, and in simulation.
  Result<void> sync() { return sync_.sync(); }
  SyncPoint& sync_point() { return sync_; }

  // Ends the epoch in good order: stop record, flush, sync. Nothing may be appended afterwards.
  Result<void> close(Time at);

  std::string_view producer() const { return producer_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t next_seq() const { return next_seq_; }
  std::uint64_t ticket() const { return flushed_ + batch_.size(); }  // of everything appended so far
  std::size_t pending() const { return batch_.size(); }              // bytes not yet written
  std::uint64_t failed_flushes() const { return failed_flushes_; }

 private:
  Writer(Folder& folder, std::string producer, std::uint64_t epoch, std::size_t segment_bytes);
  template <class T>
  std::uint64_t put(const T& record);
  Result<void> next_segment();

  Folder& folder_;
  const std::string producer_;
  const std::uint64_t epoch_;
  const std::size_t segment_bytes_;
  std::uint32_t segment_ = 0;
  std::uint64_t next_seq_ = 1;
  std::uint64_t flushed_ = 0;
  std::uint64_t failed_flushes_ = 0;
  bool flush_failed_ = false;  // part of the batch may stand in the file
  std::atomic<bool> unhealthy_ = false;
  bool closed_ = false;
  std::string batch_;
  SyncPoint sync_;
};

}  // namespace claviger::journal
