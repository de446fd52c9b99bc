// The order of an incident's steps, as a table.
#include "steward/incident.hpp"

#include <gtest/gtest.h>

namespace claviger::steward {
namespace {

using enum IncidentState;

Incident at(IncidentState state, Owned owned) {
  Incident it;
  it.owned = owned;
  it.state = state;
  if (state >= accounted) it.accounting = "{}";
  return it;
}
Incident key(IncidentState state = detected) { return at(state, Owned::key); }
Incident credential(IncidentState state = detected) { return at(state, Owned::credential); }

Observation opening() {
  Observation seen;
  seen.opens = true;
  seen.way = Way::open;
  return seen;
}

TEST(NextStep, a_key_that_opens_something_is_frozen_at_once) {
  EXPECT_EQ(next_step(key(), opening()), Step::freeze);
}

TEST(NextStep, a_secret_that_opens_nothing_is_contained_already) {
  EXPECT_EQ(next_step(key(), {}), Step::note_contained);
  EXPECT_EQ(next_step(credential(), {}), Step::note_contained);
}

TEST(NextStep, a_credential_that_another_can_stand_in_for_is_withdrawn_whatever_the_policy) {
  for (const Contain contain : {Contain::revoke_first, Contain::rotate_first}) {
    Observation seen = opening();
    seen.contain = contain;
    seen.other_carries = true;
    EXPECT_EQ(next_step(credential(), seen), Step::withdraw);
  }
}

TEST(NextStep, alone_it_is_withdrawn_or_rotated_as_the_policy_says) {
  Observation seen = opening();
  seen.contain = Contain::revoke_first;
  EXPECT_EQ(next_step(credential(), seen), Step::withdraw);
  seen.contain = Contain::rotate_first;
  EXPECT_EQ(next_step(credential(), seen), Step::rotate);
  seen.rotation = RotationStage::under_way;
  EXPECT_EQ(next_step(credential(), seen), Step::wait);
}

TEST(NextStep, it_does_not_go_on_when_its_replacement_has_failed) {
  Observation seen = opening();
  seen.contain = Contain::rotate_first;
  seen.way = Way::closed;
  seen.rotation = RotationStage::failed;
  EXPECT_EQ(next_step(credential(), seen), Step::withdraw);
}

TEST(NextStep, an_order_overrules_the_policy) {
  Incident it = credential();
  it.ordered = true;
  EXPECT_EQ(next_step(it, opening()), Step::withdraw);
}

TEST(NextStep, without_a_way_to_rotate_people_are_waited_for) {
  Observation seen = opening();
  seen.way = Way::closed;
  EXPECT_EQ(next_step(credential(), seen), Step::wait);
}

TEST(NextStep, a_rotation_that_stands_in_its_way_is_hastened_or_waited_for) {
  Incident withdrawn = credential(contained);
  withdrawn.containment = Containment::withdrawn;
  for (const auto& [way, step] : {std::pair(Way::slow, Step::hasten), std::pair(Way::taken, Step::wait)}) {
    Observation seen = opening();
    seen.way = way;
    EXPECT_EQ(next_step(credential(), seen), step);
    seen.opens = false;
    seen.in_flight = true;
    EXPECT_EQ(next_step(withdrawn, seen), step);
  }
}

TEST(NextStep, figures_wait_for_the_calls_that_were_let_in_before) {
  Observation seen;
  seen.in_flight = true;
  EXPECT_EQ(next_step(key(contained), seen), Step::wait);
  seen.in_flight = false;
  EXPECT_EQ(next_step(key(contained), seen), Step::account);
}

TEST(NextStep, a_withdrawn_credential_is_rotated_before_anything_is_counted) {
  Observation seen;
  seen.way = Way::open;
  EXPECT_EQ(next_step(credential(contained), seen), Step::rotate);
  seen.rotation = RotationStage::under_way;
  EXPECT_EQ(next_step(credential(contained), seen), Step::account);
}

TEST(NextStep, figures_are_read_again_when_the_exposure_began_earlier) {
  Incident it = key(accounted);
  it.accounting.clear();
  EXPECT_EQ(next_step(it, {}), Step::account);
}

TEST(NextStep, it_is_replaced_when_another_secret_stands_in_its_place) {
  EXPECT_EQ(next_step(key(accounted), {}), Step::wait);
  Observation seen;
  seen.replaced = true;
  EXPECT_EQ(next_step(key(accounted), seen), Step::note_replaced);
}

TEST(NextStep, a_dropped_secret_is_not_told_to_be_dead_while_its_rotation_may_still_have_to_end_it) {
  Observation seen;
  seen.replaced = true;
  for (const auto stage : {RotationStage::under_way, RotationStage::in_use}) {
    seen.rotation = stage;
    EXPECT_EQ(next_step(credential(accounted), seen), Step::wait);
  }
  seen.rotation = RotationStage::done;
  EXPECT_EQ(next_step(credential(accounted), seen), Step::note_replaced);
}

TEST(NextStep, a_person_is_called_once_for_a_key_that_lives_on_at_its_provider) {
  for (const IncidentState state : {contained, accounted}) {
    Incident it = credential(state);
    it.accounting = "{}";
    Observation seen;
    seen.left = Left::watched;
    EXPECT_EQ(next_step(it, seen), Step::wait);
    seen.left = Left::by_hand;
    seen.rotation = RotationStage::failed;
    EXPECT_EQ(next_step(it, seen), Step::call);
    it.rotation_problem = "told";
    EXPECT_EQ(next_step(it, seen), Step::wait);
  }
}

TEST(NextStep, what_was_withdrawn_here_is_given_back_with_its_new_secret_and_once) {
  Incident it = credential(accounted);
  it.containment = Containment::withdrawn;
  Observation seen;
  seen.replaced = true;
  seen.disabled = true;
  EXPECT_EQ(next_step(it, seen), Step::restore);
  seen.disabled = false;
  EXPECT_EQ(next_step(it, seen), Step::note_replaced);
  it.state = replaced;
  seen.disabled = true;
  EXPECT_EQ(next_step(it, seen), Step::wait);
}

TEST(NextStep, it_is_not_given_back_while_its_new_secret_has_leaked_too) {
  Incident it = credential(accounted);
  it.containment = Containment::withdrawn;
  Observation seen;
  seen.replaced = true;
  seen.disabled = true;
  seen.leaked_again = true;
  EXPECT_EQ(next_step(it, seen), Step::wait);
  seen.leaked_again = false;
  EXPECT_EQ(next_step(it, seen), Step::restore);
}

TEST(NextStep, closed_is_closed) {
  for (const Owned owned : {Owned::key, Owned::credential})
    EXPECT_EQ(next_step(at(closed, owned), opening()), Step::wait);
}

TEST(NextStep, no_state_is_left_backwards) {
  for (const Step step : {Step::freeze, Step::withdraw})
    for (const IncidentState state : {contained, accounted, replaced, closed})
      for (const Owned owned : {Owned::key, Owned::credential})
        EXPECT_NE(next_step(at(state, owned), opening()), step) << name_of(state);
}

TEST(IncidentNames, states_are_found_by_their_names) {
  for (std::size_t i = 0; i < kIncidentStates; ++i) {
    const auto state = static_cast<IncidentState>(i);
    EXPECT_EQ(incident_state(name_of(state)), state);
  }
  EXPECT_FALSE(incident_state("open"));
}

}  // namespace
}  // namespace claviger::steward
