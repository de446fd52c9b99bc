// Puts the commands together and runs the one that was given.
#include "app/cli.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <ostream>
#include <string_view>

#include "app/command.hpp"
#include "app/house.hpp"

namespace claviger::app {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 a negative answer (explain denied, verify failed, not found), 2 usage, 3 failure.\n"
    "Secrets are read from stdin or a descriptor, never from the command line.";

// Commands by the function that adds them.
struct Family {
  std::array<std::string_view, 2> commands;
  void (*add)(Bench&);
};
constexpr Family kFamilies[] = {{{"init", "doctor"}, add_data_commands},
                                {{"serve", "sandbox"}, add_serve_commands},
                                {{"credential"}, add_credential_commands},
                                {{"key"}, add_key_commands},
                                {{"budget"}, add_budget_commands},
                                {{"usage", "explain"}, add_usage_commands},
                                {{"token"}, add_token_commands},
                                {{"rotate", "rotation"}, add_rotation_commands},
                                {{"vault"}, add_vault_commands},
                                {{"backup", "restore"}, add_backup_commands},
                                {{"journal"}, add_journal_commands},
                                {{"routes"}, add_route_commands},
                                {{"prices"}, add_price_commands},
                                {{"leak", "incident"}, add_incident_commands},
                                {{"notify"}, add_notify_commands},
                                {{"scan"}, add_scan_commands},
                                {{"hook"}, add_hook_commands}};

// The family of the command that is asked for alone: to make them all takes longer than to scan a commit. All
// when no command is named, for the help, or an unknown one.
void add_commands(Bench& bench, const std::vector<std::string>& arguments) {
  const std::string_view asked = arguments.empty() ? std::string_view() : arguments.front();
  const auto has_it = [&](const Family& family) {
    return !asked.empty() && std::ranges::find(family.commands, asked) != family.commands.end();
  };
  const Family* const one = std::ranges::find_if(kFamilies, has_it);
  if (one != std::end(kFamilies)) return one->add(bench);
  for (const Family& family : kFamilies) family.add(bench);
}

int parse_and_run(std::vector<std::string> arguments, Terminal& terminal) {
  CLI::App app("Claviger keeps AI API keys: virtual keys, budgets and records in front of the providers.",
               "claviger");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  Chosen chosen;
  Bench bench{app, terminal, chosen};
  add_commands(bench, arguments);
  try {
    std::reverse(arguments.begin(), arguments.end());  // the order CLI11 takes a vector in
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, terminal.out, terminal.err) == 0 ? kOk : kUsage;
  }
  return chosen.run ? chosen.run() : kUsage;
}

}  // namespace

int run_command(std::vector<std::string> arguments, Terminal& terminal) {
  try {
    return parse_and_run(std::move(arguments), terminal);
  } catch (const std::exception& bug) {
    terminal.err << "claviger: unexpected failure: " << bug.what() << '\n';
    return kFailure;
  }
}

}  // namespace claviger::app
