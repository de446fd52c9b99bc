// Buffers from the heap, or from an unlinked file when they are large.
#include "scan/git_buffer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <system_error>

#include "base/limits.hpp"

namespace claviger::scan {

Result<std::span<std::uint8_t>> GitBuffer::prepare(std::uint64_t size) {
  if (size > limits::kGitObject)
    return fail(Code::corrupt, fmt::format("it has {} bytes, at most {} are read", size, limits::kGitObject));
  const auto wanted = static_cast<std::size_t>(size);
  if (wanted > capacity_ || (in_file_ && wanted <= limits::kGitObjectInMemory)) {
    release();
    if (wanted > limits::kGitObjectInMemory) {
      TRY_VOID(map_file(wanted));
    } else if (wanted > 0) {
      capacity_ = wanted + wanted / 4;
      data_ = static_cast<std::uint8_t*>(std::malloc(capacity_));
      if (data_ == nullptr) throw std::bad_alloc();
    }
  }
  size_ = wanted;
  return std::span<std::uint8_t>(data_, size_);
}

Result<void> GitBuffer::map_file(std::size_t size) {
  const auto refused = [&](int error) {
    return fail(Code::io_failed,
                fmt::format("it has {} bytes, and no temporary file could be made for them: {}", size,
                            std::generic_category().message(error)));
  };
  std::string name = (std::filesystem::temp_directory_path() / "claviger-XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return refused(errno);
  ::unlink(name.c_str());
  // Blocks are taken now: a full disk is an error here and a signal later.
  int error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  void* data = MAP_FAILED;
  if (error == 0) {
    data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) error = errno;
  }
  ::close(fd);
  if (error != 0) return refused(error);
  data_ = static_cast<std::uint8_t*>(data);
  capacity_ = size;
  in_file_ = true;
  return {};
}

void GitBuffer::release() {
  if (in_file_) {
    ::munmap(data_, capacity_);
  } else {
    std::free(data_);
  }
  data_ = nullptr;
  size_ = capacity_ = 0;
  in_file_ = false;
}

}  // namespace claviger::scan
