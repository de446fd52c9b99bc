// Room for one inflated object, used again and again. A large one lies in an unlinked file, so that the
// kernel may write it back and the program's own memory stays bounded whatever a repository holds.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace claviger::scan {

class GitBuffer {
 public:
  GitBuffer() = default;
  GitBuffer(GitBuffer&& other) noexcept { swap(other); }
  GitBuffer& operator=(GitBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~GitBuffer() { release(); }

  // Room for `size` bytes with undefined content. Refuses with corrupt more than limits::kGitObject, with
  // io_failed when there is no room on disk.
  Result<std::span<std::uint8_t>> prepare(std::uint64_t size);
  // Keeps the first `size` bytes, at most what was prepared.
  void shorten(std::size_t size) { size_ = size; }
  ByteView view() const { return {data_, size_}; }
  std::size_t capacity() const { return capacity_; }
  // Anonymous memory held.
  std::size_t memory() const { return in_file_ ? 0 : capacity_; }
  void release();

 private:
  void swap(GitBuffer& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(in_file_, other.in_file_);
  }
  Result<void> map_file(std::size_t size);

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool in_file_ = false;
};

}  // namespace claviger::scan
