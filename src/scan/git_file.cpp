// Opens files beneath a folder: openat2 where the kernel has it, one component after another where not.
#include "scan/git_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

namespace claviger::scan {

namespace {

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// A descriptor that is closed unless it is taken.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int take() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Without openat2: each component by itself, none of them a symbolic link.
int open_by_steps(int folder, std::string_view name, int flags) {
  const std::size_t slash = name.find('/');
  const std::string part(name.substr(0, slash));
  if (part == "..") {
    errno = EXDEV;
    return -1;
  }
  const char* here = part.empty() ? "." : part.c_str();
  if (slash == std::string_view::npos) return ::openat(folder, here, flags | O_NOFOLLOW);
  const Descriptor step(::openat(folder, here, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return step.get() < 0 ? -1 : open_by_steps(step.get(), name.substr(slash + 1), flags);
}

int open_beneath(int folder, std::string_view name, int flags) {
  const std::string path(name.empty() ? "." : name);
  if (path.find('\0') != std::string::npos) {
    errno = ENOENT;
    return -1;
  }
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0; tries < 16; ++tries) {
    const long fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN) break;  // a rename elsewhere in the tree, while it was resolved
  }
  if (errno != ENOSYS && errno != EPERM) return -1;
  return open_by_steps(folder, path, flags);
}

std::unexpected<Error> refused(const std::string& folder, std::string_view name, int error) {
  const std::string path = fmt::format("{}/{}", folder, name);
  if (error == ENOENT || error == ENOTDIR)
    return fail(Code::not_found, fmt::format("{} does not exist", path));
  if (error == EXDEV || error == ELOOP)
    return fail(Code::corrupt,
                fmt::format("{} is a link that leads out of the repository; it is not read", path));
  return fail(Code::io_failed,
              fmt::format("{} cannot be opened: {}", path, std::generic_category().message(error)));
}

EntryKind kind_of(int folder, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return EntryKind::file;
    case DT_DIR:
      return EntryKind::folder;
    case DT_LNK:
      return EntryKind::link;
    case DT_UNKNOWN:
      break;
    default:
      return EntryKind::other;
  }
  struct stat about{};
  if (::fstatat(folder, entry.d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) return EntryKind::other;
  if (S_ISREG(about.st_mode)) return EntryKind::file;
  if (S_ISDIR(about.st_mode)) return EntryKind::folder;
  return S_ISLNK(about.st_mode) ? EntryKind::link : EntryKind::other;
}

// The one thing that a signal handler can leave behind.
std::atomic<std::uint64_t> pages_lost{0};

// A file was cut off under its mapping: a page of zeros takes the place of what is gone. Any other bus error
// ends the program as if nobody had asked.
void put_zeros(int, siginfo_t* about, void*) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  void* const at = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(about->si_addr) & ~(page - 1));
  const bool mapped = about->si_code == BUS_ADRERR &&
                      ::mmap(at, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
  if (mapped)
    pages_lost.fetch_add(1, std::memory_order_relaxed);
  else
    ::signal(SIGBUS, SIG_DFL);  // and the same access again ends it
}

}  // namespace

void outlive_lost_pages() {
  struct sigaction action{};
  action.sa_sigaction = put_zeros;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

std::uint64_t lost_pages() { return pages_lost.load(std::memory_order_relaxed); }

Mapping::~Mapping() {
  if (size_ > 0 && !is_borrowed_) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

void Mapping::will_need() const {
  if (size_ > 0 && !is_borrowed_) ::madvise(const_cast<std::uint8_t*>(data_), size_, MADV_WILLNEED);
}

Result<GitFolder> GitFolder::open(std::string path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return refused(path, "", errno);
  return GitFolder(std::move(path), fd);
}

GitFolder::~GitFolder() {
  if (fd_ >= 0) ::close(fd_);
}

Result<GitFolder> GitFolder::below(std::string_view name) const {
  const int fd = open_beneath(fd_, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return refused(path_, name, errno);
  return GitFolder(fmt::format("{}/{}", path_, name), fd);
}

Result<int> GitFolder::open_file(std::string_view name, std::size_t& size) const {
  Descriptor file(open_beneath(fd_, name, kReadFlags));
  if (file.get() < 0) return refused(path_, name, errno);
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return refused(path_, name, errno);
  if (!S_ISREG(about.st_mode))
    return fail(Code::corrupt, fmt::format("{}/{} is not a regular file; it is not read", path_, name));
  size = static_cast<std::size_t>(about.st_size);
  return file.take();
}

Result<Mapping> GitFolder::map(std::string_view name) const {
  std::size_t size = 0;
  TRY(const int fd, open_file(name, size));
  const Descriptor file(fd);
  if (size == 0) return Mapping();
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) return refused(path_, name, errno);
  return Mapping(static_cast<const std::uint8_t*>(data), size);
}

Result<std::string> GitFolder::read(std::string_view name, std::size_t max) const {
  std::size_t size = 0;
  TRY(const int fd, open_file(name, size));
  const Descriptor file(fd);
  std::string text;
  while (text.size() <= max) {
    const std::size_t had = text.size();
    text.resize(had + std::min<std::size_t>(std::max<std::size_t>(size + 1, 4096), max + 1 - had));
    const ssize_t got = ::read(file.get(), text.data() + had, text.size() - had);
    if (got < 0 && errno != EINTR) return refused(path_, name, errno);
    text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return text;
  }
  return fail(Code::corrupt, fmt::format("{}/{} is larger than {} bytes", path_, name, max));
}

Result<std::vector<FolderEntry>> GitFolder::list(std::string_view name) const {
  const int fd = open_beneath(fd_, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return refused(path_, name, errno);
  DIR* folder = ::fdopendir(fd);
  if (folder == nullptr) {
    ::close(fd);
    return refused(path_, name, errno);
  }
  std::vector<FolderEntry> entries;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view found = entry->d_name;
    if (found != "." && found != "..") entries.push_back({std::string(found), kind_of(fd, *entry)});
  }
  ::closedir(folder);
  std::ranges::sort(entries, {}, &FolderEntry::name);
  return entries;
}

bool GitFolder::holds(std::string_view name) const {
  const Descriptor file(open_beneath(fd_, name, O_PATH | O_CLOEXEC));
  return file.get() >= 0;
}

}  // namespace claviger::scan
