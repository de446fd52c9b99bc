// Tokens: what is refused, and that what is minted is read back.
#include "identity/token.hpp"

#include <gtest/gtest.h>

#include <set>

namespace claviger::identity {
namespace {

TEST(Token, a_token_with_any_single_character_changed_is_refused) {
  SeededRng rng(1);
  const Minted minted = mint(TokenKind::key, rng);
  for (std::size_t i = 0; i < minted.token.size(); ++i) {
    std::string changed = minted.token;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(parse_token(changed)) << "position " << i;
  }
}

TEST(Token, a_token_cut_or_lengthened_is_refused) {
  SeededRng rng(2);
  const Minted minted = mint(TokenKind::key, rng);
  for (std::size_t i = 0; i < minted.token.size(); ++i) EXPECT_FALSE(parse_token(minted.token.substr(0, i)));
  EXPECT_FALSE(parse_token(minted.token + "0"));
  EXPECT_FALSE(parse_token(" " + minted.token));
  EXPECT_FALSE(parse_token(""));
}

TEST(Token, provider_keys_and_other_strings_are_refused_as_unknown) {
  for (const auto* text : {"sk-proj-abcdef", "clv_", "clva_", "clv_000000000000_0", "Bearer clv_x"}) {
    const auto parsed = parse_token(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::unknown_key);
  }
}

TEST(Token, what_is_minted_is_read_back_with_its_kind_and_id) {
  SeededRng rng(3);
  for (const TokenKind kind : {TokenKind::key, TokenKind::admin}) {
    const Minted minted = mint(kind, rng);
    const auto parsed = parse_token(minted.token);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->kind, kind);
    EXPECT_EQ(parsed->id, minted.id);
    EXPECT_EQ(minted.token.size(), (kind == TokenKind::key ? 4U : 5U) + 12 + 1 + 43 + 6);
  }
}

// The checksum is part of what scanners and other programs rely on: this form must not drift.
TEST(Token, the_form_is_the_documented_one) {
  SeededRng rng(4);
  const std::string token = mint(TokenKind::key, rng).token;
  const std::string before = token.substr(0, token.size() - 6);
  std::uint32_t crc = crc32(before);
  std::string digits(6, '0');
  for (std::size_t i = 6; i-- > 0; crc /= 62)
    digits[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[crc % 62];
  EXPECT_EQ(token.substr(token.size() - 6), digits);
  EXPECT_TRUE(token.starts_with("clv_"));
  EXPECT_EQ(token[16], '_');
}

TEST(Token, a_rotated_token_keeps_the_id_and_shares_nothing_else) {
  SeededRng rng(5);
  const Minted first = mint(TokenKind::key, rng);
  const std::string second = mint_for(TokenKind::key, first.id, rng);
  EXPECT_EQ(parse_token(second)->id, first.id);
  EXPECT_NE(first.token.substr(17), second.substr(17));
}

TEST(Token, ten_thousand_ids_and_secrets_do_not_repeat) {
  SeededRng rng(6);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const Minted minted = mint(TokenKind::key, rng);
    EXPECT_TRUE(is_id(minted.id));
    EXPECT_TRUE(seen.insert(minted.id).second);
    EXPECT_TRUE(seen.insert(minted.token.substr(17, 43)).second);
  }
}

TEST(Token, the_digest_depends_on_the_pepper) {
  const crypto::HmacSha256 one(as_bytes("pepper one"));
  const crypto::HmacSha256 two(as_bytes("pepper two"));
  EXPECT_NE(digest(one, "clv_x"), digest(two, "clv_x"));
  EXPECT_EQ(digest(one, "clv_x"), digest(one, "clv_x"));
}

}  // namespace
}  // namespace claviger::identity
