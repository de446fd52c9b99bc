// Polynomials over GF(2^8) with the field polynomial of AES, x^8 + x^4 + x^3 + x + 1.
#include "crypto/shamir.hpp"

#include "base/check.hpp"

namespace claviger::crypto {
namespace {

using Byte = std::uint8_t;

// No table and no branch that depends on either factor.
Byte times(Byte a, Byte b) {
  unsigned product = 0;
  unsigned left = a;
  for (int bit = 0; bit < 8; ++bit) {
    product ^= (0U - ((static_cast<unsigned>(b) >> bit) & 1U)) & left;
    left = (left << 1) ^ ((0U - (left >> 7)) & 0x11bU);
  }
  return static_cast<Byte>(product);
}

// a^254; the inverse of 0, which has none, is never asked for.
Byte inverse(Byte a) {
  Byte power = 1;
  for (int i = 0; i < 254; ++i) power = times(power, a);
  return power;
}

// What the value at share `at` weighs in the polynomial's value at 0.
Byte weight(std::span<const Share> shares, std::size_t at) {
  Byte product = 1;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (i == at) continue;
    const Byte apart = static_cast<Byte>(shares[i].index ^ shares[at].index);
    product = times(product, times(shares[i].index, inverse(apart)));
  }
  return product;
}

}  // namespace

std::vector<Share> split_secret(ByteView secret, int threshold, int count, Rng& rng) {
  check(threshold >= 2 && threshold <= count && count <= kSharesMost, "2 <= threshold <= count <= 255");
  std::vector<Share> shares(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i].index = static_cast<Byte>(i + 1);
    shares[i].bytes.resize(secret.size());
  }
  WipedBytes higher(static_cast<std::size_t>(threshold - 1));  // coefficients above the constant
  for (std::size_t at = 0; at < secret.size(); ++at) {
    rng.fill(higher);
    for (Share& share : shares) {
      Byte value = 0;
      for (const Byte coefficient : higher)
        value = times(static_cast<Byte>(value ^ coefficient), share.index);
      share.bytes[at] = static_cast<Byte>(value ^ secret[at]);
    }
  }
  return shares;
}

Result<WipedBytes> join_shares(std::span<const Share> shares) {
  if (shares.empty()) return refuse(Code::invalid_input, "There is no share to join.");
  WipedBytes secret(shares.front().bytes.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].index == 0 || shares[i].bytes.size() != secret.size())
      return refuse(Code::invalid_input, "The shares do not belong together.");
    for (std::size_t k = 0; k < i; ++k)
      if (shares[k].index == shares[i].index)
        return refuse(Code::invalid_input, "One share was given twice.");
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const Byte factor = weight(shares, i);
    for (std::size_t at = 0; at < secret.size(); ++at)
      secret[at] = static_cast<Byte>(secret[at] ^ times(factor, shares[i].bytes[at]));
  }
  return secret;
}

}  // namespace claviger::crypto
