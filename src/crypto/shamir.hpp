// Splits a secret so that any `threshold` of its shares give it back, and fewer tell nothing about it
// (Shamir, over GF(2^8), a polynomial a byte).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/wipe.hpp"

namespace claviger::crypto {

inline constexpr int kSharesMost = 255;

struct Share {
  std::uint8_t index = 0;  // 1..255: where the polynomials were looked at
  WipedBytes bytes;        // as long as the secret
};

// `count` shares with indexes 1 to `count`; 2 <= threshold <= count <= kSharesMost. Runs in time that does
// not depend on the secret.
std::vector<Share> split_secret(ByteView secret, int threshold, int count, Rng& rng);

// The secret of which these are shares, if there are enough of them: too few or wrong ones give another
// value, which only who uses it can tell. invalid_input when two have one index or lengths differ.
Result<WipedBytes> join_shares(std::span<const Share> shares);

}  // namespace claviger::crypto
