// Reads zip by its central directory, with zip64: stored, deflated and zstd members.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "scan/archive.hpp"

namespace claviger::scan {
namespace {

constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;
constexpr std::uint32_t kCentral = 0x02014b50, kLocal = 0x04034b50;
constexpr std::size_t kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56, kCentralSize = 46, kLocalSize = 30;
constexpr std::size_t kComment = 0xffff;  // the longest behind the end record
constexpr std::uint16_t kEncrypted = 1;

std::unexpected<Error> broken(std::string_view why) { return fail(Code::corrupt, std::string(why)); }

std::uint64_t little(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

Result<std::string> read_exactly(const Extent& file, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    TRY(const std::size_t got, file.read_at(offset + filled, std::span(bytes).subspan(filled)));
    if (got == 0) return broken("it is shorter than its directory says");
    filled += got;
  }
  return bytes;
}

struct Directory {
  std::uint64_t offset = 0, size = 0, count = 0;
};

// The wide form, which stands before the end record when a number did not fit.
Result<Directory> find_wide(const Extent& file, std::uint64_t end_at) {
  if (end_at < kLocatorSize) return broken("its zip64 locator is missing");
  TRY(const std::string locator, read_exactly(file, end_at - kLocatorSize, kLocatorSize));
  if (little(locator, 0, 4) != kEnd64Locator) return broken("its zip64 locator is missing");
  TRY(const std::string end, read_exactly(file, little(locator, 8, 8), kEnd64Size));
  if (little(end, 0, 4) != kEnd64) return broken("its zip64 end record is missing");
  return Directory{little(end, 48, 8), little(end, 40, 8), little(end, 32, 8)};
}

Result<Directory> find_directory(const Extent& file) {
  const std::size_t tail = std::min<std::uint64_t>(file.size(), kEndSize + kComment);
  const std::uint64_t begin = file.size() - tail;
  TRY(const std::string bytes, read_exactly(file, begin, tail));
  for (std::size_t at = tail < kEndSize ? 0 : tail - kEndSize + 1; at-- > 0;) {
    if (little(bytes, at, 4) != kEnd || at + kEndSize + little(bytes, at + 20, 2) > tail) continue;
    const Directory found{little(bytes, at + 16, 4), little(bytes, at + 12, 4), little(bytes, at + 10, 2)};
    const bool wide = found.offset == 0xffffffff || found.size == 0xffffffff || found.count == 0xffff;
    return wide ? find_wide(file, begin + at) : found;
  }
  return broken("its directory is missing: is it cut off?");
}

struct Member {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint64_t packed = 0, offset = 0;
};

// Sizes and offsets of 64 bits stand in the extra field, those that did not fit, in this order.
void widen(Member& member, std::uint64_t unpacked, std::string_view extra) {
  while (extra.size() >= 4) {
    const std::size_t size = little(extra, 2, 2);
    if (size + 4 > extra.size()) return;
    std::string_view wide = extra.substr(4, size);
    if (little(extra, 0, 2) != 1) {
      extra.remove_prefix(size + 4);
      continue;
    }
    const auto next = [&](std::uint64_t& value) {
      if (wide.size() < 8) return;
      value = little(wide, 0, 8);
      wide.remove_prefix(8);
    };
    if (unpacked == 0xffffffff) next(unpacked);
    if (member.packed == 0xffffffff) next(member.packed);
    if (member.offset == 0xffffffff) next(member.offset);
    return;
  }
}

class Reader {
 public:
  Reader(const Extent& file, Entries& entries) : file_(file), entries_(entries) {}

  Result<void> run() {
    TRY(const Directory directory, find_directory(file_));
    if (directory.offset > file_.size() || directory.size > file_.size() - directory.offset)
      return broken("its directory lies behind its end");
    std::uint64_t at = directory.offset;
    for (std::uint64_t i = 0; i < directory.count; ++i) {
      TRY(const std::string fixed, read_exactly(file_, at, kCentralSize));
      if (little(fixed, 0, 4) != kCentral) return broken("its directory is damaged");
      const std::size_t name = little(fixed, 28, 2), extra = little(fixed, 30, 2);
      TRY(const std::string names, read_exactly(file_, at + kCentralSize, name + extra));
      at += kCentralSize + name + extra + little(fixed, 32, 2);
      Member member{names.substr(0, std::min(name, limits::kArchiveName)),
                    static_cast<std::uint16_t>(little(fixed, 8, 2)),
                    static_cast<std::uint16_t>(little(fixed, 10, 2)), little(fixed, 20, 4),
                    little(fixed, 42, 4)};
      widen(member, little(fixed, 24, 4), std::string_view(names).substr(name));
      if (!one(member)) return {};
    }
    return {};
  }

 private:
  // False: no more are wanted.
  bool one(const Member& member) {
    if (member.name.ends_with('/')) return true;
    if ((member.flags & kEncrypted) != 0) return unreadable(member, "it is encrypted");
    auto local = read_exactly(file_, member.offset, kLocalSize);
    if (!local || little(*local, 0, 4) != kLocal) return unreadable(member, "its header is damaged");
    const std::uint64_t begin = member.offset + kLocalSize + little(*local, 26, 2) + little(*local, 28, 2);
    ExtentSource packed(file_, begin, member.packed);
    switch (member.method) {
      case 0:
        return entries_.entry(member.name, packed);
      case 8:
        return entries_.entry(member.name, *unpack(Packing::deflate, packed));
      case 93:
        return entries_.entry(member.name, *unpack(Packing::zstd, packed));
      default:
        return unreadable(member, fmt::format("compression method {} is not known", member.method));
    }
  }

  bool unreadable(const Member& member, const std::string& why) {
    entries_.unreadable(member.name, why);
    return true;
  }

  const Extent& file_;
  Entries& entries_;
};

}  // namespace

Result<void> read_zip(const Extent& file, Entries& entries) { return Reader(file, entries).run(); }

}  // namespace claviger::scan
