// The ustar format: blocks of 512 bytes, a head before each file, two empty ones at the end.
#include "app/tar.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace claviger::app {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kPiece = 1024 * 1024;
using Block = std::array<char, kBlock>;

// Where the fields of a head stand.
constexpr std::size_t kMode = 100, kUser = 108, kGroup = 116, kSize = 124, kTime = 136, kSum = 148,
                      kKind = 156, kMagic = 257;

std::unexpected<Error> io(std::string_view doing, const std::string& path) {
  const std::string detail = fmt::format("{} {}: {}", doing, path, std::strerror(errno));
  return fail(Code::io_failed, detail, fmt::format("The archive cannot be used: {}.", detail));
}
std::unexpected<Error> damaged(const std::string& path, std::string_view what) {
  return fail(Code::corrupt, fmt::format("{}: {}", path, what),
              fmt::format("{} is no whole backup: {}.", path, what));
}

void put_octal(Block& head, std::size_t at, std::size_t digits, std::uint64_t value) {
  const std::string text = fmt::format("{:0{}o}", value, digits);
  std::ranges::copy(text, head.begin() + static_cast<std::ptrdiff_t>(at));
}

unsigned sum_of(const Block& head) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i)
    sum += i >= kSum && i < kSum + 8 ? static_cast<unsigned>(' ') : static_cast<unsigned char>(head[i]);
  return sum;
}

Block make_head(std::string_view name, std::uint64_t size) {
  Block head{};
  std::ranges::copy(name, head.begin());
  put_octal(head, kMode, 7, 0600);
  put_octal(head, kUser, 7, 0);
  put_octal(head, kGroup, 7, 0);
  put_octal(head, kSize, 11, size);
  put_octal(head, kTime, 11, 0);
  head[kKind] = '0';
  std::ranges::copy(std::string_view("ustar\00000", 8), head.begin() + static_cast<std::ptrdiff_t>(kMagic));
  put_octal(head, kSum, 6, sum_of(head));
  head[kSum + 7] = ' ';
  return head;
}

bool is_octal(const Block& head, std::size_t at, std::size_t digits, std::uint64_t& value) {
  const char* begin = head.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + digits, value, 8);
  return error == std::errc{} && end == begin + digits;
}

// Plain relative names as the writer gives them: nothing that leads out of the folder.
bool is_good_name(std::string_view name) {
  if (name.empty() || name.size() > kTarName || name.starts_with('/') || name.contains("//")) return false;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127 && c != '\\'; });
}

// The name and size of a head, or nullopt when the writer did not make it.
struct Entry {
  std::string name;
  std::uint64_t size = 0;
};
std::optional<Entry> read_head(const Block& head) {
  Entry entry;
  std::uint64_t sum = 0;
  entry.name = std::string(head.data(), ::strnlen(head.data(), kTarName));
  const bool good = is_octal(head, kSum, 6, sum) && sum == sum_of(head) &&
                    is_octal(head, kSize, 11, entry.size) && head[kKind] == '0' && is_good_name(entry.name);
  if (!good) return std::nullopt;
  return entry;
}

}  // namespace

Result<TarWriter> TarWriter::create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST)
    return refuse(Code::already_exists, fmt::format("{} exists already: give another name.", path));
  if (fd < 0) return io("making", path);
  ::close(fd);
  TarWriter made;
  made.path_ = path;
  made.out_.open(path, std::ios::binary);
  if (!made.out_) return io("opening", path);
  return made;
}

Result<void> TarWriter::put(std::string_view bytes) {
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out_) return io("writing", path_);
  bytes_ += bytes.size();
  return {};
}

Result<void> TarWriter::pad() {
  const std::size_t over = static_cast<std::size_t>(bytes_ % kBlock);
  return over == 0 ? Result<void>{} : put(std::string(kBlock - over, '\0'));
}

Result<void> TarWriter::begin(std::string_view name, std::uint64_t size) {
  if (!is_good_name(name) || size > kTarFile)
    return fail(Code::invalid_input, fmt::format("{} with {} bytes does not fit into an archive", name, size),
                fmt::format("{} is too large for a backup: {} bytes.", name, size));
  TRY_VOID(pad());
  const Block head = make_head(name, size);
  left_ = size;
  return put({head.data(), head.size()});
}

Result<void> TarWriter::add(std::string_view bytes) {
  if (bytes.size() > left_) return fail(Code::internal, "more bytes than the entry was begun with");
  left_ -= bytes.size();
  return put(bytes);
}

Result<void> TarWriter::finish() {
  TRY_VOID(pad());
  TRY_VOID(put(std::string(2 * kBlock, '\0')));
  out_.close();
  if (!out_) return io("writing", path_);
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) return io("syncing", path_);
  return {};
}

Result<void> read_tar(const std::string& path, const TarTake& take) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return io("reading", path);
  std::string piece(kPiece, '\0');
  for (;;) {
    Block head{};
    if (!in.read(head.data(), kBlock)) return damaged(path, "its end is missing");
    if (std::ranges::all_of(head, [](char c) { return c == '\0'; })) return {};
    const auto entry = read_head(head);
    if (!entry) return damaged(path, "a head in it is damaged");
    TRY_VOID(take(entry->name, entry->size, {}));
    for (std::uint64_t left = entry->size; left > 0;) {
      const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece));
      if (!in.read(piece.data(), static_cast<std::streamsize>(want)))
        return damaged(path, fmt::format("{} is cut off", entry->name));
      TRY_VOID(take(entry->name, entry->size, std::string_view(piece).substr(0, want)));
      left -= want;
    }
    in.ignore(static_cast<std::streamsize>((kBlock - entry->size % kBlock) % kBlock));
  }
}

}  // namespace claviger::app
