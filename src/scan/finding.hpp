// What a scan gives back: findings, each at one place, what could not be read, and counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "detect/rule.hpp"

namespace claviger::scan {

using detect::Severity;
using detect::severity_name;

// What the inventory says about a secret: ours, and in which state.
struct Known {
  std::string kind;  // "credential" or "key"
  std::string id, name, owner, state, environment;
  std::int64_t version = 0;  // 0: not told
};

// What the provider said when it was asked; "unknown" unless its answer proves something.
struct Asked {
  std::string verdict;
  std::string why;
};

// One place where a secret stands.
struct Finding {
  std::string rule, provider;
  Severity severity = Severity::medium;
  std::string about;   // what the rule finds, in a few words
  std::string advice;  // what to do next at its provider
  std::string file;    // relative to what was scanned; outer.zip!/inner in an archive
  std::int64_t line = 0;
  std::int64_t column = 0;  // both from 1; the column counts bytes
  std::int64_t end_line = 0;
  std::string secret;
  Digest sha256{};         // of the secret
  bool validated = false;  // proven by its own structure
  std::optional<Known> known;
  std::optional<Asked> asked;

  // Of history and staged scans; empty elsewhere.
  std::string commit, author, email, date;
  std::string first_commit, last_commit;
  std::optional<bool> still_in_head;
};

// By file, then place in it, then rule: the order of every report.
bool before(const Finding& a, const Finding& b);
// The secret as it may be shown: its public prefix and its last letters, or nothing but stars when short.
std::string redacted(std::string_view secret);

// Something that was to be scanned and was not, or not whole.
struct Problem {
  std::string what;  // file, object or ref
  std::string why;
};

// What was left out on purpose, and how often.
struct Skipped {
  std::uint64_t repositories = 0;  // .git folders
  std::uint64_t links = 0;         // symbolic links
  std::uint64_t special = 0;       // sockets, pipes, devices
  std::uint64_t ignored = 0;       // findings, by .claviger-ignore
  std::uint64_t baselined = 0;     // findings, by --baseline
  std::uint64_t allowed = 0;       // findings, by allowlists and by comments in the text
};

struct Stats {
  std::uint64_t bytes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t files = 0;
  std::uint64_t errors = 0;
  double seconds = 0;
};

struct Outcome {
  std::vector<Finding> findings;
  std::vector<Problem> problems;   // at most limits::kScanProblems; stats.errors counts all
  std::vector<std::string> notes;  // for people: stale ignores and the like
  Stats stats;
  Skipped skipped;
  bool cut_short = false;  // there are more findings than are listed

  void problem(std::string what, std::string why);
  // Whether one more finding is kept: at most limits::kScanFindings are. The first that is not is told as a
  // problem of `what`.
  bool has_room(const std::string& what);
  // Adds what another thread found.
  void merge(Outcome other);
};

}  // namespace claviger::scan
