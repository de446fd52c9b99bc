// claviger scan: looks for leaked secrets.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "app/command.hpp"
#include "app/scan_command.hpp"

namespace claviger::app {
namespace {

constexpr const char* kAbout =
    "Finds leaked keys and other secrets in a folder, a file, git's history, what is staged, or a stream.\n"
    "Every regular file below PATH is scanned, binary ones and those that git ignores too, for that is "
    "where\n"
    "secrets live. Left out, and counted: .git folders (--history reads them), symbolic links, sockets, "
    "pipes.\n"
    "Accepted findings are listed in .claviger-ignore (claviger scan ignore). Nothing leaves this host "
    "unless\n"
    "--match with a URL, --report or --verify asks for it.";

constexpr const char* kExamples =
    "  claviger scan\n"
    "  claviger scan src --format sarif --output leaks.sarif\n"
    "  claviger scan --history --since 2026-01-01\n"
    "  claviger scan --staged\n"
    "  claviger scan --match /var/lib/claviger --archives dist\n"
    "  kubectl logs -f pod | claviger scan --stdin --follow --redact\n"
    "Exit codes: 0 nothing found, 1 findings, 2 usage, 3 not all could be scanned (stderr says what).";

void add_sources(CLI::App* scan, ScanAsked& asked) {
  scan->add_option("PATH", asked.path, "File or folder (default: the current folder)");
  auto* history = scan->add_flag("--history", asked.history, "The whole git history of PATH's repository");
  auto* staged = scan->add_flag("--staged", asked.staged, "What is staged for the next commit");
  auto* from_stdin = scan->add_flag("--stdin", asked.from_stdin, "Standard input");
  history->excludes(staged)->excludes(from_stdin);
  staged->excludes(from_stdin);
  scan->add_flag("--all-objects", asked.all_objects,
                 "History: reflogs and unreachable objects too, where removed keys live");
  scan->add_option("--since", asked.since, "History: only commits from this time on (2026-01-31, or 30d)");
  scan->add_option("--range", asked.range, "History: only commits of B that A lacks, as A..B");
  scan->add_option("--branch", asked.branches, "History: only what this branch or ref reaches (repeatable)")
      ->allow_extra_args(false);
  scan->add_flag("--submodules", asked.submodules, "History: submodules' repositories too");
  auto* follow =
      scan->add_flag("--follow", asked.follow, "Stdin: report each finding as soon as its line is there");
  auto* redact =
      scan->add_flag("--redact", asked.redact, "Stdin: copy the input to stdout with secrets masked");
  follow->needs(from_stdin);
  redact->needs(from_stdin);
  scan->add_flag("--archives", asked.archives, "Open zip, jar, whl, tar, gz and zst, nested to depth 3")
      ->excludes(from_stdin);
}

void add_choices(CLI::App* scan, ScanAsked& asked) {
  scan->add_option("--format", asked.format, "text, json, jsonl, sarif, gitlab, junit or csv")
      ->check(CLI::IsMember({"text", "json", "jsonl", "sarif", "gitlab", "junit", "csv"}));
  scan->add_option("--output", asked.output, "File for the report (default: stdout)");
  scan->add_option("--config", asked.config, "Rules of your own, or a gitleaks.toml");
  scan->add_option(
          "--baseline", asked.baselines,
          "Known findings: a JSON report of claviger or gitleaks, .gitleaksignore, .secrets.baseline "
          "(repeatable)")
      ->allow_extra_args(false);
  scan->add_option("--rule", asked.rules, "Only this rule (repeatable)")->allow_extra_args(false);
  scan->add_option("--severity", asked.severity, "Least severity: low, medium, high or critical")
      ->check(CLI::IsMember({"low", "medium", "high", "critical"}));
  scan->add_option("--threads", asked.threads, "Threads (default: one a core)")->check(CLI::Range(1, 256));
  scan->add_option("--memory", asked.memory, "History: most memory to use, e.g. 300MB");
  scan->add_flag("--reveal", asked.reveal, "Show the secrets themselves (not in SARIF, GitLab and JUnit)");
  scan->add_flag("--no-progress", asked.no_progress, "No progress on the terminal");
}

void add_inventory(CLI::App* scan, ScanAsked& asked) {
  auto* match = scan->add_option("--match", asked.match,
                                 "Ask the inventory which findings are ours: a data directory, or an admin "
                                 "API's URL with its token in the "
                                 "file named by CLAVIGER_ADMIN_TOKEN_FILE. Only SHA-256 hashes are sent");
  scan->add_flag("--report", asked.report_leaks, "Report what was found as leaks to that inventory")
      ->needs(match);
  auto* verify = scan->add_flag("--verify", asked.verify,
                                "Ask the providers whether the keys work: sends each key to its provider");
  scan->add_option("--verify-base", asked.verify_bases,
                   "PROVIDER=URL: ask there instead of at the provider's own address (repeatable)")
      ->allow_extra_args(false)
      ->needs(verify);
}

// What the options say that their parser cannot check; a sentence when it cannot be.
std::string contradiction(ScanAsked& asked) {
  const bool of_history =
      asked.all_objects || !asked.since.empty() || !asked.range.empty() || !asked.branches.empty();
  if (of_history && (asked.staged || asked.from_stdin))
    return "--all-objects, --since, --range and --branch belong to --history.";
  if (of_history) asked.history = true;
  if (asked.follow && asked.format != "text" && asked.format != "jsonl")
    return "--follow reports each finding as it comes: use --format text or jsonl.";
  if (asked.follow && !asked.output.empty())
    return "--follow writes to the terminal: redirect it instead of --output.";
  if (asked.follow && (!asked.match.empty() || asked.verify))
    return "--match and --verify need the whole list of findings: leave --follow out.";
  return {};
}

int scan_asked(const ScanAsked& given, Terminal& terminal) {
  ScanAsked asked = given;
  if (const std::string wrong = contradiction(asked); !wrong.empty()) {
    terminal.err << "claviger: " << wrong << '\n';
    return kUsage;
  }
  return run_scan(asked, terminal);
}

}  // namespace

void add_scan_commands(Bench& bench) {
  CLI::App* scan = bench.command(&bench.app, "scan", kAbout, kExamples);
  auto asked = std::make_shared<ScanAsked>();
  add_sources(scan, *asked);
  add_choices(scan, *asked);
  add_inventory(scan, *asked);
  add_scan_rule_commands(bench, scan);
  add_scan_ignore_commands(bench, scan);
  scan->callback([scan, asked, &bench_chosen = bench.chosen, &terminal = bench.terminal] {
    if (scan->get_subcommands().empty())
      bench_chosen.run = [asked, &terminal] { return scan_asked(*asked, terminal); };
  });
}

}  // namespace claviger::app
