// Bench: which of several credentials takes a request, by what became of those before it.
//
// The rules are pure functions of a credential's health and the time; Bench keeps the healths. Nobody is
// benched for ever, and a bench never refuses a request: when all rest, the one that is due first is asked
// all the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gate/versions.hpp"
#include "gate/world.hpp"
#include "provider/verdict.hpp"
#include "store/mutex.hpp"

namespace claviger::gate {

// Times are monotonic nanoseconds.
struct Health {
  int strikes = 0;            // findings against it in a row that did not bench it yet
  int benches = 0;            // in a row: each is twice as long as the one before
  std::int64_t until_ns = 0;  // it rests until then
  std::int64_t whole_ns = 0;  // and has all of its traffic again from then on
  friend bool operator==(const Health&, const Health&) = default;
};

// One strike is suspicion, two are a bench: a key that answers 401 once may be a provider's hiccup. An empty
// account, a rate limit and a host that cannot be reached bench at once.
Health after(Health health, provider::Finding finding, std::int64_t retry_after_ms, std::int64_t now_ns);
// Percent of its requests that it gets now: 0 while it rests, then from 10 up to 100.
int share(const Health& health, std::int64_t now_ns);

struct Candidate {
  std::int64_t priority = 0;
  std::int64_t weight = 0;
  int share = 100;
  std::int64_t until_ns = 0;
};
// The one to ask, of at least one, in order of priority. `draw` is any number; equal draws choose equally.
std::size_t choose(std::span<const Candidate> candidates, std::uint64_t draw);

// Thread-safe; one for all lanes.
class Bench {
 public:
  // Of at least one candidate, in the World's order.
  const CredentialEntry* pick(std::span<const CredentialEntry* const> candidates, std::int64_t now_ns);

  // What a finding changed, for the journal.
  enum class Turn : std::uint8_t { none, suspect, benched };
  Turn note(const CredentialEntry& credential, provider::Finding finding, std::int64_t retry_after_ms,
            std::int64_t now_ns);
  void moved_on() { failovers_.fetch_add(1, std::memory_order_relaxed); }

  struct Unwell {
    std::string credential;
    bool rests = false;  // otherwise it is suspect, or coming back
    int share = 0;
  };
  // Of these credentials, as they are now.
  std::vector<Unwell> unwell(std::span<const CredentialEntry> credentials, std::int64_t now_ns) const;
  // Requests that went to another credential after one had failed them.
  std::uint64_t failovers() const { return failovers_.load(std::memory_order_relaxed); }

 private:
  mutable store::Mutex mutex_;
  ByVersion<Health> healths_ CLAVIGER_GUARDED_BY(mutex_);  // none: in good health; a new secret begins anew
  std::atomic<std::size_t> count_{0};  // credentials in healths_: the usual request asks no further
  std::atomic<std::uint64_t> draws_{0};
  std::atomic<std::uint64_t> failovers_{0};
};

}  // namespace claviger::gate
