// The data directory and its lock.
#include "store/data_dir.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "store/store.hpp"

namespace claviger::store {
namespace {

struct CloseFd {
  explicit CloseFd(int number) : fd(number) {}
  ~CloseFd() {
    if (fd >= 0) ::close(fd);
  }
  CloseFd(const CloseFd&) = delete;
  CloseFd& operator=(const CloseFd&) = delete;
  int release() { return std::exchange(fd, -1); }
  int fd;
};

std::unexpected<Error> io(std::string_view doing, const std::string& path) {
  const std::string detail = fmt::format("{} {}: {}", doing, path, std::strerror(errno));
  return fail(Code::io_failed, detail, fmt::format("The data directory cannot be used: {}.", detail));
}

// The file's text, at most 64 bytes; empty when there is none.
Result<std::string> read_small(const std::string& path) {
  const CloseFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.fd < 0) {
    if (errno == ENOENT) return std::string();
    return io("reading", path);
  }
  std::array<char, 64> buffer{};
  const ssize_t got = ::read(file.fd, buffer.data(), buffer.size());
  if (got < 0) return io("reading", path);
  return std::string(buffer.data(), static_cast<std::size_t>(got));
}

// Whole or not at all, also after a power cut.
Result<void> write_small(const std::string& path, std::string_view text) {
  const std::string unfinished = path + ".new";
  {
    const CloseFd file(
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.fd < 0) return io("writing", unfinished);
    if (::write(file.fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.fd) != 0)
      return io("writing", unfinished);
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return io("naming", path);
  return {};
}

Result<void> sync_folder(const std::string& path) {
  const CloseFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd < 0 || ::fsync(folder.fd) != 0) return io("syncing", path);
  return {};
}

// An open, locked descriptor of DIR/lock, which from then on holds our process id.
Result<int> take_lock(const std::string& path) {
  const std::string name = path + "/lock";
  CloseFd file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.fd < 0) return io("opening", name);
  if (::flock(file.fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io("locking", name);
    const auto held = read_small(name);
    std::string holder = held ? *held : std::string();
    while (!holder.empty() && (holder.back() < '0' || holder.back() > '9')) holder.pop_back();
    return fail(
        Code::data_in_use, fmt::format("{} is locked", name),
        fmt::format("The data directory {} is in use by process {}. Stop it first, or give this one another "
                    "directory.",
                    path, holder.empty() ? "unknown" : holder));
  }
  const std::string mine = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.fd, 0) != 0 || ::pwrite(file.fd, mine.data(), mine.size(), 0) < 0)
    return io("writing", name);
  return file.release();
}

Result<void> check_private(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT)
      return fail(Code::not_found, path + " does not exist",
                  fmt::format("There is no data directory {}. Make one with 'claviger init'.", path));
    return io("looking at", path);
  }
  if (!S_ISDIR(facts.st_mode))
    return fail(Code::configuration, path + " is no directory", fmt::format("{} is not a directory.", path));
  if ((facts.st_mode & 077) != 0)
    return fail(Code::configuration, fmt::format("{} has mode {:o}", path, facts.st_mode & 07777),
                fmt::format("Others than its owner can enter {}. Close it with 'chmod 700 {}'.", path, path));
  return {};
}

// Only what an interrupted create() can have left.
Result<void> check_empty(const std::string& path) {
  struct CloseDir {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  const std::unique_ptr<DIR, CloseDir> folder(::opendir(path.c_str()));
  if (!folder) return io("listing", path);
  constexpr std::string_view ours[] = {".", "..", "lock", "journal", "audit", "version.new"};
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (std::ranges::find(ours, name) == std::end(ours))
      return fail(Code::configuration, fmt::format("{} holds {}", path, name),
                  fmt::format("{} is not empty. Give an empty or a new directory.", path));
  }
  return {};
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return io("making", path);
  return {};
}

}  // namespace

Result<DataDir> DataDir::create(const std::string& path) {
  TRY_VOID(make_folder(path));
  TRY_VOID(check_private(path));
  TRY(const std::string version, read_small(path + "/version"));
  if (!version.empty())
    return fail(Code::already_exists, path + " has a version file",
                fmt::format("{} is a data directory already.", path));
  TRY_VOID(check_empty(path));
  TRY(const int lock, take_lock(path));
  DataDir made(path, lock);
  TRY_VOID(make_folder(made.journal()));
  TRY_VOID(make_folder(made.audit()));
  // Last, so that a directory with a version is a whole one.
  TRY_VOID(write_small(path + "/version", fmt::format("{}\n", kDataVersion)));
  TRY_VOID(sync_folder(path));
  return made;
}

Result<DataDir> DataDir::open(const std::string& path) {
  TRY_VOID(check_private(path));
  TRY(const std::string version, read_small(path + "/version"));
  if (version.empty())
    return fail(Code::not_found, path + " has no version file",
                fmt::format("{} is not a data directory. Make one with 'claviger init'.", path));
  std::int64_t number = 0;
  const auto parsed = std::from_chars(version.data(), version.data() + version.size(), number);
  if (parsed.ec != std::errc() || std::string_view(parsed.ptr, version.data() + version.size()) != "\n")
    return fail(
        Code::corrupt, path + "/version is unreadable",
        fmt::format("The file {}/version is damaged: it should hold the number {}.", path, kDataVersion));
  if (number != kDataVersion)
    return fail(
        Code::data_version, fmt::format("{} has version {}, program {}", path, number, kDataVersion),
        fmt::format(
            "{} holds data of version {}, this program works with version {}. Run the program version "
            "that wrote it, or restore a backup made by this one.",
            path, number, kDataVersion));
  TRY(const int lock, take_lock(path));
  return DataDir(path, lock);
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDir& DataDir::operator=(DataDir&& other) noexcept {
  if (this == &other) return *this;
  release();
  path_ = std::move(other.path_);
  lock_ = std::exchange(other.lock_, -1);
  return *this;
}

DataDir::~DataDir() { release(); }

void DataDir::release() {
  // The file stays: removing it would let a third process lock a new one while a second waits on the old.
  if (lock_ >= 0) ::close(std::exchange(lock_, -1));
}

}  // namespace claviger::store
