// One loop's share of the gate.
#include "gate/lane.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace claviger::gate {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kPoolCheckNs = 5'000 * kMs;

}  // namespace

const TickClock& TickClock::look() const {
  if (tick_ns_ != loop_.now_ns()) {
    tick_ns_ = loop_.now_ns();
    wall_ = clock_.now();
    monotonic_ns_ = clock_.monotonic_ns();
  }
  return *this;
}

Waiting::Waiting(Lane& lane, net::Stream& client)
    : lane_(lane), place_(lane.waiting_.size()), client_(client) {
  lane.waiting_.push_back(this);
}

Waiting::~Waiting() {
  std::vector<Waiting*>& all = lane_.waiting_;
  all[place_] = all.back();
  all[place_]->place_ = place_;
  all.pop_back();
}

Live::Live(Lane& lane, std::string_view key_id, net::Stream& upstream)
    : lane_(lane), place_(lane.running_.size()), key_id_(key_id), upstream_(upstream) {
  // It was admitted on an older World, perhaps, and no sweep saw it while its connection was being made.
  lane.running_.push_back({lane.good_until(key_id), this});
  if (lane.running_.back().until <= lane.now()) cut();
}

Live::~Live() {
  std::vector<Lane::Running>& all = lane_.running_;
  all[place_] = all.back();
  all[place_].live->place_ = place_;
  all.pop_back();
}

void Live::cut() {
  cut_ = true;
  lane_.running_[place_].until = Time{INT64_MAX};
  upstream_.abort();
}

Lane::Lane(net::Loop& loop, Shared& shared, journal::Writer& journal, std::size_t number)
    : loop_(loop),
      shared_(shared),
      journal_(journal),
      clock_(loop, shared.clock),
      upstreams_(loop, shared.workers, shared.upstream_tls),
      id_prefix_(fmt::format("req_{}{:x}", shared.instance, number)) {
  loop.at_tick_end([this] { flush_journal(); });
  loop.every(limits::kSweepMs * kMs, [this] { sweep(); });
  loop.every(kPoolCheckNs, [this] { upstreams_.close_idle(); });
}

std::string Lane::next_request_id() {
  constexpr std::size_t kDigits = 10;
  std::string id;
  id.reserve(id_prefix_.size() + kDigits);
  id.append(id_prefix_);
  const std::uint64_t number = next_id_++;
  for (std::size_t i = kDigits; i-- > 0;) id.push_back("0123456789abcdef"[number >> (4 * i) & 15]);
  return id;
}

void Lane::adopt(std::shared_ptr<const World> next) {
  world_ = std::move(next);
  for (Running& one : running_)
    if (!one.live->cut_) one.until = good_until(one.live->key_id_);
  sweep();
}

void Lane::drain() {
  draining_ = true;
  for (Waiting* one : waiting_) one->client_.abort();
}

Time Lane::good_until(std::string_view key_id) const {
  const KeyEntry* entry = world_->keys.find(key_id);
  return entry == nullptr ? Time{} : world_->good_until(entry->key);
}

// Looks at no request that may go on: there may be ten thousand, and the next frame waits meanwhile.
void Lane::sweep() {
  const Time now = shared_.clock.now();
  for (const Running& one : running_)
    if (one.until <= now) one.live->cut();
}

// One write(2) for all requests of the tick. What has to be on disk goes on when the syncer says so.
void Lane::flush_journal() {
  if (journal_.pending() > 0) (void)journal_.flush();  // what fails stays in the batch; healthy() tells
  const bool healthy = journal_.healthy();
  if (!record_waiters_.empty() && healthy) {
    std::vector<FlushWaiter> waiters;
    waiters.swap(record_waiters_);
    journal_.on_synced(journal_.ticket(), [this, waiters = std::move(waiters)](journal::OnDisk done) {
      loop_.post([this, waiters, done] {
        for (const FlushWaiter& one : waiters) {
          *one.ok = done == journal::OnDisk::yes;
          loop_.resume_soon(one.waiter);
        }
      });
    });
  }
  written_.swap(write_waiters_);
  written_.insert(written_.end(), record_waiters_.begin(), record_waiters_.end());  // of a sick journal
  record_waiters_.clear();
  for (const FlushWaiter& one : written_) {
    *one.ok = healthy;
    loop_.resume_soon(one.waiter);
  }
  written_.clear();
}

}  // namespace claviger::gate
