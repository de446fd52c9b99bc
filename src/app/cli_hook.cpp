// claviger hook: git hooks that refuse what would leak a key.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <sstream>

#include "app/command.hpp"
#include "app/hook.hpp"
#include "app/scan_command.hpp"
#include "scan/git_scan.hpp"

namespace claviger::app {
namespace {

struct HookAsked {
  std::string path = ".", type = "pre-commit";
  bool global = false, json = false;
};

Result<std::string> own_program() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0 || static_cast<std::size_t>(size) == path.size())
    return fail(Code::io_failed, "/proc/self/exe", "The path of this program cannot be found.");
  return std::string(path.data(), static_cast<std::size_t>(size));
}

Result<int> install(Terminal& terminal, const HookAsked& asked) {
  TRY(const HookPlace place, find_hooks(asked.path, asked.global));
  TRY(const std::string program, own_program());
  TRY(const std::vector<std::string> told, install_hook(place, asked.type, program));
  for (const std::string& line : told) terminal.out << line << '\n';
  return kOk;
}

Result<int> uninstall(Terminal& terminal, const HookAsked& asked) {
  TRY(const HookPlace place, find_hooks(asked.path, asked.global));
  TRY(const bool was_there, uninstall_hook(place, asked.type));
  terminal.out << fmt::format("{}/{}: {}\n", place.folder, asked.type,
                              was_there ? "removed" : "there was none of ours");
  return kOk;
}

std::string_view state_name(HookState state) {
  constexpr std::array<std::string_view, 4> kNames{"absent", "another's", "absent", "installed"};
  return kNames[static_cast<std::size_t>(state)];
}

Result<int> status(Terminal& terminal, const HookAsked& asked) {
  TRY(const HookPlace place, find_hooks(asked.path, asked.global));
  bool any = false;
  Json all{{"folder", place.folder}, {"hooks", Json::object()}};
  for (const std::string_view type : kHookTypes) {
    const HookState state = hook_state(place, type);
    any = any || state == HookState::ours;
    all["hooks"][std::string(type)] = state_name(state);
    if (!asked.json) terminal.out << fmt::format("{}/{}: {}\n", place.folder, type, state_name(state));
  }
  if (asked.json) terminal.out << all.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  return any ? kOk : kNegative;
}

std::string read_all(int fd) {
  std::string text;
  char piece[16 * 1024];
  ssize_t got = 0;
  while ((got = ::read(fd, piece, sizeof(piece))) > 0) text.append(piece, static_cast<std::size_t>(got));
  return text;
}

// For the pre-commit framework: what is staged; the work tree when nothing is, as with `run --all-files`.
Result<int> pre_commit(Terminal& terminal) {
  const char* index = std::getenv("GIT_INDEX_FILE");
  TRY(const bool staged, scan::anything_staged(".", index == nullptr ? "" : index));
  ScanAsked asked;
  asked.staged = staged;
  asked.no_progress = true;
  return run_scan(asked, terminal);
}

bool is_zero(std::string_view id) { return id.find_first_not_of('0') == std::string_view::npos; }

// A ref of the remote that surely has what was pushed before; empty when nothing is known of it.
std::string known_of(const std::string& remote) {
  const auto repository = scan::GitRepository::open(".");
  if (!repository) return {};
  for (const std::string_view branch : {"HEAD", "main", "master"}) {
    const std::string ref = fmt::format("refs/remotes/{}/{}", remote, branch);
    if (repository->find_ref(ref)) return ref;
  }
  return {};
}

// What git tells a pre-push hook: "LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID" a line. New commits are those
// that the remote's ref lacks; of a new ref, those that its main branch lacks.
int pre_push(Terminal& terminal, const std::string& remote_name) {
  std::istringstream lines(read_all(terminal.in));
  int worst = kOk;
  std::string local_ref, local, remote_ref, remote;
  while (lines >> local_ref >> local >> remote_ref >> remote) {
    if (is_zero(local)) continue;  // a ref that is deleted
    ScanAsked asked;
    asked.history = true;
    asked.no_progress = true;
    const std::string known = is_zero(remote) ? known_of(remote_name) : remote;
    if (known.empty())
      asked.branches = {local};
    else
      asked.range = known + ".." + local;
    worst = std::max(worst, run_scan(asked, terminal));
  }
  return worst;
}

template <class What>
std::function<int()> telling(Terminal& terminal, std::shared_ptr<HookAsked> asked, What what) {
  return [&terminal, asked, what] {
    const Result<int> code = what(terminal, *asked);
    if (code) return *code;
    tell(terminal, asked->json ? Output::json : Output::text, code.error());
    return kFailure;
  };
}

std::shared_ptr<HookAsked> add_options(CLI::App* command) {
  auto asked = std::make_shared<HookAsked>();
  command->add_option("PATH", asked->path, "In the repository (default: the current folder)");
  command->add_flag("--global", asked->global, "For all repositories of this user (core.hooksPath)");
  return asked;
}

void add_type(CLI::App* command, HookAsked& asked) {
  command->add_option("--type", asked.type, "pre-commit (default) or pre-push")
      ->check(CLI::IsMember({"pre-commit", "pre-push"}));
}

}  // namespace

void add_hook_commands(Bench& bench) {
  CLI::App* group = bench.group("hook", "Git hooks that refuse what would leak a key");
  CLI::App* installing =
      bench.command(group, "install", "Installs a hook, after it has refused a planted key",
                    "  claviger hook install\n"
                    "  claviger hook install --global --type pre-push");
  auto asked = add_options(installing);
  add_type(installing, *asked);
  bench.action(installing, telling(bench.terminal, asked, install));

  CLI::App* removing = bench.command(group, "uninstall", "Removes the hook and puts back the one before it",
                                     "  claviger hook uninstall --type pre-push");
  asked = add_options(removing);
  add_type(removing, *asked);
  bench.action(removing, telling(bench.terminal, asked, uninstall));

  CLI::App* showing = bench.command(group, "status", "Shows which hooks are installed; exit 1 when none is",
                                    "  claviger hook status --json");
  asked = add_options(showing);
  showing->add_flag("--json", asked->json, "Print JSON");
  bench.action(showing, telling(bench.terminal, asked, status));

  CLI::App* commit = bench.command(group, "pre-commit", "What the pre-commit framework runs", "");
  commit->group("");  // not for people
  bench.action(commit, [&terminal = bench.terminal] {
    const Result<int> code = pre_commit(terminal);
    if (code) return *code;
    tell(terminal, Output::text, code.error());
    return kFailure;
  });
  CLI::App* push = bench.command(group, "pre-push", "What an installed pre-push hook runs", "");
  push->group("");       // not for people
  push->allow_extras();  // the remote's name and address
  bench.action(push, [&terminal = bench.terminal, push] {
    const std::vector<std::string> names = push->remaining();
    return pre_push(terminal, names.empty() ? "origin" : names.front());
  });
}

}  // namespace claviger::app
