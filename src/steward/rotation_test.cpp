// Rotations against a scripted provider.
#include "steward/rotation.hpp"

#include "steward/rotation_rig.hpp"

namespace claviger::steward {
namespace {

TEST_F(RotationTest, replaces_the_key_and_leaves_nothing_behind) {
  const std::string id = start();
  ASSERT_TRUE(reaches(id, RotationState::done));
  ASSERT_EQ(provider.keys.size(), 1U);
  EXPECT_EQ(provider.keys[0].secret, current_secret());
  const vault::Credential after = *vault->get(credential);
  EXPECT_EQ(after.current()->number, 2);
  EXPECT_EQ(after.versions[0].state, vault::VersionState::revoked);
  rig.clock.ns += limits::kRotationRetainMs * 1'000'000;
  ASSERT_TRUE(reaches(id, RotationState::closed));
  EXPECT_EQ(vault->get(credential)->versions[0].state, vault::VersionState::destroyed);
}

TEST_F(RotationTest, another_one_knows_the_key_by_the_one_before) {
  ASSERT_TRUE(reaches(start(), RotationState::done));
  ASSERT_TRUE(reaches(start(), RotationState::done));
  ASSERT_EQ(provider.keys.size(), 1U);
  EXPECT_EQ(provider.keys[0].secret, current_secret());
}

TEST_F(RotationTest, one_at_a_time) {
  start();
  EXPECT_EQ(rotations->start(credential, {RotationMode::now, "", "test"}).error().code, Code::conflict);
}

TEST_F(RotationTest, the_old_key_stays_while_a_call_with_it_is_in_flight) {
  journal::Intent open = rig.intent("req_1", 10);
  open.credential = credential, open.credential_version = 1;
  rig.gate->append(open);
  ASSERT_TRUE(rig.gate->flush());
  const std::string id = start();
  ASSERT_TRUE(reaches(id, RotationState::draining));
  EXPECT_FALSE(reaches(id, RotationState::revoking));
  EXPECT_TRUE(provider.accepts(kOld));
  rig.gate->append(Rig::receipt(open, 5));
  ASSERT_TRUE(rig.gate->flush());
  EXPECT_TRUE(reaches(id, RotationState::done));
}

TEST_F(RotationTest, a_rollback_brings_the_old_key_back_and_removes_the_new_one) {
  const std::string id = start(RotationMode::planned);
  ASSERT_TRUE(reaches(id, RotationState::draining));
  EXPECT_NE(current_secret(), kOld);
  ASSERT_TRUE(ok(rotations->roll_back(id, "test")));
  EXPECT_EQ(current_secret(), kOld);
  ASSERT_TRUE(reaches(id, RotationState::undone));
  ASSERT_EQ(provider.keys.size(), 1U);
  EXPECT_TRUE(provider.accepts(kOld));
  EXPECT_EQ(rotations->roll_back(id, "test").error().code, Code::conflict);
}

TEST_F(RotationTest, one_under_way_is_hastened_for_a_leak_of_the_version_it_replaces_and_of_no_other) {
  EXPECT_FALSE(rotations->hasten(credential, 1, "test").value());
  const std::string id = start(RotationMode::planned);
  ASSERT_TRUE(reaches(id, RotationState::draining));
  EXPECT_FALSE(rotations->hasten(credential, 3, "test").value());
  EXPECT_FALSE(reaches(id, RotationState::revoking)) << "it is kept, to be undone";
  EXPECT_EQ(rotations->hasten(credential, 1, "test").value()->id, id);
  ASSERT_TRUE(reaches(id, RotationState::done));
  EXPECT_FALSE(provider.accepts(kOld));
  EXPECT_FALSE(rotations->hasten(credential, 1, "test").value());
}

TEST_F(RotationTest, the_old_key_is_not_kept_when_the_new_one_has_leaked_and_the_next_rotation_begins) {
  const std::string id = start(RotationMode::planned);
  ASSERT_TRUE(reaches(id, RotationState::draining));
  EXPECT_FALSE(rotations->start(credential, {RotationMode::now, "leaked", "test"}));
  EXPECT_FALSE(rotations->hasten(credential, 2, "test").value()) << "another one ends it";
  ASSERT_TRUE(reaches(id, RotationState::confirming));
  const std::string next = start();
  ASSERT_TRUE(reaches(next, RotationState::done));
  ASSERT_TRUE(reaches(id, RotationState::done));
  ASSERT_EQ(provider.keys.size(), 1U);
  EXPECT_TRUE(provider.accepts(current_secret()));
  EXPECT_EQ(vault->get(credential)->current()->number, 3);
}

TEST_F(RotationTest, a_new_secret_that_leaks_before_it_is_in_use_is_taken_back) {
  const std::string id = start();
  ASSERT_TRUE(reaches(id, RotationState::verifying));
  EXPECT_EQ(rotations->hasten(credential, 2, "test").value()->id, id);
  ASSERT_TRUE(reaches(id, RotationState::failed));
  ASSERT_EQ(provider.keys.size(), 1U);
  EXPECT_EQ(current_secret(), kOld);
  EXPECT_EQ(vault->get(credential)->versions[1].state, vault::VersionState::revoked);
  EXPECT_EQ(rotations->left_of(credential, 2).value(), Left::watched) << "nobody has seen it refused";
  ASSERT_TRUE(forgets(2));
  EXPECT_EQ(vault->get(credential)->versions[1].state, vault::VersionState::destroyed);
}

TEST_F(RotationTest, a_key_that_was_taken_back_and_lingers_is_left_to_a_person) {
  const std::string id = start();
  ASSERT_TRUE(reaches(id, RotationState::verifying));
  ASSERT_TRUE(ok(rotations->hasten(credential, 2, "test")));
  provider.only_says_so = true;
  ASSERT_TRUE(reaches(id, RotationState::failed));
  EXPECT_FALSE(forgets(2));
  EXPECT_EQ(rotations->left_of(credential, 2).value(), Left::watched);
  pass(limits::kRotationConfirmMs);
  EXPECT_FALSE(forgets(2));
  EXPECT_EQ(rotations->left_of(credential, 2).value(), Left::by_hand);
  EXPECT_FALSE(rotations->instructions(*rotations->get(id))->empty());
}

TEST_F(RotationTest, a_key_made_by_hand_that_was_taken_back_is_probed_until_a_person_has_deleted_it) {
  vault::NewCredential asked = vault::openai("groq-dev");
  asked.provider = "groq", asked.base_url = "https://api.groq.com/openai/v1";
  asked.origins = {"https://api.groq.com"};
  provider.keys = {{"1", "by hand", "gsk_old"}, {"2", "by hand", "gsk_new"}};
  const auto made = vault->add(asked, vault::secret_of("gsk_old"));
  ASSERT_TRUE(ok(made));
  credential = made->id;
  const std::string id = start();
  ASSERT_TRUE(reaches(id, RotationState::waiting));
  EXPECT_EQ(rotations->ended(id, "test").error().code, Code::conflict) << "it has left nothing yet";
  ASSERT_TRUE(ok(rotations->take_in(id, vault::secret_of("gsk_new"), "test")));
  ASSERT_TRUE(ok(rotations->hasten(credential, 2, "test")));
  ASSERT_TRUE(reaches(id, RotationState::failed));
  EXPECT_TRUE(rotations->get(id)->trouble.contains("Delete the new key"));
  EXPECT_FALSE(forgets(2));
  EXPECT_EQ(rotations->left_of(credential, 2).value(), Left::by_hand);
  ASSERT_TRUE(live()) << "it is watched by the next start, too";
  pass(10'000'000);
  provider.keys.pop_back();
  ASSERT_TRUE(ok(rotations->ended(id, "test")));
  ASSERT_TRUE(forgets(2));
  EXPECT_EQ(vault->get(credential)->versions[1].state, vault::VersionState::destroyed);
  EXPECT_FALSE(rotations->get(id)->trouble.contains("Delete"));
  EXPECT_TRUE(rotations->instructions(*rotations->get(id))->empty());
}

TEST_F(RotationTest, a_removal_that_is_refused_waits_and_is_told_and_goes_on_when_it_is_let) {
  provider.refuses_removal = true;
  const std::string id = start();
  EXPECT_FALSE(reaches(id, RotationState::confirming));
  EXPECT_EQ(rotations->get(id)->state, RotationState::revoking);
  EXPECT_FALSE(alerts(rig.store).value().empty());
  provider.refuses_removal = false;
  ASSERT_TRUE(ok(rotations->resume(id, "test")));
  EXPECT_TRUE(reaches(id, RotationState::done));
}

TEST_F(RotationTest, one_that_fails_is_told_of_also_when_the_program_ends_in_that_moment) {
  provider.refuses_lists = true;
  const std::string id = start();
  ASSERT_TRUE(reaches(id, RotationState::failed));
  EXPECT_EQ(current_secret(), kOld);
  ASSERT_TRUE(live());
  pass();
  const auto told = alerts(rig.store).value();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].kind, "rotation_stuck");
  EXPECT_EQ(told[0].subject, "credential:" + credential);
  EXPECT_FALSE(told[0].message.empty());
}

