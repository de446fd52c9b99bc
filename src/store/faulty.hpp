// A store that fails by script, for tests and simulation: what callers do when the disk is full or a commit's
// fate is unknown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "store/mutex.hpp"
#include "store/store.hpp"

namespace claviger::store {

enum class Fault : std::uint8_t {
  before,        // the work is not even begun
  rolled_back,   // the work runs, the commit fails
  after_commit,  // the commit succeeds, the caller is told that it failed
};

class FaultyStore final : public Store {
 public:
  explicit FaultyStore(Store& inner) : inner_(inner) {}

  // The n-th write from now (1 is the next) meets `fault`, with store_unavailable. Several may be planned.
  void fail_write(std::uint64_t nth, Fault fault);
  // While down, every write and read fails at once and is not counted; planned faults keep waiting.
  void set_down();
  void set_up();
  std::uint64_t writes() const;  // begun so far, failed ones included

  Result<void> write(Work work) override;
  Result<void> read(Work work) override;
  Result<void> scrub() override;

 private:
  std::optional<Fault> next_fault();  // of the write that now begins
  bool is_down() const;

  Store& inner_;
  mutable Mutex mutex_;
  std::map<std::uint64_t, Fault> plan_ CLAVIGER_GUARDED_BY(mutex_);  // by the number of the write
  std::uint64_t writes_ CLAVIGER_GUARDED_BY(mutex_) = 0;
  bool down_ CLAVIGER_GUARDED_BY(mutex_) = false;
};

}  // namespace claviger::store
