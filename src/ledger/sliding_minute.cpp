// The ring of seconds.
#include "ledger/sliding_minute.hpp"

#include <algorithm>

namespace claviger::ledger {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t second_of(Time t) { return std::max(t.ns, std::int64_t{0}) / kSecond; }

}  // namespace

void SlidingMinute::advance(std::int64_t second) {
  if (second == last_) return;
  if (second < last_) {
    const std::int64_t all = std::min(total_, kMost);
    buckets_.fill(0);
    last_ = second;
    bucket(second) = static_cast<std::uint32_t>(all);
    total_ = all;
    return;
  }
  if (second - last_ >= kBuckets) {
    buckets_.fill(0);
    total_ = 0;
  } else {
    for (std::int64_t s = last_ + 1; s <= second; ++s) {
      total_ -= bucket(s);
      bucket(s) = 0;
    }
  }
  last_ = second;
}

std::int64_t SlidingMinute::sum(Time now) {
  advance(second_of(now));
  return total_;
}

std::int64_t SlidingMinute::add(Time now, std::int64_t amount) {
  advance(second_of(now));
  correct(last_, amount);
  return last_;
}

void SlidingMinute::correct(std::int64_t second, std::int64_t change) {
  if (second > last_ || last_ - second >= kBuckets) return;
  std::uint32_t& value = bucket(second);
  const std::int64_t before = value;
  const std::int64_t bounded = std::clamp(change, -kMost, kMost);
  const std::int64_t after = std::clamp(before + bounded, std::int64_t{0}, kMost);
  value = static_cast<std::uint32_t>(after);
  total_ += after - before;
}

std::int64_t SlidingMinute::wait_ms(Time now, std::int64_t amount, std::int64_t limit) const {
  if (amount > limit) return 0;
  std::int64_t left = total_;
  for (std::int64_t s = std::max(last_ - kBuckets + 1, std::int64_t{0}); s <= last_; ++s) {
    left -= buckets_[static_cast<std::size_t>(s % kBuckets)];
    if (left + amount > limit) continue;
    const std::int64_t at_ms = (s + kBuckets) * 1'000;
    return std::max(at_ms - now.ns / 1'000'000, std::int64_t{1});
  }
  return 0;
}

std::int64_t SlidingMinute::clear_ms(Time now) const {
  for (std::int64_t s = last_; s >= 0 && s > last_ - kBuckets; --s)
    if (buckets_[static_cast<std::size_t>(s % kBuckets)] != 0)
      return std::max((s + kBuckets) * 1'000 - now.ns / 1'000'000, std::int64_t{1});
  return 0;
}

}  // namespace claviger::ledger
