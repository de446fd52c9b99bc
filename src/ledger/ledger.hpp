// The ledger: money held before a request goes out and posted when its cost is known; rates and seats.
//
// The store is the authority: settled + leased <= limit for every blocking budget and window, where
//   settled = cost of every request derived from the journal (moved by apply() alone), and
//   leased  = money this process, or one before it, took out to spend from memory.
// In memory a lease is granted - used - held >= 0; a request takes its worst case out of the leases of all
// its budgets at once, or is refused before anything is spent. Failure of the store, at any point and with
// any outcome of a commit, leaves memory with no more than the store has granted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "ledger/account.hpp"
#include "ledger/allowance.hpp"
#include "ledger/budget.hpp"
#include "store/store.hpp"

namespace claviger::ledger {

class Book;                             // the ledger's memory
struct Seat;                            // a key's place in it
struct Ticket;                          // what one hold took, and where
extern const std::string_view kSchema;  // tables budget, budget_window, lease; idempotent

// A key's resolved place in the ledger: cheap to copy, made once when a World is built, never stale
// (budgets are looked up through it at each reserve). Must not outlive the ledger.
class Account {
 public:
  Account() = default;
  explicit operator bool() const { return seat_ != nullptr; }

 private:
  friend class Ledger;
  explicit Account(std::shared_ptr<Seat> seat) : seat_(std::move(seat)) {}
  std::shared_ptr<Seat> seat_;
};

// What a hold is about; kept by value so that it can be read without the ledger's lock.
struct Reservation {
  Nanousd worst;
  std::int64_t tokens = 0;
  Time reserved_at;  // write this one into the intent: it decides the windows that are charged
};

// Money, tokens, a request slot and a seat, held. Dropping it gives everything back.
class Hold {
 public:
  Hold(Hold&& other) noexcept;
  Hold& operator=(Hold&&) = delete;
  ~Hold();
  Time reserved_at() const { return about_.reserved_at; }
  Nanousd worst() const { return about_.worst; }

 private:
  friend class Ledger;
  friend class Exposure;
  Hold(Book* book, Ticket* ticket, Reservation about) : book_(book), ticket_(ticket), about_(about) {}
  Book* book_ = nullptr;
  Ticket* ticket_ = nullptr;  // none: nothing is limited on this account
  Reservation about_;
};

struct Posting {
  Nanousd hold, cost;
  std::int64_t tokens = 0;
  Time reserved_at;
  bool presumed = false;  // the cost is not known and was taken to be the hold
  bool overrun = false;   // the cost was more than the hold; counted in Counters
};

// A hold whose request may have reached the provider: there is no way back to Hold.
// Dropping it unposted posts the full hold, flagged presumed.
class Exposure {
 public:
  explicit Exposure(Hold&& hold) noexcept;
  Exposure(Exposure&& other) noexcept;
  Exposure& operator=(Exposure&&) = delete;
  ~Exposure();
  Time reserved_at() const { return about_.reserved_at; }
  Nanousd worst() const { return about_.worst; }

