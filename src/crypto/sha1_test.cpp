// Tests of SHA-1 against published answers.
#include "crypto/sha1.hpp"

#include <gtest/gtest.h>

namespace claviger::crypto {
namespace {

TEST(Sha1, gives_the_answers_of_fips_180) {
  Sha1 hash;
  EXPECT_EQ(hex(hash.finish()), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(hash.add("abc").finish()), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(hash.add("abcdbcdecdefdefgefghfghighijhijk").add("ijkljklmklmnlmnomnopnopq").finish()),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

}  // namespace
}  // namespace claviger::crypto
