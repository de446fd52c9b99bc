// What the commands share: options, the request they make, and how the answer is shown.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/admin_client.hpp"
#include "app/cli.hpp"

namespace claviger::app {

using Json = nlohmann::ordered_json;

enum class Output : std::uint8_t { text, json };

// Options that every command on a data directory takes.
struct Common {
  std::string data;
  std::string config;
  UnlockOptions unlock;
  bool json = false;
  Output output() const { return json ? Output::json : Output::text; }
};

// The command that was given: set while parsing, run afterwards.
struct Chosen {
  std::function<int()> run;
};

// Where commands are added to.
struct Bench {
  CLI::App& app;
  Terminal& terminal;
  Chosen& chosen;

  // A command `name` below `parent`. `examples` is shown behind the options.
  CLI::App* command(CLI::App* parent, const std::string& name, const std::string& about,
                    const std::string& examples);
  // A command that only has commands.
  CLI::App* group(const std::string& name, const std::string& about);
  // Makes `run` the action of `command`.
  void action(CLI::App* command, std::function<int()> run);
};

// --root-key-file, --passphrase-fd and --shares-fd.
void add_unlock(CLI::App* command, UnlockOptions& unlock);
// --data, --config, the ways to open the vault and --json.
std::shared_ptr<Common> add_common(CLI::App* command);

// Shows the body of a good answer to people.
using Show = std::function<void(const Json& body, std::ostream& out)>;
// Opens a door, asks and shows the answer (as it came with --json); returns the exit code.
int ask(Terminal& terminal, const Common& common, const console::ApiRequest& request, const Show& show);
// The same without showing: for commands that ask several times. The body, or the exit code after the error
// was told.
struct Reply {
  int exit = kOk;
  Json body;
};
Reply ask_door(Terminal& terminal, const Common& common, Door& door, const console::ApiRequest& request);

// Tells an error on the terminal's error stream, as JSON when asked; returns the exit code it means.
int tell(Terminal& terminal, Output output, const Error& error);
int exit_code(Code code);
// The error of an answer with status 300 and above.
Error error_of(const console::ApiResponse& response);
// All that a descriptor gives; refuses invalid_input above `most` bytes.
Result<std::string> read_text_fd(int fd, std::size_t most);

// A request with a JSON body.
console::ApiRequest request(std::string_view method, std::string path);
console::ApiRequest request(std::string_view method, std::string path, const Json& body);
// Appends name=value to the query, percent-encoded; nothing when the value is empty.
void add_query(console::ApiRequest& request, std::string_view name, std::string_view value);
// One path segment, percent-encoded.
std::string segment(std::string_view text);

// Rows under a head, columns aligned.
void print_table(std::ostream& out, const std::vector<std::string>& head,
                 const std::vector<std::vector<std::string>>& rows);
// "name  value" lines of an object, nested ones indented.
void print_object(std::ostream& out, const Json& object);
// A value as people read it: texts without quotes, null as "-", lists with commas.
std::string plain(const Json& value);

// Each file cli_*.cpp adds its commands.
void add_data_commands(Bench& bench);
void add_serve_commands(Bench& bench);
void add_credential_commands(Bench& bench);
void add_key_commands(Bench& bench);
void add_budget_commands(Bench& bench);
void add_usage_commands(Bench& bench);
void add_token_commands(Bench& bench);
void add_rotation_commands(Bench& bench);
void add_vault_commands(Bench& bench);
void add_backup_commands(Bench& bench);
void add_journal_commands(Bench& bench);
void add_route_commands(Bench& bench);
void add_price_commands(Bench& bench);
void add_hook_commands(Bench& bench);
void add_incident_commands(Bench& bench);
void add_notify_commands(Bench& bench);
void add_drill_command(Bench& bench, CLI::App* incident);
void add_scan_commands(Bench& bench);
void add_scan_rule_commands(Bench& bench, CLI::App* scan);
void add_scan_ignore_commands(Bench& bench, CLI::App* scan);

}  // namespace claviger::app
