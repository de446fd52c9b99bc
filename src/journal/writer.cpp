// Batch, write(2), next segment.
#include "journal/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace claviger::journal {
namespace {

// The batch of a writer that cannot write is bounded by what is in flight; beyond this something is wrong,
// and the gate stops taking more.
constexpr std::size_t kBatchBound = limits::kJournalSegment;

bool is_producer(std::string_view name) {
  return !name.empty() && name.size() <= limits::kName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string segment_name(std::string_view producer, std::uint64_t epoch, std::uint32_t segment) {
  return fmt::format("{}-{:08}-{:06}.jsonl", producer, epoch, segment);
}

Writer::Writer(Folder& folder, std::string producer, std::uint64_t epoch, std::size_t segment_bytes)
    : folder_(folder), producer_(std::move(producer)), epoch_(epoch), segment_bytes_(segment_bytes) {
  batch_.reserve(16 * limits::kJournalLine);
}

Result<std::unique_ptr<Writer>> Writer::open(Folder& folder, std::string producer, std::uint64_t epoch,
                                             const Start& start, std::size_t segment_bytes) {
  check(is_producer(producer) && epoch > 0, "a producer has a plain name and epochs count from 1");
  const std::string name = segment_name(producer, epoch, 0);
  if (folder.size(name)) return fail(Code::already_exists, fmt::format("{} is there already", name));
  std::unique_ptr<Writer> writer(new Writer(folder, std::move(producer), epoch, segment_bytes));
  TRY(std::unique_ptr<File> file, folder.open_append(name));
  writer->sync_.attach(std::move(file));
  writer->put(start);
  return writer;
}

Writer::~Writer() { static_cast<void>(flush()); }  // the process ends; there is nobody left to tell

template <class T>
std::uint64_t Writer::put(const T& record) {
  check(!closed_, "nothing is written behind the stop record");
  append_line(batch_, producer_, epoch_, next_seq_++, record);
  return ticket();
}
template std::uint64_t Writer::put(const Intent&);
template std::uint64_t Writer::put(const Receipt&);
template std::uint64_t Writer::put(const Refusal&);
template std::uint64_t Writer::put(const Admin&);
template std::uint64_t Writer::put(const Alert&);

Result<void> Writer::next_segment() {
  // The one wait for the disk on an event loop, once a segment: bytes of the next segment that outlived a
  // power failure without the end of this one would be a hole in the middle of the journal.
  TRY_VOID(sync_.sync());
  TRY(std::unique_ptr<File> file, folder_.open_append(segment_name(producer_, epoch_, segment_ + 1)));
  ++segment_;
  sync_.attach(std::move(file));
  return {};
}

Result<void> Writer::flush() {
  if (batch_.empty()) return {};
  const std::uint64_t size = sync_.file()->size();
  // After a failed write part of the batch may stand in this segment, and a reader may have seen it: the same
  // bytes have to come again at the same place.
  const bool full = size > 0 && size + batch_.size() > segment_bytes_ && !flush_failed_;
  Result<void> done = full ? next_segment() : Result<void>{};
  const bool attempted = done.has_value();
  if (done) done = sync_.file()->append(batch_);
  if (!done) {
    if (attempted) flush_failed_ = true;
    unhealthy_.store(true, std::memory_order_relaxed);
    ++failed_flushes_;
    return done;
  }
  flush_failed_ = false;
  unhealthy_.store(false, std::memory_order_relaxed);
  flushed_ += batch_.size();
  batch_.clear();
  sync_.wrote(flushed_);
  return {};
}

bool Writer::healthy() const { return writable() && batch_.size() < kBatchBound; }

Result<void> Writer::close(Time at) {
  if (!closed_) {
    put(Stop{at});
    closed_ = true;
  }
  TRY_VOID(flush());
  return sync_.sync();
}

}  // namespace claviger::journal
