// Shared parts of the commands.
#include "app/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "base/money.hpp"
#include "crypto/wipe.hpp"

namespace claviger::app {
namespace {

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

CLI::App* Bench::command(CLI::App* parent, const std::string& name, const std::string& about,
                         const std::string& examples) {
  CLI::App* made = parent->add_subcommand(name, about);
  made->footer(examples.empty() ? std::string() : "Examples:\n" + examples);
  return made;
}

CLI::App* Bench::group(const std::string& name, const std::string& about) {
  CLI::App* made = app.add_subcommand(name, about);
  made->require_subcommand(1);
  return made;
}

void Bench::action(CLI::App* command, std::function<int()> run) {
  command->callback([&chosen = chosen, run = std::move(run)] { chosen.run = run; });
}

void add_unlock(CLI::App* command, UnlockOptions& unlock) {
  command->add_option("--root-key-file", unlock.root_key_file, "File that opens the vault");
  command->add_option("--passphrase-fd", unlock.passphrase_fd,
                      "Descriptor from which the vault's passphrase is read");
  command->add_option("--shares-fd", unlock.shares_fd,
                      "Descriptor from which break-glass shares are read, one a line");
}

std::shared_ptr<Common> add_common(CLI::App* command) {
  auto common = std::make_shared<Common>();
  command->add_option("--data", common->data, "Data directory")->required()->envname("CLAVIGER_DATA");
  command->add_option("--config", common->config,
                      "Configuration file (default: claviger.toml in the data directory)");
  add_unlock(command, common->unlock);
  command->add_flag("--json", common->json, "Print JSON");
  return common;
}

Error error_of(const console::ApiResponse& response) {
  const Json problem = Json::parse(response.body, nullptr, false);
  Error error;
  error.code = response.status < 500 ? Code::invalid_input : Code::internal;
  error.say = fmt::format("The server answered with status {}.", response.status);
  if (!problem.is_object()) return error;
  const std::string name = problem.value("code", "");
  for (int i = 0; i < kCodeCount; ++i)
    if (code_name(static_cast<Code>(i)) == name) error.code = static_cast<Code>(i);
  error.say = problem.value("detail", error.say);
  return error;
}

Result<std::string> read_text_fd(int fd, std::size_t most) {
  std::string text;
  char piece[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(fd, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Code::io_failed, std::strerror(errno), "The input cannot be read.");
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > most)
      return refuse(Code::invalid_input, fmt::format("The input is longer than {} bytes.", most));
    text.append(piece, static_cast<std::size_t>(got));
  }
}

int exit_code(Code code) {
  switch (code) {
    case Code::not_found:
    case Code::conflict:
    case Code::already_exists:
      return kNegative;
    case Code::invalid_input:
    case Code::invalid_json:
    case Code::body_too_large:
      return kUsage;
    default:
      return kFailure;
  }
}

int tell(Terminal& terminal, Output output, const Error& error) {
  if (output == Output::json) {
    terminal.err << Json{{"error", {{"code", code_name(error.code)}, {"message", told(error)}}}}.dump(
                        -1, ' ', false, Json::error_handler_t::replace)
                 << '\n';
  } else {
    terminal.err << "claviger: " << told(error) << '\n';
    if (!error.detail.empty() && told(error).find(error.detail) == std::string_view::npos)
      terminal.err << "  (" << error.detail << ")\n";
  }
  return exit_code(error.code);
}

Reply ask_door(Terminal& terminal, const Common& common, Door& door, const console::ApiRequest& request) {
  auto response = door.ask(request);
  if (!response) return {tell(terminal, common.output(), response.error()), {}};
  if (response->status >= 300) return {tell(terminal, common.output(), error_of(*response)), {}};
  Reply reply;
  reply.body = response->body.empty() ? Json::object() : Json::parse(response->body, nullptr, false);
  crypto::wipe(response->body);
  if (!reply.body.is_discarded()) return reply;
  Error error{Code::upstream_malformed, Origin::upstream, {}, "The server's answer is not JSON.", 0};
  return {tell(terminal, common.output(), error), {}};
}

int ask(Terminal& terminal, const Common& common, const console::ApiRequest& request, const Show& show) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  const Reply reply = ask_door(terminal, common, **door, request);
  if (reply.exit != kOk) return reply.exit;
  if (common.json)
    terminal.out << reply.body.dump(2) << '\n';
  else
    show(reply.body, terminal.out);
  return kOk;
}

console::ApiRequest request(std::string_view method, std::string path) {
  console::ApiRequest made;
  made.method = method;
  made.path = std::move(path);
  return made;
}

console::ApiRequest request(std::string_view method, std::string path, const Json& body) {
  console::ApiRequest made = request(method, std::move(path));
  made.content_type = "application/json";
  made.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return made;
}

std::string segment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c))
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

void add_query(console::ApiRequest& request, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  request.query.append(request.query.empty() ? "" : "&").append(name).append("=").append(segment(value));
}

std::string plain(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get_ref<const std::string&>().empty() ? "-" : value.get<std::string>();
  if (value.is_array()) {
    std::string text;
    for (const Json& element : value) text.append(text.empty() ? "" : ", ").append(plain(element));
    return text.empty() ? "-" : text;
  }
  return value.dump();
}

void print_table(std::ostream& out, const std::vector<std::string>& head,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& title : head) widths.push_back(title.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i)
      text += i + 1 < cells.size() ? fmt::format("{:<{}}  ", cells[i], widths[i]) : cells[i];
    out << text << '\n';
  };
  line(head);
  for (const auto& row : rows) line(row);
  if (rows.empty()) out << "(none)\n";
}

void print_object(std::ostream& out, const Json& object) {
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t width = 0;
  const auto add = [&](const std::string& indent, const std::string& name, const Json& value) {
    constexpr std::string_view kNano = "_nanousd";
    const bool money = name.ends_with(kNano) && value.is_number_integer();
    const std::string title = money ? name.substr(0, name.size() - kNano.size()) + "_usd" : name;
    lines.emplace_back(indent + title, money ? format_usd({value.get<std::int64_t>()}) : plain(value));
    width = std::max(width, lines.back().first.size());
  };
  for (const auto& [name, value] : object.items()) {
    if (!value.is_object()) {
      add("", name, value);
      continue;
    }
    lines.emplace_back(name, "");
    for (const auto& [inner, nested] : value.items()) add("  ", inner, nested);
  }
  for (const auto& [name, value] : lines) out << fmt::format("{:<{}}  {}\n", name, width, value);
}

}  // namespace claviger::app
