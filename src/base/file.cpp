// The real file system behind the seam.
#include "base/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.hpp"

namespace claviger {
namespace {

std::unexpected<Error> system_error(std::string_view what, std::string_view name) {
  const int number = errno;
  const Code code = number == ENOENT ? Code::not_found : Code::io_failed;
  return fail(code, fmt::format("{} {}: {}", what, name, std::strerror(number)));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Writes all of `bytes` at `offset`; false with errno set otherwise.
bool write_all(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      if (n == 0) errno = ENOSPC;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string name, std::uint64_t size)
      : fd_(std::move(fd)), name_(std::move(name)), size_(size) {}

  Result<void> append(std::string_view bytes) override {
    // pwrite at the known end, not O_APPEND: what a full disk left there is written over. It is not cut off:
    // another thread may have read whole lines of it.
    if (!write_all(fd_.get(), bytes, size_)) {
      auto error = system_error("cannot write", name_);
      error.error().code = Code::io_failed;
      return error;
    }
    size_ += bytes.size();
    return {};
  }

  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return system_error("cannot sync", name_);
    return {};
  }

  std::uint64_t size() const override { return size_; }

  Result<void> truncate(std::uint64_t size) override {
    check(size <= size_, "a file is only shortened");
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return system_error("cannot shorten", name_);
    size_ = size;
    return {};
  }

 private:
  Descriptor fd_;
  const std::string name_;
  std::uint64_t size_;
};

Result<void> sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::fsync(folder.get()) != 0) return system_error("cannot sync folder", path);
  return {};
}

std::string parent_of(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

Result<void> make_folders(const std::string& path) {
  if (path.empty() || ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return system_error("cannot make folder", path);
  TRY_VOID(make_folders(parent_of(path)));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("cannot make folder", path);
  return {};
}

// Opens for writing, making the folders in between only when they turn out to be missing.
Result<Descriptor> open_writable(const std::string& path, int flags) {
  constexpr mode_t kOwnerOnly = 0600;
  int fd = ::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly);
  if (fd < 0 && errno == ENOENT) {
    TRY_VOID(make_folders(parent_of(path)));
    fd = ::open(path.c_str(), flags | O_CLOEXEC, kOwnerOnly);
  }
  if (fd < 0) return system_error("cannot open", path);
  return Descriptor(fd);
}

constexpr std::string_view kUnfinished = ".new";  // suffix of a replacement that is still being written

}  // namespace

Result<std::unique_ptr<PosixFolder>> PosixFolder::open(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  TRY_VOID(make_folders(path));
  return std::unique_ptr<PosixFolder>(new PosixFolder(std::move(path)));
}

std::string PosixFolder::full(std::string_view name) const {
  check(!name.empty() && name.front() != '/' && !name.contains(".."), "file names stay in their folder");
  return fmt::format("{}/{}", path_, name);
}

Result<std::unique_ptr<File>> PosixFolder::open_append(std::string_view name) {
  const std::string path = full(name);
  const bool fresh = ::access(path.c_str(), F_OK) != 0;
  TRY(Descriptor fd, open_writable(path, O_WRONLY | O_CREAT));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return system_error("cannot look at", path);
  if (fresh)
    TRY_VOID(sync_folder(parent_of(path)));  // else a power failure could take the file with its name
  return std::make_unique<PosixFile>(std::move(fd), path, static_cast<std::uint64_t>(status.st_size));
}

Result<std::vector<std::string>> PosixFolder::list() {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path_, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;  // a file that vanished since is not listed
    if (!it->is_regular_file(ignored)) continue;
    std::string name = it->path().string().substr(path_.size() + 1);
    if (!name.ends_with(kUnfinished)) names.push_back(std::move(name));
  }
  if (error) return fail(Code::io_failed, fmt::format("cannot list {}: {}", path_, error.message()));
  std::ranges::sort(names);
  return names;
}

Result<std::string> PosixFolder::read(std::string_view name, std::uint64_t offset, std::size_t max) {
  const std::string path = full(name);
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.open()) return system_error("cannot open", path);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return system_error("cannot look at", path);
  const std::uint64_t size = static_cast<std::uint64_t>(status.st_size);
  std::string bytes;
  if (offset >= size) return bytes;
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(max, size - offset));
  // The size is our own: libstdc++ 12 offers all of the new capacity here.
  bytes.resize_and_overwrite(wanted, [wanted](char*, std::size_t) { return wanted; });
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t n =
        ::pread(fd.get(), bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(offset + filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read", path);
    if (n == 0) break;  // shortened meanwhile
    filled += static_cast<std::size_t>(n);
  }
  bytes.resize(filled);
  return bytes;
}

Result<std::uint64_t> PosixFolder::size(std::string_view name) {
  const std::string path = full(name);
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return system_error("cannot look at", path);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> PosixFolder::replace(std::string_view name, std::string_view bytes, Sync sync) {
  const std::string path = full(name);
  const std::string unfinished = path + std::string(kUnfinished);
  {
    TRY(const Descriptor fd, open_writable(unfinished, O_WRONLY | O_CREAT | O_TRUNC));
    if (!write_all(fd.get(), bytes, 0)) return system_error("cannot write", unfinished);
    if (sync == Sync::yes && ::fdatasync(fd.get()) != 0) return system_error("cannot sync", unfinished);
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return system_error("cannot rename", unfinished);
  if (sync == Sync::yes) return sync_folder(parent_of(path));
  return {};
}

Result<void> PosixFolder::remove(std::string_view name) {
  const std::string path = full(name);
  if (::unlink(path.c_str()) != 0) return system_error("cannot remove", path);
  return {};
}

}  // namespace claviger
