// The walk: folders are opened by descriptor, one below the other, and shared out to the threads in pieces.
#include "scan/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/limits.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kFilesInWork = 32;           // of one folder, handed to one thread
constexpr const char* kGitConfig = ".git/config";  // holds remotes, often with a token in their URLs

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// An open folder; lives while work below it is left.
struct Opened {
  Opened(int descriptor, std::string name, std::size_t below)
      : fd(descriptor), path(std::move(name)), depth(below) {}
  Fd fd;
  std::string path;  // with '/' behind it; empty for the root
  std::size_t depth;
};
using Parent = std::shared_ptr<const Opened>;

// A folder to be read, or files to be scanned.
struct Work {
  Parent parent;
  std::string folder;              // name in the parent; empty: files, or the parent itself
  std::vector<std::string> files;  // names in the parent
};

// Work that is left, the newest first, so that few folders are open at once.
class Heap {
 public:
  void put(std::vector<Work> more) {
    if (more.empty()) return;
    {
      const std::lock_guard held(lock_);
      for (Work& work : more) works_.push_back(std::move(work));
    }
    if (more.size() == 1)
      changed_.notify_one();
    else
      changed_.notify_all();
  }

  // The next piece; nothing once all is done.
  bool take(Work& work) {
    std::unique_lock held(lock_);
    changed_.wait(held, [&] { return !works_.empty() || busy_ == 0; });
    if (works_.empty()) return false;
    work = std::move(works_.back());
    works_.pop_back();
    ++busy_;
    return true;
  }

  void done() {
    const std::lock_guard held(lock_);
    if (--busy_ == 0 && works_.empty()) changed_.notify_all();
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<Work> works_;  // guarded by lock_
  std::size_t busy_ = 0;     // threads that may still bring more; guarded by lock_
};

class Walker {
 public:
  Walker(const Task& task, Heap& heap, Progress& progress)
      : inspector_(task), heap_(heap), progress_(progress) {}

  void run() {
    Work work;
    while (heap_.take(work)) {
      if (work.files.empty())
        read_folder(work);
      else
        read_files(work);
      work = {};
      heap_.done();
    }
  }

  Outcome take() { return std::move(inspector_.outcome()); }

 private:
  Outcome& outcome() { return inspector_.outcome(); }
  void cannot(const std::string& path, std::string_view doing) {
    outcome().problem(path, fmt::format("{} failed: {}", doing, std::strerror(errno)));
  }

  void read_files(const Work& work) {
    for (const std::string& name : work.files) read_file(*work.parent, name);
  }

