// One scan from its options to its exit code.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <ostream>
#include <thread>

#include "app/command.hpp"
#include "app/house.hpp"
#include "app/scan_command.hpp"
#include "app/scan_progress.hpp"
#include "base/limits.hpp"
#include "base/rng.hpp"
#include "scan/flow.hpp"
#include "scan/git_scan.hpp"
#include "scan/text_form.hpp"
#include "scan/tree.hpp"

namespace claviger::app {
namespace {

using scan::Format;

// Where reports' fingerprints get their key when the repository has none: this user's own.
std::string fingerprint_key_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state == '/') return fmt::format("{}/claviger/fingerprint.key", state);
  return home == nullptr ? "" : fmt::format("{}/.local/state/claviger/fingerprint.key", home);
}

// A key of this user, made when first needed; one for this run alone when it cannot be kept.
crypto::HmacSha256 own_fingerprint_key() {
  constexpr std::size_t kBytes = 32;
  const std::string path = fingerprint_key_path();
  if (!path.empty())
    if (auto kept = read_whole(path, kBytes); kept && kept->size() == kBytes)
      return crypto::HmacSha256(as_bytes(*kept));
  std::array<std::uint8_t, kBytes> key{};
  SystemRng().fill(key);
  if (!path.empty()) {
    std::error_code failed;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
    [[maybe_unused]] const auto kept = write_whole(path, as_text(key), 0600);
  }
  return crypto::HmacSha256(key);
}

// A time, or a duration back from `now`.
Result<Time> since_time(const std::string& text, Time now) {
  if (const auto duration = parse_duration(text)) return now + -*duration;
  return parse_time(text);
}

// "300MB", "1GB", "64 KiB": powers of 1024 whatever they are called.
Result<std::size_t> memory_bytes(const std::string& text) {
  std::size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, failed] = std::from_chars(text.data(), end, count);
  constexpr std::string_view kUnits = "BKMGT";
  const char letter = unit == end ? 'B' : static_cast<char>(std::toupper(static_cast<unsigned char>(*unit)));
  const std::size_t power = kUnits.find(letter);
  if (failed != std::errc() || power == std::string_view::npos || count == 0 || count >> 40 != 0)
    return refuse(Code::invalid_input, fmt::format("--memory {}: say it like 300MB or 1GB.", text));
  return count << (10 * power);
}

bool is_terminal(const std::ostream& out, int fd) {
  return (&out == &std::cout || &out == &std::cerr) && ::isatty(fd) == 1;
}

scan::Colour colour_of(const Terminal& terminal, const ScanAsked& asked) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return scan::Colour::no;
  if (!asked.output.empty() || !is_terminal(terminal.out, STDOUT_FILENO)) return scan::Colour::no;
  return scan::Colour::yes;
}

constexpr std::string_view kOwnKeyRule = "claviger-key";

// clv_ID_...: the id is no secret.
std::string own_key_id(const std::string& secret) {
  const std::size_t begin = secret.find('_') + 1;
  return secret.substr(begin, secret.find('_', begin) - begin);
}

class Run {
 public:
  Run(const ScanAsked& asked, Terminal& terminal) : asked_(asked), terminal_(terminal) {}

  Result<int> run() {
    TRY_VOID(prepare());
    TRY(scan::Outcome outcome, source());
    return finish(std::move(outcome));
  }

 private:
  Result<void> prepare() {
    started_ = clock_.now();
    began_ns_ = clock_.monotonic_ns();
    format_ = *scan::format_of(asked_.format);
    TRY(task_.engine, scan_engine(asked_.config, asked_.rules));
    task_.least = *detect::parse_severity(asked_.severity);
    task_.archives = asked_.archives ? scan::Archives::opened : scan::Archives::as_bytes;
    TRY(suppression_.ignores, load_ignores(ignore_folder(asked_.from_stdin ? "." : asked_.path)));
    for (const std::string& path : asked_.baselines) {
      TRY(const std::string text, read_whole(path, limits::kBaselineFile));
      TRY_VOID(suppression_.baseline.add(text, path));
    }
    suppression_.now = started_;
    return {};
  }

  unsigned threads() const {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    return std::min<unsigned>(asked_.threads == 0 ? cores : asked_.threads, limits::kScanThreads);
  }

  Result<scan::Outcome> source() {
    if (asked_.from_stdin) return flow();
    if (asked_.history) return history();
    return asked_.staged ? staged() : tree();
  }