 private:
  friend Posting post(Exposure&& exposure, Nanousd cost, std::int64_t tokens);
  friend Posting post_presumed(Exposure&& exposure);
  enum class Knowledge : std::uint8_t { known, presumed };
  Posting finish(Nanousd cost, std::int64_t tokens, Knowledge knowledge);
  Book* book_ = nullptr;
  Ticket* ticket_ = nullptr;
  bool open_ = false;
  Reservation about_;
};

// Ends an exposure at what it cost; frees the seat and corrects the minute's tokens. cost and tokens are >=
// 0. The receipt written for it must carry the same cost.
Posting post(Exposure&& exposure, Nanousd cost, std::int64_t tokens);
// Ends it at the full hold, as dropping it would, and says so.
Posting post_presumed(Exposure&& exposure);

// One receipt of the journal, for apply().
struct Posted {
  AccountPath path;
  Time reserved_at;         // the intent's time, as given by Hold::reserved_at()
  Nanousd cost;             // negative: a correction of an earlier, presumed one
  std::uint64_t epoch = 0;  // the start of the program that held it
  Nanousd hold;             // what was held for it: what it cost beyond is no lease's money
};

// A threshold of alert_at that settled money reached for the first time in its window.
struct Crossing {
  Budget budget;
  Time from, to;  // the window
  int percent = 0;
  Nanousd settled;
};

// A budget as the API shows it. Spent so far is at most settled + leased; held is part of leased.
struct BudgetView {
  Budget budget;
  Time from, to;  // the current window; to == kNever for total
  Nanousd settled, leased, held;
};

struct Counters {
  std::int64_t held = 0, posted = 0, released = 0, presumed = 0;
  std::int64_t overruns = 0;
  Nanousd overrun;          // money posted beyond holds
  std::int64_t grants = 0;  // transactions that asked the store for money
  std::int64_t store_failures = 0;
};

// Money already derived for a node in [from, to): the start value of a window made on demand.
using UsageSum = std::function<Result<Nanousd>(store::Tx&, std::string_view node, Time from, Time to)>;

// Thread-safe. Outlives every Account, Hold and Exposure.
class Ledger {
 public:
  // Reads the budgets; kSchema is in the store. `epoch` is larger than that of any start before.
  static Result<std::unique_ptr<Ledger>> open(store::Store& store, std::uint64_t epoch, UsageSum usage);
  ~Ledger();

  // `above`: the limits of the keys of path.above, in its order: a request counts at every one of them.
  Account account(const AccountPath& path, const RateLimits& limits, std::span<const RateLimits> above = {});
  // True when a request of this account may be refused for money, so that its worst case must be known.
  bool has_blocking_budget(const Account& account) const;

  Allowance allowance(const Account& account, Time now) const;

  // All or nothing. Refuses, in this order: a budget of 0 (even for worst == 0); budgets from organisation to
  // key (budget_exceeded, or store_unavailable when more money is needed and the store fails); then of the
  // key and of each key above it concurrency_exceeded; rate_limit_exceeded; token_limit_exceeded. A refusal
  // takes nothing, says what is left, when and what to do. Touches the store only when a lease is used up.
  Result<Hold> reserve(const Account& account, Nanousd worst, std::int64_t tokens, Time now);

  // Creates or changes a budget. Node, window and time zone of an existing one cannot change (conflict).
  // Requests already held are not bound by a new or lowered limit, but are charged to it; a lowered limit
  // refuses until it fits. After store_unavailable the change may or may not have happened: ask again.
  Result<void> put_budget(const Budget& budget);
  Result<void> remove_budget(std::string_view id);  // not_found
  std::vector<Budget> budgets() const;              // in memory, by node and id
  // Budgets with their current window; of one node, or of all when `node` is empty.
  Result<std::vector<BudgetView>> snapshot(Time now, std::string_view node = {}) const;

  // Charges receipts to the windows they were reserved in, inside the deriver's transaction.
  // Call it BEFORE the same receipts are added to the table that UsageSum reads.
  // Thresholds reached are appended to `crossed` when it is given; act on them after the commit.
  Result<void> apply(store::Tx& tx, std::span<const Posted> posted, std::vector<Crossing>* crossed = nullptr);
  // Frees the leases of all epochs before `epoch`. Call it once their journals are derived to the end.
  Result<void> recover(store::Tx& tx, std::uint64_t epoch);

  // Background tick, a few times a second: leases ahead of need, gives back what is idle or over, forgets
  // idle limiters. Bounded work a call.
  Result<void> top_up(Time now);
  // Gives back all unused leases; from then on blocking budgets refuse with shutting_down.
  Result<void> close();

  Counters counters() const;
  // Ends the process when memory breaks a rule (see the head of this file); for tests and simulation.
  void check_invariants() const;

 private:
  explicit Ledger(std::unique_ptr<Book> book);
  std::unique_ptr<Book> book_;
};

}  // namespace claviger::ledger
