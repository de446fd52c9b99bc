// claviger scan ignore: findings that were looked at and accepted.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "app/command.hpp"
#include "app/scan_command.hpp"
#include "base/limits.hpp"
#include "base/rng.hpp"
#include "scan/text_form.hpp"
#include "scan/tree.hpp"

namespace claviger::app {
namespace {

struct IgnoreAsked {
  std::string place, rule, reason, expires, author, path = ".";
  bool from_stdin = false, json = false;
};

std::string default_author() {
  for (const char* name : {"GIT_AUTHOR_EMAIL", "EMAIL", "USER"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  const passwd* user = ::getpwuid(::getuid());
  return user == nullptr ? "unknown" : user->pw_name;
}

Result<Time> expiry_of(const std::string& text, Time now) {
  if (text.empty() || text == "never") return kNever;
  if (auto duration = parse_duration(text)) return now + *duration;
  return parse_time(text);
}

// Two branches that both add entries merge line by line, even at the same place.
void tell_git_to_merge(const std::string& folder, std::ostream& err) {
  namespace fs = std::filesystem;
  const std::string line = fmt::format("{} merge=union", scan::kIgnoreFileName);
  if (!fs::exists(folder + "/.git")) return;
  const std::string path = folder + "/.gitattributes";
  std::string text;
  if (fs::exists(path)) {
    auto read = read_whole(path, limits::kIgnoreFile);
    if (!read || read->contains(line)) return;
    text = *read;
  }
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  if (write_whole(path, text + line + '\n', 0644))
    err << "claviger: added to .gitattributes: " << line << '\n';
}

// What stands at FILE:LINE, or the secret on stdin under the named rule.
Result<std::vector<scan::Finding>> chosen_findings(const IgnoreAsked& asked, int in) {
  if (asked.from_stdin) {
    scan::Finding one;
    one.rule = asked.rule;
    std::string text;
    char piece[4096];
    ssize_t got = 0;
    while ((got = ::read(in, piece, sizeof(piece))) > 0) text.append(piece, static_cast<std::size_t>(got));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    one.secret = std::move(text);
    if (one.secret.empty()) return refuse(Code::invalid_input, "There is no secret on stdin.");
    return std::vector{std::move(one)};
  }
  const std::size_t colon = asked.place.rfind(':');
  std::int64_t line = 0;
  const char* end = asked.place.data() + asked.place.size();
  if (colon == std::string::npos || std::from_chars(asked.place.data() + colon + 1, end, line).ptr != end)
    return refuse(Code::invalid_input, "Say which finding: FILE:LINE, or --rule ID --secret-stdin.");
  TRY(auto engine, scan_engine("", {}));
  const scan::Task task{std::move(engine)};
  scan::Progress progress;
  TRY(scan::Outcome outcome, scan::scan_tree(asked.place.substr(0, colon), task, 1, progress));
  std::erase_if(outcome.findings, [&](const scan::Finding& f) {
    return line < f.line || line > f.end_line || (!asked.rule.empty() && f.rule != asked.rule);
  });
  if (outcome.findings.empty())
    return refuse(Code::not_found, fmt::format("Nothing is found at {}.", asked.place));
  return std::move(outcome.findings);
}

Result<int> add(Terminal& terminal, const IgnoreAsked& asked) {
  SystemClock clock;
  SystemRng rng;
  TRY(const Time expires, expiry_of(asked.expires, clock.now()));
  TRY(const std::vector<scan::Finding> findings, chosen_findings(asked, terminal.in));
  const std::string beside = asked.from_stdin ? asked.path : asked.place.substr(0, asked.place.rfind(':'));
  const std::string folder = ignore_folder(beside);
  TRY(std::optional<scan::IgnoreFile> file, load_ignores(folder));
  const bool fresh = !file;
  if (fresh) file = scan::IgnoreFile::fresh(rng);
  for (const scan::Finding& finding : findings) {
    scan::IgnoreEntry entry;
    entry.expires = expires;
    entry.author = asked.author.empty() ? default_author() : asked.author;
    entry.reason = asked.reason;
    file->add(finding.rule, finding.secret, std::move(entry));
    terminal.out << fmt::format("ignored: {} {}\n", finding.rule, scan::redacted(finding.secret));
  }
  TRY_VOID(write_whole(fmt::format("{}/{}", folder, scan::kIgnoreFileName), file->text(), 0644));
  if (fresh) tell_git_to_merge(folder, terminal.err);
  return kOk;
}

Result<int> list(Terminal& terminal, const IgnoreAsked& asked) {
  TRY(const std::optional<scan::IgnoreFile> file, load_ignores(ignore_folder(asked.path)));
  Json all{{"ignores", Json::array()}};
  std::vector<std::vector<std::string>> rows;
  if (file)
    for (const scan::IgnoreEntry& entry : file->entries()) {
      const std::string expires =
          entry.expires == kNever ? "never" : format_time(entry.expires).substr(0, 10);
      rows.push_back(
          {entry.hash, entry.rule, expires, entry.author, entry.reason.empty() ? "-" : entry.reason});
      all["ignores"].push_back({{"hash", entry.hash},
                                {"rule", entry.rule},
                                {"expires", entry.expires == kNever ? Json() : Json(expires)},
                                {"author", entry.author},
                                {"reason", entry.reason.empty() ? Json() : Json(entry.reason)}});
    }
  if (asked.json)
    terminal.out << all.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  else
    print_table(terminal.out, {"HASH", "RULE", "EXPIRES", "AUTHOR", "REASON"}, rows);
  return kOk;
}

template <class What>
std::function<int()> telling(Terminal& terminal, std::shared_ptr<IgnoreAsked> asked, What what) {
  return [&terminal, asked, what] {
    const Result<int> code = what(terminal, *asked);
    return code ? *code : tell(terminal, asked->json ? Output::json : Output::text, code.error());
  };
}

}  // namespace

void add_scan_ignore_commands(Bench& bench, CLI::App* scan) {
  CLI::App* ignore = bench.command(scan, "ignore", "Findings that were looked at and accepted", "");
  ignore->require_subcommand(1);
  auto asked = std::make_shared<IgnoreAsked>();
  CLI::App* adding = bench.command(
      ignore, "add", "Accepts what is found at FILE:LINE, wherever that secret stands",
      "  claviger scan ignore add tests/fixture.py:12 --reason 'revoked test key' --expires 90d\n"
      "  claviger scan ignore add --rule openai-project-key --secret-stdin --reason 'revoked' < key");
  adding->add_option("PLACE", asked->place, "FILE:LINE where the finding stands");
  adding->add_option("--reason", asked->reason, "Why it is acceptable")->required();
  adding->add_option("--expires", asked->expires, "30d, or a date such as 2027-01-31 (default: never)");
  adding->add_option("--author", asked->author,
                     "Who answers for it (default: GIT_AUTHOR_EMAIL, EMAIL or user)");
  auto* rule = adding->add_option("--rule", asked->rule, "Only findings of this rule");
  adding
      ->add_flag("--secret-stdin", asked->from_stdin,
                 "The secret comes on stdin, for one that only history holds")
      ->needs(rule);
  adding->add_option("--path", asked->path,
                     "With --secret-stdin: the repository (default: the current folder)");
  bench.action(adding, telling(bench.terminal, asked, add));
  CLI::App* listing = bench.command(ignore, "list", "Lists the entries of .claviger-ignore",
                                    "  claviger scan ignore list --json");
  listing->add_option("PATH", asked->path, "In the repository (default: the current folder)");
  listing->add_flag("--json", asked->json, "Print JSON");
  bench.action(listing, telling(bench.terminal, asked, list));
}

}  // namespace claviger::app