  void read_file(const Opened& parent, const std::string& name) {
    path_.assign(parent.path).append(name);
    // Not blocking: a pipe may have taken the file's place since the folder was read.
    const Fd file(::openat(parent.fd.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0) {
      if (errno == ELOOP || errno == ENOENT) return;  // turned into a link, or gone: not there any more
      return cannot(path_, "opening");
    }
    struct stat facts{};
    if (::fstat(file.get(), &facts) != 0) return cannot(path_, "opening");
    if (!S_ISREG(facts.st_mode)) {
      ++outcome().skipped.special;
      return;
    }
    const std::uint64_t before = outcome().stats.bytes;
    inspector_.file(file.get(), path_);
    progress_.files.fetch_add(1, std::memory_order_relaxed);
    progress_.bytes.fetch_add(outcome().stats.bytes - before, std::memory_order_relaxed);
  }

  void read_folder(const Work& work) {
    Parent folder = work.parent;
    if (!work.folder.empty()) {
      folder = opened(*work.parent, work.folder);
      if (folder == nullptr) return;
    }
    const int copy = ::openat(folder->fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* listing = copy < 0 ? nullptr : ::fdopendir(copy);
    if (listing == nullptr) {
      cannot(folder->path, "reading the folder");
      if (copy >= 0) ::close(copy);
      return;
    }
    list(listing, folder);
    ::closedir(listing);
  }

  Parent opened(const Opened& parent, const std::string& name) {
    std::string path = parent.path + name + '/';
    if (parent.depth >= limits::kScanTreeDepth) {
      outcome().problem(path,
                        fmt::format("folders nested deeper than {} are not read", limits::kScanTreeDepth));
      return nullptr;
    }
    const int fd = ::openat(parent.fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
      cannot(path, "opening the folder");
      return nullptr;
    }
    return std::make_shared<const Opened>(fd, std::move(path), parent.depth + 1);
  }

  void list(DIR* listing, const Parent& folder) {
    std::vector<Work> more;
    std::vector<std::string> files;
    const auto hand_over = [&] {
      if (!files.empty()) more.push_back({folder, "", std::exchange(files, {})});
    };
    errno = 0;
    while (const dirent* entry = ::readdir(listing)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      switch (type_of(*folder, *entry)) {
        case DT_REG:
          files.emplace_back(name);
          if (files.size() == kFilesInWork) hand_over();
          break;
        case DT_DIR:
          if (name == ".git") {
            ++outcome().skipped.repositories;
            if (is_file(*folder, kGitConfig)) files.emplace_back(kGitConfig);
          } else {
            more.push_back({folder, std::string(name), {}});
          }
          break;
        case DT_LNK:
          ++outcome().skipped.links;
          break;
        default:
          ++outcome().skipped.special;
      }
      errno = 0;
    }
    if (errno != 0) cannot(folder->path, "reading the folder");
    hand_over();
    heap_.put(std::move(more));
  }

  static bool is_file(const Opened& folder, const char* name) {
    struct stat facts{};
    return ::fstatat(folder.fd.get(), name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode);
  }

  // Not every file system tells the type with the name.
  static unsigned char type_of(const Opened& folder, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type;
    struct stat facts{};
    if (::fstatat(folder.fd.get(), entry.d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return DT_REG;
    return static_cast<unsigned char>(IFTODT(facts.st_mode));
  }

  Inspector inspector_;
  Heap& heap_;
  Progress& progress_;
  std::string path_;
};

std::unexpected<Error> cannot_open(const std::string& path) {
  const int reason = errno;
  return fail(reason == ENOENT ? Code::not_found : Code::io_failed, std::strerror(reason),
              fmt::format("{} cannot be opened: {}.", path, std::strerror(reason)));
}

Outcome scan_one(int fd, const std::string& path, const Task& task) {
  Inspector inspector(task);
  inspector.file(fd, path);
  return std::move(inspector.outcome());
}

}  // namespace

Result<Outcome> scan_tree(const std::string& root, const Task& task, unsigned threads, Progress& progress) {
  Fd fd(::open(root.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat facts{};
  if (fd.get() < 0 || ::fstat(fd.get(), &facts) != 0) return cannot_open(root);
  if (S_ISREG(facts.st_mode)) return scan_one(fd.get(), root, task);
  if (!S_ISDIR(facts.st_mode))
    return refuse(Code::invalid_input, fmt::format("{} is neither a file nor a folder: use --stdin.", root));

  Heap heap;
  std::vector<Work> first;
  first.push_back({std::make_shared<const Opened>(::dup(fd.get()), "", 0), "", {}});
  heap.put(std::move(first));
  std::vector<std::unique_ptr<Walker>> walkers;
  std::vector<std::jthread> running;
  for (unsigned i = 0; i < std::max(threads, 1U); ++i)
    walkers.push_back(std::make_unique<Walker>(task, heap, progress));
  for (std::size_t i = 1; i < walkers.size(); ++i)
    running.emplace_back([&walker = *walkers[i]] { walker.run(); });
  walkers.front()->run();
  running.clear();  // joins
  Outcome all;
  for (auto& walker : walkers) all.merge(walker->take());
  std::ranges::sort(all.findings, before);
  return all;
}

}  // namespace claviger::scan
