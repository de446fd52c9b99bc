// Git's history and index as scans: what the readers of repositories find, in the form of every report.
#pragma once

#include <string>

#include "base/result.hpp"
#include "scan/git_history.hpp"
#include "scan/inspector.hpp"

namespace claviger::scan {

enum class Submodules : std::uint8_t { left_out, scanned };

// The history of the repository around `path`, and of its checked-out submodules when asked. Errors of
// scan_history.
Result<Outcome> scan_git_history(const std::string& path, const HistoryOptions& options,
                                 Submodules submodules, const Task& task, HistoryProgress& progress);

// What the next commit of the repository around `path` would add or change, read from the index and the
// object database, never from the work tree. `index_file` is what GIT_INDEX_FILE says; empty: the work tree's
// own. A staged file that cannot be read is a problem, so that nothing passes unread.
Result<Outcome> scan_git_staged(const std::string& path, const std::string& index_file, const Task& task);
// Whether there is anything to scan for it.
Result<bool> anything_staged(const std::string& path, const std::string& index_file);

// Where a repository comes from, for reports.
struct Provenance {
  std::string origin;    // URL of the remote "origin", without user and password; may be empty
  std::string revision;  // the commit that is checked out; may be empty
};
Provenance provenance_of(const GitRepository& repository);

}  // namespace claviger::scan
