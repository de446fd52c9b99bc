// .claviger-ignore: findings that somebody looked at and accepted, bound to their content.
//
// One entry a line, sorted, so that two branches that add entries merge by themselves:
//     key ID BASE64                                a random key of this repository
//     HASH RULE EXPIRY AUTHOR REASON...            HASH = HMAC-SHA-256(key, rule, secret), 128 bits in hex
// EXPIRY is a date or "never"; REASON "-" means that nobody has looked yet. An entry follows its secret
// through moved lines, renamed files and rewritten commits, and covers no other secret. The key keeps hashes
// of two repositories apart, makes tables of guesses useless, and lets reports quote fingerprints that tell
// nothing by themselves. Who reads the file can try guesses, as can who reads the repository; API keys do
// not yield to guessing. Two branches that each made the file keep both keys: entries are tried under each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/hmac.hpp"
#include "scan/finding.hpp"

namespace claviger::scan {

inline constexpr std::string_view kIgnoreFileName = ".claviger-ignore";

struct IgnoreEntry {
  std::string hash;  // 32 hex digits
  std::string rule;
  Time expires = kNever;
  std::string author;
  std::string reason;      // empty: nobody has looked yet
  std::uint64_t used = 0;  // findings it covered
};

class IgnoreFile {
 public:
  // Refuses with configuration a line that it cannot read, saying which and why: an entry that is silently
  // dropped would come back as an alarm, one that is silently widened would hide a leak.
  static Result<IgnoreFile> parse(std::string_view text);
  static IgnoreFile fresh(Rng& rng);  // with a key of its own

  // The file's text: what parse() reads, sorted.
  std::string text() const;

  // Whether an unexpired entry covers it; counts its use.
  bool covers(std::string_view rule, std::string_view secret, Time now);
  // Adds an entry, or replaces the one of the same rule and secret.
  void add(std::string_view rule, std::string_view secret, IgnoreEntry entry);

  const std::vector<IgnoreEntry>& entries() const { return entries_; }
  // The key of fingerprints in reports.
  const crypto::HmacSha256& fingerprint_key() const { return keys_.front().mac; }

 private:
  struct NamedKey {
    std::string id;      // 8 hex digits
    std::string base64;  // 32 bytes
    crypto::HmacSha256 mac;
  };
  IgnoreFile() = default;
  IgnoreEntry* find(std::string_view rule, std::string_view secret);
  Result<void> parse_key(std::string_view line);
  Result<void> parse_entry(std::string_view line);

  std::vector<NamedKey> keys_;        // sorted by id, at least one
  std::vector<IgnoreEntry> entries_;  // sorted by hash
};

// Sentences about entries that are expired, unaudited or matched nothing. `whole` says whether the scan saw
// all there is, so that an entry that matched nothing is stale.
enum class Coverage : std::uint8_t { part, whole };
std::vector<std::string> remarks(const IgnoreFile& file, Time now, Coverage coverage);

}  // namespace claviger::scan
