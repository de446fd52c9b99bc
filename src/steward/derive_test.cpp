// Deriving: what is on file shows in the tables, once, with damage told and the proof kept.
#include "steward/derive.hpp"

#include "journal/checkpoint.hpp"
#include "journal/reader.hpp"
#include "steward/derive_rig.hpp"

namespace claviger::steward {
namespace {

std::int64_t count_of(const std::vector<Count>& counts, std::string_view name) {
  for (const Count& count : counts)
    if (count.name == name) return count.count;
  return 0;
}

ledger::Budget budget(std::int64_t limit) {
  ledger::Budget b;
  b.id = "b1", b.node = "team:core";
  b.window = ledger::Window::month;
  b.limit = Nanousd{limit};
  b.action = ledger::Action::alert;
  b.alert_at = {50, 100};
  return b;
}

TEST(deriver, an_unreadable_line_is_told_and_the_rest_is_derived) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  const journal::Intent i = rig.intent("r1", 100);
  rig.gate->append(i);
  ASSERT_TRUE(rig.gate->flush());
  const std::string name = journal::segment_name("gate0", 1, 0);
  std::string text = rig.journal.content(name);
  text[text.size() - 3] = '\x01';  // inside the intent
  rig.journal.overwrite(name, text);
  rig.gate->append(Rig::receipt(i, 60));
  ASSERT_TRUE(rig.gate->flush());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.deriver->status().damaged_lines, 1U);
  EXPECT_EQ(rig.total().cost_nanousd, Nanousd{60});
  const auto told = alerts(rig.store).value();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, "journal_damage");
  EXPECT_EQ(told[0].subject, name);
}

TEST(deriver, a_line_that_comes_again_costs_nothing_and_a_missing_one_is_told) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  const journal::Intent i = rig.intent("r1", 100);
  std::string text;
  journal::append_line(text, "gate1", 1, 1, journal::Start{i.at, "", ""});
  journal::append_line(text, "gate1", 1, 2, i);
  journal::append_line(text, "gate1", 1, 3, Rig::receipt(i, 60));
  journal::append_line(text, "gate1", 1, 3, Rig::receipt(i, 60));
  journal::append_line(text, "gate9", 1, 4, Rig::receipt(i, 60));
  journal::append_line(text, "gate1", 1, 9, Rig::receipt(i, 5));
  rig.journal.overwrite(journal::segment_name("gate1", 1, 0), text);
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.total().cost_nanousd, Nanousd{65});
  EXPECT_EQ(rig.deriver->status().damaged_lines, 2U);
  EXPECT_EQ(rig.deriver->status().sequence_breaks, 1U);
}

TEST(deriver, a_store_that_fails_leaves_everything_for_the_next_call) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  const journal::Intent i = rig.intent("r1", 100);
  rig.gate->append(i);
  rig.gate->append(Rig::receipt(i, 60));
  ASSERT_TRUE(rig.gate->flush());
  rig.store.set_down();
  EXPECT_EQ(rig.deriver->catch_up().error().code, Code::store_unavailable);
  EXPECT_GT(rig.deriver->status().pending_bytes, 0U);
  rig.store.set_up();
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.total().requests, 1);
  EXPECT_EQ(rig.deriver->status().pending_bytes, 0U);
}

TEST(deriver, a_commit_reported_as_failed_is_not_made_twice) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  const journal::Intent i = rig.intent("r1", 100);
  rig.gate->append(i);
  rig.gate->append(Rig::receipt(i, 60));
  ASSERT_TRUE(rig.gate->flush());
  rig.store.fail_write(1, store::Fault::after_commit);
  EXPECT_FALSE(rig.deriver->catch_up());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.total().cost_nanousd, Nanousd{60});
  ASSERT_TRUE(ok(rig.deriver->publish()));
  EXPECT_TRUE(journal::verify(rig.journal, rig.audit).value().ok());
}

TEST(deriver, lines_that_another_one_derived_meanwhile_are_not_derived_again) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  DeriverOptions options;
  options.origin = "test.example/log";
  options.sign_seed = {1};
  auto other =
      Deriver::open(rig.store, *rig.ledger, rig.journal, rig.audit, rig.clock, *rig.steward, options).value();
  const journal::Intent i = rig.intent("r1", 100);
  rig.gate->append(i);
  rig.gate->append(Rig::receipt(i, 60));
  ASSERT_TRUE(rig.gate->flush());
  ASSERT_TRUE(ok(other->catch_up()));
  EXPECT_EQ(rig.deriver->catch_up().error().code, Code::conflict);
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.total().cost_nanousd, Nanousd{60});
}

