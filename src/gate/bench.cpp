// Healths of credentials, and the choice among them.
#include "gate/bench.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace claviger::gate {
namespace {

using provider::Finding;

constexpr std::int64_t kMs = 1'000'000;
constexpr int kStrikes = 2;
constexpr int kDoublings = 10;
constexpr int kFirstShare = 10;

Health benched(Health health, std::int64_t rest_ms, std::int64_t longest_ms, std::int64_t now_ns) {
  rest_ms = std::clamp(rest_ms << std::min(health.benches, kDoublings), limits::kBenchShortestMs, longest_ms);
  health.strikes = 0;
  ++health.benches;
  health.until_ns = std::max(health.until_ns, now_ns + rest_ms * kMs);
  health.whole_ns =
      health.until_ns + std::clamp(rest_ms, limits::kRampShortestMs, limits::kRampLongestMs) * kMs;
  return health;
}

// Which numbers come is of no matter, only that they differ.
std::uint64_t mixed(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

// One of [from, to) by weight times share.
std::size_t by_weight(std::span<const Candidate> all, std::size_t from, std::size_t to, std::uint64_t draw) {
  std::uint64_t sum = 0;
  const auto part = [&](std::size_t i) {
    return static_cast<std::uint64_t>(all[i].weight) * static_cast<std::uint64_t>(all[i].share);
  };
  for (std::size_t i = from; i < to; ++i) sum += part(i);
  std::uint64_t left = draw % sum;
  for (std::size_t i = from; i < to; ++i) {
    if (left < part(i)) return i;
    left -= part(i);
  }
  return from;
}

}  // namespace

Health after(Health health, Finding finding, std::int64_t retry_after_ms, std::int64_t now_ns) {
  // What was under way when the bench began says nothing new.
  if (now_ns < health.until_ns && finding != Finding::limited) return health;
  switch (finding) {
    case Finding::good:
      health.strikes = 0;
      return now_ns >= health.whole_ns ? Health{} : health;
    case Finding::refused:
      if (++health.strikes < kStrikes && health.benches == 0) return health;
      return benched(health, limits::kBenchRefusedMs, limits::kBenchLongestMs, now_ns);
    case Finding::no_money:
      return benched(health, limits::kBenchRefusedMs, limits::kBenchLongestMs, now_ns);
    case Finding::limited:
      health.benches = 0;  // as long as the provider says, not longer each time
      return benched(health, retry_after_ms, limits::kBenchLongestMs, now_ns);
    case Finding::fault:
      if (++health.strikes < kStrikes && health.benches == 0) return health;
      return benched(health, limits::kBenchShortestMs, limits::kBenchFaultLongestMs, now_ns);
    case Finding::unreachable:
      return benched(health, limits::kBenchShortestMs, limits::kBenchFaultLongestMs, now_ns);
  }
  return health;
}

int share(const Health& health, std::int64_t now_ns) {
  if (now_ns < health.until_ns) return 0;
  if (now_ns >= health.whole_ns) return 100;
  const std::int64_t ramp = (health.whole_ns - health.until_ns) / kMs;
  const std::int64_t gone = (now_ns - health.until_ns) / kMs;
  return kFirstShare + static_cast<int>((100 - kFirstShare) * gone / std::max<std::int64_t>(ramp, 1));
}

std::size_t choose(std::span<const Candidate> all, std::uint64_t draw) {
  const auto accepts = [&](int percent) {
    draw = mixed(draw);
    return static_cast<int>(draw % 100) < percent;
  };
  for (std::size_t from = 0; from < all.size();) {
    std::size_t to = from + 1;
    while (to < all.size() && all[to].priority == all[from].priority && all[to].weight > 0) ++to;
    if (all[from].weight == 0) to = from + 1;
    int most = 0;
    for (std::size_t i = from; i < to; ++i) most = std::max(most, all[i].share);
    if (most > 0 && accepts(most))
      return all[from].weight == 0 ? from : by_weight(all, from, to, mixed(draw));
    from = to;
  }
  // Everybody rests, or gave this one away: the one with the most traffic, else the one that is due first.
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.share != b.share ? a.share > b.share : a.share == 0 && a.until_ns < b.until_ns;
  };
  return static_cast<std::size_t>(std::ranges::min_element(all, better) - all.begin());
}

const CredentialEntry* Bench::pick(std::span<const CredentialEntry* const> candidates, std::int64_t now_ns) {
  if (candidates.size() == 1) return candidates.front();
  if (count_.load(std::memory_order_relaxed) == 0 && candidates.front()->weight == 0)
    return candidates.front();
  std::vector<Candidate> all;
  all.reserve(candidates.size());
  const store::Lock lock(mutex_);
  for (const CredentialEntry* one : candidates) {
    const Health* health = healths_.find(*one);
    all.push_back({one->priority, one->weight, health == nullptr ? 100 : share(*health, now_ns),
                   health == nullptr ? 0 : health->until_ns});
  }
  return candidates[choose(all, draws_.fetch_add(1, std::memory_order_relaxed))];
}

Bench::Turn Bench::note(const CredentialEntry& credential, Finding finding, std::int64_t retry_after_ms,
                        std::int64_t now_ns) {
  if (finding == Finding::good && count_.load(std::memory_order_relaxed) == 0) return Turn::none;
  const store::Lock lock(mutex_);
  const Health* known = healths_.find(credential);
  const Health before = known == nullptr ? Health{} : *known;
  const Health now = after(before, finding, retry_after_ms, now_ns);
  if (now == Health{})
    healths_.erase(credential);
  else
    healths_.put(credential, now);
  count_.store(healths_.credentials(), std::memory_order_relaxed);
  if (now.benches > before.benches) return Turn::benched;
  return now.strikes > before.strikes ? Turn::suspect : Turn::none;
}

std::vector<Bench::Unwell> Bench::unwell(std::span<const CredentialEntry> credentials,
                                         std::int64_t now_ns) const {
  std::vector<Unwell> all;
  const store::Lock lock(mutex_);
  for (const CredentialEntry& one : credentials)
    if (const Health* health = healths_.find(one))
      all.push_back({one.id, now_ns < health->until_ns, share(*health, now_ns)});
  return all;
}

}  // namespace claviger::gate
