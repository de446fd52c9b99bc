// posix_spawn with pipes on both sides.
#include "app/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

extern char** environ;

namespace claviger::app {
namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read = ends[0];
    write = ends[1];
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(read);
    close(write);
  }
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment(bool outside_git) {
  std::vector<std::string> kept;
  for (char** at = environ; *at != nullptr; ++at)
    if (!outside_git || !std::string_view(*at).starts_with("GIT_")) kept.emplace_back(*at);
  return kept;
}

// Feeds `input` and collects what comes until the child has closed its side.
std::string converse(Pipe& in, Pipe& out, std::string_view input) {
  std::string text;
  char piece[16 * 1024];
  while (out.read >= 0) {
    if (input.empty()) Pipe::close(in.write);
    pollfd waits[2] = {{out.read, POLLIN, 0}, {in.write, POLLOUT, 0}};  // a descriptor of -1 is passed over
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) break;
    if ((waits[1].revents & (POLLOUT | POLLERR)) != 0) {
      const ssize_t put = ::write(in.write, input.data(), input.size());
      input.remove_prefix(put > 0 ? static_cast<std::size_t>(put)
                                  : input.size());  // it may not want all of it
    }
    if ((waits[0].revents & (POLLIN | POLLHUP)) == 0) continue;
    const ssize_t got = ::read(out.read, piece, sizeof(piece));
    if (got > 0)
      text.append(piece, static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
      Pipe::close(out.read);
  }
  return text;
}

}  // namespace

Result<Ended> run_child(const Child& child) {
  Pipe in, out;
  if (in.read < 0 || out.read < 0) return fail(Code::io_failed, "no pipe");
  ::fcntl(in.write, F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, child.folder.c_str());
  std::vector<std::string> arguments = child.arguments, variables = environment(child.outside_git);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, arguments.front().c_str(), &actions, nullptr,
                                    pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    return fail(Code::io_failed, std::strerror(failed),
                fmt::format("{} cannot be run: {}.", child.arguments.front(), std::strerror(failed)));
  Pipe::close(in.read);
  Pipe::close(out.write);
  Ended ended;
  ended.text = converse(in, out, child.input);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

}  // namespace claviger::app
