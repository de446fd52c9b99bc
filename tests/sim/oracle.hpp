// The model the books are held against: every request ever admitted, what the provider billed for it, what is
// charged.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/calendar.hpp"
#include "ledger/ledger.hpp"

namespace claviger::sim {

enum class State : std::uint8_t {
  held,     // admitted, nothing sent
  dropped,  // given back, or lost in a crash before its intent was on file
  exposed,  // sent; the provider may bill anything up to the worst case
  charged,  // a receipt was written: what it cost is known
};

struct Request {
  ledger::AccountPath path;
  std::string lineage = {};  // of the keys above, as records have it
  std::uint64_t epoch = 0;
  Time at;           // by the monotonic clock
  Time reserved_at;  // not before any other: decides the windows
  std::int64_t worst = 0;
  std::int64_t tokens = 0;  // held, then used
  std::int64_t cost = 0;    // charged
  std::int64_t billed = 0;  // by the provider
  State state = State::held;
  std::uint64_t intent_seq = 0;  // in gate0's journal of its epoch; 0: none was written
  bool sent = false;             // the provider has seen it
  bool derived = false;          // the receipt is in the store

  bool in_flight() const { return state == State::held || state == State::exposed; }
};

// What the oracle knows of a budget that blocks: which requests its leases have to cover.
struct Watched {
  ledger::Budget budget;
  std::size_t counts_from = 0;  // index of the first request admitted under it
};

// What counts against a key's rates, by requests admitted since the program started.
struct Minute {
  std::int64_t requests = 0, tokens = 0, in_flight = 0;
};

class Oracle {
 public:
  std::vector<Request> requests;

  // Follows the budgets in force. Called after each step, before the next request.
  void follow(const std::vector<ledger::Budget>& budgets);
  void forget(std::string_view id) { watched_.erase(std::string(id)); }
  const std::map<std::string, Watched, std::less<>>& watched() const { return watched_; }

  // Money that must fit under the budget in the window of `at`: what was admitted under it, at its worst or
  // at its cost, and older requests once they are derived.
  std::int64_t committed(const Watched& watched, Time at) const;
  // Charged, and billed by the provider, in a window.
  std::int64_t charged(const ledger::Budget& budget, const ledger::WindowSpan& span) const;
  std::int64_t billed(const ledger::Budget& budget, const ledger::WindowSpan& span) const;
  // Billed, but neither in the store nor covered by a lease: older than the budget, or beyond its hold.
  std::int64_t uncovered(const Watched& watched, const ledger::WindowSpan& span) const;
  // What the key and those below it did in the `seconds` up to `now`.
  Minute minute(std::string_view key, std::uint64_t epoch, Time now, std::int64_t seconds) const;

 private:
  std::map<std::string, Watched, std::less<>> watched_;
};

bool concerns(const ledger::Budget& budget, const ledger::AccountPath& path);
// Whether what `path` does counts for a key: it is its own, or one above it.
bool counts_for(std::string_view key, const ledger::AccountPath& path);
ledger::WindowSpan window_of(const ledger::Budget& budget, Time at);

}  // namespace claviger::sim
