// Writing, testing and removing git hooks.
#include "app/hook.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "app/child.hpp"
#include "app/scan_command.hpp"
#include "base/rng.hpp"

namespace claviger::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = "# claviger-hook";
constexpr std::string_view kPassMark = "# claviger-pass";
constexpr std::string_view kBefore = ".before-claviger";
constexpr std::size_t kHookBytes = 1024 * 1024;
// All hooks that run on a developer's side: a global folder hides those of each repository, so ours pass on.
constexpr std::string_view kClientHooks[] = {
    "applypatch-msg",     "pre-applypatch",     "post-applypatch",      "pre-commit",  "pre-merge-commit",
    "prepare-commit-msg", "commit-msg",         "post-commit",          "pre-rebase",  "post-checkout",
    "post-merge",         "pre-push",           "post-rewrite",         "pre-auto-gc", "sendemail-validate",
    "post-index-change",  "fsmonitor-watchman", "reference-transaction"};

std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Runs git and returns the first line it printed.
Result<std::string> git(const std::string& folder, std::vector<std::string> arguments, bool outside = false) {
  arguments.insert(arguments.begin(), "git");
  TRY(const Ended ended, run_child({std::move(arguments), folder, "", outside}));
  const std::string line = ended.text.substr(0, ended.text.find('\n'));
  if (ended.code != 0) return refuse(Code::not_found, fmt::format("git: {}", line));
  return line;
}

// What runs before the scan: the hook that was here, and with a global folder that of the repository.
std::string chain(std::string_view type, bool global, std::string_view feed) {
  std::string text = fmt::format("before=\"$(dirname \"$0\")/{}{}\"\n", type, kBefore);
  text += fmt::format("if [ -x \"$before\" ]; then {}\"$before\" \"$@\" || exit $?; fi\n", feed);
  if (!global) return text;
  text += fmt::format("own=\"$(git rev-parse --git-common-dir)/hooks/{}\"\n", type);
  return text + fmt::format("if [ -x \"$own\" ]; then {}\"$own\" \"$@\" || exit $?; fi\n", feed);
}

std::string script(std::string_view type, const std::string& program, bool global) {
  std::string text =
      fmt::format("#!/bin/sh\n{}: {}. Refuses what would leak a key; `claviger hook uninstall` removes it.\n",
                  kMark, type);
  const bool push = type == "pre-push";
  if (push) text += "refs=$(cat)\n";
  text += chain(type, global, push ? "printf '%s\\n' \"$refs\" | " : "");
  if (push)
    text += fmt::format("printf '%s\\n' \"$refs\" | {} hook pre-push \"$@\"", shell_word(program));
  else
    text += fmt::format("{} scan --staged --no-progress", shell_word(program));
  return text + fmt::format(" || {{ echo 'claviger: the {} was refused' >&2; exit 1; }}\n",
                            push ? "push" : "commit");
}

// In a global folder: nothing but the repository's own hook.
std::string pass_on(std::string_view type) {
  return fmt::format(
      "#!/bin/sh\n{}: {}. Passes on to the repository's own hook.\n"
      "own=\"$(git rev-parse --git-common-dir)/hooks/{}\"\n"
      "if [ -x \"$own\" ]; then exec \"$own\" \"$@\"; fi\n",
      kPassMark, type, type);
}

fs::path path_of(const HookPlace& place, std::string_view type) { return fs::path(place.folder) / type; }

// The folder that a global installation makes when there is none.
Result<std::string> own_folder() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config != nullptr && *config == '/') return fmt::format("{}/claviger/hooks", config);
  if (home == nullptr)
    return refuse(Code::not_found, "HOME is not set, so that this user has no global hooks.");
  return fmt::format("{}/.config/claviger/hooks", home);
}

// A key of OpenAI's shape that nobody was ever given.
std::string canary() {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::array<std::uint8_t, 148> random{};
  SystemRng().fill(random);
  std::string key = "sk-proj-";
  for (std::size_t i = 0; i < random.size(); ++i) {
    if (i == random.size() / 2) key += "T3BlbkFJ";
    key += kLetters[random[i] % kLetters.size()];
  }
  return key;
}

