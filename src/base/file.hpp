// Files behind a seam: the real file system here, a simulated one with faults in file_memory.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace claviger {

enum class Sync : std::uint8_t { no, yes };

// A file that only grows at its end. append, size and truncate belong to one thread; sync may come from
// another.
class File {
 public:
  virtual ~File() = default;
  // Puts all of `bytes` behind the end, or refuses with io_failed and the end stays where it was. What a
  // failed append left behind it stays readable and is overwritten by the next one: a writer whose readers
  // may have seen it comes again with the same bytes, others truncate first.
  virtual Result<void> append(std::string_view bytes) = 0;
  // What was appended before the call is on disk afterwards (fdatasync).
  virtual Result<void> sync() = 0;
  virtual std::uint64_t size() const = 0;
  // Shortens the file to `size`, which is at most its size.
  virtual Result<void> truncate(std::uint64_t size) = 0;
};

// A folder of such files. Names are relative, may hold '/', and never '..'; missing folders in between are
// made. Every call refuses with io_failed when the system does, and with not_found when the file is absent.
class Folder {
 public:
  virtual ~Folder() = default;
  // Opens the file, made empty (mode 0600) when it is absent.
  virtual Result<std::unique_ptr<File>> open_append(std::string_view name) = 0;
  // Names of all regular files, those in folders below too (as "tile/0/000"), sorted.
  virtual Result<std::vector<std::string>> list() = 0;
  // At most `max` bytes from `offset`; shorter only at the end of the file, empty at or behind it.
  virtual Result<std::string> read(std::string_view name, std::uint64_t offset, std::size_t max) = 0;
  virtual Result<std::uint64_t> size(std::string_view name) = 0;
  // Puts `bytes` in the place of the file as one step: a reader, or a crash, sees the old or the new one.
  // Without sync a power failure may leave the new one empty or short.
  virtual Result<void> replace(std::string_view name, std::string_view bytes, Sync sync) = 0;
  virtual Result<void> remove(std::string_view name) = 0;
};

// A folder of the file system. Made (0700) when absent.
class PosixFolder final : public Folder {
 public:
  static Result<std::unique_ptr<PosixFolder>> open(std::string path);

  Result<std::unique_ptr<File>> open_append(std::string_view name) override;
  Result<std::vector<std::string>> list() override;
  Result<std::string> read(std::string_view name, std::uint64_t offset, std::size_t max) override;
  Result<std::uint64_t> size(std::string_view name) override;
  Result<void> replace(std::string_view name, std::string_view bytes, Sync sync) override;
  Result<void> remove(std::string_view name) override;

 private:
  explicit PosixFolder(std::string path) : path_(std::move(path)) {}
  std::string full(std::string_view name) const;

  std::string path_;
};

}  // namespace claviger
