// Puts the commands together and runs the one that was given.
#include "app/cli.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <ostream>

#include "app/command.hpp"
#include "app/house.hpp"

namespace claviger::app {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 a negative answer (explain denied, verify failed, not found), 2 usage, 3 failure.\n"
    "Secrets are read from stdin or a descriptor, never from the command line.";

int parse_and_run(std::vector<std::string> arguments, Terminal& terminal) {
  CLI::App app("Claviger keeps AI API keys: virtual keys, budgets and records in front of the providers.",
               "claviger");
  app.footer(kFooter);
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  Chosen chosen;
  Bench bench{app, terminal, chosen};
  add_data_commands(bench);
  add_serve_commands(bench);
  add_credential_commands(bench);
  add_key_commands(bench);
  add_budget_commands(bench);
  add_usage_commands(bench);
  add_token_commands(bench);
  add_rotation_commands(bench);
  add_vault_commands(bench);
  add_backup_commands(bench);
  add_journal_commands(bench);
  add_route_commands(bench);
  add_price_commands(bench);
  add_incident_commands(bench);
  add_notify_commands(bench);
  add_scan_commands(bench);
  add_hook_commands(bench);
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
