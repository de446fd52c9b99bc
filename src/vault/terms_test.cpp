// Replacing the key-encryption key while secrets are in use.
#include <atomic>
#include <thread>

#include "vault/test_rig.hpp"

namespace claviger::vault {
namespace {

class TermsTest : public VaultRig {
 protected:
  std::string wrapped_keys() {
    std::string all;
    EXPECT_TRUE(store->read([&](store::Tx& tx) -> Result<void> {
      TRY(const auto rows, tx.query("SELECT wrapped FROM vault_dek ORDER BY credential, number"));
      for (const store::Row& row : rows) all += hex(row.blob(0));
      return {};
    }));
    return all;
  }
};

TEST_F(TermsTest, ARekeyWrapsEveryDataKeyAnewAndDropsTheOldTerm) {
  const Credential first = added(openai());
  const Credential second = added(openai("another"), "sk-proj-another-secret-of-some-length-0123456789");
  ASSERT_TRUE(vault->add_version(first.id, secret_of("sk-proj-the-next-secret-of-the-first-0123456789")));
  const std::string before = wrapped_keys();
  const auto done = vault->rekey();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->term, 2);
  EXPECT_EQ(done->rewrapped, 3);
  EXPECT_EQ(done->dropped, std::vector<std::int64_t>{1});
  EXPECT_TRUE(done->damaged.empty());
  EXPECT_NE(wrapped_keys(), before);
  reopen();
  EXPECT_EQ(sent(first.id), "sk-proj-the-next-secret-of-the-first-0123456789");
  EXPECT_EQ(sent(second.id), "sk-proj-another-secret-of-some-length-0123456789");
  const auto terms = vault->terms().value();
  ASSERT_EQ(terms.size(), 1U);
  EXPECT_EQ(terms[0].term, 2);
  EXPECT_EQ(terms[0].versions, 3);
  EXPECT_TRUE(vault->damaged_rows()->empty());
}

TEST_F(TermsTest, WhatIsAddedAfterwardsLiesUnderTheNewTerm) {
  ASSERT_TRUE(vault->rekey());
  const Credential late = added(openai());
  reopen();
  EXPECT_EQ(sent(late.id), kSecret);
  EXPECT_EQ(vault->terms()->at(0).versions, 1);
}

TEST_F(TermsTest, ARekeyThatTheStoreRefusesChangesNothing) {
  const Credential it = added(openai());
  const std::string before = wrapped_keys();
  for (const store::Fault fault : {store::Fault::before, store::Fault::rolled_back}) {
    faulty().fail_write(1, fault);
    EXPECT_EQ(code_of(vault->rekey()), "store_unavailable");
    EXPECT_EQ(wrapped_keys(), before);
    const Credential other =
        added(openai("after-" + std::to_string(static_cast<int>(fault))),
              "sk-proj-made-after-a-failed-rekey-" + std::to_string(static_cast<int>(fault)));
    reopen();
    EXPECT_EQ(sent(it.id), kSecret);
    EXPECT_TRUE(sent(other.id).starts_with("sk-proj-made-after"));
    ASSERT_TRUE(vault->destroy(other.id));
  }
}

TEST_F(TermsTest, ARekeyWhoseCommitWasNotAcknowledgedCanBeRepeated) {
  const Credential it = added(openai());
  faulty().fail_write(1, store::Fault::after_commit);
  EXPECT_EQ(code_of(vault->rekey()), "store_unavailable");
  EXPECT_EQ(vault->rekey()->term, 3);
  reopen();
  EXPECT_EQ(sent(it.id), kSecret);
}

TEST_F(TermsTest, ADamagedRowStaysUnderItsTermAndTheOthersMove) {
  const Credential good = added(openai());
  const Credential bad = added(openai("bad"), "sk-proj-this-one-is-going-to-be-damaged-0123");
  run("UPDATE vault_dek SET wrapped = zeroblob(length(wrapped)) WHERE credential = ?1", {bad.id});
  const auto done = vault->rekey();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->rewrapped, 1);
  EXPECT_EQ(done->damaged, std::vector<std::string>{bad.id + " version 1"});
  EXPECT_TRUE(done->dropped.empty()) << "something still lies under the old term";
  reopen();
  EXPECT_EQ(sent(good.id), kSecret);
  EXPECT_EQ(sent(bad.id), "corrupt");
}

TEST_F(TermsTest, SecretsStayUsableWhileTheyAreWrappedAnew) {
  const Credential it = added(openai());
  std::atomic<bool> over{false};
  std::atomic<int> wrong{0};
  std::thread user([&] {
    while (!over) {
      std::string out;
      const auto done = vault->append_secret(it.id, kOrigin, out, gate::Injector::access());
      if (!done || out != kSecret) ++wrong;
      if (!vault->damaged_rows().value_or(std::vector<std::string>{"unread"}).empty()) ++wrong;
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(vault->rekey());
  over = true;
  user.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace claviger::vault
