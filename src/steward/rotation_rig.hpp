// A program that rotates one key of a scripted provider, to be killed at any moment.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "steward/derive_rig.hpp"
#include "steward/rotation.hpp"
#include "steward/rotation_provider_rig.hpp"
#include "vault/test_rig.hpp"

namespace claviger::steward {

class NoFiles final : public KeyFiles {
 public:
  void replace(const KeyFile&, std::string, std::function<void(Result<void>)>) override {}
};

class RotationTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store::install(*rig.sqlite, {vault::kSchema, kRotationSchema}));
    ASSERT_TRUE(vault::Vault::init(*rig.sqlite, rng, vault::by_passphrase()));
    ASSERT_TRUE(live());
    vault::NewCredential asked = vault::openai("openai-dev");
    credential = vault->add(asked, vault::secret_of(std::string(kOld)))->id;
    asked = vault::openai("openai-admin");
    asked.kind = vault::CredentialKind::admin;
    ASSERT_TRUE(vault->add(asked, vault::secret_of(std::string(kAdmin))));
    ASSERT_TRUE(ok(rotations->link(credential, "openai-admin",
                                   {{"project_id", "proj_1"}, {"service_account_id", "svc_1"}})));
  }
  // A start of the program; false when a fault struck.
  bool live() {
    die(false);
    if (!rig.start()) return false;
    auto opened = vault::Vault::open(rig.store, rng, rig.clock, vault::with_passphrase(), arena);
    if (!opened) return false;
    vault = std::move(*opened);
    RotationSettings settings;
    settings.list_ms = 3'000;
    settings.probe_ms = 1'000;
    const RotationParts parts{
        rig.store, *vault,  *rig.deriver, *rig.steward, rig.clock, rng, [] { return Result<void>{}; },
        nullptr,   nullptr, rig.epoch};
    rotations = std::make_unique<Rotations>(parts, settings);
    rotations->serve(provider, files);
    return true;
  }
  void die(bool arrived) {
    provider.caller_dies(arrived);
    rotations.reset();
    vault.reset();
    rig.stop();
  }
  void pass(std::int64_t ms = 500) {
    rig.clock.ns += ms * 1'000'000;
    (void)rig.deriver->catch_up();
    rotations->tick();
  }
  // Until the rotation is in that state; everything is answered.
  testing::AssertionResult reaches(const std::string& id, RotationState state) {
    for (int i = 0; i < 200; ++i) {
      if (rotations->get(id)->state == state) return testing::AssertionSuccess();
      pass();
      while (provider.let_through(Provider::Fate::answered)) {
      }
    }
    const Rotation it = *rotations->get(id);
    return testing::AssertionFailure() << "it is " << name_of(it.state) << ": " << it.trouble;
  }
  // Until the version, which was taken back, has been refused.
  testing::AssertionResult forgets(std::int64_t version) {
    for (int i = 0; i < 20; ++i) {
      if (rotations->left_of(credential, version).value() == Left::no) return testing::AssertionSuccess();
      pass();
      while (provider.let_through(Provider::Fate::answered)) {
      }
    }
    return testing::AssertionFailure() << "version " << version << " is still watched";
  }
  std::string start(RotationMode mode = RotationMode::now) {
    const auto begun = rotations->start(credential, {mode, "a test", "test"});
    EXPECT_TRUE(ok(begun));
    return begun ? begun->id : "";
  }
  std::string current_secret() {
    std::string out;
    EXPECT_TRUE(ok(vault->append_secret(credential, vault::kOrigin, out, gate::Injector::access())));
    return out;
  }

  Rig rig;
  SeededRng rng{7};
  SecretArena arena;
  Provider provider;
  NoFiles files;
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<Rotations> rotations;
  std::string credential;
};

}  // namespace claviger::steward