TEST(deriver, a_foreign_checkpoint_is_told_and_made_again) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  rig.stop();
  const auto other = crypto::SigningKey::from_seed(Digest{9});
  rig.audit.overwrite("checkpoint", journal::sign_checkpoint({"test.example/log", 99, {}}, other));
  ASSERT_TRUE(rig.start());
  EXPECT_TRUE(journal::verify(rig.journal, rig.audit).value().ok());
  const auto told = alerts(rig.store).value();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].subject, "audit/checkpoint");
}

TEST(deriver, a_journal_cut_behind_its_back_is_told_at_the_start) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  rig.gate->append(rig.intent("r1", 100));
  ASSERT_TRUE(rig.gate->flush());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  rig.stop();
  const std::string name = journal::segment_name("gate0", 1, 0);
  rig.journal.overwrite(name, rig.journal.content(name).substr(0, 20));
  EXPECT_FALSE(rig.start());  // the tree's lines are gone: no checkpoint can be signed
  const auto told = alerts(rig.store).value();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].subject, name);
}

TEST(deriver, receipts_refusals_and_outcomes_show_in_the_tables) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  for (int n = 0; n < 20; ++n) {
    const std::string req = "r" + std::to_string(n);
    const journal::Intent i = rig.intent(req, 100);
    rig.gate->append(i);
    journal::Receipt r = Rig::receipt(i, 10 + n);
    if (n == 3) r.outcome = journal::Outcome::client_gone, r.estimated = true;
    rig.gate->append(r);
    rig.gate->append(
        journal::Refusal{i.at, req, "k1", Code::model_denied, Origin::policy, 403, "chat", "m", ""});
    ASSERT_TRUE(rig.gate->flush());
  }
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  const UsageRow total = rig.total();
  EXPECT_EQ(total.requests, 20);
  EXPECT_EQ(total.errors, 1);
  EXPECT_EQ(total.estimated, 1);
  EXPECT_EQ(total.cost_nanousd, Nanousd{20 * 10 + 190});
  EXPECT_EQ(total.usage.uncached_in, 200);
  EXPECT_EQ(total.usage.text_out, 40);
  EXPECT_EQ(count_of(refusal_counts(rig.store).value(), "model_denied/policy"), 20);
  EXPECT_EQ(count_of(outcome_counts(rig.store).value(), "completed"), 19);
  EXPECT_EQ(count_of(outcome_counts(rig.store).value(), "client_gone"), 1);
  EXPECT_EQ(rig.deriver->status().open_intents, 0U);
}

TEST(deriver, an_intent_without_receipt_is_presumed_at_the_next_start_once) {
  Rig rig;
  ASSERT_TRUE(rig.ledger == nullptr && rig.start());
  ASSERT_TRUE(rig.ledger->put_budget(budget(1'000'000)));
  const journal::Intent lost = rig.intent("lost", 700);
  rig.gate->append(lost);
  const journal::Intent kept = rig.intent("kept", 100);
  rig.gate->append(kept);
  rig.gate->append(Rig::receipt(kept, 60));
  ASSERT_TRUE(rig.gate->flush());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.deriver->status().open_intents, 1U);
  EXPECT_EQ(rig.total().requests, 1);  // while the epoch runs nothing is presumed
  for (int starts = 0; starts < 3; ++starts) {
    rig.clock.ns += 1'000'000;
    ASSERT_TRUE(rig.start());
    EXPECT_EQ(rig.deriver->status().presumed, starts == 0 ? 1U : 0U);
    EXPECT_EQ(rig.total().cost_nanousd, Nanousd{760});
    EXPECT_EQ(rig.total().presumed, 1);
    EXPECT_EQ(rig.settled("b1"), Nanousd{760});
    EXPECT_EQ(rig.deriver->status().open_intents, 0U);
  }
}