  Result<scan::Outcome> history() {
    scan::HistoryOptions options;
    options.all_objects = asked_.all_objects;
    options.branches = asked_.branches;
    options.range = asked_.range;
    options.threads = threads();
    options.archives = task_.archives;
    if (!asked_.since.empty()) {
      TRY(const Time since, since_time(asked_.since, started_));
      options.since_s = since.ns / 1'000'000'000;
    }
    if (!asked_.memory.empty()) {
      TRY(options.memory, memory_bytes(asked_.memory));
    }
    scan::HistoryProgress progress;
    const HistoryLine shown(terminal_.err, progress, shows_progress());
    const auto submodules = asked_.submodules ? scan::Submodules::scanned : scan::Submodules::left_out;
    TRY(scan::Outcome outcome, scan::scan_git_history(asked_.path, options, submodules, task_, progress));
    suppression_.apply(outcome);
    return outcome;
  }

  Result<scan::Outcome> staged() {
    const char* index = std::getenv("GIT_INDEX_FILE");  // of `git commit FILE` and `git commit -a`
    TRY(scan::Outcome outcome, scan::scan_git_staged(asked_.path, index == nullptr ? "" : index, task_));
    suppression_.apply(outcome);
    return outcome;
  }

  bool shows_progress() const { return !asked_.no_progress && is_terminal(terminal_.err, STDERR_FILENO); }

  Result<scan::Outcome> tree() {
    scan::Progress progress;
    const TreeLine shown(terminal_.err, progress, shows_progress());
    TRY(scan::Outcome outcome, scan::scan_tree(asked_.path, task_, threads(), progress));
    suppression_.apply(outcome);
    return outcome;
  }

  Result<scan::Outcome> flow() {
    scan::FlowOptions options;
    options.pace = asked_.follow ? scan::Pace::lines : scan::Pace::at_end;
    if (asked_.redact)
      options.copy = [this](std::string_view text) {
        terminal_.out.write(text.data(), static_cast<std::streamsize>(text.size()));
        return static_cast<bool>(asked_.follow ? terminal_.out.flush() : terminal_.out);
      };
    // What lower bound the counts of suppressed findings have is known here, not in the flow.
    options.found = [this](const scan::Finding& finding) {
      if (!suppression_.keeps(finding, flow_skipped_)) return false;
      ++flow_findings_;
      if (asked_.follow) tell_now(finding);
      return !asked_.follow;
    };
    scan::Outcome outcome = scan::scan_flow(terminal_.in, task_, options);
    outcome.skipped.ignored += flow_skipped_.ignored;
    outcome.skipped.baselined += flow_skipped_.baselined;
    if (asked_.redact && !terminal_.out)
      outcome.problem("stdin", "the copy could not be written: whoever reads it has gone");
    return outcome;
  }

  // A finding of --follow, the moment it is there.
  void tell_now(const scan::Finding& finding) {
    std::ostream& out = asked_.redact ? terminal_.err : terminal_.out;
    std::string line;
    if (format_ == Format::jsonl)
      append_json(line, finding, report_options());
    else
      line = fmt::format("{}:{}:{}  {}  {}  {}", scan::visible(finding.file), finding.line, finding.column,
                         scan::severity_name(finding.severity), finding.rule,
                         asked_.reveal ? scan::visible(finding.secret) : scan::redacted(finding.secret));
    out << line << std::endl;  // at once, whoever reads it
  }

  scan::ReportOptions report_options() {
    scan::ReportOptions options;
    options.format = format_;
    options.secrets = asked_.reveal ? scan::Secrets::revealed : scan::Secrets::hidden;
    options.colour = colour_of(terminal_, asked_);
    options.history = asked_.history;
    options.version = kVersion;
    options.started = started_;
    options.ended = clock_.now();
    if (format_ == Format::sarif && !asked_.from_stdin) {
      if (const auto repository = scan::GitRepository::open(asked_.path)) {
        const scan::Provenance from = scan::provenance_of(*repository);
        options.origin = from.origin;
        options.revision = from.revision;
      }
    }
    if (format_ == Format::sarif || format_ == Format::gitlab) {
      if (!suppression_.ignores && !own_key_) own_key_ = own_fingerprint_key();
      options.fingerprint = suppression_.ignores ? &suppression_.ignores->fingerprint_key() : &*own_key_;
    }
    return options;
  }

  // A virtual key that the inventory does not know by its hash may be one all the same.
  static void note_unknown_keys(scan::Outcome& outcome) {
    for (const scan::Finding& finding : outcome.findings)
      if (finding.rule == kOwnKeyRule && !finding.known)
        outcome.notes.push_back(fmt::format(
            "the virtual key {} is not known by its hash: it is of another server, or was issued before the "
            "inventory kept hashes; `claviger key show {}` tells, and rotating it makes it known",
            own_key_id(finding.secret), own_key_id(finding.secret)));
  }

