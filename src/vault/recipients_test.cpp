// Who can open the vault: each recipient by itself, and nobody else.
#include "vault/recipients.hpp"

#include <sys/stat.h>

#include "vault/test_rig.hpp"

namespace claviger::vault {
namespace {

class RecipientsTest : public VaultRig {
 protected:
  void SetUp() override {
    store = store::SqliteStore::open({.path = database()}).value();
    ASSERT_TRUE(store::install(*store, {kSchema}));
  }
  std::string key_file() const { return folder + "/root.key"; }
  Recipients both() const {
    Recipients made = by_passphrase();
    made.key_file = key_file();
    return made;
  }
  Unlock with_key_file() const {
    Unlock made;
    made.key_file = key_file();
    return made;
  }
  std::string_view opening(const Unlock& unlock) {
    return code_of(Vault::open(*store, rng, clock, unlock, arena));
  }
  void write_key_file(std::string_view text) {
    std::filesystem::remove(key_file());
    std::ofstream(key_file()) << text;
    ASSERT_EQ(::chmod(key_file().c_str(), 0600), 0);
  }
};

TEST_F(RecipientsTest, WithoutAnyThereIsNoVault) {
  EXPECT_EQ(code_of(Vault::init(*store, rng, {})), "invalid_input");
  EXPECT_EQ(code_of(Vault::init(*store, rng, by_passphrase("too short"))), "invalid_input");
  EXPECT_EQ(code_of(Vault::init(*store, rng, by_passphrase(std::string(kPassphraseBytes + 1, 'a')))),
            "invalid_input");
  EXPECT_EQ(opening(with_passphrase()), "vault_sealed") << "none was made";
}

TEST_F(RecipientsTest, AVaultIsMadeOnce) {
  ASSERT_TRUE(Vault::init(*store, rng, by_passphrase()));
  EXPECT_EQ(code_of(Vault::init(*store, rng, both())), "conflict");
  EXPECT_FALSE(std::filesystem::exists(key_file())) << "and no key file is left behind";
}

TEST_F(RecipientsTest, AWrongPassphraseDoesNotOpen) {
  ASSERT_TRUE(Vault::init(*store, rng, both()));
  for (const std::string_view text :
       {"correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple", ""})
    EXPECT_EQ(opening(with_passphrase(text)), "wrong_passphrase") << text;
}

TEST_F(RecipientsTest, NothingAtHandLeavesItSealed) {
  ASSERT_TRUE(Vault::init(*store, rng, both()));
  EXPECT_EQ(opening({}), "vault_sealed");
}

TEST_F(RecipientsTest, AKeyFileThatIsNotTheRightOneLeavesItSealed) {
  ASSERT_TRUE(Vault::init(*store, rng, both()));
  std::filesystem::remove(key_file());
  EXPECT_EQ(opening(with_key_file()), "vault_sealed") << "missing";
  for (const std::string& text : {std::string(), std::string(62, '0'), std::string(66, '0'),
                                  std::string(64, 'g'), std::string(64, '0'), std::string(63, '0') + "1\n"}) {
    write_key_file(text);
    EXPECT_EQ(opening(with_key_file()), "vault_sealed") << text;
  }
}

TEST_F(RecipientsTest, AKeyFileThatOthersCanReadIsRefused) {
  ASSERT_TRUE(Vault::init(*store, rng, both()));
  ASSERT_EQ(::chmod(key_file().c_str(), 0640), 0);
  const auto opened = Vault::open(*store, rng, clock, with_key_file(), arena);
  ASSERT_EQ(code_of(opened), "vault_sealed");
  EXPECT_TRUE(told(opened.error()).contains("chmod 600"));
}

TEST_F(RecipientsTest, EachOpensAlone) {
  ASSERT_TRUE(Vault::init(*store, rng, both()));
  struct stat facts{};
  ASSERT_EQ(::stat(key_file().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  auto by_file = Vault::open(*store, rng, clock, with_key_file(), arena);
  auto by_text = Vault::open(*store, rng, clock, with_passphrase(), arena);
  ASSERT_TRUE(by_file && by_text);
  EXPECT_EQ(hex((*by_file)->subkey("key-pepper")), hex((*by_text)->subkey("key-pepper")))
      << "the same root key";
}

TEST_F(RecipientsTest, APassphraseOpensWhenTheKeyFileDoesNot) {
  ASSERT_TRUE(Vault::init(*store, rng, both()));
  std::filesystem::remove(key_file());
  Unlock unlock = with_passphrase();
  unlock.key_file = key_file();
  EXPECT_EQ(opening(unlock), "ok");
}

TEST_F(RecipientsTest, AKeyFileThatExistsIsUsedAndNotReplaced) {
  write_key_file(std::string(64, 'a') + "\n");
  Recipients recipients;
  recipients.key_file = key_file();
  ASSERT_TRUE(Vault::init(*store, rng, recipients));
  EXPECT_EQ(opening(with_key_file()), "ok");
  EXPECT_EQ(code_of(make_key_file(key_file(), rng)), "already_exists");
  std::ifstream file(key_file());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), std::string(64, 'a') + "\n");
}

TEST_F(RecipientsTest, AreAddedAndRemovedButNeverTheLast) {
  ASSERT_TRUE(Vault::init(*store, rng, by_passphrase()));
  reopen();
  EXPECT_EQ(code_of(vault->remove_recipient(1)), "conflict") << "the last";
  EXPECT_EQ(code_of(vault->add_recipient({})), "invalid_input");
  ASSERT_TRUE(vault->add_recipient(by_passphrase("another passphrase for later")));
  EXPECT_EQ(opening(with_passphrase()), "ok");
  EXPECT_EQ(opening(with_passphrase("another passphrase for later")), "ok");
  EXPECT_EQ(code_of(vault->remove_recipient(7)), "not_found");
  ASSERT_EQ(vault->recipients()->size(), 2U);
  EXPECT_EQ(vault->recipients()->at(1).kind, RecipientKind::passphrase);
  ASSERT_TRUE(vault->remove_recipient(1));
  EXPECT_EQ(opening(with_passphrase()), "wrong_passphrase");
  EXPECT_EQ(opening(with_passphrase("another passphrase for later")), "ok");
  for (std::size_t i = 1; i < kRecipients; ++i) ASSERT_TRUE(vault->add_recipient(by_passphrase()));
  EXPECT_EQ(code_of(vault->add_recipient(by_passphrase())), "conflict") << "there is a bound";
}

TEST_F(RecipientsTest, ASlotWhoseCostWasChangedDoesNotOpenNorExhaustMemory) {
  ASSERT_TRUE(Vault::init(*store, rng, by_passphrase()));
  for (const std::string_view sql :
       {"UPDATE vault_recipient SET memory_kib = 128", "UPDATE vault_recipient SET memory_kib = 4000000000",
        "UPDATE vault_recipient SET passes = -1", "UPDATE vault_recipient SET salt = x''"}) {
    run(sql);
    EXPECT_EQ(opening(with_passphrase()), "wrong_passphrase") << sql;
  }
}

TEST_F(RecipientsTest, AFailedStoreMakesNoHalfVault) {
  faulty().fail_write(1, store::Fault::rolled_back);
  EXPECT_EQ(code_of(Vault::init(faulty(), rng, both())), "store_unavailable");
  EXPECT_EQ(opening(with_passphrase()), "vault_sealed");
  ASSERT_TRUE(Vault::init(faulty(), rng, both())) << "with the key file that the first attempt made";
  EXPECT_EQ(opening(with_key_file()), "ok");
}

TEST_F(RecipientsTest, SubkeysDifferByLabelAndByVault) {
  ASSERT_TRUE(Vault::init(*store, rng, by_passphrase()));
  reopen();
  EXPECT_NE(hex(vault->subkey("key-pepper")), hex(vault->subkey("admin-pepper")));
  EXPECT_EQ(hex(vault->subkey("key-pepper")), hex(vault->subkey("key-pepper")));
  const Digest as_digest = vault->subkey("key-pepper");
  auto other = store::SqliteStore::open({}).value();
  ASSERT_TRUE(store::install(*other, {kSchema}));
  ASSERT_TRUE(Vault::init(*other, rng, by_passphrase()));
  auto second = Vault::open(*other, rng, clock, with_passphrase(), arena);
  ASSERT_TRUE(second);
  EXPECT_NE(hex((*second)->subkey("key-pepper")), hex(as_digest));
}

class SharesTest : public RecipientsTest {
 protected:
  std::vector<std::string> split(int threshold, int count) {
    if (!vault) {
      EXPECT_TRUE(Vault::init(*store, rng, by_passphrase()));
      reopen();
    }
    auto lines = vault->split_recipient({threshold, count});
    EXPECT_TRUE(lines) << lines.error().say;
    return lines.value_or(std::vector<std::string>{});
  }
  std::string_view opening_with(const std::vector<std::string>& lines) {
    Unlock unlock;
    for (const std::string& line : lines) unlock.shares.push_back(secret_of(line));
    return opening(unlock);
  }
};

TEST_F(SharesTest, EnoughOfThemOpenAndFewerDoNot) {
  const auto lines = split(3, 5);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(opening_with({lines[4], lines[0], lines[2]}), "ok");
  EXPECT_EQ(opening_with(lines), "ok");
  EXPECT_EQ(opening_with({lines[4], lines[0]}), "vault_sealed");
  EXPECT_EQ(opening_with({lines[0], lines[1], lines[1]}), "invalid_input") << "one twice is not three";
}

TEST_F(SharesTest, AMistypedLetterIsToldApartFromAWrongShare) {
  auto lines = split(2, 3);
  lines[1].back() = lines[1].back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(opening_with({lines[0], lines[1]}), "invalid_input");
  EXPECT_EQ(opening_with({lines[0], "  " + lines[2] + "\r\n"}), "ok") << "space around a line does no harm";
  EXPECT_EQ(opening_with({lines[0], "not a share"}), "invalid_input");
}

TEST_F(SharesTest, ThoseOfAnotherSplitDoNotMixIn) {
  const auto first = split(2, 2);
  const auto second = split(2, 2);
  EXPECT_EQ(opening_with({first[0], second[1]}), "vault_sealed");
  EXPECT_EQ(opening_with({first[0], second[0], second[1]}), "ok");
}

TEST_F(SharesTest, RemovingTheRecipientMakesItsSharesUseless) {
  const auto lines = split(2, 2);
  const auto all = vault->recipients().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(name_of(all[1].kind), "shares");
  EXPECT_EQ(all[1].split.threshold, 2);
  ASSERT_TRUE(vault->remove_recipient(all[1].id));
  EXPECT_EQ(opening_with(lines), "vault_sealed");
}

TEST_F(SharesTest, ASplitHasBounds) {
  ASSERT_TRUE(Vault::init(*store, rng, by_passphrase()));
  reopen();
  for (const auto& [threshold, count] : std::vector<std::pair<int, int>>{{1, 5}, {4, 3}, {2, 17}, {0, 0}})
    EXPECT_EQ(code_of(vault->split_recipient({threshold, count})), "invalid_input")
        << threshold << " of " << count;
  EXPECT_EQ(split(2, 16).size(), 16U);
}

TEST_F(RecipientsTest, AStoreFromBeforeSharesIsBroughtUp) {
  run("DROP TABLE vault_recipient");
  ASSERT_TRUE(store->write([](store::Tx& tx) {
    return tx.script(
        "CREATE TABLE vault_recipient (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind "
        "IN "
        "('key_file', 'passphrase')), salt BLOB NOT NULL, passes INTEGER NOT NULL, memory_kib INTEGER NOT "
        "NULL, "
        "wrapped BLOB NOT NULL) STRICT");
  }));
  // Made by today's code on yesterday's table, which has no columns for shares.
  run("ALTER TABLE vault_recipient ADD COLUMN threshold INTEGER NOT NULL DEFAULT 0");
  run("ALTER TABLE vault_recipient ADD COLUMN shares INTEGER NOT NULL DEFAULT 0");
  ASSERT_TRUE(Vault::init(*store, rng, by_passphrase()));
  run("ALTER TABLE vault_recipient DROP COLUMN threshold");
  run("ALTER TABLE vault_recipient DROP COLUMN shares");
  reopen();
  EXPECT_EQ(vault->recipients()->at(0).id, 1);
  EXPECT_TRUE(vault->split_recipient({2, 3}));
}

}  // namespace
}  // namespace claviger::vault
