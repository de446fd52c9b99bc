// A leaked token is recognised by its SHA-256, today's and those before it.
#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "identity/key.hpp"
#include "identity/token.hpp"
#include "store/sqlite.hpp"

namespace claviger::identity {
namespace {

class KeyMatchTest : public testing::Test {
 protected:
  void SetUp() override {
    store = std::move(store::SqliteStore::open({})).value();
    ASSERT_TRUE(store::install(*store, {kKeySchema}));
    keys = std::make_unique<Keys>(*store, rng, clock, crypto::HmacSha256(as_bytes("pepper")));
  }
  Issued issue() {
    KeyDraft draft;
    draft.id = fresh_id(rng);
    draft.name = "app";
    draft.project = "search";
    draft.environment = "dev";
    return keys->create(draft).value();
  }
  std::vector<Keys::Match> found(std::string_view token) {
    const Digest hash = crypto::sha256(token);
    return keys->match(std::span(&hash, 1)).value();
  }

  SeededRng rng{7};
  SystemClock clock;
  std::unique_ptr<store::SqliteStore> store;
  std::unique_ptr<Keys> keys;
};

TEST_F(KeyMatchTest, a_token_that_was_never_issued_matches_nothing) {
  issue();
  EXPECT_TRUE(found(mint(TokenKind::key, rng).token).empty());
}

TEST_F(KeyMatchTest, each_token_of_a_key_is_recognised_and_only_the_last_is_the_newest) {
  const Issued first = issue(), other = issue();
  const Issued second = keys->rotate(first.key.id, std::chrono::nanoseconds(0)).value();
  ASSERT_EQ(found(first.token).size(), 1U);
  EXPECT_EQ(found(first.token).front().key, first.key.id);
  EXPECT_EQ(found(first.token).front().number, 1);
  EXPECT_FALSE(found(first.token).front().newest);
  EXPECT_EQ(found(second.token).front().number, 2);
  EXPECT_TRUE(found(second.token).front().newest);
  EXPECT_EQ(found(other.token).front().key, other.key.id);
}

TEST_F(KeyMatchTest, the_store_holds_no_hash_that_a_guess_could_be_held_against) {
  const Issued issued = issue();
  const Digest hash = crypto::sha256(issued.token);
  EXPECT_TRUE(store->read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT tag FROM key_match"));
    EXPECT_EQ(rows.size(), 1U);
    EXPECT_NE(as_text(rows.front().blob(0)), as_text(hash));
    EXPECT_NE(as_text(rows.front().blob(0)), as_text(issued.key.digest));
    return {};
  }));
}

}  // namespace
}  // namespace claviger::identity
