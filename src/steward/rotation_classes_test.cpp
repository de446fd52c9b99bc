// What is different in each class of rotation: in place, two slots, by a person, in a file.
#include "steward/rotation_plan_rig.hpp"

namespace claviger::steward {
namespace {

TEST(RotationPlan, what_is_replaced_in_place_waits_for_the_old_secrets_own_end) {
  Rotation it = in(State::creating);
  it.rotation = RotationClass::in_place;
  Heard made = heard(Kind::done, "key_old", 2);
  made.old_expires = later(60'000);
  take(it, traits(), Act::create, made, kNow);
  take(it, traits(), Act::promote, heard(Kind::done), kNow);
  EXPECT_EQ(next(it, later(limits::kRotationQuietMs)), Act::wait);
  EXPECT_EQ(it.state, State::confirming);
  EXPECT_EQ(next(it, later(60'000)), Act::probe_old);
  Rotation lost = in(State::creating);
  lost.rotation = RotationClass::in_place;
  take(lost, traits(), Act::create, heard(Kind::lost), kNow);
  EXPECT_EQ(next(lost, lost.next), Act::create) << "a third secret is better than none";
}

TEST(RotationPlan, a_secret_in_place_that_came_to_nothing_is_followed_by_another) {
  Rotation it = in(State::creating);
  it.rotation = RotationClass::in_place;
  for (int creates = 1;; ++creates) {
    EXPECT_EQ(next(it, it.next), Act::create);
    it.creates = creates;
    Heard made = heard(Kind::done, "key_old", 1 + creates);
    made.old_expires = later(3'600'000 + creates);
    take(it, traits(), Act::create, made, kNow);
    EXPECT_EQ(it.old_expires, later(3'600'001)) << "of the secret in use";
    give_up(it, "It has leaked.", kNow);
    EXPECT_EQ(next(it), Act::drop_new);
    take(it, traits(), Act::drop_new, heard(Kind::done), kNow);
    if (it.state == State::failed) break;
    EXPECT_EQ(it.state, State::creating);
    EXPECT_EQ(it.new_version, 0);
  }
  EXPECT_EQ(it.creates, limits::kRotationCreates);
  EXPECT_TRUE(it.trouble.starts_with("It has leaked. The key at the provider has a new secret"))
      << it.trouble;
  left_ended(it);
  EXPECT_EQ(it.trouble, "It has leaked.");
}

TEST(RotationPlan, a_secret_in_place_between_the_old_and_the_new_one_is_waited_for_too) {
  Rotation it = in(State::confirming);
  it.rotation = RotationClass::in_place, it.new_version = 3, it.creates = 2;
  it.old_expires = kNow, it.asked = later(5'000);
  EXPECT_EQ(next(it, later(5'000 + kUnusedSecretMs - 1)), Act::wait);
  EXPECT_EQ(next(it, later(5'000 + kUnusedSecretMs)), Act::probe_old);
  it.creates = 1;
  EXPECT_EQ(next(it, kNow), Act::probe_old);
}

TEST(RotationPlan, a_slot_is_not_ended_before_it_is_known_which_one_it_is) {
  Rotation it = in(State::planned, RotationMode::emergency);
  it.rotation = RotationClass::slots;
  it.old_key.clear();
  it.looked = false;
  Time now = kNow;
  for (int lost = 0; lost < 5; ++lost) {
    EXPECT_EQ(next(it, now), Act::look);
    take(it, traits(), Act::look, heard(Kind::lost), now);
    now = it.next;
  }
  take(it, traits(), Act::look, heard(Kind::done, "key1"), now);
  EXPECT_EQ(next(it, now), Act::revoke);
  // Nobody's slot holds the secret any more: it is dead, and is replaced.
  it = in(State::planned, RotationMode::emergency);
  it.rotation = RotationClass::slots;
  it.old_key.clear();
  it.looked = false;
  while (it.state != State::creating) {
    const Act act = next(it, it.next);
    if (it.state == State::creating) break;
    ASSERT_EQ(act, Act::look);
    take(it, traits(), Act::look, heard(Kind::refused), it.next);
  }
  EXPECT_EQ(next(it, it.next), Act::create);
}

TEST(RotationPlan, a_key_whose_secret_is_replaced_in_place_is_not_ended_in_an_emergency) {
  Rotation it = in(State::planned, RotationMode::emergency);
  it.rotation = RotationClass::in_place;
  EXPECT_EQ(next(it), Act::create);
}

TEST(RotationPlan, a_slot_whose_answer_was_lost_is_regenerated_again) {
  Rotation it = in(State::creating);
  it.rotation = RotationClass::slots;
  take(it, traits(), Act::create, heard(Kind::lost), kNow);
  EXPECT_EQ(next(it, it.next), Act::create);
}

TEST(RotationPlan, a_person_creates_the_key_and_the_list_must_know_it) {
  Rotation it = in(State::planned);
  it.rotation = RotationClass::human;
  EXPECT_EQ(next(it), Act::wait);
  EXPECT_EQ(it.state, State::waiting);
  take(it, traits(), Act::create, heard(Kind::done, "", 2), kNow);
  EXPECT_EQ(next(it), Act::identify);
  take(it, traits(), Act::identify, heard(Kind::done), kNow);
  EXPECT_EQ(next(it, it.next), Act::identify);
  take(it, traits(), Act::identify, heard(Kind::done, "key_new"), it.next);
  EXPECT_EQ(next(it, it.next), Act::probe_new);
}

TEST(RotationPlan, where_only_a_person_can_delete_the_old_key_its_refusal_is_what_counts) {
  RotationTraits by_hand = traits();
  by_hand.lists = by_hand.removes = false;
  Rotation it = in(State::revoking);
  it.rotation = RotationClass::human, it.promoted = kNow, it.new_version = 2;
  EXPECT_EQ(next(it, kNow, by_hand), Act::probe_old);
  EXPECT_TRUE(it.revoke_by_hand);
  take(it, by_hand, Act::probe_old, probed(provider::Verdict::valid), kNow);
  EXPECT_EQ(it.state, State::revoking);
  take(it, by_hand, Act::probe_old, probed(provider::Verdict::invalid), kNow);
  take(it, by_hand, Act::probe_old, probed(provider::Verdict::invalid), kNow);
  EXPECT_EQ(next(it, kNow, by_hand), Act::conclude);
}

// Of a key that a person has made and handed in; nobody has found it in a list.
Rotation handed_in() {
  Rotation it = in(State::verifying);
  it.rotation = RotationClass::human;
  it.new_version = 2;
  return it;
}

TEST(RotationPlan, a_key_that_a_person_has_made_is_found_before_it_is_taken_back) {
  Rotation it = handed_in();
  undo(it, kNow);
  EXPECT_EQ(next(it), Act::identify);
  take(it, traits(), Act::identify, heard(Kind::lost), kNow);
  EXPECT_EQ(next(it, it.next), Act::identify) << "a lost answer says nothing of the list";
  take(it, traits(), Act::identify, heard(Kind::done), kNow);
  EXPECT_EQ(next(it, later(limits::kRotationListMs)), Act::identify) << "a list may lag";
  take(it, traits(), Act::identify, heard(Kind::done, "key_new"), kNow);
  EXPECT_EQ(next(it, it.next), Act::remove_new);
  take(it, traits(), Act::remove_new, heard(Kind::done), it.next);
  EXPECT_EQ(next(it, it.next), Act::drop_new);
  take(it, traits(), Act::drop_new, heard(Kind::done), it.next);
  EXPECT_EQ(it.state, State::undone);
  EXPECT_FALSE(it.trouble.contains("Delete"));
}

TEST(RotationPlan, a_key_that_only_a_person_can_take_back_is_told_of) {
  RotationTraits by_hand = traits();
  by_hand.lists = by_hand.removes = false;
  Rotation it = handed_in();
  give_up(it, "It leaked.", kNow);
  EXPECT_EQ(next(it, kNow, by_hand), Act::drop_new);
  take(it, by_hand, Act::drop_new, heard(Kind::done), kNow);
  EXPECT_EQ(it.state, State::failed);
  EXPECT_EQ(it.trouble, "It leaked. Delete the new key at the provider: nothing uses it.");
  left_ended(it);
  EXPECT_EQ(it.trouble, "It leaked.");
}

TEST(RotationPlan, a_key_that_no_list_shows_is_taken_back_by_a_person) {
  Rotation it = handed_in();
  undo(it, kNow);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(next(it, it.next), Act::identify);
    take(it, traits(), Act::identify, heard(Kind::done), it.next);
  }
  EXPECT_EQ(next(it, it.next), Act::drop_new);
  take(it, traits(), Act::drop_new, heard(Kind::done), it.next);
  EXPECT_EQ(it.trouble, "Delete the new key at the provider: nothing uses it.");
}

TEST(RotationPlan, a_key_that_is_ended_with_its_own_secret_needs_no_id_and_no_person) {
  RotationTraits alone = traits();
  alone.lists = alone.shows = false;
  alone.by_secret = true;
  Rotation it = handed_in();
  it.state = State::revoking, it.promoted = kNow, it.old_key.clear();
  EXPECT_EQ(next(it, kNow, alone), Act::revoke);
  EXPECT_FALSE(it.revoke_by_hand);
  Rotation back = handed_in();
  undo(back, kNow);
  EXPECT_EQ(next(back, kNow, alone), Act::remove_new);
  take(back, alone, Act::remove_new, heard(Kind::done), kNow);
  EXPECT_EQ(next(back, kNow, alone), Act::drop_new);
}

TEST(RotationPlan, a_secret_that_is_in_the_file_when_the_rollback_comes_leaves_it) {
  Rotation it = in(State::creating);
  it.rotation = RotationClass::self_hosted;
  it.asking = "create", it.new_version = 2, it.new_key = "file";
  undo(it, kNow);
  take(it, traits(), Act::create, heard(Kind::done, "file", 2), kNow);
  EXPECT_EQ(next(it), Act::remove_new);
}

}  // namespace
}  // namespace claviger::steward
