// The files of a repository: read or mapped, and nothing that lies outside the folder they belong to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace claviger::scan {

// A file mapped for reading; its pages are the kernel's, not the program's memory.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  Mapping(Mapping&& other) noexcept { swap(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    swap(other);
    return *this;
  }
  // Bytes that somebody else owns and that outlive it.
  static Mapping borrowed(ByteView bytes) {
    Mapping mapping(bytes.data(), bytes.size());
    mapping.is_borrowed_ = true;
    return mapping;
  }
  ~Mapping();

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  ByteView view() const { return {data_, size_}; }
  // Tells the kernel that all of it will be read soon.
  void will_need() const;

 private:
  void swap(Mapping& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(is_borrowed_, other.is_borrowed_);
  }

  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  bool is_borrowed_ = false;
};

// From now on what a mapped file has lost since it was mapped reads as zeros, where the system would end the
// program with SIGBUS. Whoever reads mappings holds lost_pages() before against lost_pages() after.
void outlive_lost_pages();
std::uint64_t lost_pages();

enum class EntryKind : std::uint8_t { file, folder, link, other };

struct FolderEntry {
  std::string name;
  EntryKind kind = EntryKind::other;
};

// A folder of a repository. Every name is relative to it; one that leads out of it, by ".." or by a symbolic
// link, is refused with corrupt, an absent one with not_found, one that is no regular file with corrupt.
class GitFolder {
 public:
  static Result<GitFolder> open(std::string path);
  GitFolder(GitFolder&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  GitFolder& operator=(GitFolder&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~GitFolder();

  Result<Mapping> map(std::string_view name) const;
  // The whole file; refuses with corrupt when it holds more than `max` bytes.
  Result<std::string> read(std::string_view name, std::size_t max) const;
  // Sorted by name, without "." and "..".
  Result<std::vector<FolderEntry>> list(std::string_view name) const;
  bool holds(std::string_view name) const;
  // A folder below this one, with the same promise.
  Result<GitFolder> below(std::string_view name) const;

  const std::string& path() const { return path_; }

 private:
  GitFolder(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  Result<int> open_file(std::string_view name, std::size_t& size) const;

  std::string path_;
  int fd_ = -1;
};

}  // namespace claviger::scan
