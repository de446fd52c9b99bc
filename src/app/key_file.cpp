// Writing key files and running the operator's command.
#include "app/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "crypto/wipe.hpp"

namespace claviger::app {
namespace {

std::unexpected<Error> broken(std::string_view what) {
  const std::string why = std::strerror(errno);
  return fail(Code::io_failed, fmt::format("{}: {}", what, why), fmt::format("{}: {}.", what, why));
}

Result<void> write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(file, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return broken("The key file cannot be written");
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<void> put_file(const std::string& path, std::string_view lines) {
  const std::string fresh = path + ".claviger-new";
  ::unlink(fresh.c_str());
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return broken("The key file's folder cannot be written");
  struct stat before{};
  // The server may run as somebody else. Where that cannot be kept, the operator sees it by the server.
  if (::stat(path.c_str(), &before) == 0) (void)!::fchown(file, before.st_uid, before.st_gid);
  Result<void> done = write_all(file, lines);
  if (done && ::fsync(file) != 0) done = broken("The key file cannot be written");
  ::close(file);
  if (done && ::rename(fresh.c_str(), path.c_str()) != 0) done = broken("The key file cannot be replaced");
  if (!done) ::unlink(fresh.c_str());
  if (!done) return done;
  const std::string folder = std::filesystem::path(path).parent_path();
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
  return {};
}

Result<void> wait_for(pid_t child, std::int64_t reload_ms) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd watched{handle, POLLIN, 0};
  const int ready = handle < 0 ? 1 : ::poll(&watched, 1, static_cast<int>(reload_ms));
  if (handle >= 0) ::close(handle);
  if (ready == 0) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (ready == 0)
    return fail(Code::io_failed, "the reload command was ended", "The reload command took too long.");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(Code::io_failed, fmt::format("the reload command ended with status {}", status),
              fmt::format("The reload command failed with {}.",
                          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
}

// Without a shell, an environment or any descriptor of ours.
Result<void> run_command_of(const std::vector<std::string>& command, std::int64_t reload_ms) {
  std::vector<char*> arguments;
  for (const std::string& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path, nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int descriptor : {0, 1, 2})
    ::posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = -1;
  const int failed =
      ::posix_spawn(&child, arguments[0], &actions, &attributes, arguments.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed == 0) return wait_for(child, reload_ms);
  errno = failed;
  return broken("The reload command cannot be run");
}

}  // namespace

Result<void> replace_key_file(const steward::KeyFile& file, std::string_view lines, std::int64_t reload_ms) {
  TRY_VOID(put_file(file.path, lines));
  return file.reload.empty() ? Result<void>{} : run_command_of(file.reload, reload_ms);
}

void KeyFileWriter::replace(const steward::KeyFile& file, std::string lines,
                            std::function<void(Result<void>)> done) {
  auto text = std::make_shared<std::string>(std::move(lines));
  workers_.submit([this, file, text, done = std::move(done)] {
    auto result = std::make_shared<Result<void>>(replace_key_file(file, *text));
    crypto::wipe(*text);
    home_.post([done, result] { done(std::move(*result)); });
  });
}

}  // namespace claviger::app
