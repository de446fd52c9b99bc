// Secrets in memory.
#include "base/secret.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.hpp"

namespace claviger {
namespace {

std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

std::size_t units_for(std::size_t size) { return (size + SecretArena::kUnit - 1) / SecretArena::kUnit; }

}  // namespace

void wipe_memory(void* data, std::size_t size) {
  if (size > 0) sodium_memzero(data, size);
}

Secret Secret::take(std::string& source) {
  Secret made;
  if (!source.empty()) {
    made.bytes_ = std::make_unique_for_overwrite<char[]>(source.size());
    made.size_ = source.size();
    std::memcpy(made.bytes_.get(), source.data(), source.size());
  }
  // Bytes after the end too: what was read before it was cut may lie there.
  source.resize(source.capacity());
  wipe_memory(source.data(), source.size());
  source.clear();
  return made;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  clear();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Secret::~Secret() { clear(); }

void Secret::clear() {
  if (bytes_) wipe_memory(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

SecretCell::SecretCell(SecretCell&& other) noexcept
    : arena_(std::exchange(other.arena_, nullptr)), first_(other.first_), size_(other.size_) {}

SecretCell& SecretCell::operator=(SecretCell&& other) noexcept {
  if (this == &other) return *this;
  clear();
  arena_ = std::exchange(other.arena_, nullptr);
  first_ = other.first_;
  size_ = other.size_;
  return *this;
}

SecretCell::~SecretCell() { clear(); }

void SecretCell::clear() {
  if (arena_ != nullptr) std::exchange(arena_, nullptr)->release(first_, size_);
}

std::span<const char> SecretCell::open(const SecretAccess&) const {
  check(arena_ != nullptr, "a cell that was moved from is not opened");
  return {arena_->region_ + first_ * SecretArena::kUnit, size_};
}

SecretArena::SecretArena(std::size_t bytes, Backing backing) {
  const std::size_t page = page_size();
  bytes_ = (bytes + page - 1) / page * page;
  check(bytes_ > 0, "an arena has room");
  check(sodium_init() >= 0, "libsodium starts");
  if (backing == Backing::ordinary || !map_hidden()) map_ordinary();
  // A child must not inherit the keys; where the kernel cannot promise it, there is no child anyway.
  static_cast<void>(::madvise(region_, bytes_, MADV_DONTFORK));
  taken_.resize(bytes_ / kUnit);
}

SecretArena::~SecretArena() {
  check(units_free() == taken_.size(), "no cell outlives its arena");
  if (mapping_ == nullptr) {
    sodium_free(region_);
    return;
  }
  wipe_memory(region_, bytes_);
  ::munmap(mapping_, bytes_ + 2 * page_size());
}

bool SecretArena::map_hidden() {
  const int fd = static_cast<int>(::syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0) return false;
  const std::size_t page = page_size();
  // Reserved with an inaccessible page on either side, so that a run past the end faults.
  void* whole = MAP_FAILED;
  if (::ftruncate(fd, static_cast<off_t>(bytes_)) == 0)
    whole = ::mmap(nullptr, bytes_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) {
    ::close(fd);
    return false;
  }
  char* const start = static_cast<char*>(whole) + page;
  void* const placed = ::mmap(start, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  ::close(fd);
  if (placed == MAP_FAILED) {  // RLIMIT_MEMLOCK
    ::munmap(whole, bytes_ + 2 * page);
    return false;
  }
  mapping_ = static_cast<char*>(whole);
  region_ = start;
  protection_ = Protection::hidden;
  return true;
}

void SecretArena::map_ordinary() {
  region_ = static_cast<char*>(sodium_malloc(bytes_));
  check(region_ != nullptr, "memory for the secret arena");
  // sodium_malloc does not say whether its lock succeeded; locking again does.
  protection_ = ::mlock(region_, bytes_) == 0 ? Protection::locked : Protection::exposed;
}

std::optional<SecretCell> SecretArena::hold(std::span<const char> bytes) {
  const std::size_t needed = units_for(bytes.size());
  const std::lock_guard lock(lock_);
  const std::size_t units = taken_.size();
  if (needed > units) return std::nullopt;
  std::size_t run = 0;
  // Once round from where the last search ended; runs do not wrap, so the overlap is searched twice.
  for (std::size_t step = 0, at = next_; step < units + needed; ++step, ++at) {
    if (at >= units) {
      at = 0;
      run = 0;
    }
    if (needed > 0) run = taken_[at] ? 0 : run + 1;
    if (run < needed) continue;
    const std::size_t first = needed == 0 ? 0 : at + 1 - needed;
    for (std::size_t i = 0; i < needed; ++i) taken_[first + i] = true;
    next_ = needed == 0 ? next_ : (at + 1) % units;
    if (!bytes.empty()) std::memcpy(region_ + first * kUnit, bytes.data(), bytes.size());
    return SecretCell(*this, first, bytes.size());
  }
  return std::nullopt;
}

void SecretArena::release(std::size_t first, std::size_t size) {
  const std::lock_guard lock(lock_);
  wipe_memory(region_ + first * kUnit, size);
  for (std::size_t i = 0; i < units_for(size); ++i) taken_[first + i] = false;
}

std::size_t SecretArena::units_free() const {
  const std::lock_guard lock(lock_);
  std::size_t count = 0;
  for (const bool taken : taken_) count += taken ? 0 : 1;
  return count;
}

Result<void> harden_process() {
  const auto refused = [](std::string_view step) {
    return fail(Code::internal, "hardening: " + std::string(step) + ": " + std::strerror(errno));
  };
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return refused("PR_SET_DUMPABLE");
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return refused("RLIMIT_CORE");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("PR_SET_NO_NEW_PRIVS");
  return {};
}

}  // namespace claviger
