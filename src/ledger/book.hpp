// The ledger's memory: budgets, seats, tickets, and the two locks over all of it. Internal to this folder.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ledger/lease.hpp"
#include "ledger/ledger.hpp"
#include "ledger/seat.hpp"
#include "store/mutex.hpp"

namespace claviger::ledger {

inline constexpr std::int64_t kStoreBackoffNs = 100'000'000;    // after a failure the store is left alone
inline constexpr std::int64_t kLeaseIdleNs = 600'000'000'000;   // an unused lease goes back
inline constexpr std::int64_t kLimiterIdleNs = 62'000'000'000;  // an unused limiter has nothing left to say
inline constexpr std::size_t kLinesPerTick = 1'024;
inline constexpr std::size_t kLimiterBucketsPerTick = 4'096;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using ByName = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

struct Charge;
// Where an account's receipts go: one of its budgets, and the window of it that the last one fell into.
struct Course {
  const Budget* budget;
  std::shared_ptr<const Zone> zone;
  Charge* charge;
};
using BudgetsByNode = std::map<std::string, std::vector<Budget>, std::less<>>;

// Locks in order: granting_ (who asks the store for money or changes budgets), the store's own, mutex_
// (memory; held briefly, never while the store is asked). What a Line says about its budget changes only
// under both of ours.
class Book {
 public:
  Book(store::Store& store, std::uint64_t epoch, UsageSum usage);
  Result<void> load();

  std::shared_ptr<Seat> seat(const AccountPath& path, const RateLimits& limits,
                             std::span<const RateLimits> above);
  bool has_blocking_budget(Seat& seat);
  Allowance allowance(Seat& seat, Time now);
  struct Taken {
    Ticket* ticket;
    Time at;
  };
  Result<Taken> reserve(Seat& seat, std::int64_t worst, std::int64_t tokens, Time now);
  void release(Ticket& ticket);
  Posting post(Ticket& ticket, Posting posting);

  Result<void> put_budget(Budget budget);
  Result<void> remove_budget(std::string_view id);
  std::vector<Budget> budgets();
  Result<std::vector<BudgetView>> snapshot(Time now, std::string_view node);

  Result<void> apply(store::Tx& tx, std::span<const Posted> posted, std::vector<Crossing>* crossed);
  Result<void> recover(store::Tx& tx, std::uint64_t epoch);
  Result<void> top_up(Time now);
  Result<void> close();
  Counters counters();
  void check_invariants();

 private:
  // reserve.cpp
  Chain resolve(Seat& seat) CLAVIGER_REQUIRES(mutex_);
  Lease& lease_at(Line& line, Time at) CLAVIGER_REQUIRES(mutex_);
  Lease* first_short(const Chain& chain, std::int64_t worst, Time at) CLAVIGER_REQUIRES(mutex_);
  Result<void> check_asking(const Seat& seat, const Lease& lease, std::int64_t worst, Time now)
      CLAVIGER_REQUIRES(mutex_);
  void find_limiters(Seat& seat) CLAVIGER_REQUIRES(mutex_);
  Result<void> check_gauge(const Gauge& gauge, const Seat& seat, std::int64_t tokens, Time now)
      CLAVIGER_REQUIRES(mutex_);
  Result<void> check_rates(Seat& seat, std::int64_t tokens, Time now) CLAVIGER_REQUIRES(mutex_);
  Result<Taken> reserve_asking(Seat& seat, std::int64_t worst, std::int64_t tokens, Time now);
  Result<void> check_zero(const Seat& seat, const Chain& chain, Time now) CLAVIGER_REQUIRES(mutex_);
  Taken take(Seat& seat, const Chain& chain, std::int64_t worst, std::int64_t tokens, Time now, Time at)
      CLAVIGER_REQUIRES(mutex_);
  std::vector<Want> earmark(const Chain& chain, std::int64_t worst, Time now, Time at)
      CLAVIGER_REQUIRES(mutex_);
  Result<void> grant(store::Tx& tx, Want& want, const Want*& refused);
  void adopt(const Want& want, Time now) CLAVIGER_REQUIRES(mutex_);
  void withdraw(const Want& want) CLAVIGER_REQUIRES(mutex_);
  void doubt(const Want& want) CLAVIGER_REQUIRES(mutex_);
  std::unexpected<Error> refuse_for_good(const Seat& seat, const Want& refused, Time now)
      CLAVIGER_REQUIRES(mutex_);
  void note_store_failure(Time now) CLAVIGER_REQUIRES(mutex_);
  Ticket* make_ticket(Seat& seat, std::int64_t worst, std::int64_t tokens, Time now)
      CLAVIGER_REQUIRES(mutex_);
  void end_ticket(Ticket& ticket) CLAVIGER_REQUIRES(mutex_);
  // administer.cpp
  Node& node(std::string_view name) CLAVIGER_REQUIRES(mutex_);
  Line* line_of(std::string_view id) CLAVIGER_REQUIRES(mutex_);
  void install(Budget budget, std::shared_ptr<const Zone> zone) CLAVIGER_REQUIRES(mutex_);
  void uninstall(Line& line) CLAVIGER_REQUIRES(mutex_);
  void detach(Line& line) CLAVIGER_REQUIRES(mutex_);
  void index(Node& node) CLAVIGER_REQUIRES(mutex_);
  Result<std::shared_ptr<const Zone>> zone(const std::string& name);
  Result<void> reload() CLAVIGER_REQUIRES(granting_);
  void distrust() CLAVIGER_REQUIRES(granting_);
  Result<void> reload_if_needed() CLAVIGER_REQUIRES(granting_);
  // charge.cpp
  Result<void> lay_out(store::Tx& tx, const AccountPath& path, BudgetsByNode& known,
                       std::vector<Course>& course);
  // upkeep.cpp
  void choose(std::vector<Want>& more, std::vector<Return>& returns, Time now) CLAVIGER_REQUIRES(mutex_);
  Result<void> extend(store::Tx& tx, Want& want);
  Result<void> settle_doubts() CLAVIGER_REQUIRES(granting_);
  Result<void> send_returns() CLAVIGER_REQUIRES(granting_);
  void forget_limiters(Time now) CLAVIGER_REQUIRES(mutex_);