TEST_F(RotationTest, a_key_that_was_made_current_again_is_not_revoked) {
  const std::string id = start(RotationMode::planned);
  ASSERT_TRUE(reaches(id, RotationState::draining));
  ASSERT_TRUE(vault->rollback(credential));
  rig.clock.ns += limits::kRotationSoakMs * 1'000'000;
  EXPECT_FALSE(reaches(id, RotationState::confirming));
  EXPECT_TRUE(provider.accepts(kOld));
  EXPECT_TRUE(rotations->get(id)->trouble.contains("current again"));
}

TEST_F(RotationTest, an_age_that_was_wished_for_begins_one) {
  vault::NewCredential asked = vault::openai("monthly");
  asked.rotate_days = 30;
  const vault::Credential made =
      *vault->add(asked, vault::secret_of("sk-svcacct-monthly0000000000000000000"));
  provider.keys.push_back({"key_m", "by hand", "sk-svcacct-monthly0000000000000000000"});
  ASSERT_TRUE(ok(
      rotations->link(made.id, "openai-admin", {{"project_id", "proj_1"}, {"service_account_id", "svc_1"}})));
  pass();
  EXPECT_TRUE(rotations->list(made.id)->empty());
  rig.clock.ns += std::int64_t{30} * 86'400 * 1'000'000'000;
  pass();
  ASSERT_EQ(rotations->list(made.id)->size(), 1U);
  const Rotation begun = rotations->list(made.id)->front();
  EXPECT_EQ(begun.started_by, "schedule");
  // Who takes it back means it: the schedule does not begin it again within the minute.
  ASSERT_TRUE(ok(rotations->roll_back(begun.id, "test")));
  ASSERT_TRUE(reaches(begun.id, RotationState::undone));
  for (int i = 0; i < 5; ++i) pass(60'000);
  EXPECT_EQ(rotations->list(made.id)->size(), 1U);
  EXPECT_EQ(alerts(rig.store).value().at(0).kind, "rotation_overdue");
  const std::int64_t again = rotations->get(begun.id)->updated.ns + limits::kRotationAgainMs * 1'000'000;
  for (const std::int64_t more : {-1, 0}) {
    rig.clock.ns = again + more;
    ASSERT_TRUE(live());  // which looks at the schedules at once
    pass(0);
    EXPECT_EQ(rotations->list(made.id)->size(), more < 0 ? 1U : 2U);
  }
}

TEST_F(RotationTest, what_is_found_out_while_revoking_is_kept_for_the_person_who_must_act) {
  provider.hides_old = true;
  const std::string id = start();
  ASSERT_TRUE(reaches(id, RotationState::revoking));
  EXPECT_FALSE(reaches(id, RotationState::done));
  const Rotation it = *rotations->get(id);
  EXPECT_TRUE(it.revoke_by_hand);
  EXPECT_TRUE(it.trouble.contains("Delete the old key"));
  EXPECT_FALSE(rotations->instructions(it)->empty());
  std::erase_if(provider.keys, [](const Provider::Key& key) { return key.id == "key_old"; });
  EXPECT_TRUE(reaches(id, RotationState::done));
}

TEST_F(RotationTest, a_token_that_is_ended_with_itself_is_ended_without_a_person_also_by_a_rollback) {
  vault::NewCredential asked = vault::openai("hugging");
  asked.provider = "huggingface", asked.base_url = "https://router.huggingface.co/v1";
  for (const char* origin : {"https://router.huggingface.co", "https://huggingface.co"})
    asked.origins.emplace_back(origin);
  provider.keys = {{"1", "by hand", "hf_old"}, {"2", "by hand", "hf_mid"}, {"3", "by hand", "hf_new"}};
  const auto made = vault->add(asked, vault::secret_of("hf_old"));
  ASSERT_TRUE(ok(made));
  credential = made->id;
  std::string id = start(RotationMode::planned);
  ASSERT_TRUE(reaches(id, RotationState::waiting));
  ASSERT_TRUE(ok(rotations->take_in(id, vault::secret_of("hf_mid"), "test")));
  ASSERT_TRUE(ok(rotations->roll_back(id, "test")));
  ASSERT_TRUE(reaches(id, RotationState::undone));
  EXPECT_FALSE(provider.accepts("hf_mid"));
  id = start(RotationMode::emergency);
  ASSERT_TRUE(reaches(id, RotationState::waiting));
  EXPECT_FALSE(provider.accepts("hf_old")) << "in an emergency it goes first";
  ASSERT_TRUE(ok(rotations->take_in(id, vault::secret_of("hf_new"), "test")));
  EXPECT_TRUE(reaches(id, RotationState::done));
}

TEST_F(RotationTest, a_key_on_the_last_page_that_is_read_is_found) {
  provider.pages = limits::kRotationPages;
  ASSERT_TRUE(reaches(start(), RotationState::done));
  EXPECT_EQ(provider.page, limits::kRotationPages);
}

TEST_F(RotationTest, a_list_is_not_read_beyond_so_many_pages) {
  provider.pages = limits::kRotationPages + 1;
  const std::string id = start();
  EXPECT_FALSE(reaches(id, RotationState::done));
  EXPECT_TRUE(rotations->get(id)->revoke_by_hand) << "the key that was not found is left to a person";
  EXPECT_EQ(provider.page, limits::kRotationPages);
}

TEST_F(RotationTest, a_reason_and_the_parameters_of_a_link_are_bounded) {
  for (const int more : {-1, 0, 1}) {
    Parameters parameters;
    for (int i = 0; i < static_cast<int>(limits::kLinkParameters) + more; ++i)
      parameters["p" + std::to_string(i)] = "x";
    const auto linked = rotations->link(credential, "", parameters);
    EXPECT_EQ(linked.has_value(), more <= 0) << more;
    if (!linked) EXPECT_EQ(linked.error().code, Code::invalid_input);
  }
  const auto with_reason = [&](std::size_t size) {
    return rotations->start(credential, {RotationMode::now, std::string(size, 'r'), "test"});
  };
  EXPECT_EQ(with_reason(limits::kRotationReason + 1).error().code, Code::invalid_input);
  ASSERT_TRUE(ok(with_reason(limits::kRotationReason)));
}

TEST_F(RotationTest, a_later_start_keeps_an_earlier_one_off) {
  const std::string id = start();
  Rotation row = *rotations->get(id);
  ASSERT_TRUE(rig.store.write([&](store::Tx& tx) { return put_rotation(tx, row, rig.epoch + 1); }));
  const auto late = rig.store.write([&](store::Tx& tx) { return put_rotation(tx, row, rig.epoch); });
  EXPECT_EQ(late.error().code, Code::conflict);
}

}  // namespace
}  // namespace claviger::steward
