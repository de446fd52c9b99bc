// What an attacker finds who has the store: nothing in clear, nothing that opens elsewhere, nothing after
// destruction.
#include "vault/sealing.hpp"

#include <set>

#include "vault/test_rig.hpp"

namespace claviger::vault {
namespace {

using SealingTest = VaultRig;

Bytes blob_of(store::Store& store, std::string_view sql, std::vector<store::Value> params) {
  Bytes found;
  EXPECT_TRUE(store.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query(sql, params));
    found = rows.at(0).blob(0);
    return {};
  }));
  return found;
}

TEST_F(SealingTest, NoEightBytesOfASecretLieInAFileOfTheStore) {
  const std::string longer(3000, 'L');
  const Credential it = added(openai());
  added(openai("longer"), longer);
  ASSERT_TRUE(vault->add_version(it.id, secret_of("2nd-XyZ-qwe-7781-QWE-zyx-9902-uio")));
  ASSERT_TRUE(vault->rollback(it.id));
  EXPECT_EQ(sent(it.id), kSecret);
  const auto check_all = [&](std::string_view when) {
    for (const std::string_view secret : {kSecret, std::string_view("2nd-XyZ-qwe-7781-QWE-zyx-9902-uio"),
                                          std::string_view(longer), kPassphrase})
      EXPECT_FALSE(at_rest(secret)) << when;
    EXPECT_FALSE(at_rest(as_text(vault->subkey("key-pepper"))));
  };
  check_all("in the log");
  ASSERT_TRUE(store->scrub());
  check_all("in the file");
  EXPECT_TRUE(at_rest("openai-prod")) << "the search does find what is there";
}

TEST_F(SealingTest, ARowMovedToAnotherCredentialIsCorruptAndHarmsOnlyThatOne) {
  const Credential one = added(openai("one"), "secret-of-one");
  const Credential two = added(openai("two"), "secret-of-two");
  const Credential three = added(openai("three"), "secret-of-three");
  run("UPDATE credential_version SET sealed = (SELECT sealed FROM credential_version WHERE credential = ?1) "
      "WHERE credential = ?2",
      {one.id, two.id});
  EXPECT_EQ(sent(two.id), "corrupt") << "the secret alone";
  run("UPDATE vault_dek SET wrapped = (SELECT wrapped FROM vault_dek WHERE credential = ?1) WHERE credential "
      "= ?2",
      {one.id, two.id});
  EXPECT_EQ(sent(two.id), "corrupt") << "the secret with its data key";
  EXPECT_EQ(sent(one.id), "secret-of-one");
  EXPECT_EQ(sent(three.id), "secret-of-three");
  EXPECT_EQ(vault->list()->size(), 3U);
  EXPECT_EQ(vault->damaged_rows().value(), std::vector<std::string>{two.id + " version 1"});
}

TEST_F(SealingTest, ARowMovedToAnotherVersionIsCorrupt) {
  const Credential it = added(openai(), "first-secret");
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second-secret")));
  run("UPDATE credential_version SET sealed = (SELECT sealed FROM credential_version WHERE number = 1) "
      "WHERE number = 2");
  run("UPDATE vault_dek SET wrapped = (SELECT wrapped FROM vault_dek WHERE number = 1) WHERE number = 2");
  EXPECT_EQ(sent(it.id), "corrupt");
  ASSERT_TRUE(vault->rollback(it.id));
  EXPECT_EQ(sent(it.id), "first-secret");
}

TEST_F(SealingTest, AChangedFieldThatIsBoundIsCorrupt) {
  const Credential it = added(openai());
  const auto changed = [&](std::string_view set, std::string_view back) {
    run(set);
    reopen();
    EXPECT_EQ(sent(it.id, "https://evil.example"), "corrupt") << set;
    run(back);
    EXPECT_EQ(sent(it.id), kSecret) << "and is whole again";
  };
  changed("UPDATE credential SET origins = 'https://evil.example:443'",
          "UPDATE credential SET origins = 'https://api.openai.com:443'");
  changed("UPDATE credential SET origins = origins || ' https://evil.example:443'",
          "UPDATE credential SET origins = 'https://api.openai.com:443'");
  changed("UPDATE credential SET base_url = 'https://evil.example'",
          "UPDATE credential SET base_url = 'https://api.openai.com/v1'");
  changed("UPDATE credential SET environment = 'dev'", "UPDATE credential SET environment = 'prod'");
  changed("UPDATE credential SET provider = 'mistral'", "UPDATE credential SET provider = 'openai'");
  changed("UPDATE credential SET kind = 'admin'", "UPDATE credential SET kind = 'inference'");
}

TEST_F(SealingTest, ADamagedByteHarmsItsRowAlone) {
  const Credential one = added(openai("one"), "secret-of-one");
  const Credential two = added(openai("two"), "secret-of-two");
  for (const std::string_view sql : {"UPDATE credential_version SET sealed = x'00' WHERE credential = ?1",
                                     "UPDATE credential_version SET sealed = NULL WHERE credential = ?1",
                                     "UPDATE vault_dek SET wrapped = zeroblob(60) WHERE credential = ?1",
                                     "UPDATE vault_dek SET term = 2 WHERE credential = ?1",
                                     "DELETE FROM vault_dek WHERE credential = ?1"}) {
    run(sql, {one.id});
    EXPECT_EQ(sent(one.id), "corrupt") << sql;
    EXPECT_EQ(sent(two.id), "secret-of-two");
  }
}

