// What a scan needs before it begins: rules, ignores, and files as wholes.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/scan_command.hpp"
#include "base/limits.hpp"

namespace claviger::app {
namespace {

constexpr std::size_t kConfigBytes = 16 * 1024 * 1024;

std::unexpected<Error> cannot(std::string_view doing, const std::string& path) {
  const int reason = errno;
  return fail(Code::io_failed, std::strerror(reason),
              fmt::format("{} cannot be {}: {}.", path, doing, std::strerror(reason)));
}

bool is_there(const std::filesystem::path& path) {
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) == 0;
}

}  // namespace

Result<std::string> read_whole(const std::string& path, std::size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return refuse(Code::invalid_input, fmt::format("{} cannot be opened: {}.", path, std::strerror(errno)));
  std::string text;
  char piece[64 * 1024];
  ssize_t got = 0;
  while ((got = ::read(fd, piece, sizeof(piece))) > 0 && text.size() <= most)
    text.append(piece, static_cast<std::size_t>(got));
  ::close(fd);
  if (got < 0) return cannot("read", path);
  if (text.size() > most)
    return refuse(Code::invalid_input, fmt::format("{} is larger than {} bytes.", path, most));
  return text;
}

Result<void> write_whole(const std::string& path, std::string_view text, mode_t mode) {
  std::string beside = path + ".XXXXXX";
  const int fd = ::mkostemp(beside.data(), O_CLOEXEC);
  if (fd < 0) return cannot("written", path);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  bool whole = ::fchmod(fd, mode & ~mask) == 0;
  while (whole && !text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    whole = put > 0 || (put < 0 && errno == EINTR);
    if (put > 0) text.remove_prefix(static_cast<std::size_t>(put));
  }
  whole = ::close(fd) == 0 && whole;
  if (whole && ::rename(beside.c_str(), path.c_str()) == 0) return {};
  const auto error = cannot("written", path);
  ::unlink(beside.c_str());
  return error;
}

Result<detect::Ruleset> scan_rules(const std::string& config, const std::vector<std::string>& rules) {
  TRY(detect::Ruleset set, detect::Ruleset::built_in());
  if (!config.empty()) {
    TRY(const std::string text, read_whole(config, kConfigBytes));
    TRY_VOID(set.extend(text, config));
  }
  if (!rules.empty()) TRY_VOID(set.only(rules));
  return set;
}

Result<std::shared_ptr<const detect::Engine>> scan_engine(const std::string& config,
                                                          const std::vector<std::string>& rules) {
  if (config.empty() && rules.empty()) return detect::Engine::built_in();
  TRY(detect::Ruleset set, scan_rules(config, rules));
  return detect::Engine::make(std::move(set));
}

std::string ignore_folder(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code failed;
  fs::path folder = fs::absolute(path, failed).lexically_normal();
  if (!fs::is_directory(folder, failed)) folder = folder.parent_path();
  if (!folder.has_filename() && folder.has_relative_path())
    folder = folder.parent_path();  // a '/' at the end
  const fs::path first = folder;
  for (;;) {
    if (is_there(folder / scan::kIgnoreFileName) || is_there(folder / ".git")) return folder.string();
    if (!folder.has_relative_path()) return first.string();
    folder = folder.parent_path();
  }
}

Result<std::optional<scan::IgnoreFile>> load_ignores(const std::string& folder) {
  const std::string path = fmt::format("{}/{}", folder, scan::kIgnoreFileName);
  if (!is_there(path)) return std::nullopt;
  TRY(const std::string text, read_whole(path, limits::kIgnoreFile));
  TRY(scan::IgnoreFile file, scan::IgnoreFile::parse(text));
  return std::optional(std::move(file));
}

}  // namespace claviger::app