TEST(deriver, a_proof_that_ran_out_of_disk_goes_on_where_it_broke_off) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  std::uint64_t room = 0;
  for (const auto names = rig.audit.list().value(); const std::string& name : names)
    room += rig.audit.size(name).value();
  rig.gate->append(Rig::receipt(rig.intent("r1", 10), 4));
  ASSERT_TRUE(ok(rig.gate->flush()));
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  rig.audit.set_capacity(room + 20);  // part of a line of ranges.jsonl fits
  EXPECT_FALSE(rig.deriver->publish());
  rig.audit.set_capacity(std::nullopt);
  ASSERT_TRUE(ok(rig.deriver->publish()));
  const auto report = journal::verify(rig.journal, rig.audit);
  EXPECT_TRUE(report.value().ok());
  EXPECT_TRUE(rig.start());
}

TEST(deriver, a_recovery_that_ran_out_of_disk_presumes_once_when_repeated) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  rig.gate->append(rig.intent("lost", 700));
  ASSERT_TRUE(rig.gate->flush());
  rig.stop();
  std::uint64_t used = 0;
  for (const auto names = rig.journal.list().value(); const std::string& name : names)
    used += rig.journal.content(name).size();
  rig.journal.set_capacity(used + 200);  // room for the start record, not for the receipt
  EXPECT_FALSE(rig.start());
  EXPECT_EQ(rig.deriver->status().presumed, 1U);
  EXPECT_EQ(rig.deriver->recover().error().code, Code::io_failed);
  rig.journal.set_capacity(std::nullopt);
  ASSERT_TRUE(ok(rig.deriver->recover()));
  EXPECT_EQ(rig.total().cost_nanousd, Nanousd{700});
  EXPECT_EQ(rig.total().requests, 1);
}

TEST(deriver, a_torn_line_is_cut_and_the_cut_recorded) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  rig.gate->append(rig.intent("r1", 100));
  rig.journal.die_in_append(1, 150);
  EXPECT_FALSE(rig.gate->flush());
  rig.stop();
  rig.journal.restart();
  ASSERT_TRUE(rig.start());
  EXPECT_TRUE(rig.journal.content(journal::segment_name("steward", 2, 0)).contains("\"journal.cut\""));
  EXPECT_TRUE(journal::verify(rig.journal, rig.audit).value().ok());
}

TEST(deriver, thresholds_are_told_once_and_stand_in_the_journal) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  ASSERT_TRUE(rig.ledger->put_budget(budget(1'000)));
  rig.deriver->watch_credentials({{"cred_1", {900}}, {"cred_2", {0}}});
  for (int n = 0; n < 12; ++n) {
    const std::string req = "r" + std::to_string(n);
    const journal::Intent i = rig.intent(req, 100);
    rig.gate->append(i);
    rig.gate->append(Rig::receipt(i, 100));
    ASSERT_TRUE(rig.gate->flush());
    ASSERT_TRUE(ok(rig.deriver->catch_up()));
    if (n == 5) {
      ASSERT_TRUE(rig.start());
    }
    if (n == 5) rig.deriver->watch_credentials({{"cred_1", {900}}});
  }
  const auto told = alerts(rig.store).value();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[2].threshold, 50);
  EXPECT_EQ(told[2].subject, "team:core");
  EXPECT_EQ(told[1].kind, "credential_spend");
  EXPECT_EQ(told[0].threshold, 100);
  std::size_t lines = 0;
  ASSERT_TRUE(journal::export_lines(
      rig.journal, {.kind = journal::Kind::alert, .from = {}, .to = {}, .key = {}, .text = {}},
      [&](std::string_view) { return ++lines, journal::Next::more; }));
  EXPECT_EQ(lines, 3U);
}

TEST(deriver, every_line_is_a_leaf_and_the_checkpoint_verifies) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  for (int n = 0; n < 400; ++n) {
    const std::string req = "r" + std::to_string(n);
    const journal::Intent i = rig.intent(req, 100);
    rig.gate->append(i);
    rig.gate->append(Rig::receipt(i, 1));
    if (n % 3 == 0) {
      ASSERT_TRUE(rig.gate->flush());
    }
    if (n % 10 == 0) {
      ASSERT_TRUE(ok(rig.deriver->catch_up()));
    }
    if (n % 50 == 0) {
      ASSERT_TRUE(ok(rig.deriver->publish()));
    }
  }
  ASSERT_TRUE(rig.gate->close(rig.clock.now()));
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  ASSERT_TRUE(ok(rig.deriver->publish()));
  const journal::VerifyReport report = journal::verify(rig.journal, rig.audit).value();
  EXPECT_TRUE(report.ok()) << to_json(report);
  EXPECT_EQ(report.tree_size, report.lines);
  EXPECT_EQ(report.lines, 803U);  // two start records, one stop
  EXPECT_EQ(report.uncovered, 0U);
  EXPECT_EQ(rig.deriver->status().published_size, 803U);
}