  // What fails here does not take the findings with it: it is one more thing that could not be done.
  void ask_others(scan::Outcome& outcome) {
    const auto done = [&](const std::string& what, const Result<void>& result) {
      if (!result) outcome.problem(what, std::string(told(result.error())));
    };
    if (!asked_.match.empty()) {
      done("the inventory " + asked_.match, match_findings(asked_.match, outcome.findings));
      note_unknown_keys(outcome);
    }
    if (asked_.verify)
      done("--verify", verify_findings(asked_.verify_bases, outcome.findings, terminal_.err));
    if (asked_.report_leaks) done("--report", report_findings(asked_.match, outcome.findings));
  }

  Result<int> finish(scan::Outcome outcome) {
    ask_others(outcome);
    outcome.stats.seconds = static_cast<double>(clock_.monotonic_ns() - began_ns_) / 1e9;
    if (!asked_.follow) TRY_VOID(put(scan::report(outcome, report_options())));
    tell(outcome);
    if (outcome.stats.errors > 0) return kFailure;
    return outcome.findings.empty() && (!asked_.follow || flow_findings_ == 0) ? kOk : kNegative;
  }

  Result<void> put(const std::string& report) {
    if (!asked_.output.empty()) return write_whole(asked_.output, report, asked_.reveal ? 0600 : 0644);
    if (asked_.redact) return {};  // the copy is the output
    terminal_.out << report;
    return {};
  }

  // What people are to know besides the report.
  void tell(const scan::Outcome& outcome) {
    std::ostream& err = terminal_.err;
    for (const scan::Problem& problem : outcome.problems)
      err << fmt::format("claviger: not scanned: {}: {}\n", scan::visible(problem.what),
                         scan::visible(problem.why));
    if (outcome.problems.size() < outcome.stats.errors)
      err << fmt::format("claviger: and {} more\n", outcome.stats.errors - outcome.problems.size());
    std::vector<std::string> notes = outcome.notes;
    if (suppression_.ignores) {
      const bool whole = !asked_.from_stdin && !asked_.staged && asked_.rules.empty();
      const auto more = scan::remarks(*suppression_.ignores, started_,
                                      whole ? scan::Coverage::whole : scan::Coverage::part);
      notes.insert(notes.end(), more.begin(), more.end());
    }
    if (suppression_.baseline.by_place() > 0)
      notes.push_back(fmt::format(
          "{} of the baseline name a place only and cover whatever stands there: `claviger scan ignore add` "
          "binds to the secret itself",
          scan::counted(suppression_.baseline.by_place(), "entry")));
    for (const std::string& note : notes) err << "claviger: " << note << '\n';
    err << "claviger: " << summary(outcome) << '\n';
  }

  std::string summary(const scan::Outcome& outcome) const {
    const scan::Stats& stats = outcome.stats;
    const std::size_t found = asked_.follow ? flow_findings_ : outcome.findings.size();
    std::string text = fmt::format("{} and {} scanned, {}", scan::counted(stats.files, "file"),
                                   scan::bytes_text(stats.bytes), scan::counted(found, "finding"));
    if (stats.blobs > 0) text = scan::counted(stats.blobs, "blob") + ", " + text;
    const auto more = [&](std::uint64_t count, std::string_view what) {
      if (count > 0) text += fmt::format(", {} {}", count, what);
    };
    more(outcome.skipped.ignored, "ignored");
    more(outcome.skipped.baselined, "in the baseline");
    more(outcome.skipped.allowed, "allowed by comments");
    more(outcome.skipped.repositories, ".git left out (--history reads it)");
    more(outcome.skipped.links, "symbolic links not followed");
    more(outcome.skipped.special, "no regular files");
    return text;
  }

  const ScanAsked& asked_;
  Terminal& terminal_;
  SystemClock clock_;
  scan::Task task_;
  scan::Suppression suppression_;
  std::optional<crypto::HmacSha256> own_key_;
  Format format_ = Format::text;
  Time started_;
  std::int64_t began_ns_ = 0;
  scan::Skipped flow_skipped_;
  std::size_t flow_findings_ = 0;
};

}  // namespace

int run_scan(const ScanAsked& asked, Terminal& terminal) {
  const Result<int> code = Run(asked, terminal).run();
  if (code) return *code;
  return tell(terminal, Output::text, code.error()) == kUsage ? kUsage : kFailure;  // 1 says: findings
}

}  // namespace claviger::app
