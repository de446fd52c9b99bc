// The life of credentials and versions, and when a secret goes out and when it does not.
#include "vault/vault.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "vault/test_rig.hpp"

namespace claviger::vault {
namespace {

using VaultTest = VaultRig;

VersionState state_of(const Credential& it, std::int64_t number) { return it.versions.at(number - 1).state; }

TEST_F(VaultTest, RefusesFieldsThatCannotBeUsed) {
  const auto refused = [&](auto change) {
    NewCredential asked = openai();
    change(asked);
    EXPECT_EQ(code_of(vault->add(asked, secret_of(std::string(kSecret)))), "invalid_input");
  };
  for (const std::string& name :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a/b"), std::string("-a"),
        std::string("cred_a"), std::string("\xc3\xa4"), std::string("a\0b", 3), std::string("a\n")}) {
    refused([&](NewCredential& asked) { asked.name = name; });
    if (name == "cred_a") continue;
    refused([&](NewCredential& asked) { asked.provider = name; });
    refused([&](NewCredential& asked) { asked.environment = name; });
  }
  refused([](NewCredential& asked) { asked.base_url = ""; });
  refused([](NewCredential& asked) { asked.base_url = "http://api.openai.com"; });
  refused([](NewCredential& asked) { asked.origins = {"https://api.openai.com/v1"}; });
  refused([](NewCredential& asked) { asked.origins = {"http://other.example"}; });
  refused([](NewCredential& asked) {
    for (int i = 0; i < 16; ++i) asked.origins.push_back("https://h" + std::to_string(i) + ".example");
  });
  refused([](NewCredential& asked) { asked.owner = "a\nb"; });
  refused([](NewCredential& asked) { asked.owner = std::string(129, 'a'); });
  refused([](NewCredential& asked) { asked.rotate_days = -1; });
  refused([](NewCredential& asked) { asked.rotate_days = 3651; });
  refused([](NewCredential& asked) { asked.spend_alert = Nanousd{-1}; });
  EXPECT_TRUE(vault->list()->empty());
}

TEST_F(VaultTest, TakesNamesAndOwnersUpToTheBound) {
  for (const std::size_t more : {0U, 1U, 2U}) {
    const std::string name(limits::kName - 1 + more, 'a');
    NewCredential asked = openai(name);
    asked.owner = std::string(name.size(), '0' + static_cast<char>(more));
    asked.provider = asked.environment = name;
    EXPECT_EQ(vault->add(asked, secret_of(std::string(kSecret))).has_value(), more < 2) << more;
  }
}

TEST_F(VaultTest, RefusesSecretsThatCannotStandInAHeaderAndNeverQuotesThem) {
  for (const std::string& text :
       {std::string(), std::string(kSecretBytes + 1, 'a'), std::string("sk-with space"),
        std::string("sk-line\n"), std::string("sk-\x7fz"), std::string("sk-\xc3\xa4z"),
        std::string("sk-\0z", 5), std::string("sk-\tz")}) {
    const auto done = vault->add(openai(), secret_of(text));
    ASSERT_EQ(code_of(done), "invalid_input");
    EXPECT_FALSE(done.error().say.contains("sk-"));
  }
  EXPECT_EQ(sent(added(openai("longest"), std::string(kSecretBytes, 'a')).id).size(), kSecretBytes);
  EXPECT_EQ(sent(added(openai("shortest"), "a").id), "a");
}

TEST_F(VaultTest, RefusesANameThatIsTakenAndFreesItWhenDestroyed) {
  const Credential first = added(openai());
  EXPECT_EQ(code_of(vault->add(openai(), secret_of("other"))), "already_exists");
  ASSERT_TRUE(vault->destroy(first.id));
  const Credential second = added(openai(), "other");
  EXPECT_EQ(vault->get("openai-prod")->id, second.id) << "the live one";
  EXPECT_EQ(vault->get(first.id)->state, CredentialState::destroyed);
}

TEST_F(VaultTest, RefusesWhatTheStateDoesNotAllow) {
  const Credential it = added(openai());
  EXPECT_EQ(code_of(vault->rollback(it.id)), "conflict") << "nothing previous";
  EXPECT_EQ(code_of(vault->publish(it.id, 1)), "conflict") << "current already";
  EXPECT_EQ(code_of(vault->publish(it.id, 2)), "not_found");
  EXPECT_EQ(code_of(vault->revoke_version(it.id, 1)), "conflict") << "current";
  EXPECT_EQ(code_of(vault->destroy_version(it.id, 1)), "conflict") << "current";
  EXPECT_EQ(code_of(vault->add_version(it.id, secret_of(std::string(kSecret)))), "conflict")
      << "the same secret";
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second"), Publish::later));
  EXPECT_EQ(code_of(vault->add_version(it.id, secret_of("third"), Publish::later)), "conflict")
      << "one is pending";
  ASSERT_TRUE(vault->destroy(it.id));
  EXPECT_EQ(code_of(vault->enable(it.id)), "conflict");
  EXPECT_EQ(code_of(vault->disable(it.id)), "conflict");
  EXPECT_EQ(code_of(vault->rollback(it.id)), "conflict");
  EXPECT_EQ(code_of(vault->publish(it.id, 2)), "conflict");
  EXPECT_EQ(code_of(vault->add_version(it.id, secret_of("fourth"))), "conflict");
  EXPECT_EQ(code_of(vault->get("nobody")), "not_found");
  EXPECT_EQ(code_of(vault->disable("nobody")), "not_found");
}

TEST_F(VaultTest, SendsASecretOnlyToItsOrigins) {
  NewCredential asked = openai();
  asked.origins = {"https://eu.api.openai.com"};
  const Credential it = added(asked);
  for (const std::string_view origin :
       {"http://api.openai.com:443", "http://api.openai.com", "https://api.openai.com:8443",
        "https://api.openai.com.evil.example", "https://evil.example", "https://api.openai.com@evil.example",
        "https://api.openai.com/v1", "api.openai.com", "", "https://API.openai.com\\.evil.example"})
    for (int warm = 0; warm < 2; ++warm) {
      EXPECT_EQ(sent(it.id, origin), "origin_mismatch") << origin;
      EXPECT_EQ(sent(it.id), kSecret);
    }
  for (const std::string_view origin : {"https://api.openai.com:443", "https://api.openai.com",
                                        "https://API.OPENAI.COM.", "https://eu.api.openai.com:443"})
    EXPECT_EQ(sent(it.id, origin), kSecret) << origin;
}

TEST_F(VaultTest, SendsToPlainHttpOnlyWhereItWasAllowed) {
  NewCredential local = openai("local");
  local.base_url = "http://127.0.0.1:8000/v1";
  EXPECT_EQ(sent(added(local).id, "http://127.0.0.1:8000"), kSecret);
  NewCredential inside = openai("inside");
  inside.base_url = "http://vllm.internal:8000";
  EXPECT_EQ(code_of(vault->add(inside, secret_of("x"))), "invalid_input");
  inside.plain_http = PlainHttp::allowed;
  const Credential it = added(inside);
  EXPECT_EQ(sent(it.id, "http://vllm.internal:8000"), kSecret);
  EXPECT_EQ(sent(it.id, "https://vllm.internal:8000"), "origin_mismatch");
}

TEST_F(VaultTest, SendsNothingThatIsUnknownDisabledOrDestroyed) {
  const Credential it = added(openai());
  EXPECT_EQ(sent("cred_00000000000"), "credential_unavailable");
  EXPECT_EQ(sent(""), "credential_unavailable");
  EXPECT_EQ(sent("openai-prod"), "credential_unavailable") << "ids only, on the path of requests";
  EXPECT_EQ(sent(it.id), kSecret);
  ASSERT_TRUE(vault->disable(it.id));
  EXPECT_EQ(sent(it.id), "credential_unavailable") << "although it was cached";
  ASSERT_TRUE(vault->disable(it.id)) << "twice is no error";
  ASSERT_TRUE(vault->enable("openai-prod"));
  EXPECT_EQ(sent(it.id), kSecret);
  ASSERT_TRUE(vault->destroy(it.id));
  EXPECT_EQ(sent(it.id), "credential_unavailable");
}

TEST_F(VaultTest, SaysWhichVersionItSent) {
  const Credential it = added(openai());
  std::string out;
  EXPECT_EQ(vault->append_secret(it.id, kOrigin, out, gate::Injector::access()).value(), 1);
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second")));
  EXPECT_EQ(vault->append_secret(it.id, kOrigin, out, gate::Injector::access()).value(), 2);
  EXPECT_EQ(vault->append_secret(it.id, kOrigin, out, gate::Injector::access()).value(), 2);
  EXPECT_EQ(out, std::string(kSecret) + "secondsecond");
}

TEST_F(VaultTest, SwitchesToANewVersionAndBack) {
  const Credential it = added(openai());
  EXPECT_EQ(sent(it.id), kSecret);
  const Credential second = vault->add_version(it.id, secret_of("second")).value();
  EXPECT_EQ(state_of(second, 1), VersionState::previous);
  EXPECT_EQ(state_of(second, 2), VersionState::current);
  EXPECT_EQ(sent(it.id), "second");
  const Credential back = vault->rollback(it.id).value();
  EXPECT_EQ(state_of(back, 1), VersionState::current);
  EXPECT_EQ(state_of(back, 2), VersionState::previous);
  EXPECT_EQ(sent(it.id), kSecret);
  ASSERT_TRUE(vault->rollback(it.id));
  EXPECT_EQ(sent(it.id), "second");
}

TEST_F(VaultTest, RollsBackToTheVersionThatWasCurrentLast) {
  const Credential it = added(openai(), "one");
  ASSERT_TRUE(vault->add_version(it.id, secret_of("two")));
  ASSERT_TRUE(vault->add_version(it.id, secret_of("three")));
  ASSERT_TRUE(vault->rollback(it.id));
  EXPECT_EQ(sent(it.id), "two");
  clock.time.ns += 1;
  ASSERT_TRUE(vault->add_version(it.id, secret_of("four")));
  ASSERT_TRUE(vault->rollback(it.id));
  EXPECT_EQ(sent(it.id), "two") << "not three, although its number is higher";
}

TEST_F(VaultTest, HoldsAPendingVersionBackUntilItIsPublished) {
  const Credential it = added(openai());
  const Credential waiting = vault->add_version("openai-prod", secret_of("second"), Publish::later).value();
  EXPECT_EQ(state_of(waiting, 2), VersionState::pending);
  EXPECT_EQ(sent(it.id), kSecret);
  const Credential published = vault->publish(it.id, 2).value();
  EXPECT_EQ(state_of(published, 1), VersionState::previous);
  EXPECT_EQ(sent(it.id), "second");
  const Credential revoked = vault->revoke_version(it.id, 1).value();
  EXPECT_EQ(state_of(revoked, 1), VersionState::revoked);
  EXPECT_EQ(code_of(vault->rollback(it.id)), "conflict") << "a revoked version does not come back";
  EXPECT_EQ(state_of(vault->destroy_version(it.id, 1).value(), 1), VersionState::destroyed);
  EXPECT_EQ(sent(it.id), "second");
}

TEST_F(VaultTest, RemembersWhenEveryTransitionHappened) {
  const Credential it = added(openai());
  const Time start = clock.time;
  clock.time.ns += 1000;
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second"), Publish::later));
  clock.time.ns += 1000;
  ASSERT_TRUE(vault->publish(it.id, 2));
  clock.time.ns += 1000;
  ASSERT_TRUE(vault->revoke_version(it.id, 1));
  clock.time.ns += 1000;
  const Credential end = vault->destroy(it.id).value();
  const auto history = [&](std::size_t at) {
    std::string text;
    for (const Transition& step : end.versions.at(at).transitions)
      text += std::string(name_of(step.state)) + "@" + std::to_string((step.at - start).count()) + " ";
    return text;
  };
  EXPECT_EQ(history(0), "current@0 previous@2000 revoked@3000 destroyed@4000 ");
  EXPECT_EQ(history(1), "pending@1000 current@2000 destroyed@4000 ");
}

TEST_F(VaultTest, GivesBackEverythingThatIsKnownOfACredential) {
  NewCredential asked = openai();
  asked.base_url = "https://API.openai.com:443/v1/";
  asked.origins = {"https://eu.api.openai.com", "https://api.openai.com"};
  asked.owner = "Platform Team <platform@example.org>";
  asked.rotate_days = 90;
  asked.spend_alert = Nanousd{5'000'000'000};
  asked.kind = CredentialKind::admin;
  added(asked);
  added(openai("another"), "other");
  const std::vector<Credential> all = vault->list().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "another");
  EXPECT_FALSE(all[0].spend_alert);
  const Credential& it = all[1];
  EXPECT_TRUE(it.id.starts_with("cred_") && it.id.size() == 16) << it.id;
  EXPECT_EQ(it.provider, "openai");
  EXPECT_EQ(it.environment, "prod");
  EXPECT_EQ(it.base_url, "https://api.openai.com/v1");
  EXPECT_EQ(it.origins,
            (std::vector<std::string>{"https://api.openai.com:443", "https://eu.api.openai.com:443"}));
  EXPECT_EQ(it.owner, asked.owner);
  EXPECT_EQ(it.rotate_days, 90);
  EXPECT_EQ(it.spend_alert, Nanousd{5'000'000'000});
  EXPECT_EQ(it.kind, CredentialKind::admin);
  EXPECT_EQ(it.state, CredentialState::enabled);
  EXPECT_EQ(it.created, clock.time);
  EXPECT_EQ(it.current()->number, 1);
  EXPECT_EQ(it.current()->sha256, vault->fingerprint(kSecret));
  EXPECT_NE(vault->fingerprint(kSecret), crypto::sha256(kSecret))
      << "keyed: a guess cannot be confirmed without us";
  EXPECT_FALSE(it.damaged);
}

TEST_F(VaultTest, ForgetsACachedSecretAlsoWhenTheOutcomeOfTheChangeIsUnknown) {
  const Credential it = added(openai());
  EXPECT_EQ(sent(it.id), kSecret);
  faulty().fail_write(1, store::Fault::after_commit);
  EXPECT_EQ(code_of(vault->disable(it.id)), "store_unavailable");
  EXPECT_EQ(sent(it.id), "credential_unavailable") << "it was disabled after all";
}

TEST_F(VaultTest, ChangesNothingWhenTheStoreFails) {
  const Credential it = added(openai());
  for (const store::Fault fault : {store::Fault::before, store::Fault::rolled_back}) {
    faulty().fail_write(1, fault);
    EXPECT_EQ(code_of(vault->add_version(it.id, secret_of("second"))), "store_unavailable");
    EXPECT_EQ(vault->get(it.id)->versions.size(), 1U);
    EXPECT_EQ(sent(it.id), kSecret);
  }
}

TEST_F(VaultTest, ServesCachedSecretsWhileTheStoreIsDown) {
  const Credential it = added(openai());
  const Credential other = added(openai("other"), "other");
  EXPECT_EQ(sent(it.id), kSecret);
  faulty().set_down();
  EXPECT_EQ(sent(it.id), kSecret);
  EXPECT_EQ(sent(other.id), "store_unavailable");
  faulty().set_up();
  EXPECT_EQ(sent(other.id), "other");
}

TEST_F(VaultTest, ServesMoreSecretsThanTheArenaHolds) {
  std::vector<Credential> all;
  for (int i = 0; i < 12; ++i)
    all.push_back(added(openai("c" + std::to_string(i)), std::string(1000, static_cast<char>('a' + i))));
  SecretArena small(4096);  // 16 units: the vault's own keys take two, a secret four
  auto opened = Vault::open(*store, rng, clock, with_passphrase(), small);
  ASSERT_TRUE(opened);
  vault = std::move(*opened);
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(sent(all[i].id), std::string(1000, static_cast<char>('a' + i)));
  EXPECT_EQ(sent(added(openai("large"), std::string(8000, 'z')).id), std::string(8000, 'z'))
      << "kept nowhere";
  vault.reset();
}

TEST_F(VaultTest, SendsFromManyThreadsWhileVersionsChange) {
  const Credential it = added(openai(), "secret-1");
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      while (!stop) {
        std::string out;
        const auto version = vault->append_secret(it.id, kOrigin, out, gate::Injector::access());
        ASSERT_TRUE(version);
        ASSERT_EQ(out, "secret-" + std::to_string(*version));
      }
    });
  for (int i = 2; i <= 30; ++i) {
    ASSERT_TRUE(vault->add_version(it.id, secret_of("secret-" + std::to_string(i))));
    EXPECT_EQ(sent(it.id), "secret-" + std::to_string(i)) << "seen before the change returns";
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(VaultTest, RestoresAPreviousVersionAndLetsItBeWrittenWithWhatBelongsToIt) {
  const Credential it = added(openai());
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second")));
  EXPECT_EQ(code_of(vault->restore(it.id, 2)), "conflict") << "current already";
  const auto refusing = [](store::Tx&, const Credential&) -> Result<void> {
    return refuse(Code::conflict, "");
  };
  EXPECT_EQ(code_of(vault->restore(it.id, 1, refusing)), "conflict");
  EXPECT_EQ(vault->get(it.id)->current()->number, 2) << "what belongs to it was refused: nothing happened";
  std::int64_t seen = 0;
  const auto noting = [&](store::Tx&, const Credential& after) -> Result<void> {
    seen = after.current()->number;
    return {};
  };
  ASSERT_TRUE(vault->restore(it.id, 1, noting));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(sent(it.id), kSecret);
}

TEST_F(VaultTest, OpensEveryVersionForAskingAboutItAndOnlyForItsOrigins) {
  const Credential it = added(openai());
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second"), Publish::later));
  ASSERT_TRUE(vault->disable(it.id));
  std::string out;
  ASSERT_TRUE(vault->append_version(it.id, 2, kOrigin, out, gate::Injector::access()));
  EXPECT_EQ(out, "second");
  EXPECT_EQ(code_of(vault->append_version(it.id, 2, "https://evil.example", out, gate::Injector::access())),
            "origin_mismatch");
  EXPECT_EQ(code_of(vault->append_version(it.id, 3, kOrigin, out, gate::Injector::access())),
            "credential_unavailable");
  ASSERT_TRUE(vault->destroy_version(it.id, 2));
  EXPECT_EQ(code_of(vault->append_version(it.id, 2, kOrigin, out, gate::Injector::access())),
            "credential_unavailable");
}

}  // namespace
}  // namespace claviger::vault