TEST(deriver, lost_or_damaged_tiles_are_made_again_from_the_journal) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  for (int n = 0; n < 600; ++n) rig.gate->append(rig.intent("r", 1));
  ASSERT_TRUE(rig.gate->flush());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  ASSERT_TRUE(ok(rig.deriver->publish()));
  const std::string tile = rig.audit.content("tile/0/000");
  ASSERT_EQ(tile.size(), 8192U);
  rig.stop();
  for (const auto names = rig.audit.list().value(); const std::string& name : names)
    if (name.starts_with("tile/")) {
      ASSERT_TRUE(rig.audit.remove(name));
    }
  ASSERT_TRUE(rig.start());
  EXPECT_EQ(rig.audit.content("tile/0/000"), tile);
  EXPECT_TRUE(journal::verify(rig.journal, rig.audit).value().ok());
}

TEST(deriver, a_lost_store_is_derived_again_into_the_same_tree) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  for (int n = 0; n < 30; ++n) {
    const std::string req = "r" + std::to_string(n);
    const journal::Intent i = rig.intent(req, 100);
    rig.gate->append(i);
    rig.gate->append(Rig::receipt(i, 10));
    rig.steward->append(journal::Admin{i.at, "ops", "owner", "key.create", "key:k1", "", ""});
    ASSERT_TRUE(rig.gate->flush());
    ASSERT_TRUE(ok(rig.deriver->catch_up()));  // leaves of both producers in turn
  }
  ASSERT_TRUE(ok(rig.deriver->publish()));
  const std::string kept = rig.audit.content("checkpoint");
  rig.stop();
  Rig fresh;
  for (const auto names = rig.journal.list().value(); const std::string& name : names)
    fresh.journal.overwrite(name, rig.journal.content(name));
  for (const auto names = rig.audit.list().value(); const std::string& name : names)
    fresh.audit.overwrite(name, rig.audit.content(name));
  ASSERT_TRUE(fresh.start());
  EXPECT_EQ(fresh.epoch, 2U);
  EXPECT_EQ(fresh.total().cost_nanousd, Nanousd{300});
  EXPECT_TRUE(journal::verify(fresh.journal, fresh.audit, {{}, kept}).value().ok());
}

TEST(next_epoch, is_above_everything_in_the_store_and_on_file) {
  Rig rig;
  EXPECT_EQ(next_epoch(rig.store, rig.journal).value(), 1U);
  EXPECT_EQ(next_epoch(rig.store, rig.journal).value(), 2U);
  rig.journal.overwrite(journal::segment_name("gate0", 40, 0), "");
  EXPECT_EQ(next_epoch(rig.store, rig.journal).value(), 41U);
}

TEST(DeriveUse, says_of_each_version_what_is_in_flight_and_when_it_was_used_last) {
  Rig rig;
  ASSERT_TRUE(rig.start());
  journal::Intent old = rig.intent("req_1", 10);
  old.credential_version = 1;
  rig.gate->append(old);
  rig.clock.ns += 1'000'000'000;
  journal::Intent fresh = rig.intent("req_2", 10);
  fresh.credential_version = 2;
  rig.gate->append(fresh);
  ASSERT_TRUE(rig.gate->flush());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.deriver->use_of("cred_1", 1)->open, 1U);
  EXPECT_EQ(rig.deriver->use_of("cred_1", 1)->last_used, old.at);
  EXPECT_EQ(rig.deriver->use_of("cred_1", 2)->last_used, fresh.at);
  EXPECT_EQ(rig.deriver->use_of("cred_1", 3)->last_used, std::nullopt);
  EXPECT_EQ(rig.deriver->use_of("cred_2", 1)->open, 0U);
  rig.gate->append(Rig::receipt(old, 5));
  ASSERT_TRUE(rig.gate->flush());
  ASSERT_TRUE(ok(rig.deriver->catch_up()));
  EXPECT_EQ(rig.deriver->use_of("cred_1", 1)->open, 0U);
  EXPECT_EQ(rig.deriver->use_of("cred_1", 1)->last_used, old.at);
  EXPECT_EQ(rig.deriver->use_of("cred_1", 2)->open, 1U);
}

}  // namespace
}  // namespace claviger::steward
