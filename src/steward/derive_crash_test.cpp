// Exactly once: every fault at every place, then a new start, then the books are checked.
#include <set>

#include "journal/reader.hpp"
#include "steward/derive_rig.hpp"

namespace claviger::steward {
namespace {

constexpr std::int64_t kHold = 100;

// What the journal itself says, counted the slow way.
struct Oracle {
  std::int64_t receipts = 0;
  std::int64_t presumed = 0;
  std::int64_t cost = 0;
  std::uint64_t lines = 0;
  std::set<std::string> open;  // intents without a receipt
  std::int64_t doubled = 0;    // receipts for no open intent
};

Oracle count(Folder& folder) {
  Oracle oracle;
  std::multiset<std::string> intents;
  std::vector<std::string> receipts;
  journal::Parser parser;
  const auto done = journal::export_lines(folder, {}, [&](std::string_view line) {
    ++oracle.lines;
    const journal::Record record = parser.parse(line).value();
    if (const auto* intent = std::get_if<journal::Intent>(&record.body))
      intents.insert(std::string(intent->req));
    if (const auto* receipt = std::get_if<journal::Receipt>(&record.body)) {
      ++oracle.receipts;
      oracle.presumed += receipt->presumed ? 1 : 0;
      oracle.cost += receipt->cost_nanousd.value;
      receipts.emplace_back(receipt->req);
    }
    return journal::Next::more;
  });
  EXPECT_EQ(done.value().unreadable, 0U);
  for (const std::string& req : receipts) {
    const auto found = intents.find(req);
    if (found == intents.end()) {
      ++oracle.doubled;
    } else {
      intents.erase(found);
    }
  }
  oracle.open = {intents.begin(), intents.end()};
  return oracle;
}

// Some traffic over two starts of the program; goes on where it can after a fault, as the program would.
void live(Rig& rig) {
  int request = 0;
  for (int starts = 0; starts < 2; ++starts) {
    if (!rig.start(5)) return;
    if (starts == 0) {
      ledger::Budget b;
      b.id = "b1", b.node = "org", b.window = ledger::Window::month, b.limit = Nanousd{2'000};
      b.alert_at = {50};
      static_cast<void>(rig.ledger->put_budget(b));
    }
    for (int n = 0; n < 8; ++n, ++request) {
      rig.clock.ns += 300'000'000;
      const std::string req = "r" + std::to_string(request);
      const journal::Intent i = rig.intent(req, kHold);
      rig.gate->append(i);
      static_cast<void>(rig.gate->flush());
      if (n % 3 != 2) rig.gate->append(Rig::receipt(i, 60 + n));  // every third is still open at the end
      static_cast<void>(rig.gate->flush());
      if (n % 2 == 0) static_cast<void>(rig.deriver->tick());
      if (rig.journal.dead() || rig.audit.dead()) return;
    }
  }
}

// The next start after whatever happened, with nothing failing any more, and the books afterwards.
void expect_exact(Rig& rig, const std::string& what) {
  rig.stop();
  rig.journal.restart();
  rig.audit.restart();
  rig.journal.set_capacity(std::nullopt);
  rig.audit.set_capacity(std::nullopt);
  rig.store.set_up();
  rig.clock.ns += 1'000'000'000;
  ASSERT_TRUE(rig.start(5)) << what;
  ASSERT_TRUE(ok(rig.deriver->catch_up())) << what;
  ASSERT_TRUE(ok(rig.gate->close(rig.clock.now())));
  ASSERT_TRUE(ok(rig.deriver->catch_up())) << what;
  ASSERT_TRUE(ok(rig.deriver->publish())) << what;
  const Oracle oracle = count(rig.journal);
  EXPECT_EQ(oracle.doubled, 0) << what;
  EXPECT_TRUE(oracle.open.empty()) << what;
  const UsageRow total = rig.total();
  EXPECT_EQ(total.requests, oracle.receipts) << what;
  EXPECT_EQ(total.presumed, oracle.presumed) << what;
  EXPECT_EQ(total.cost_nanousd.value, oracle.cost) << what;
  if (!rig.ledger->budgets().empty()) {
    EXPECT_EQ(rig.settled("b1").value, oracle.cost) << what;
  }
  EXPECT_LE(alerts(*rig.sqlite).value().size(), 1U) << what;
  EXPECT_EQ(rig.deriver->status().open_intents, 0U) << what;
  EXPECT_EQ(rig.deriver->status().damaged_lines, 0U) << what;
  const journal::VerifyReport report = journal::verify(rig.journal, rig.audit).value();
  EXPECT_TRUE(report.ok()) << what << to_json(report);
  EXPECT_EQ(report.tree_size, oracle.lines) << what;
}

TEST(exactly_once, with_no_fault_at_all) {
  Rig rig;
  live(rig);
  expect_exact(rig, "none");
  EXPECT_EQ(alerts(*rig.sqlite).value().size(), 1U);
  EXPECT_EQ(count(rig.journal).receipts, 16);
}

TEST(exactly_once, when_any_write_of_the_store_fails_in_any_way) {
  std::uint64_t writes = 0;
  {
    Rig rig;
    live(rig);
    writes = rig.store.writes();
  }
  ASSERT_GT(writes, 12U);
  for (const store::Fault fault :
       {store::Fault::before, store::Fault::rolled_back, store::Fault::after_commit}) {
    for (std::uint64_t n = 1; n <= writes; ++n) {
      Rig rig;
      rig.store.fail_write(n, fault);
      live(rig);
      expect_exact(rig,
                   "fault " + std::to_string(static_cast<int>(fault)) + " in write " + std::to_string(n));
    }
  }
}

TEST(exactly_once, when_the_store_goes_away_for_good_at_any_write_and_the_process_dies) {
  for (std::uint64_t n = 1; n < 40; ++n) {
    Rig rig;
    for (std::uint64_t k = n; k < n + 200; ++k) rig.store.fail_write(k, store::Fault::before);
    live(rig);
    rig.stop();
    for (std::uint64_t k = 0; k < 300; ++k)
      static_cast<void>(rig.store.write([](store::Tx&) -> Result<void> { return {}; }));  // use the rest up
    expect_exact(rig, "down from write " + std::to_string(n));
  }
}

TEST(exactly_once, when_the_process_dies_inside_any_append_to_the_journal) {
  for (int n = 1; n < 45; ++n) {
    for (const std::size_t bytes : {0U, 1U, 50U, 200U, 400U, 5'000U}) {
      Rig rig;
      rig.journal.die_in_append(n, bytes);
      live(rig);
      expect_exact(rig, "death in append " + std::to_string(n) + " after " + std::to_string(bytes));
    }
  }
}

TEST(exactly_once, when_the_process_dies_while_it_writes_the_proof) {
  for (int n = 1; n < 40; ++n) {
    Rig replaced;
    replaced.audit.die_in_replace(n);
    live(replaced);
    expect_exact(replaced, "death in replace " + std::to_string(n));
    for (const std::size_t bytes : {0U, 30U, 10'000U}) {
      Rig appended;
      appended.audit.die_in_append(n, bytes);
      live(appended);
      expect_exact(appended, "death in append to ranges " + std::to_string(n));
    }
  }
}

TEST(exactly_once, when_the_journal_s_disk_is_full_for_a_while) {
  for (std::uint64_t capacity = 100; capacity < 12'000; capacity += 170) {
    Rig rig;
    rig.journal.set_capacity(capacity);
    live(rig);
    expect_exact(rig, "journal full at " + std::to_string(capacity));
  }
}

TEST(exactly_once, when_the_disk_of_the_proof_is_full_for_a_while) {
  for (std::uint64_t capacity = 50; capacity < 8'000; capacity += 190) {
    Rig rig;
    rig.audit.set_capacity(capacity);
    live(rig);
    expect_exact(rig, "audit full at " + std::to_string(capacity));
  }
}

TEST(exactly_once, when_power_is_lost) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Rig rig;
    SeededRng rng(seed);
    rig.journal.die_in_append(1 + static_cast<int>(rng.below(40)), rng.below(300));
    live(rig);
    rig.stop();
    rig.journal.restart_after_power_loss(rng);
    rig.audit.restart_after_power_loss(rng);
    expect_exact(rig, "power lost, seed " + std::to_string(seed));
  }
}

TEST(a_full_disk, loses_no_line_once_there_is_room) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  rig.journal.set_capacity(1'000);
  for (int n = 0; n < 50; ++n) {
    const std::string req = "r" + std::to_string(n);
    const journal::Intent i = rig.intent(req, kHold);
    rig.gate->append(i);
    rig.gate->append(Rig::receipt(i, 7));
    static_cast<void>(rig.gate->flush());
    static_cast<void>(rig.deriver->catch_up());  // sees the part of the batch that fitted
  }
  EXPECT_FALSE(rig.gate->healthy());
  rig.journal.set_capacity(std::nullopt);
  ASSERT_TRUE(ok(rig.gate->flush()));
  EXPECT_TRUE(rig.gate->healthy());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.total().requests, 50);
  EXPECT_EQ(rig.total().cost_nanousd, Nanousd{350});
}

}  // namespace
}  // namespace claviger::steward
