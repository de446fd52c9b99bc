// From places in a repository to findings.
#include "scan/git_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "scan/git_index.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kStagedCache = 32 * 1024 * 1024;  // bases of deltas, which staged files seldom are

// How a place that is no file is called.
std::string file_of(const HistoryPlace& place) {
  switch (place.kind) {
    case HistoryKind::file:
      return place.path;
    case HistoryKind::commit_message:
      return fmt::format("commit:{}", place.object.hex());
    case HistoryKind::tag_message:
      return fmt::format("tag:{}", place.object.hex());
    case HistoryKind::loose_end:
      break;
  }
  return fmt::format("blob:{}{}", place.object.hex(), place.path);
}

Finding finding_at(const detect::Ruleset& rules, HistoryPlace place, const std::string& prefix) {
  Finding finding = finding_of(rules.at(place.hit.rule), std::move(place.hit));
  finding.file = prefix + file_of(place);
  finding.line = place.at.line;
  finding.column = place.at.column;
  finding.end_line = place.at.end_line;
  finding.still_in_head = place.still_in_head;
  if (place.first) {
    finding.commit = finding.first_commit = place.first->id.hex();
    finding.author = place.first->author;
    finding.email = place.first->email;
    finding.date = date_text(*place.first);
  }
  if (place.last) finding.last_commit = place.last->id.hex();
  return finding;
}

void add_problems(Outcome& outcome, std::vector<GitProblem> problems, std::uint64_t count,
                  const std::string& prefix) {
  const std::uint64_t unnamed = count - std::min<std::uint64_t>(count, problems.size());
  for (GitProblem& problem : problems) outcome.problem(prefix + problem.what, std::move(problem.why));
  outcome.stats.errors += unnamed;
}

Outcome outcome_of(HistoryReport report, const Task& task, const std::string& prefix) {
  Outcome outcome;
  for (HistoryPlace& place : report.places) {
    if (task.engine->rules().at(place.hit.rule).severity < task.least) continue;
    if (!outcome.has_room(prefix)) break;
    outcome.findings.push_back(finding_at(task.engine->rules(), std::move(place), prefix));
  }
  add_problems(outcome, std::move(report.problems), report.problem_count, prefix);
  outcome.notes = std::move(report.notes);
  outcome.stats.blobs = report.objects;
  outcome.stats.bytes = report.bytes;
  outcome.skipped.allowed = report.allowed;
  return outcome;
}

// "name=value" below [section "sub"] of a git configuration; the last one counts.
std::string config_value(std::string_view text, std::string_view section, std::string_view name) {
  std::string found;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    line.remove_prefix(begin);
    if (line.starts_with('[')) inside = line.starts_with(section);
    const std::size_t equals = line.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    const std::size_t key = line.find_last_not_of(" \t", equals - 1);
    if (key == std::string_view::npos || line.substr(0, key + 1) != name) continue;
    const std::size_t value = std::min(line.find_first_not_of(" \t", equals + 1), line.size());
    found = line.substr(value);
  }
  while (!found.empty() && (found.back() == '\r' || found.back() == ' ')) found.pop_back();
  return found;
}

// Tokens are put into URLs of remotes; they have no place in a report.
std::string without_user(std::string url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t host = scheme + 3, end = std::min(url.find('/', host), url.size());
  const std::size_t at = url.rfind('@', end);
  if (at != std::string::npos && at >= host) url.erase(host, at + 1 - host);
  return url;
}

}  // namespace

Result<Outcome> scan_git_history(const std::string& path, const HistoryOptions& options,
                                 Submodules submodules, const Task& task, HistoryProgress& progress) {
  TRY(const GitRepository repository, GitRepository::open(path));
  TRY(HistoryReport report, scan_history(repository, options, task.engine, progress));
  Outcome all = outcome_of(std::move(report), task, "");
  if (submodules == Submodules::scanned) {
    HistoryOptions whole = options;  // names of commits mean nothing in another repository
    whole.branches.clear();
    whole.range.clear();
    GitProblems problems;
    const std::vector<std::string> folders = repository.submodules(problems);
    const std::uint64_t count = problems.count();
    add_problems(all, problems.take(), count, "");
    for (const std::string& folder : folders) {
      const std::string prefix = folder.substr(folder.rfind("/modules/") + 9) + "/";
      const auto inner = GitRepository::open(folder);
      auto found = inner ? scan_history(*inner, whole, task.engine, progress)
                         : Result<HistoryReport>(std::unexpected(inner.error()));
      if (found)
        all.merge(outcome_of(std::move(*found), task, prefix));
      else
        all.problem(prefix, std::string(told(found.error())));
    }
  }
  std::ranges::sort(all.findings, before);
  return all;
}

Result<Outcome> scan_git_staged(const std::string& path, const std::string& index_file, const Task& task) {
  TRY(const GitRepository repository, GitRepository::open(path));
  GitProblems problems;
  TRY(const auto objects, repository.objects(problems));
  ObjectReader reader(*objects, kStagedCache, limits::kGitObject);
  TRY(const std::vector<StagedFile> files, staged_files(repository, reader, index_file));
  Inspector inspector(task);
  Outcome& outcome = inspector.outcome();
  for (const StagedFile& file : files) {
    const auto object = reader.read(file.id);
    if (!object) {
      const Error& error = object.error();
      outcome.problem(file.path, error.detail.empty() ? std::string(told(error)) : error.detail);
      continue;
    }
    ++outcome.stats.files;
    ++outcome.stats.blobs;
    inspector.bytes(as_text(*object->bytes), file.path);
  }
  const std::uint64_t count = problems.count();
  add_problems(outcome, problems.take(), count, "");
  if (files.empty()) outcome.notes.emplace_back("nothing is staged");
  return std::move(outcome);
}

Result<bool> anything_staged(const std::string& path, const std::string& index_file) {
  TRY(const GitRepository repository, GitRepository::open(path));
  GitProblems problems;
  TRY(const auto objects, repository.objects(problems));
  ObjectReader reader(*objects, kStagedCache, limits::kGitObject);
  TRY(const std::vector<StagedFile> files, staged_files(repository, reader, index_file));
  return !files.empty();
}

Provenance provenance_of(const GitRepository& repository) {
  Provenance found;
  if (const auto head = repository.head()) found.revision = head->hex();
  const auto folder = GitFolder::open(repository.common_dir());
  const auto text = folder ? folder->read("config", limits::kGitSmallFile) : std::unexpected(folder.error());
  if (text) found.origin = without_user(config_value(*text, "[remote \"origin\"]", "url"));
  return found;
}

}  // namespace claviger::scan
