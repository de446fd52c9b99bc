// Rotations whose program is killed at every moment, whose answers are lost and whose store fails.
#include "steward/rotation.hpp"
#include "steward/rotation_rig.hpp"

namespace claviger::steward {
namespace {

// Every seed kills the process, loses answers and fails writes at other moments.
class RotationCrashTest : public RotationTest, public testing::WithParamInterface<int> {
 protected:
  Provider::Fate fate() {
    const std::uint64_t roll = dice.below(20);
    return roll < 4 ? static_cast<Provider::Fate>(1 + roll) : Provider::Fate::answered;
  }
  void trouble() {
    using store::Fault;
    if (dice.below(6) == 0) rig.store.fail_write(1 + dice.below(4), static_cast<Fault>(dice.below(3)));
    if (dice.below(12) == 0) die(dice.below(2) == 0);
  }
  SeededRng dice{static_cast<std::uint64_t>(GetParam())};
};

TEST_P(RotationCrashTest, ends_with_one_key_that_is_ours_whatever_happens) {
  const bool undo = dice.below(3) == 0;
  const std::string id = start();
  for (int round = 0; round < 4'000; ++round) {
    if (!rotations && !live()) continue;
    if (round < 150) trouble();
    if (!rotations) continue;
    pass(200);
    if (dice.below(3) > 0) provider.let_through(round < 150 ? fate() : Provider::Fate::answered);
    if (undo && round == 60) (void)rotations->roll_back(id, "test");
    const auto it = rotations->get(id);
    if (it && over(it->state)) break;
    if (it)
      ASSERT_TRUE(provider.accepts(current_secret())) << "round " << round << ", " << name_of(it->state);
  }
  if (!rotations) ASSERT_TRUE(live());
  const Rotation it = *rotations->get(id);
  ASSERT_TRUE(over(it.state)) << name_of(it.state) << ": " << it.trouble;
  ASSERT_EQ(provider.keys.size(), 1U) << name_of(it.state) << ": an orphan stayed behind";
  EXPECT_EQ(provider.keys[0].secret, current_secret());
  EXPECT_EQ(current_secret() == kOld, it.state != RotationState::done);
}

TEST_P(RotationCrashTest, an_emergency_gives_back_what_was_withdrawn_whatever_happens) {
  ASSERT_TRUE(vault->disable(credential));
  const std::string id = start(RotationMode::emergency);
  for (int round = 0; round < 4'000; ++round) {
    if (!rotations && !live()) continue;
    if (round < 150) trouble();
    if (!rotations) continue;
    pass(200);
    if (dice.below(3) > 0) provider.let_through(Provider::Fate::answered);
    const auto it = rotations->get(id);
    if (it && over(it->state)) break;
  }
  if (!rotations) ASSERT_TRUE(live());
  ASSERT_EQ(rotations->get(id)->state, RotationState::done) << rotations->get(id)->trouble;
  EXPECT_EQ(vault->get(credential)->state, vault::CredentialState::enabled);
  EXPECT_TRUE(provider.accepts(current_secret()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RotationCrashTest, testing::Range(1, 101));

}  // namespace
}  // namespace claviger::steward
