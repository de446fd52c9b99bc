// claviger journal: reads the journal's files themselves, whether a server runs or not.
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <ostream>
#include <sstream>
#include <thread>

#include "app/command.hpp"
#include "base/file.hpp"
#include "journal/reader.hpp"
#include "journal/verify.hpp"

namespace claviger::app {
namespace {

constexpr std::chrono::milliseconds kFollow{200};

struct Selecting {
  std::string kind, key, from, to, text;
  std::int64_t last = 20;
  bool follow = false;
};

// A data directory's folder; not_found rather than made.
Result<std::unique_ptr<PosixFolder>> open_folder(const Common& common, std::string_view name) {
  const std::string path = fmt::format("{}/{}", common.data, name);
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode))
    return refuse(Code::not_found,
                  fmt::format("{} is not a data directory: it has no {}.", common.data, name));
  return PosixFolder::open(path);
}

Result<journal::Filter> filter_of(const Selecting& asked) {
  journal::Filter filter;
  filter.key = asked.key;
  filter.text = asked.text;
  if (!asked.from.empty()) {
    TRY(filter.from, parse_time(asked.from));
  }
  if (!asked.to.empty()) {
    TRY(filter.to, parse_time(asked.to));
  }
  for (const auto kind :
       {journal::Kind::intent, journal::Kind::receipt, journal::Kind::refusal, journal::Kind::admin,
        journal::Kind::alert, journal::Kind::start, journal::Kind::stop})
    if (journal::kind_name(kind) == asked.kind) filter.kind = kind;
  if (!asked.kind.empty() && !filter.kind)
    return refuse(Code::invalid_input, "--kind is intent, receipt, refusal, admin, alert, start or stop");
  return filter;
}

std::shared_ptr<Selecting> add_filter(CLI::App* command) {
  auto asked = std::make_shared<Selecting>();
  command->add_option("--kind", asked->kind, "Only intent, receipt, refusal, admin, alert, start or stop");
  command->add_option("--key", asked->key, "Only records that name this key");
  command->add_option("--text", asked->text, "Only lines that hold this text");
  command->add_option("--from", asked->from, "First time");
  command->add_option("--to", asked->to, "End, exclusive");
  return asked;
}

Result<int> tail(Terminal& terminal, const Common& common, const Selecting& asked) {
  TRY(const auto folder, open_folder(common, "journal"));
  TRY(journal::Filter filter, filter_of(asked));
  journal::Tail lines(*folder, std::move(filter),
                      static_cast<std::size_t>(std::max<std::int64_t>(asked.last, 0)));
  do {
    TRY([[maybe_unused]] const std::size_t count, lines.poll([&](std::string_view line) {
      terminal.out << line << '\n';
      return journal::Next::more;
    }));
    terminal.out.flush();
    if (asked.follow) std::this_thread::sleep_for(kFollow);
  } while (asked.follow && terminal.out);
  return kOk;
}

Result<int> export_all(Terminal& terminal, const Common& common, const Selecting& asked) {
  TRY(const auto folder, open_folder(common, "journal"));
  TRY(const journal::Filter filter, filter_of(asked));
  TRY(const journal::Exported done, journal::export_lines(*folder, filter, [&](std::string_view line) {
        terminal.out << line << '\n';
        return terminal.out ? journal::Next::more : journal::Next::enough;
      }));
  if (done.unreadable > 0) {
    terminal.err << fmt::format("claviger: {} lines could not be read and were passed over\n",
                                done.unreadable);
    return kNegative;
  }
  return kOk;
}

Result<std::string> read_file(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.is_open() || file.bad())
    return refuse(Code::invalid_input, fmt::format("{} cannot be read.", path));
  return std::move(text).str();
}

struct Verifying {
  std::string public_key, checkpoint;
};

Result<int> verify(Terminal& terminal, const Common& common, const Verifying& asked) {
  TRY(const auto folder, open_folder(common, "journal"));
  TRY(const auto audit, open_folder(common, "audit"));
  TRY(const std::string earlier, read_file(asked.checkpoint));
  TRY(const journal::VerifyReport report, journal::verify(*folder, *audit, {asked.public_key, earlier}));
  if (common.json) {
    terminal.out << journal::to_json(report) << '\n';
    return report.ok() ? kOk : kNegative;
  }
  terminal.out << fmt::format(
      "{}: {} lines of {} producers in {} epochs; the signed checkpoint covers {}, {} came after it\n",
      report.ok() ? "whole" : "NOT WHOLE", report.lines, report.producers, report.epochs, report.tree_size,
      report.uncovered);
  for (const journal::Problem& problem : report.problems)
    terminal.out << fmt::format("  {}: {}\n", problem.where, problem.what);
  return report.ok() ? kOk : kNegative;
}

// Runs `what` and tells its error.
template <class What>
int told_or_done(Terminal& terminal, const Common& common, What what) {
  const Result<int> code = what();
  return code ? *code : tell(terminal, common.output(), code.error());
}

}  // namespace

void add_journal_commands(Bench& bench) {
  CLI::App* group = bench.group("journal", "The record of everything that happened");
  Terminal& terminal = bench.terminal;

  CLI::App* follow = bench.command(group, "tail", "Shows the journal's last lines",
                                   "  claviger journal tail --data DIR -n 50 --kind refusal\n"
                                   "  claviger journal tail --data DIR --follow");
  auto tailing = add_common(follow);
  auto lines = add_filter(follow);
  follow->add_option("-n,--last", lines->last, "How many lines");
  follow->add_flag("-f,--follow", lines->follow, "Go on with new lines as they come");
  bench.action(follow, [&terminal, tailing, lines] {
    return told_or_done(terminal, *tailing, [&] { return tail(terminal, *tailing, *lines); });
  });

  CLI::App* check =
      bench.command(group, "verify", "Proves that the journal is whole",
                    "  claviger journal verify --data DIR --json\n"
                    "  claviger journal verify --data DIR --checkpoint kept.txt --public-key KEY");
  auto checking = add_common(check);
  auto against = std::make_shared<Verifying>();
  check->add_option("--public-key", against->public_key,
                    "Verifier key kept elsewhere (default: audit/key.pub)");
  check->add_option("--checkpoint", against->checkpoint,
                    "File with an earlier checkpoint the journal must extend");
  bench.action(check, [&terminal, checking, against] {
    return told_or_done(terminal, *checking, [&] { return verify(terminal, *checking, *against); });
  });

  CLI::App* all =
      bench.command(group, "export", "Writes the journal's lines to stdout as JSONL",
                    "  claviger journal export --data DIR --from 2026-11-01 --kind receipt > november.jsonl");
  auto exporting = add_common(all);
  auto selected = add_filter(all);
  bench.action(all, [&terminal, exporting, selected] {
    return told_or_done(terminal, *exporting, [&] { return export_all(terminal, *exporting, *selected); });
  });
}

}  // namespace claviger::app
