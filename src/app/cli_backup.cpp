// claviger backup and restore.
#include <fmt/format.h>

#include <fstream>
#include <ostream>
#include <sstream>

#include "app/backup.hpp"
#include "app/command.hpp"
#include "base/clock.hpp"

namespace claviger::app {
namespace {

struct Restoring {
  RestoreOptions options;
  std::string checkpoint_file;
};

Json json_of(const Backup& backup) {
  return {{"file", backup.file},   {"made", format_time(backup.made)}, {"bytes", backup.bytes},
          {"files", backup.files}, {"tree_size", backup.tree_size},    {"root", backup.root}};
}

int make(Terminal& terminal, const Common& common, const std::string& output) {
  const auto made = back_up(common.data, output, SystemClock());
  if (!made) return tell(terminal, common.output(), made.error());
  if (common.json) {
    terminal.out << json_of(*made).dump(2) << '\n';
  } else {
    terminal.out << fmt::format(
        "Wrote {}: {} files, {} bytes, the journal up to line {}.\nThe root key is not in it: keep it apart, "
        "and "
        "nothing in the backup opens without it.\n",
        made->file, made->files, made->bytes, made->tree_size);
  }
  return kOk;
}

int put_back(Terminal& terminal, const Common& common, Restoring asked) {
  asked.options.data = common.data;
  if (!asked.checkpoint_file.empty()) {
    std::ifstream file(asked.checkpoint_file);
    std::ostringstream text;
    text << file.rdbuf();
    asked.options.checkpoint = std::move(text).str();
    if (!file || asked.options.checkpoint.empty())
      return tell(
          terminal, common.output(),
          refuse(Code::invalid_input, fmt::format("{} cannot be read.", asked.checkpoint_file)).error());
  }
  const auto made = restore(asked.options, SystemClock());
  if (!made) return tell(terminal, common.output(), made.error());
  if (common.json) {
    Json body = json_of(*made);
    body["data"] = common.data;
    terminal.out << body.dump(2) << '\n';
  } else {
    terminal.out << fmt::format(
        "Restored {} from {}, made {}.\nWhat happened after that is not in it: keys revoked and money spent "
        "since "
        "then count as before it. Look through 'claviger key list' before you serve.\n",
        common.data, made->file, format_time(made->made));
  }
  return kOk;
}

}  // namespace

void add_backup_commands(Bench& bench) {
  CLI::App* save =
      bench.command(&bench.app, "backup", "Writes a data directory into one file, also while serving",
                    "  claviger backup --data DIR --output claviger-2026-11-24.tar");
  auto saving = add_common(save);
  auto output = std::make_shared<std::string>();
  save->add_option("--output", *output, "The file to make")->required();
  bench.action(save,
               [&terminal = bench.terminal, saving, output] { return make(terminal, *saving, *output); });

  CLI::App* load = bench.command(
      &bench.app, "restore", "Makes a data directory from a backup, after proving it",
      "  claviger restore --input claviger-2026-11-24.tar --data DIR\n"
      "  claviger restore --input F --data DIR --checkpoint kept.txt   # refuses a rollback behind it");
  auto loading = add_common(load);
  auto asked = std::make_shared<Restoring>();
  load->add_option("--input", asked->options.input, "The backup")->required();
  load->add_option("--checkpoint", asked->checkpoint_file, "A checkpoint kept elsewhere that it must reach");
  load->add_option("--public-key", asked->options.public_key, "Verifier key kept elsewhere");
  bench.action(load,
               [&terminal = bench.terminal, loading, asked] { return put_back(terminal, *loading, *asked); });
}

}  // namespace claviger::app