class TrialRepository {
 public:
  static Result<std::unique_ptr<TrialRepository>> make() {
    std::string folder = (fs::temp_directory_path() / "claviger-hook-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return fail(Code::io_failed, "no temporary folder for the test");
    std::unique_ptr<TrialRepository> made(new TrialRepository(folder));
    TRY([[maybe_unused]] const std::string said, git(folder, {"init", "-q"}, true));
    return made;
  }
  TrialRepository(const TrialRepository&) = delete;
  TrialRepository& operator=(const TrialRepository&) = delete;
  ~TrialRepository() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  // Stages a file with `text`, commits it when the hook is about pushes, and runs the hook.
  Result<Ended> run(const std::string& hook, std::string_view type, const std::string& text) {
    TRY_VOID(write_whole(folder_ + "/file.txt", text, 0644));
    TRY([[maybe_unused]] std::string said, git(folder_, {"add", "file.txt"}, true));
    if (type != "pre-push") return run_child({{hook}, folder_, "", true});
    TRY(said, git(folder_,
                  {"-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false",
                   "-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", "-m", "test"},
                  true));
    TRY(const std::string id, git(folder_, {"rev-parse", "HEAD"}, true));
    const std::string refs =
        fmt::format("refs/heads/main {} refs/heads/main {}\n", id, std::string(id.size(), '0'));
    return run_child({{hook, "origin", "file:///nowhere"}, folder_, refs, true});
  }

 private:
  explicit TrialRepository(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

// The text of the script alone: what it chains to is not ours to test, and may do anything.
Result<void> prove(std::string_view type, const std::string& program) {
  TRY(const auto scripts, TrialRepository::make());
  std::string folder = (fs::temp_directory_path() / "claviger-script-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return fail(Code::io_failed, "no temporary folder for the test");
  const std::string hook = fmt::format("{}/{}", folder, type);
  auto judged = [&]() -> Result<void> {
    TRY_VOID(write_whole(hook, script(type, program, false), 0755));
    TRY(const Ended clean, scripts->run(hook, type, "a line without a key\n"));
    if (clean.code != 0)
      return fail(Code::internal, clean.text,
                  fmt::format("The hook refused a file without a key and was not installed: {}", clean.text));
    TRY(const Ended leak, scripts->run(hook, type, "key = \"" + canary() + "\"\n"));
    if (leak.code == 0 || !leak.text.contains("1 finding"))
      return fail(Code::internal, leak.text,
                  fmt::format("The hook did not refuse a planted key and was not installed: {}", leak.text));
    return {};
  }();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return judged;
}

Result<void> put(const HookPlace& place, std::string_view type, const std::string& text) {
  const fs::path path = path_of(place, type);
  std::error_code failed;
  if (hook_state(place, type) == HookState::foreign) {
    fs::rename(path, path.string() + std::string(kBefore), failed);
    if (failed)
      return fail(Code::io_failed, failed.message(),
                  fmt::format("{} cannot be kept: {}.", path.string(), failed.message()));
  }
  return write_whole(path.string(), text, 0755);
}

}  // namespace

Result<HookPlace> find_hooks(const std::string& path, bool global) {
  if (!global) {
    TRY(const std::string top, git(path, {"rev-parse", "--show-toplevel"}));
    const std::string root = top.empty() ? path : top;
    TRY(const std::string folder, git(root, {"rev-parse", "--git-path", "hooks"}));
    return HookPlace{(fs::path(root) / folder).lexically_normal().string(), false};
  }
  if (auto set = git(".", {"config", "--global", "--type=path", "core.hooksPath"}); set && !set->empty())
    return HookPlace{*set, true};
  TRY(std::string folder, own_folder());
  return HookPlace{std::move(folder), true};
}

HookState hook_state(const HookPlace& place, std::string_view type) {
  const fs::path path = path_of(place, type);
  std::error_code failed;
  if (!fs::exists(fs::symlink_status(path, failed))) return HookState::absent;
  const auto text = read_whole(path.string(), kHookBytes);
  if (text && text->contains(kMark)) return HookState::ours;
  return text && text->contains(kPassMark) ? HookState::passing : HookState::foreign;
}

Result<std::vector<std::string>> install_hook(const HookPlace& place, std::string_view type,
                                              const std::string& program) {
  TRY_VOID(prove(type, program));
  std::error_code failed;
  fs::create_directories(place.folder, failed);
  std::vector<std::string> told;
  const bool kept = hook_state(place, type) == HookState::foreign;
  TRY_VOID(put(place, type, script(type, program, place.global)));
  told.push_back(
      fmt::format("{}: installed, and refused a planted key when tested", path_of(place, type).string()));
  if (kept) told.push_back(fmt::format("the hook that was there runs first, as {}{}", type, kBefore));
  if (!place.global) return told;
  for (const std::string_view other : kClientHooks)
    if (hook_state(place, other) == HookState::absent) TRY_VOID(put(place, other, pass_on(other)));
  TRY([[maybe_unused]] const std::string said,
      git(".", {"config", "--global", "core.hooksPath", place.folder}));
  told.push_back("core.hooksPath is set for this user; each repository's own hooks run too");
  return told;
}

// Once nothing is scanned any more: the global folder that we made goes, and git looks into the repositories.
static Result<void> leave_global(const HookPlace& place) {
  for (const std::string_view type : kHookTypes)
    if (hook_state(place, type) == HookState::ours) return {};
  TRY(const std::string own, own_folder());
  if (place.folder != own) return {};
  TRY([[maybe_unused]] const std::string said, git(".", {"config", "--global", "--unset", "core.hooksPath"}));
  std::error_code failed;
  for (const std::string_view type : kClientHooks)
    if (hook_state(place, type) == HookState::passing) fs::remove(path_of(place, type), failed);
  fs::remove(place.folder, failed);  // when it is empty
  return {};
}

Result<bool> uninstall_hook(const HookPlace& place, std::string_view type) {
  if (hook_state(place, type) != HookState::ours) return false;
  const fs::path path = path_of(place, type);
  const fs::path before = path.string() + std::string(kBefore);
  std::error_code failed;
  if (fs::exists(before, failed))
    fs::rename(before, path, failed);
  else
    fs::remove(path, failed);
  if (failed)
    return fail(Code::io_failed, failed.message(),
                fmt::format("{} cannot be removed: {}.", path.string(), failed.message()));
  if (!place.global) return true;
  if (hook_state(place, type) == HookState::absent) TRY_VOID(put(place, type, pass_on(type)));
  TRY_VOID(leave_global(place));
  return true;
}

}  // namespace claviger::app
