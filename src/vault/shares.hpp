// Break-glass shares as people keep them, one line of text each: clvs1-SET-THRESHOLD-INDEX-HEX-CRC32.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "crypto/aead.hpp"
#include "crypto/shamir.hpp"

namespace claviger::vault {

inline constexpr int kShareThresholdLeast = 2;
inline constexpr int kShareCountMost = 16;

// How a key is split: any `threshold` of `count` shares give it back.
struct Split {
  int threshold = 3;
  int count = 5;
};
// invalid_input with the bounds.
Result<void> check_split(const Split& split);

// The lines, for the caller to show once and to wipe. `set` (8 hex digits) tells shares of one split from
// others'.
std::vector<std::string> write_shares(std::string_view set, int threshold,
                                      const std::vector<crypto::Share>& shares);

// The key of the split called `set`, from those of `lines` that belong to it; the others are left out.
// invalid_input names the line that is no share, was mistyped or stands twice; vault_sealed when there are
// fewer than the threshold, with how many are missing.
Result<crypto::Key> join_lines(std::string_view set, const std::vector<Secret>& lines,
                               const SecretAccess& access);

}  // namespace claviger::vault
