// The whole history of a repository, scanned: every object once, then the commits that carry what was found.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "detect/engine.hpp"
#include "scan/git_problem.hpp"
#include "scan/git_repository.hpp"
#include "scan/inspector.hpp"

namespace claviger::scan {

struct HistoryOptions {
  bool all_objects = false;             // unreachable objects and reflogs too
  std::vector<std::string> branches{};  // only commits that these reach; empty: all refs
  std::string range{};                  // "A..B", "A.." or "..B": only commits that B reaches and A does not
  std::optional<std::int64_t> since_s{};  // only commits committed at this Unix time or later
  Archives archives = Archives::as_bytes;
  bool promised_is_error = false;  // a partial clone's missing objects are problems, not a count
  unsigned threads = 1;
  std::size_t memory = limits::kScanMemory;  // anonymous; what is mapped does not count
};

// Counts that another thread may read while the scan runs.
struct HistoryProgress {
  enum class Phase : std::uint8_t { objects, commits, places };
  std::atomic<Phase> phase{Phase::objects};
  std::atomic<std::uint64_t> done{0};   // bytes of objects (or their number), commits, or places
  std::atomic<std::uint64_t> total{0};  // 0: not known
};

struct HistoryCommit {
  ObjectId id;
  std::string author, email;
  std::int64_t time_s = 0;  // the author's, Unix time
  int zone_minutes = 0;     // east of UTC
};

// RFC 3339, in the author's zone: "2026-11-24T21:00:00+01:00".
std::string date_text(const HistoryCommit& commit);

enum class HistoryKind : std::uint8_t { file, commit_message, tag_message, loose_end };

// One place where a secret stood: the same secret at the same path, and the same one of several in the file,
// is one place, however many commits carry it and whatever line it moved to.
struct HistoryPlace {
  HistoryKind kind = HistoryKind::file;
  ObjectId object;   // the blob, commit or tag that `hit` is in
  std::string path;  // of a file; of a loose end what stands in an archive: "!/inner"
  // The first commit, parents before children, whose tree has it, and the last one. No value for a tag
  // message and for a loose end: a blob that no commit's tree leads to.
  std::optional<HistoryCommit> first, last;
  bool still_in_head = false;  // of a message: whether HEAD's history holds it
  detect::Hit hit;
  LinePlace at;  // from 1, of `hit` in its file; the column counts bytes
};

struct HistoryReport {
  std::vector<HistoryPlace> places;  // by path, first commit, line
  std::vector<GitProblem> problems;  // the first limits::kGitProblems
  std::uint64_t problem_count = 0;
  std::vector<std::string> notes;  // for people: a shallow clone, promised objects that are not here
  std::uint64_t objects = 0;       // scanned
  std::uint64_t bytes = 0;         // of them
  std::uint64_t commits = 0;       // that count
  std::uint64_t missing = 0;       // objects that a remote has promised and that are not here
  std::uint64_t allowed = 0;       // secrets left out because of a comment, once a version of their file
};

// Refuses with invalid_input a range or branch that names nothing, with io_failed or corrupt a repository
// that cannot be opened at all. Everything else that cannot be read is a problem of the report.
Result<HistoryReport> scan_history(const GitRepository& repository, const HistoryOptions& options,
                                   const std::shared_ptr<const detect::Engine>& engine,
                                   HistoryProgress& progress);

}  // namespace claviger::scan