TEST_F(SealingTest, AStateThatCannotBeReadIsShownAndNeverOpened) {
  const Credential one = added(openai("one"), "secret-of-one");
  const Credential two = added(openai("two"), "secret-of-two");
  ASSERT_TRUE(store->write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(tx.script("PRAGMA ignore_check_constraints=ON"));
    TRY_VOID(tx.run("UPDATE credential SET state = 'enablec' WHERE id = ?1", {one.id}));
    TRY_VOID(tx.run("UPDATE credential_version SET sha256 = x'00' WHERE credential = ?1", {two.id}));
    return tx.script("PRAGMA ignore_check_constraints=OFF");
  }));
  EXPECT_EQ(sent(one.id), "corrupt");
  EXPECT_EQ(sent(two.id), "corrupt");
  EXPECT_EQ(code_of(vault->enable(one.id)), "corrupt");
  const std::vector<Credential> all = vault->list().value();
  EXPECT_TRUE(all.at(0).damaged && all.at(1).damaged);
  EXPECT_EQ(vault->damaged_rows()->size(), 2U);
  EXPECT_TRUE(vault->destroy(added(openai("three"), "x").id)) << "the others go on";
}

TEST_F(SealingTest, AStoreIdThatIsAnothersDoesNotOpen) {
  run("UPDATE vault_header SET store_id = 'ffffffffffffffffffffffffffffffff'");
  EXPECT_EQ(code_of(Vault::open(*store, rng, clock, with_passphrase(), arena)), "wrong_passphrase");
}

TEST_F(SealingTest, ADamagedTermIsCorrupt) {
  run("UPDATE vault_term SET wrapped = zeroblob(60)");
  EXPECT_EQ(code_of(Vault::open(*store, rng, clock, with_passphrase(), arena)), "corrupt");
}

TEST_F(SealingTest, EqualSecretsAreSealedDifferently) {
  const Credential one = added(openai("one"));
  const Credential two = added(openai("two"));
  constexpr std::string_view sql = "SELECT sealed FROM credential_version WHERE credential = ?1";
  EXPECT_NE(blob_of(*store, sql, {one.id}), blob_of(*store, sql, {two.id}));
}

TEST_F(SealingTest, DestructionLeavesNoKeyMaterialInAnyFile) {
  std::vector<Credential> all;
  for (int i = 0; i < 120; ++i)
    all.push_back(added(openai("c" + std::to_string(i)), "secret-" + std::to_string(i)));
  const Credential& it = all.at(60);
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second")));
  ASSERT_TRUE(store->scrub());
  std::vector<Bytes> gone;
  for (const std::int64_t number : {1, 2})
    gone.push_back(blob_of(*store, "SELECT wrapped FROM vault_dek WHERE credential = ?1 AND number = ?2",
                           {it.id, number}));
  for (const Bytes& wrapped : gone)
    EXPECT_TRUE(at_rest(as_text(wrapped))) << "the search does find what is there";
  const Credential after = vault->destroy(it.id).value();
  EXPECT_EQ(after.state, CredentialState::destroyed);
  EXPECT_EQ(after.current(), nullptr);
  for (const Bytes& wrapped : gone) EXPECT_FALSE(at_rest(as_text(wrapped)));
  EXPECT_EQ(sent(it.id), "credential_unavailable");
  EXPECT_EQ(sent(all.at(61).id), "secret-61") << "the others keep their keys";
  EXPECT_TRUE(vault->damaged_rows()->empty());
}

TEST_F(SealingTest, DestructionIsFinalEvenForOneWhoEditsTheStore) {
  const Credential it = added(openai());
  ASSERT_TRUE(vault->destroy(it.id));
  run("UPDATE credential SET state = 'enabled'");
  run("UPDATE credential_version SET state = 'current'");
  EXPECT_EQ(sent(it.id), "corrupt");
}

TEST_F(SealingTest, DestructionOfAVersionSparesTheOthers) {
  const Credential it = added(openai());
  ASSERT_TRUE(vault->add_version(it.id, secret_of("second")));
  const Bytes wrapped = blob_of(*store, "SELECT wrapped FROM vault_dek WHERE number = 1", {});
  ASSERT_TRUE(vault->destroy_version(it.id, 1));
  EXPECT_FALSE(at_rest(as_text(wrapped)));
  EXPECT_EQ(sent(it.id), "second");
  ASSERT_TRUE(vault->destroy_version(it.id, 1)) << "asked again: done is done";
  EXPECT_EQ(vault->get(it.id)->versions.at(0).transitions.size(), 3U);
}

TEST(Bound, TellsEveryListOfFieldsApart) {
  std::set<Bytes> seen;
  const auto add = [&](const Bound& bound) {
    seen.insert(Bytes(bound.bytes().begin(), bound.bytes().end()));
  };
  add(Bound("p"));
  add(Bound("p").add(""));
  add(Bound("p").add("").add(""));
  add(Bound("p").add("ab"));
  add(Bound("p").add("a").add("b"));
  add(Bound("pa").add("b"));
  add(Bound("p").add("b").add("a"));
  add(Bound("p").add(std::int64_t{12}));
  add(Bound("p").add(std::int64_t{1}).add(std::int64_t{2}));
  EXPECT_EQ(seen.size(), 9U);
}

}  // namespace
}  // namespace claviger::vault
