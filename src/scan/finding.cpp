// Order, redaction and summing up of findings.
#include "scan/finding.hpp"

#include <fmt/format.h>

#include <iterator>
#include <tuple>
#include <utility>

#include "base/limits.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kHead = 6;       // letters shown of the beginning: what kind it is
constexpr std::size_t kTail = 4;       // and of the end: which one it is
constexpr std::size_t kShowTail = 40;  // a secret shorter than this shows no end
constexpr std::size_t kShowHead = 20;  // and one shorter than this nothing at all

bool printable(char c) { return c > 0x20 && c < 0x7f; }

}  // namespace

bool before(const Finding& a, const Finding& b) {
  return std::tie(a.file, a.line, a.column, a.rule, a.commit) <
         std::tie(b.file, b.line, b.column, b.rule, b.commit);
}

std::string redacted(std::string_view secret) {
  std::string shown;
  if (secret.size() >= kShowHead) shown = secret.substr(0, kHead);
  shown += "...";
  if (secret.size() >= kShowTail) shown += secret.substr(secret.size() - kTail);
  for (char& c : shown)
    if (!printable(c)) c = '*';
  return shown == "..." ? "***" : shown;
}

void Outcome::problem(std::string what, std::string why) {
  ++stats.errors;
  if (problems.size() < limits::kScanProblems) problems.push_back({std::move(what), std::move(why)});
}

bool Outcome::has_room(const std::string& what) {
  if (findings.size() < limits::kScanFindings) return true;
  if (!cut_short)
    problem(what, fmt::format("more than {} findings: the rest is not listed", limits::kScanFindings));
  cut_short = true;
  return false;
}

void Outcome::merge(Outcome other) {
  const auto take = [](auto& mine, auto& theirs) {
    mine.insert(mine.end(), std::make_move_iterator(theirs.begin()), std::make_move_iterator(theirs.end()));
  };
  take(findings, other.findings);
  take(problems, other.problems);
  take(notes, other.notes);
  cut_short = cut_short || other.cut_short;
  if (findings.size() > limits::kScanFindings) {
    has_room(findings[limits::kScanFindings].file);
    findings.resize(limits::kScanFindings);
  }
  if (problems.size() > limits::kScanProblems) problems.resize(limits::kScanProblems);
  stats.bytes += other.stats.bytes;
  stats.blobs += other.stats.blobs;
  stats.files += other.stats.files;
  stats.errors += other.stats.errors;
  skipped.repositories += other.skipped.repositories;
  skipped.links += other.skipped.links;
  skipped.special += other.skipped.special;
  skipped.ignored += other.skipped.ignored;
  skipped.baselined += other.skipped.baselined;
  skipped.allowed += other.skipped.allowed;
}

}  // namespace claviger::scan
