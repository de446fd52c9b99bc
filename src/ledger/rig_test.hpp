// What the ledger's tests share: a store that can fail, a ledger over it, and a stand-in for journal and
// deriver.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ledger/ledger.hpp"
#include "store/faulty.hpp"
#include "store/sqlite.hpp"

namespace claviger::ledger {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    EXPECT_TRUE(store::install(*sqlite, {kSchema}).has_value());
    start();
  }

  // A new start of the program: all memory is lost, holds must be gone.
  void start() {
    ledger.reset();
    ledger = Ledger::open(faulty, ++epoch,
                          [this](store::Tx&, std::string_view node, Time, Time) -> Result<Nanousd> {
                            const auto found = spent_before.find(std::string(node));
                            return Nanousd{found == spent_before.end() ? 0 : found->second};
                          })
                 .value();
  }

  void budget(std::string id, std::string node, std::optional<std::int64_t> limit,
              Window window = Window::day, Action action = Action::block) {
    Budget made;
    made.id = std::move(id);
    made.node = std::move(node);
    made.window = window;
    made.action = action;
    if (limit) made.limit = Nanousd{*limit};
    const auto answer = ledger->put_budget(made);
    ASSERT_TRUE(answer.has_value()) << answer.error().detail << answer.error().say;
  }

  Account account(const RateLimits& limits = {}, const AccountPath& path = {"red", "web", "k1"}) {
    return ledger->account(path, limits);
  }

  Result<Hold> reserve(const Account& on, std::int64_t worst, std::int64_t tokens = 0) {
    auto hold = ledger->reserve(on, Nanousd{worst}, tokens, now);
    ledger->check_invariants();
    return hold;
  }

  // The refusal's code; fails the test when there was none.
  Code refused(const Account& on, std::int64_t worst, std::int64_t tokens = 0) {
    auto hold = reserve(on, worst, tokens);
    if (!hold) return last = hold.error(), last.code;
    ADD_FAILURE() << "not refused";
    return Code::internal;
  }

  bool holds(const Account& on, std::int64_t worst, std::int64_t tokens = 0) {
    return reserve(on, worst, tokens).has_value();
  }

  // Reserves, exposes, posts, and writes the receipt.
  void spend(const Account& on, std::int64_t worst, std::int64_t cost,
             const AccountPath& path = {"red", "web", "k1"}) {
    auto hold = reserve(on, worst);
    ASSERT_TRUE(hold.has_value()) << told(hold.error());
    receipt(post(Exposure(*std::move(hold)), Nanousd{cost}, 0), path);
  }

  void receipt(const Posting& posting, const AccountPath& path = {"red", "web", "k1"}) {
    receipts.push_back({path, posting.reserved_at, posting.cost, epoch, posting.hold});
  }

  void derive() {
    const auto answer = sqlite->write([&](store::Tx& tx) { return ledger->apply(tx, receipts, &crossed); });
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    receipts.clear();
  }

  struct Row {
    std::int64_t settled = -1, leased = -1;
    friend bool operator==(const Row&, const Row&) = default;
    friend void PrintTo(const Row& row, std::ostream* out) {
      *out << row.settled << " settled, " << row.leased << " leased";
    }
  };
  // The newest window of a budget in the store.
  Row row(std::string_view id) {
    Row found;
    EXPECT_TRUE(
        sqlite
            ->read([&](store::Tx& tx) -> Result<void> {
              TRY(const auto rows,
                  tx.query(
                      "SELECT settled, leased FROM budget_window WHERE budget = ?1 ORDER BY from_ns DESC",
                      {store::value(id)}));
              if (!rows.empty()) found = {rows[0].integer(0), rows[0].integer(1)};
              return {};
            })
            .has_value());
    return found;
  }

  void pass(std::int64_t seconds) { now.ns += seconds * kSecondNs; }

  std::unique_ptr<store::SqliteStore> sqlite = store::SqliteStore::open({}).value();
  store::FaultyStore faulty{*sqlite};
  std::uint64_t epoch = 0;
  std::map<std::string, std::int64_t> spent_before;  // what the usage table says, by node
  std::unique_ptr<Ledger> ledger;
  Time now = parse_time("2026-11-20T12:00:00Z").value();
  std::vector<Posted> receipts;
  std::vector<Crossing> crossed;
  Error last;
};

}  // namespace claviger::ledger
