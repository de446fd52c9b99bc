// claviger scan: what was asked for, and the steps from there to the exit code.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli.hpp"
#include "base/clock.hpp"
#include "detect/engine.hpp"
#include "scan/finding.hpp"
#include "scan/report.hpp"
#include "scan/suppression.hpp"

namespace claviger::app {

struct ScanAsked {
  std::string path = ".";
  bool history = false, staged = false, from_stdin = false;
  bool all_objects = false, submodules = false, archives = false;
  bool follow = false, redact = false, reveal = false;
  bool report_leaks = false, verify = false, no_progress = false;
  std::string since, range, format = "text", output, config, severity = "low", match, memory;
  std::vector<std::string> branches, baselines, rules, verify_bases;
  unsigned threads = 0;  // 0: one a core
};

// Carries out a scan; 0 nothing found, 1 findings, 2 usage, 3 not all could be scanned.
int run_scan(const ScanAsked& asked, Terminal& terminal);

// The engine of the built-in rules, or of what --config and --rule make of them.
Result<std::shared_ptr<const detect::Engine>> scan_engine(const std::string& config,
                                                          const std::vector<std::string>& rules);
Result<detect::Ruleset> scan_rules(const std::string& config, const std::vector<std::string>& rules);
// All of a file; invalid_input when it cannot be read or is larger than `most`.
Result<std::string> read_whole(const std::string& path, std::size_t most);
// Puts `text` in the place of the file as one step.
Result<void> write_whole(const std::string& path, std::string_view text, mode_t mode);

// The folder whose .claviger-ignore counts for a scan of `path`: `path`, or the nearest one above it that
// holds the file, up to the repository's root; the root, or `path` outside of git, when none does.
std::string ignore_folder(const std::string& path);
// That folder's file; nothing when there is none.
Result<std::optional<scan::IgnoreFile>> load_ignores(const std::string& folder);

// Asks the inventory which secrets are ours (--match) and fills `known`.
Result<void> match_findings(const std::string& where, std::vector<scan::Finding>& findings);
// Sends what was found to the server as leaks (--report).
Result<void> report_findings(const std::string& where, const std::vector<scan::Finding>& findings);
// Asks the providers (--verify) and fills `asked`. `bases` are NAME=URL for tests and private gateways.
Result<void> verify_findings(const std::vector<std::string>& bases, std::vector<scan::Finding>& findings,
                             std::ostream& err);

}  // namespace claviger::app
