// Archives, opened in memory and never onto the disk: zip (jar, whl), tar, gzip, zstd, one in another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "scan/source.hpp"

namespace claviger::scan {

enum class ArchiveKind : std::uint8_t { zip, tar, gzip, zstd };

inline constexpr std::size_t kArchiveHead = 512;  // bytes that tell the kind
// The kind of a file that begins with `head`; nothing when it is no archive.
std::optional<ArchiveKind> archive_kind(std::string_view head);

// Who looks at what is inside.
class Members {
 public:
  virtual ~Members() = default;
  // One file of the archive, to be read to its end. `path` is outer.zip!/inner/path, as its maker wrote it:
  // it may hold anything and names nothing on this machine. An error of `content` is told by problem().
  virtual void member(const std::string& path, Source& content) = 0;
  // Something that could not be unpacked, or not whole.
  virtual void problem(const std::string& path, const std::string& why) = 0;
};

// Opens the archive `file`, called `name`, and those inside it to limits::kArchiveDepth. Whatever it holds,
// ends within limits::kArchive*: a bomb is a problem.
void open_archive(ArchiveKind kind, const Extent& file, const std::string& name, Members& members);

// What one outer file has cost so far, inner ones included.
class ArchiveBudget {
 public:
  explicit ArchiveBudget(std::uint64_t packed) : packed_(packed) {}
  // Before the bytes are used; says which bound is reached.
  Result<void> unpacked(std::uint64_t bytes);
  Result<void> entry();
  bool spent() const { return spent_; }

 private:
  std::uint64_t packed_, unpacked_ = 0;
  std::size_t entries_ = 0;
  bool spent_ = false;
};

// One member as the formats find it.
class Entries {
 public:
  virtual ~Entries() = default;
  // `content` need not be read to its end. False: no more are wanted.
  virtual bool entry(std::string_view name, Source& content) = 0;
  // A member that is there and cannot be read.
  virtual void unreadable(std::string_view name, const std::string& why) = 0;
};
// Calls `entries` for each regular file; refuses with corrupt where the archive itself cannot be followed.
Result<void> read_zip(const Extent& file, Entries& entries);
Result<void> read_tar(Source& file, Entries& entries);

}  // namespace claviger::scan
