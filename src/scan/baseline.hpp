// Findings that were known before, as other scanners and earlier reports wrote them down (--baseline).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "scan/finding.hpp"

namespace claviger::scan {

// Reads, told apart by their content: Claviger's own JSON report, gitleaks' JSON report, detect-secrets'
// .secrets.baseline, and .gitleaksignore. An entry that holds its secret, or a hash of it, covers that secret
// wherever it moves. One that has only a place (.gitleaksignore, a redacted report) covers whatever is found
// there: `by_place` counts those, so that people can be told.
class Baseline {
 public:
  // Adds a file's entries. Refuses with configuration when it is none of these.
  Result<void> add(std::string_view text, std::string_view name);
  bool covers(const Finding& finding) const;

  std::size_t size() const { return secrets_.size() + hashed_.size() + places_.size(); }
  std::size_t by_place() const { return places_.size(); }

 private:
  using Sha1Digest = std::array<std::uint8_t, 20>;
  struct Place {
    std::string file;    // as written, "./" cut off
    std::string commit;  // empty: any
  };
  Result<void> add_json(std::string_view text, std::string_view name);
  void add_place(std::string_view file, std::int64_t line, std::string_view commit);
  // commit:file:rule:line or file:rule:line; false when it is neither.
  bool add_fingerprint(std::string_view line);

  std::set<Digest> secrets_;                             // SHA-256
  std::set<std::pair<Sha1Digest, std::string>> hashed_;  // SHA-1 and file
  std::multimap<std::int64_t, Place> places_;            // by line
};

}  // namespace claviger::scan
