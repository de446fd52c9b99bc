// Known answers from the standards, and everything that must not open, verify or compare equal.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/equal.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"
#include "crypto/sign.hpp"

namespace claviger::crypto {
namespace {

Bytes bytes_of(std::string_view digits) { return unhex(digits).value(); }

TEST(Sha256, GivesTheAnswersOfFips180) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  Sha256 hash;
  for (int round = 0; round < 2; ++round) {
    hash.add("abc").add(std::string(100, 'x')).add("");
    EXPECT_EQ(hash.finish(), sha256("abc" + std::string(100, 'x'))) << "round " << round;
  }
}

struct HmacCase {
  std::string_view key, message, mac;
};

// RFC 4231 test cases 1, 3, 4, 6 and 7: keys shorter, equal and longer than a block.
constexpr HmacCase kHmacCases[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};

TEST(Hmac, GivesTheAnswersOfRfc4231) {
  for (const HmacCase& it : kHmacCases)
    EXPECT_EQ(hex(HmacSha256(bytes_of(it.key)).mac(bytes_of(it.message))), it.mac);
  const HmacSha256 long_key{Bytes(131, 0xaa)};
  EXPECT_EQ(hex(long_key.mac("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, OfTheSameObjectStaysTheSame) {
  const HmacSha256 pepper{bytes_of("00112233")};
  const Digest first = pepper.mac("clv_token");
  EXPECT_NE(pepper.mac("clv_tokeN"), first);
  EXPECT_EQ(pepper.mac("clv_token"), first);
  const HmacSha256 copy = pepper;
  EXPECT_EQ(copy.mac("clv_token"), first);
}

TEST(Hkdf, GivesTheAnswersOfRfc5869) {
  std::array<std::uint8_t, 82> out{};
  Bytes key(80), salt(80), info(80);
  for (std::uint8_t i = 0; i < 80; ++i) {
    key[i] = i;
    salt[i] = static_cast<std::uint8_t>(0x60 + i);
    info[i] = static_cast<std::uint8_t>(0xb0 + i);
  }
  hkdf_sha256(key, salt, info, out);
  EXPECT_EQ(hex(out),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f"
            "09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  std::array<std::uint8_t, 42> plain{};
  hkdf_sha256(Bytes(22, 0x0b), {}, {}, plain);
  EXPECT_EQ(hex(plain),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, LabelsGiveDifferentKeys) {
  const Key root{sha256("root")};
  EXPECT_NE(hex(hkdf_key(root, "key-pepper")), hex(hkdf_key(root, "admin-pepper")));
  EXPECT_EQ(hex(hkdf_key(root, "key-pepper")), hex(hkdf_key(root, "key-pepper")));
}

class Aead : public testing::Test {
 protected:
  SeededRng rng{7};
  Key key{sha256("key")};
  Bytes plain = bytes_of("00010203040506070809");
  Bytes sealed = aead_seal(key, plain, as_bytes("bound"), rng);
};

TEST_F(Aead, DoesNotOpenWithAnyBitChanged) {
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    Bytes changed = sealed;
    changed[i / 8] = static_cast<std::uint8_t>(changed[i / 8] ^ (1U << (i % 8)));
    const auto opened = aead_open(key, changed, as_bytes("bound"));
    ASSERT_FALSE(opened) << "bit " << i;
    EXPECT_EQ(opened.error().code, Code::corrupt);
  }
}

TEST_F(Aead, DoesNotOpenWhenCutOrExtended) {
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(aead_open(key, ByteView(sealed).first(size), as_bytes("bound")));
  sealed.push_back(0);
  EXPECT_FALSE(aead_open(key, sealed, as_bytes("bound")));
}

TEST_F(Aead, DoesNotOpenUnderOtherDataOrAnotherKey) {
  EXPECT_FALSE(aead_open(key, sealed, as_bytes("Bound")));
  EXPECT_FALSE(aead_open(key, sealed, {}));
  EXPECT_FALSE(aead_open(Key(sha256("other")), sealed, as_bytes("bound")));
}

TEST_F(Aead, OpensWhatItSealed) {
  const auto opened = aead_open(key, sealed, as_bytes("bound"));
  ASSERT_TRUE(opened);
  EXPECT_TRUE(std::ranges::equal(*opened, plain));
  EXPECT_EQ(sealed.size(), plain.size() + kAeadOverhead);
}

TEST_F(Aead, SealsTheSameTextDifferentlyEachTime) {
  EXPECT_NE(aead_seal(key, plain, as_bytes("bound"), rng), sealed);
}

TEST_F(Aead, SealsNothingToo) {
  const Bytes nothing = aead_seal(key, {}, {}, rng);
  const auto opened = aead_open(key, nothing, {});
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
  EXPECT_FALSE(aead_open(key, nothing, as_bytes("x")));
}

// NIST CAVP gcmEncryptExtIV256, Keylen 256, IVlen 96, PTlen 128, AADlen 128, Taglen 128, count 0.
TEST(AeadKnownAnswer, OpensTheNistVector) {
  const Key key{bytes_of("92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b")};
  const Bytes sealed = bytes_of(
      "ac93a1a6145299bde902f21a"
      "8995ae2e6df3dbf96fac7b7137bae67f"
      "eca5aa77d51d4a0a14d9c51e1da474ab");
  const auto opened = aead_open(key, sealed, bytes_of("1e0889016f67601c8ebea4943bc23ad6"));
  ASSERT_TRUE(opened);
  EXPECT_EQ(hex(*opened), "2d71bcfa914e4ac045b2aa60955fad24");
}

TEST(Argon2id, RefusesACostOutOfBounds) {
  const Bytes salt(kArgon2Salt, 1);
  for (const Argon2Cost cost :
       {Argon2Cost{0, 64}, Argon2Cost{33, 64}, Argon2Cost{1, 7}, Argon2Cost{1, 1U << 21}}) {
    const auto key = argon2id("passphrase", salt, cost);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, Code::invalid_input);
  }
}

TEST(Argon2id, DependsOnPassphraseSaltAndCost) {
  const Bytes salt(kArgon2Salt, 1);
  const auto digits = [](std::string_view passphrase, const Bytes& with, Argon2Cost cost) {
    return hex(*argon2id(passphrase, with, cost));
  };
  const std::string first = digits("passphrase", salt, {1, 64});
  EXPECT_EQ(digits("passphrase", salt, {1, 64}), first);
  EXPECT_NE(digits("passphrasE", salt, {1, 64}), first);
  EXPECT_NE(digits("passphrase", Bytes(kArgon2Salt, 2), {1, 64}), first);
  EXPECT_NE(digits("passphrase", salt, {2, 64}), first);
  EXPECT_NE(digits("passphrase", salt, {1, 128}), first);
}

class Signing : public testing::Test {
 protected:
  SigningKey key = SigningKey::from_seed(sha256("seed"));
  Signature signature = key.sign(as_bytes("checkpoint"));
};

TEST_F(Signing, RefusesAnyChange) {
  EXPECT_FALSE(verify(key.public_key(), as_bytes("checkpoinT"), signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Signature changed = signature;
    changed[i] ^= 1;
    EXPECT_FALSE(verify(key.public_key(), as_bytes("checkpoint"), changed)) << "byte " << i;
  }
  EXPECT_FALSE(
      verify(SigningKey::from_seed(sha256("other")).public_key(), as_bytes("checkpoint"), signature));
  EXPECT_FALSE(verify(PublicKey{}, as_bytes("checkpoint"), signature));
}

TEST_F(Signing, VerifiesWhatTheKeySigned) {
  EXPECT_TRUE(verify(key.public_key(), as_bytes("checkpoint"), signature));
  const SigningKey moved = std::move(key);
  EXPECT_EQ(moved.sign(as_bytes("checkpoint")), signature);
}

TEST(Equal, ComparesEveryByteAndTheLength) {
  const Digest one = sha256("one");
  for (std::size_t i = 0; i < one.size(); ++i) {
    Digest other = one;
    other[i] ^= 0x80;
    EXPECT_FALSE(constant_time_equal(one, other));
  }
  EXPECT_TRUE(constant_time_equal(one, Digest(one)));
  EXPECT_FALSE(constant_time_equal(ByteView(one), ByteView(one).first(31)));
  EXPECT_TRUE(constant_time_equal(ByteView(), ByteView()));
}

TEST(Wiping, LeavesNothingInAString) {
  std::string text = "a secret that is longer than the buffer inside";
  const std::size_t capacity = text.capacity();
  text.resize(3);
  wipe(text);
  EXPECT_TRUE(text.empty());
  text.resize_and_overwrite(capacity, [](char* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(bytes[i], 0);
    return std::size_t{0};
  });
}

TEST(Wiping, LeavesNothingInAKeyThatWasMovedFrom) {
  Key first{sha256("x")};
  const Key second = std::move(first);
  EXPECT_EQ(hex(first), std::string(64, '0'));  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(hex(second), hex(sha256("x")));
}

TEST(SelfTest, Passes) { EXPECT_TRUE(self_test()); }

}  // namespace
}  // namespace claviger::crypto
