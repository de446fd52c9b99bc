// A key's place in the ledger, and a hold's: the nodes and limiters that a request of it counts at. Internal.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "ledger/lease.hpp"
#include "ledger/sliding_minute.hpp"

namespace claviger::ledger {

inline constexpr std::uint32_t kNoRate = UINT32_MAX;

// A key's sliding minutes and seats, shared by all its accounts. Made on demand, forgotten when idle.
struct Limiter {
  SlidingMinute requests, tokens;
  std::uint32_t in_flight = 0;
  std::uint32_t tickets = 0;
  Time last_used{0};
};

// One key's rates and its limiter, which is a cache.
struct Gauge {
  std::string key;
  std::uint32_t rpm = kNoRate, tpm = kNoRate, concurrency = kNoRate;
  Limiter* limiter = nullptr;

  bool limited() const { return rpm != kNoRate || tpm != kNoRate || concurrency != kNoRate; }
};

// Everything but names and rates is a cache, guarded by the book's mutex.
struct Seat {
  Node* team = nullptr;
  Node* project = nullptr;
  Node* own = nullptr;              // the key's node, if there is one
  std::vector<Node*> above = {};    // those of the keys above it, from the top down
  std::vector<std::string> names;   // nodes of the keys above it and its own
  std::uint32_t nodes_seen = 0;     // generation of `own` and `above`
  std::uint32_t limiters_seen = 0;  // generation of the limiters
  std::string key;
  std::vector<Gauge> gauges;  // the key's and those of the keys above it, where they limit anything
};

// A hold's place in one limiter: its seat, and the second in which it was counted.
struct Mark {
  Limiter* limiter = nullptr;
  std::int64_t second = 0;
};

struct Ticket {
  std::vector<Lease*> leases;  // each holds `worst`
  std::int64_t worst = 0;
  std::vector<Mark> marks;
  std::int64_t tokens = 0;  // counted at each mark
};

// Organisation, team, project, keys from the top down; without those that are not there.
class Chain {
 public:
  void add(Node* node) {
    if (node) nodes_[size_++] = node;
  }
  Node* const* begin() const { return nodes_.data(); }
  Node* const* end() const { return nodes_.data() + size_; }

 private:
  std::array<Node*, 4 + limits::kKeyDepth> nodes_;
  std::size_t size_ = 0;
};

}  // namespace claviger::ledger
