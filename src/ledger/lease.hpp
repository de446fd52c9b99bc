// Leases in memory: what this start of the program may spend of a window of a budget. Internal to this
// folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ledger/budget.hpp"
#include "ledger/calendar.hpp"

namespace claviger::ledger {

inline constexpr std::int64_t kLeftKnownNs = 1'000'000'000;  // a refusal by the store is believed this long

struct Line;
struct Node;

// This start's lease on one window of one budget; (epoch, number) names its row in the store. `granted`
// changes only under both of the book's locks, and never exceeds what the row says, whatever became of a
// commit.
struct Lease {
  Line* line = nullptr;  // null: the budget is gone or blocks no more; nothing is counted here any longer
  WindowSpan span;
  std::int64_t number = 0;
  std::int64_t granted = 0, used = 0, held = 0;  // nano-USD
  std::int64_t overrun = 0;                      // part of used that no hold covered,
  std::int64_t overrun_settled = 0;              // and how much of that the store is known to have settled
  std::int64_t left = 0;        // below the limit, in the store, when last asked; may be negative
  Time left_until{0};           // until when `left` is believed,
  std::uint64_t left_news = 0;  // unless there has been news since
  Time last_used{0};
  std::int64_t slice = 0;   // what was last leased at once
  std::uint32_t holds = 0;  // tickets pointing here
  bool asked = false;       // the store may have a row for it
  bool opened = false;      // the store is known to have a row for it: no hold without one
  bool drawn = false;       // money was taken since the last tick
  bool recall = false;      // may be over the limit: nothing more without asking the store

  bool covers(std::int64_t worst) const { return opened && !recall && free() >= worst; }
  std::int64_t free() const { return granted + overrun_settled - used - held; }
  std::int64_t bound() const { return used - overrun + held; }  // what must stay granted
  bool knows_left(Time now, std::uint64_t news) const {
    return left_news == news && now < left_until && left_until.ns - now.ns <= kLeftKnownNs;
  }
  void learn_left(std::int64_t amount, Time now, std::uint64_t news) {
    left = amount;
    left_until = now + std::chrono::nanoseconds(kLeftKnownNs);
    left_news = news;
  }
};

// A budget in force at a node.
struct Line {
  Budget budget;
  std::shared_ptr<const Zone> zone;
  Node* node = nullptr;
  Time counts_from{0};  // every hold reserved from then on is counted in its leases
  Lease* current = nullptr;
  std::vector<std::unique_ptr<Lease>> leases;  // current, and older ones that still have holds or money
  bool active = false;                         // listed in Book::active_
};

struct Node {
  std::string name;
  std::vector<std::unique_ptr<Line>> lines;
  std::vector<Line*> blocking;  // those that can refuse, in order of their ids
};

// One budget's part in asking the store for money. `take` is held already while the store is asked.
struct Want {
  Lease* lease = nullptr;
  std::int64_t worst = 0, take = 0, free = 0;
  bool asks = false;
  bool over = false;           // the store's answer: the window is over its limit
  bool ahead = false;          // lease ahead of need
  bool spare_at_risk = false;  // the store may have been told to take free money back
  std::int64_t granted = 0, overrun_settled = 0, left = 0, slice = 0;  // the store's answer

  // What memory does not count on while the store is asked.
  std::int64_t at_risk() const { return spare_at_risk ? std::max(free, std::int64_t{0}) - take : 0; }
  // How much of `above`, what is over the limit, the row gives back: never what memory counts on, for it may
  // not hear of the commit. Not positive.
  std::int64_t give_back(std::int64_t above, std::int64_t row_granted) const {
    return std::max(-above, std::min(lease->granted - at_risk() - row_granted, std::int64_t{0}));
  }
};

// A lease that goes back: the row is cut to `target` and ends when all of that is reported.
struct Return {
  std::int64_t number = 0, target = 0;
};

}  // namespace claviger::ledger
