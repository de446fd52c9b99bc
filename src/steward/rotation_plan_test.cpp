// The machine by tables: what comes next in every state, and what an answer does.
#include "steward/rotation_plan_rig.hpp"

namespace claviger::steward {
namespace {

TEST(RotationPlan, looks_before_it_asks_for_anything) {
  Rotation it = in(State::planned);
  it.looked = false;
  it.good = 0;
  EXPECT_EQ(next(it), Act::probe_old);
  take(it, traits(), Act::probe_old, heard(Kind::lost), kNow);
  EXPECT_EQ(next(it), Act::look);
  take(it, traits(), Act::look, heard(Kind::done, "key_7"), kNow);
  EXPECT_EQ(it.old_key, "key_7");
  EXPECT_EQ(next(it), Act::create);
  EXPECT_EQ(it.state, State::creating);
}

TEST(RotationPlan, an_admin_key_that_is_refused_at_the_first_look_changes_nothing) {
  for (const Kind kind : {Kind::denied, Kind::refused, Kind::full}) {
    Rotation it = in(State::planned);
    it.looked = false;
    take(it, traits(), Act::look, heard(kind), kNow);
    EXPECT_EQ(next(it), Act::drop_new);
    take(it, traits(), Act::drop_new, heard(Kind::done), kNow);
    EXPECT_EQ(it.state, State::failed);
    EXPECT_EQ(it.trouble, "It failed.");
  }
}

TEST(RotationPlan, a_secret_that_is_stored_is_probed_until_it_was_valid_three_times_in_a_row) {
  Rotation it = in(State::creating);
  it.nonce = "n1";
  take(it, traits(), Act::create, heard(Kind::done, "key_new", 2), kNow);
  EXPECT_EQ(it.state, State::verifying);
  EXPECT_EQ(it.new_version, 2);
  Time now = kNow;
  for (const auto verdict : {provider::Verdict::valid, provider::Verdict::valid, provider::Verdict::invalid,
                             provider::Verdict::valid, provider::Verdict::unknown, provider::Verdict::valid,
                             provider::Verdict::valid, provider::Verdict::valid}) {
    ASSERT_EQ(next(it, now), Act::probe_new);
    take(it, traits(), Act::probe_new, probed(verdict), now);
    if (it.good < limits::kRotationProbes) EXPECT_EQ(next(it, now), Act::wait) << "probes are spread";
    now = {now.ns + limits::kRotationProbeMs * kMs};
  }
  EXPECT_EQ(next(it, now), Act::promote);
}

TEST(RotationPlan, a_secret_is_not_used_before_its_provider_says_that_it_is_known_everywhere) {
  RotationTraits spreads = traits();
  spreads.spreads = true;
  const auto probed_well = [&] {
    Rotation it = in(State::verifying);
    it.new_key = "key_new", it.new_version = 2, it.deadline = later(limits::kRotationVerifyMs);
    for (int i = 0; i < limits::kRotationProbes; ++i)
      take(it, spreads, Act::probe_new, probed(provider::Verdict::valid), kNow);
    EXPECT_EQ(next(it, kNow, spreads), Act::propagation);
    return it;
  };
  const Time again = later(limits::kRotationProbeMs);
  Heard told = heard(Kind::done);
  told.everywhere = false;
  Rotation it = probed_well();
  take(it, spreads, Act::propagation, told, kNow);
  EXPECT_EQ(next(it, kNow, spreads), Act::wait);
  EXPECT_NE(it.trouble.find("everywhere"), std::string::npos);
  EXPECT_EQ(next(it, again, spreads), Act::propagation);
  take(it, spreads, Act::propagation, heard(Kind::lost), again);
  EXPECT_EQ(next(it, again, spreads), Act::wait);
  told.everywhere = true;
  take(it, spreads, Act::propagation, told, again);
  EXPECT_EQ(next(it, again, spreads), Act::promote);
  // One that has no word on it is not waited for; one that never says yes ends the attempt.
  it = probed_well();
  take(it, spreads, Act::propagation, heard(Kind::denied), kNow);
  EXPECT_EQ(next(it, kNow, spreads), Act::promote);
  it = probed_well();
  EXPECT_EQ(next(it, it.deadline, spreads), Act::remove_new);
  EXPECT_TRUE(it.doomed);
}

TEST(RotationPlan, a_word_on_how_far_the_secret_has_come_that_never_comes_is_told_of_and_waited_for_so_long) {
  RotationTraits spreads = traits();
  spreads.spreads = true;
  for (const Heard& mute : {heard(Kind::done), heard(Kind::lost), heard(Kind::again)}) {
    Rotation it = in(State::verifying);
    it.rotation = RotationClass::in_place;
    it.new_version = 2, it.good = limits::kRotationProbes, it.deadline = later(limits::kRotationVerifyMs);
    const Time end = later(limits::kRotationVerifyMs / 2);
    for (Time now = kNow; now < end; now = it.next) {
      ASSERT_EQ(next(it, now, spreads), Act::propagation);
      take(it, spreads, Act::propagation, mute, now);
      EXPECT_TRUE(it.trouble.contains("cannot be told")) << it.trouble;
      EXPECT_TRUE(it.trouble.contains(format_time(end))) << it.trouble;
    }
    EXPECT_TRUE(stuck(it, end)) << "somebody is told";
    EXPECT_EQ(next(it, end, spreads), Act::promote);
    // One that says "not yet" is heard, whatever came before.
    it.next = kNow;
    Heard early = heard(Kind::done);
    early.everywhere = false;
    take(it, spreads, Act::propagation, early, end);
    EXPECT_EQ(next(it, it.next, spreads), Act::propagation);
    EXPECT_EQ(next(it, it.deadline, spreads), Act::drop_new);
  }
}

TEST(RotationPlan, a_new_key_that_may_do_less_or_is_blocked_is_never_promoted) {
  for (const auto verdict : {provider::Verdict::scope_limited, provider::Verdict::ip_blocked,
                             provider::Verdict::rate_limited, provider::Verdict::provider_blocked}) {
    Rotation it = in(State::verifying);
    it.new_key = "key_new", it.new_version = 2, it.deadline = later(limits::kRotationVerifyMs);
    for (int i = 0; i < 5; ++i) take(it, traits(), Act::probe_new, probed(verdict), kNow);
    EXPECT_EQ(it.good, 0);
    EXPECT_EQ(next(it, it.deadline), Act::remove_new);
    EXPECT_EQ(it.state, State::undoing);
    EXPECT_TRUE(it.doomed);
  }
}

TEST(RotationPlan, a_lost_answer_is_looked_for_twice_and_late_enough_before_another_key_is_asked_for) {
  Rotation it = in(State::creating);
  it.nonce = "n1", it.asked = kNow, it.asking = "create";
  take(it, traits(), Act::create, heard(Kind::lost), kNow);
  EXPECT_EQ(next(it, it.next), Act::seek);
  take(it, traits(), Act::seek, heard(Kind::done), it.next);
  EXPECT_EQ(next(it, later(2'000)), Act::wait) << "the list may lag";
  EXPECT_EQ(next(it, later(limits::kRotationListMs)), Act::seek);
  take(it, traits(), Act::seek, heard(Kind::done), later(limits::kRotationListMs));
  EXPECT_TRUE(it.nonce.empty()) << "the next key has another name";
  EXPECT_EQ(next(it, it.next), Act::create);
}

TEST(RotationPlan, an_orphan_is_removed_before_another_key_is_asked_for) {
  Rotation it = in(State::creating);
  it.nonce = "n1", it.asked = kNow;
  take(it, traits(), Act::create, heard(Kind::again), kNow);
  take(it, traits(), Act::seek, heard(Kind::done, "key_orphan"), it.next);
  EXPECT_EQ(it.orphan, "key_orphan");
  EXPECT_EQ(next(it, it.next), Act::clear);
  take(it, traits(), Act::clear, heard(Kind::refused), it.next);
  EXPECT_EQ(it.orphan, "key_orphan") << "it stays on record until it is gone";
  EXPECT_EQ(next(it, it.next), Act::clear);
  take(it, traits(), Act::clear, heard(Kind::gone), it.next);
  EXPECT_EQ(next(it, it.next), Act::create);
}

TEST(RotationPlan, a_provider_that_keeps_nothing_is_not_asked_for_ever) {
  Rotation it = in(State::creating);
  it.creates = limits::kRotationCreates;
  EXPECT_EQ(next(it), Act::drop_new);
  EXPECT_TRUE(it.doomed);
}

TEST(RotationPlan, the_old_key_goes_when_nothing_is_in_flight_with_it_and_not_before) {
  Rotation it = in(State::verifying);
  it.new_key = "key_new", it.new_version = 2;
  take(it, traits(), Act::promote, heard(Kind::done), kNow);
  EXPECT_EQ(it.state, State::draining);
  EXPECT_EQ(next(it, kNow), Act::wait) << "records may be under way";
  RotationFacts busy;
  busy.now = later(3'600'000);
  busy.old_in_flight = true;
  EXPECT_EQ(next_act(it, traits(), busy), Act::wait);
  EXPECT_EQ(next(it, later(limits::kRotationQuietMs)), Act::revoke);
  EXPECT_EQ(it.drained, later(limits::kRotationQuietMs));
}

TEST(RotationPlan, a_planned_rotation_keeps_the_old_key_for_a_while) {
  Rotation it = in(State::draining, RotationMode::planned);
  it.promoted = kNow, it.new_version = 2;
  EXPECT_EQ(next(it, later(limits::kRotationSoakMs - 1)), Act::wait);
  EXPECT_TRUE(can_roll_back(it));
  EXPECT_EQ(next(it, later(limits::kRotationSoakMs)), Act::revoke);
}

TEST(RotationPlan, a_revocation_that_is_refused_is_tried_again_ever_more_slowly_and_told) {
  Rotation it = in(State::revoking);
  it.promoted = kNow, it.new_version = 2;
  Time now = kNow;
  std::int64_t before = 0;
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(next(it, now), Act::revoke);
    take(it, traits(), Act::revoke, heard(i % 2 == 0 ? Kind::refused : Kind::again), now);
    const std::int64_t wait = (it.next.ns - now.ns) / kMs;
    EXPECT_GE(wait, before);
    EXPECT_LE(wait, limits::kRotationRetryMostMs);
    before = wait;
    now = it.next;
  }
  EXPECT_TRUE(stuck(it, now));
  take(it, traits(), Act::revoke, heard(Kind::gone), now);
  EXPECT_EQ(it.state, State::confirming) << "a key that is gone is a key that was revoked";
}

TEST(RotationPlan, a_provider_says_when_it_may_be_asked_again) {
  Rotation it = in(State::revoking);
  Heard slow = heard(Kind::again);
  slow.retry_after_ms = 90'000;
  take(it, traits(), Act::revoke, slow, kNow);
  EXPECT_EQ(it.next, later(90'000));
}

TEST(RotationPlan, only_two_refusals_in_a_row_prove_that_the_old_key_is_dead) {
  Rotation it = in(State::confirming);
  it.promoted = it.revoked = kNow, it.new_version = 2, it.deadline = later(limits::kRotationConfirmMs);
  for (const auto verdict : {provider::Verdict::invalid, provider::Verdict::valid, provider::Verdict::invalid,
                             provider::Verdict::unknown, provider::Verdict::rate_limited}) {
    take(it, traits(), Act::probe_old, probed(verdict), kNow);
    EXPECT_FALSE(it.confirmed);
  }
  take(it, traits(), Act::probe_old, heard(Kind::lost), kNow);
  take(it, traits(), Act::probe_old, probed(provider::Verdict::invalid), kNow);
  EXPECT_FALSE(it.confirmed);
  take(it, traits(), Act::probe_old, probed(provider::Verdict::invalid), kNow);
  EXPECT_TRUE(it.confirmed);
  EXPECT_EQ(next(it), Act::conclude);
  take(it, traits(), Act::conclude, heard(Kind::done), kNow);
  EXPECT_EQ(it.state, State::done);
  EXPECT_EQ(next(it, later(limits::kRotationRetainMs - 1)), Act::wait);
  EXPECT_EQ(next(it, later(limits::kRotationRetainMs)), Act::destroy);
}

TEST(RotationPlan, a_revoked_key_that_is_still_accepted_does_not_close_the_rotation_and_is_told) {
  Rotation it = in(State::confirming);
  it.promoted = it.revoked = kNow, it.new_version = 2, it.deadline = later(limits::kRotationConfirmMs);
  EXPECT_FALSE(stuck(it, kNow));
  const Time late = later(limits::kRotationConfirmMs + 1);
  take(it, traits(), Act::probe_old, probed(provider::Verdict::valid), late);
  EXPECT_TRUE(stuck(it, late));
  EXPECT_EQ(it.state, State::confirming);
  EXPECT_NE(it.trouble.find("still accepts"), std::string::npos);
}

TEST(RotationPlan, in_an_emergency_the_old_key_goes_first) {
  Rotation it = in(State::planned, RotationMode::emergency);
  EXPECT_EQ(next(it), Act::revoke);
  take(it, traits(), Act::revoke, heard(Kind::done), kNow);
  EXPECT_EQ(next(it), Act::probe_old);
  take(it, traits(), Act::probe_old, probed(provider::Verdict::invalid), kNow);
  take(it, traits(), Act::probe_old, probed(provider::Verdict::invalid), kNow);
  EXPECT_EQ(next(it), Act::create);
  take(it, traits(), Act::create, heard(Kind::done, "key_new", 2), kNow);
  take(it, traits(), Act::promote, heard(Kind::done), kNow);
  EXPECT_EQ(next(it), Act::conclude) << "it is dead already";
}

TEST(RotationPlan, a_provider_that_is_slow_to_forget_does_not_hold_up_the_replacement) {
  Rotation it = in(State::revoking, RotationMode::emergency);
  take(it, traits(), Act::revoke, heard(Kind::done), kNow);
  EXPECT_EQ(next(it, later(limits::kRotationListMs)), Act::create);
  take(it, traits(), Act::create, heard(Kind::done, "key_new", 2), later(limits::kRotationListMs));
  take(it, traits(), Act::promote, heard(Kind::done), later(limits::kRotationListMs));
  EXPECT_EQ(next(it, later(limits::kRotationListMs)), Act::probe_old)
      << "and is still asked about the old key";
}

TEST(RotationPlan, what_was_made_is_taken_back_by_a_rollback_at_any_state_before_the_revocation) {
  for (const State state : {State::planned, State::creating, State::verifying, State::draining}) {
    Rotation it = in(state);
    const bool made = state == State::verifying || state == State::draining;
    if (made) it.new_key = "key_new", it.new_version = 2;
    if (state == State::draining) it.promoted = kNow;
    ASSERT_TRUE(can_roll_back(it));
    undo(it, kNow);
    RotationFacts facts;
    facts.now = later(limits::kRotationQuietMs);
    facts.new_in_flight = state == State::draining;
    if (state == State::draining) {
      EXPECT_EQ(next_act(it, traits(), facts), Act::wait) << "calls end with the key that they began with";
      facts.new_in_flight = false;
    }
    if (made) {
      EXPECT_EQ(next_act(it, traits(), facts), Act::remove_new);
      take(it, traits(), Act::remove_new, heard(Kind::done), facts.now);
    }
    EXPECT_EQ(next_act(it, traits(), facts), Act::drop_new);
    take(it, traits(), Act::drop_new, heard(Kind::done), facts.now);
    EXPECT_EQ(it.state, State::undone);
  }
}

TEST(RotationPlan, a_key_that_arrives_after_the_rollback_is_removed) {
  Rotation it = in(State::creating);
  it.nonce = "n1", it.asking = "create", it.asked = kNow;
  undo(it, kNow);
  take(it, traits(), Act::create, heard(Kind::done, "key_late"), kNow);
  EXPECT_EQ(next(it, it.next), Act::clear);
  take(it, traits(), Act::clear, heard(Kind::done), it.next);
  EXPECT_EQ(next(it, it.next), Act::drop_new);
}

TEST(RotationPlan, there_is_no_way_back_once_the_old_key_is_being_revoked) {
  Rotation it = in(State::revoking);
  it.asking = "revoke";
  EXPECT_FALSE(can_roll_back(it));
  take(it, traits(), Act::revoke, heard(Kind::lost), kNow);
  EXPECT_EQ(it.state, State::revoking);
  EXPECT_FALSE(can_roll_back(it)) << "the call may have happened, although its answer was lost";
  for (const State state : {State::done, State::closed, State::undone, State::failed, State::undoing})
    EXPECT_FALSE(can_roll_back(in(state)));
  it = in(State::confirming);
  it.revoked = kNow;
  EXPECT_FALSE(can_roll_back(it));
  it = in(State::creating);
  it.rotation = RotationClass::in_place;
  it.creates = 1;
  EXPECT_FALSE(can_roll_back(it)) << "the old secret is on a timer";
}

}  // namespace
}  // namespace claviger::steward
