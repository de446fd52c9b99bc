// Where bytes come from, piece by piece: files, memory, and what unpacks another source.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::scan {

class Source {
 public:
  virtual ~Source() = default;
  // Fills some of `into`, at least one byte; 0 only at the end. Refuses with io_failed, or corrupt for
  // packed bytes that cannot be unpacked.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

// Fills all of `into` unless the source ends first; how much it was.
Result<std::size_t> read_full(Source& source, std::span<char> into);

// A descriptor that belongs to the caller, read from where it stands.
class FdSource final : public Source {
 public:
  explicit FdSource(int fd) : fd_(fd) {}
  Result<std::size_t> read(std::span<char> into) override;

 private:
  int fd_;
};

// Bytes that were read already, then the rest of another source, which must outlive it.
class JoinedSource final : public Source {
 public:
  JoinedSource(std::string_view first, Source& rest) : first_(first), rest_(&rest) {}
  Result<std::size_t> read(std::span<char> into) override;

 private:
  std::string_view first_;  // the caller's
  Source* rest_;
};

// Bytes that can be read anywhere: an open file, or memory.
class Extent {
 public:
  virtual ~Extent() = default;
  virtual std::uint64_t size() const = 0;
  // At most what lies before the end; 0 at and behind it.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const = 0;
};

class FdExtent final : public Extent {
 public:
  FdExtent(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override;

 private:
  int fd_;  // the caller's
  std::uint64_t size_;
};

class MemoryExtent final : public Extent {
 public:
  explicit MemoryExtent(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override;

 private:
  std::string_view bytes_;  // the caller's
};

// A stretch of an extent, which must outlive it.
class ExtentSource final : public Source {
 public:
  ExtentSource(const Extent& extent, std::uint64_t begin, std::uint64_t length)
      : extent_(extent), at_(begin), left_(length) {}
  Result<std::size_t> read(std::span<char> into) override;

 private:
  const Extent& extent_;
  std::uint64_t at_, left_;
};

enum class Packing : std::uint8_t { deflate, gzip, zstd };
// Unpacks `packed`, which must outlive it. All members of a gzip file, all frames of a zstd one. An end in
// the middle is corrupt.
std::unique_ptr<Source> unpack(Packing packing, Source& packed);

}  // namespace claviger::scan