  store::Store& store_;
  const std::uint64_t epoch_;
  const UsageSum usage_;
  store::Mutex granting_;
  store::Mutex mutex_;
  store::Mutex zones_mutex_;
  std::map<std::string, std::shared_ptr<const Zone>> zones_ CLAVIGER_GUARDED_BY(zones_mutex_);
  std::vector<Return> returning_ CLAVIGER_GUARDED_BY(granting_);  // not yet acknowledged by the store
  bool reload_needed_ CLAVIGER_GUARDED_BY(granting_) = false;     // what the store holds is not known
  ByName<std::unique_ptr<Node>> nodes_ CLAVIGER_GUARDED_BY(mutex_);
  ByName<Line*> lines_ CLAVIGER_GUARDED_BY(mutex_);  // by id of the budget
  Node* org_ CLAVIGER_GUARDED_BY(mutex_) = nullptr;
  std::vector<Line*> active_ CLAVIGER_GUARDED_BY(mutex_);                     // lines with leases
  std::size_t next_active_ CLAVIGER_GUARDED_BY(mutex_) = 0;                   // where the next tick goes on
  std::vector<std::unique_ptr<Lease>> detached_ CLAVIGER_GUARDED_BY(mutex_);  // kept for their tickets' sake
  ByName<std::unique_ptr<Limiter>> limiters_ CLAVIGER_GUARDED_BY(mutex_);
  std::size_t next_bucket_ CLAVIGER_GUARDED_BY(mutex_) = 0;
  std::uint32_t nodes_generation_ CLAVIGER_GUARDED_BY(mutex_) = 1;
  std::uint32_t limiters_generation_ CLAVIGER_GUARDED_BY(mutex_) = 1;
  std::deque<Ticket> tickets_ CLAVIGER_GUARDED_BY(mutex_);  // all, for their addresses
  std::vector<Ticket*> spare_tickets_ CLAVIGER_GUARDED_BY(mutex_);
  std::int64_t next_number_ CLAVIGER_GUARDED_BY(mutex_) = 1;
  Time floor_ CLAVIGER_GUARDED_BY(mutex_){0};   // no hold is dated before it: newest counts_from
  Time latest_ CLAVIGER_GUARDED_BY(mutex_){0};  // newest date of a hold
  Time retry_store_at_ CLAVIGER_GUARDED_BY(mutex_){0};
  std::uint64_t news_ CLAVIGER_GUARDED_BY(mutex_) =
      0;  // grows when a budget may have more left than was said
  bool closed_ CLAVIGER_GUARDED_BY(mutex_) = false;
  Counters counters_ CLAVIGER_GUARDED_BY(mutex_);
};

}  // namespace claviger::ledger
