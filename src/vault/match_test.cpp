// A leaked secret is recognised by its SHA-256, in every version, and by nothing else that is stored.
#include <algorithm>

#include "crypto/hash.hpp"
#include "vault/test_rig.hpp"

namespace claviger::vault {
namespace {

class MatchTest : public VaultRig {
 protected:
  std::vector<std::int64_t> versions_with(std::string_view secret) {
    const Digest hash = crypto::sha256(secret);
    std::vector<std::int64_t> versions;
    for (const auto found = vault->match(std::span(&hash, 1)).value(); const Vault::Match& match : found) {
      EXPECT_EQ(match.sha256, hash);
      versions.push_back(match.version);
    }
    return versions;
  }
  std::int64_t rows_with(std::string_view blob) {
    std::int64_t count = 0;
    EXPECT_TRUE(store->read([&](store::Tx& tx) -> Result<void> {
      TRY(const auto rows,
          tx.query("SELECT count(*) FROM credential_match WHERE tag = ?1", {store::value(as_bytes(blob))}));
      count = rows.front().integer(0);
      return {};
    }));
    return count;
  }
};

constexpr std::string_view kFirst = "sk-first-0123456789abcdefghijklmnop";
constexpr std::string_view kSecond = "sk-second-0123456789abcdefghijklmno";

TEST_F(MatchTest, an_unknown_hash_matches_nothing) {
  ASSERT_TRUE(vault->add(openai(), secret_of(std::string(kFirst))));
  EXPECT_TRUE(versions_with(kSecond).empty());
  EXPECT_TRUE(versions_with("").empty());
}

TEST_F(MatchTest, every_version_is_recognised_and_a_destroyed_one_still) {
  ASSERT_TRUE(vault->add(openai(), secret_of(std::string(kFirst))));
  ASSERT_TRUE(vault->add_version("openai-prod", secret_of(std::string(kSecond))));
  EXPECT_EQ(versions_with(kFirst), std::vector<std::int64_t>{1});
  EXPECT_EQ(versions_with(kSecond), std::vector<std::int64_t>{2});
  ASSERT_TRUE(vault->destroy("openai-prod"));
  EXPECT_EQ(versions_with(kFirst), std::vector<std::int64_t>{1});
}

TEST_F(MatchTest, the_store_holds_neither_the_hash_nor_anything_that_another_vault_would) {
  ASSERT_TRUE(vault->add(openai(), secret_of(std::string(kFirst))));
  EXPECT_EQ(rows_with(as_text(crypto::sha256(kFirst))), 0);
  EXPECT_EQ(rows_with(as_text(vault->fingerprint(kFirst))), 0);
}

TEST_F(MatchTest, versions_of_before_there_were_tags_are_tagged_when_the_vault_opens) {
  ASSERT_TRUE(vault->add(openai(), secret_of(std::string(kFirst))));
  ASSERT_TRUE(store->write([](store::Tx& tx) -> Result<void> {
    TRY([[maybe_unused]] const std::int64_t gone, tx.run("DELETE FROM credential_match"));
    return {};
  }));
  EXPECT_TRUE(versions_with(kFirst).empty());
  reopen();
  EXPECT_EQ(versions_with(kFirst), std::vector<std::int64_t>{1});
}

TEST_F(MatchTest, what_opens_as_much_by_itself_is_recognised_and_an_id_is_not) {
  const std::string id = "AKIAIOSFODNN7EXAMPL2", half = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYq8Zt4hVx2L";
  const std::string token = "IQoJb3JpZ2luX2VjEXAMPLETOKEN";
  ASSERT_TRUE(vault->add(openai(), secret_of(id + ":" + half + ":" + token)));
  const std::vector<std::int64_t> one{1};
  EXPECT_EQ(versions_with(id + ":" + half + ":" + token), one);
  EXPECT_EQ(versions_with(half), one);
  EXPECT_EQ(versions_with(token), one);
  EXPECT_TRUE(versions_with(id).empty());
  ASSERT_TRUE(vault->add_version("openai-prod", secret_of("client:short")));
  EXPECT_TRUE(versions_with("short").empty());
}

TEST_F(MatchTest, the_private_key_of_a_document_is_recognised_however_its_lines_are_broken) {
  const std::string body(100, 'A'), head = "-----BEGIN PRIVATE KEY-----", end = "-----END PRIVATE KEY-----";
  const std::string pem = head + "\n" + body.substr(0, 64) + "\n" + body.substr(64) + "\n" + end;
  const auto document = [&](const std::string& lines) {
    return R"({"type":"service_account","client_email":"a@b","private_key":")" + head + "\\n" + lines +
           "\\n" + end + R"(\n"})";
  };
  ASSERT_TRUE(vault->add(openai(), secret_of(document(body.substr(0, 64) + "\\n" + body.substr(64)))));
  ASSERT_TRUE(vault->add_version("openai-prod", secret_of(document(body))));
  EXPECT_EQ(versions_with(pem), (std::vector<std::int64_t>{1, 2}));
  EXPECT_TRUE(versions_with(pem + "\n").empty());
}

TEST_F(MatchTest, a_store_of_before_parts_were_recognised_learns_them_and_keeps_what_cannot_be_opened) {
  const std::string half = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYq8Zt4hVx2L";
  ASSERT_TRUE(vault->add(openai(), secret_of("AKIAIOSFODNN7EXAMPL2:" + half)));
  auto other = openai();
  other.name = "gone";
  ASSERT_TRUE(vault->add(other, secret_of(std::string(kFirst))));
  ASSERT_TRUE(vault->destroy("gone"));
  ASSERT_TRUE(store->write([](store::Tx& tx) -> Result<void> {
    return tx.script(
        "CREATE TABLE before (tag BLOB NOT NULL CHECK (length(tag) = 32), credential TEXT NOT NULL, "
        "number INTEGER NOT NULL, PRIMARY KEY (credential, number)) STRICT;"
        "INSERT OR IGNORE INTO before SELECT tag, credential, number FROM credential_match ORDER BY rowid;"
        "DROP TABLE credential_match; ALTER TABLE before RENAME TO credential_match;"
        "CREATE INDEX credential_match_tag ON credential_match (tag)");
  }));
  EXPECT_TRUE(versions_with(half).empty());
  reopen();
  EXPECT_EQ(versions_with(half), std::vector<std::int64_t>{1});
  EXPECT_EQ(versions_with(kFirst), std::vector<std::int64_t>{1});
}

}  // namespace
}  // namespace claviger::vault
