// Shares: enough of them give the secret back, fewer say nothing.
#include "crypto/shamir.hpp"

#include <gtest/gtest.h>

#include <set>

namespace claviger::crypto {
namespace {

const Bytes kSecret{0x00, 0x01, 0x7f, 0x80, 0xff, 0x1b};

std::vector<Share> chosen(const std::vector<Share>& all, unsigned which) {
  std::vector<Share> some;
  for (std::size_t i = 0; i < all.size(); ++i)
    if ((which >> i) & 1U) some.push_back(all[i]);
  return some;
}

bool gives_secret(std::span<const Share> shares) {
  const auto joined = join_shares(shares);
  return joined && Bytes(joined->begin(), joined->end()) == kSecret;
}

TEST(shamir, exactly_the_sets_with_enough_shares_give_the_secret_back) {
  for (int count = 2; count <= 6; ++count) {
    for (int threshold = 2; threshold <= count; ++threshold) {
      SeededRng rng(static_cast<std::uint64_t>(count * 10 + threshold));
      const auto all = split_secret(kSecret, threshold, count, rng);
      for (unsigned which = 1; which < (1U << count); ++which)
        EXPECT_EQ(gives_secret(chosen(all, which)), __builtin_popcount(which) >= threshold)
            << threshold << " of " << count << ", set " << which;
    }
  }
}

TEST(shamir, the_order_of_shares_does_not_matter) {
  SeededRng rng(1);
  auto all = split_secret(kSecret, 3, 5, rng);
  EXPECT_TRUE(gives_secret(std::vector<Share>{all[4], all[0], all[2]}));
}

// With one share short, every value of a secret byte is as likely as any other: over many splits of the same
// secret the last share that is missing takes every value.
TEST(shamir, a_share_alone_takes_every_value_for_the_same_secret) {
  SeededRng rng(7);
  std::set<std::uint8_t> seen;
  for (int i = 0; i < 5'000; ++i) seen.insert(split_secret(Bytes{0x42}, 2, 2, rng)[0].bytes[0]);
  EXPECT_EQ(seen.size(), 256U);
}

TEST(shamir, the_largest_split_works) {
  SeededRng rng(3);
  const auto all = split_secret(kSecret, 255, 255, rng);
  EXPECT_TRUE(gives_secret(all));
  EXPECT_FALSE(gives_secret(std::span(all).first(254)));
}

// f(x) = 0x53 + 0xca x over the field of AES, where 0x53 * 0xca = 1 (FIPS 197): f(1) = 0x99, f(0x53) = 0x52.
TEST(shamir, the_field_is_that_of_aes) {
  const std::vector<Share> shares{{1, {0x99}}, {0x53, {0x52}}};
  const auto joined = join_shares(shares);
  ASSERT_TRUE(joined);
  EXPECT_EQ((*joined)[0], 0x53);
}

TEST(shamir, shares_that_cannot_belong_together_are_refused) {
  EXPECT_EQ(join_shares({}).error().code, Code::invalid_input);
  const std::vector<Share> twice{{1, {1}}, {1, {2}}};
  EXPECT_EQ(join_shares(twice).error().code, Code::invalid_input);
  const std::vector<Share> lengths{{1, {1}}, {2, {2, 3}}};
  EXPECT_EQ(join_shares(lengths).error().code, Code::invalid_input);
  const std::vector<Share> zero{{0, {1}}, {2, {2}}};
  EXPECT_EQ(join_shares(zero).error().code, Code::invalid_input);
}

}  // namespace
}  // namespace claviger::crypto
