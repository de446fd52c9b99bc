// Reads tar: ustar, GNU's long names and pax headers.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "scan/archive.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kExtension = 1024 * 1024;  // one pax header or long name

std::unexpected<Error> broken(std::string_view why) { return fail(Code::corrupt, std::string(why)); }

std::string_view until_nul(std::string_view field) { return field.substr(0, field.find('\0')); }

// A number in octal, or in base 256 when its first bit is set.
std::optional<std::uint64_t> number(std::string_view field) {
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    if (field[0] != '\x80') return std::nullopt;  // negative
    for (const char c : field.substr(1)) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  for (const char c : field) {
    if (c == ' ' && value == 0) continue;
    if (c == ' ' || c == '\0') break;
    if (c < '0' || c > '7') return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The bytes of one member; what its reader leaves is passed over afterwards.
class Body final : public Source {
 public:
  Body(Source& tar, std::uint64_t size) : tar_(tar), left_(size) {}

  Result<std::size_t> read(std::span<char> into) override {
    if (left_ == 0) return 0;
    TRY(const std::size_t got, tar_.read(into.first(std::min<std::uint64_t>(into.size(), left_))));
    if (got == 0) return broken("it ends in the middle of a member");
    left_ -= got;
    return got;
  }

  // Passes over `padding` bytes behind it too.
  Result<void> finish(std::uint64_t padding) {
    std::array<char, 16 * 1024> piece;
    left_ += padding;
    while (left_ > 0) {
      TRY([[maybe_unused]] const std::size_t got, read(piece));
    }
    return {};
  }

 private:
  Source& tar_;
  std::uint64_t left_;
};

class Reader {
 public:
  Reader(Source& tar, Entries& entries) : tar_(tar), entries_(entries) {}

  Result<void> run() {
    for (;;) {
      TRY(const std::size_t got, read_full(tar_, block_));
      if (got == 0 || header()[0] == '\0') return {};
      if (got < kBlock) return broken("it ends in the middle of a header");
      TRY(const bool more, member());
      if (!more) return {};
    }
  }

 private:
  std::string_view header() const { return {block_.data(), block_.size()}; }

  Result<bool> member() {
    const auto stated = number(header().substr(124, 12));
    if (!stated) return broken("a header's size is no number");
    const char type = header()[156];
    const std::uint64_t size = type != 'x' && type != 'L' && pax_size_ ? *pax_size_ : *stated;
    Body body(tar_, size);
    bool more = true;
    if (type == 'x' || type == 'L') {
      TRY_VOID(extension(type, body, size));
    } else {
      if (type == '0' || type == '\0' || type == '7' || type == 'S') more = entries_.entry(name(), body);
      long_name_.clear();
      pax_size_.reset();
    }
    if (more) TRY_VOID(body.finish((kBlock - size % kBlock) % kBlock));
    return more;
  }

  std::string name() const {
    if (!long_name_.empty()) return long_name_.substr(0, limits::kArchiveName);
    const std::string_view prefix = until_nul(header().substr(345, 155));
    std::string name(until_nul(header().substr(0, 100)));
    const bool posix = header().substr(257, 6) == std::string_view("ustar\0", 6);
    return posix && !prefix.empty() ? fmt::format("{}/{}", prefix, name) : name;
  }

  // What applies to the member behind it.
  Result<void> extension(char type, Body& body, std::uint64_t size) {
    if (size > kExtension) return broken("an extended header is too large to be one");
    std::string text(size, '\0');
    TRY(const std::size_t got, read_full(body, text));
    if (got < size) return broken("it ends in the middle of an extended header");
    if (type == 'L')
      long_name_ = until_nul(text);
    else
      TRY_VOID(records(text));
    return {};
  }

  // "LENGTH KEY=VALUE\n" each.
  Result<void> records(std::string_view text) {
    while (!text.empty()) {
      std::size_t length = 0;
      const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
      const auto digits = static_cast<std::size_t>(read.ptr - text.data());
      if (read.ec != std::errc() || length < digits + 2 || length > text.size())
        return broken("an extended header is damaged");
      const std::string_view record = text.substr(digits + 1, length - digits - 2);
      text.remove_prefix(length);
      const std::size_t equals = record.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
      if (key == "path") long_name_ = value;
      if (key != "size") continue;
      std::uint64_t size = 0;
      if (std::from_chars(value.data(), value.data() + value.size(), size).ec != std::errc())
        return broken("an extended header's size is no number");
      pax_size_ = size;
    }
    return {};
  }

  Source& tar_;
  Entries& entries_;
  std::array<char, kBlock> block_{};
  std::string long_name_;
  std::optional<std::uint64_t> pax_size_;
};

}  // namespace

Result<void> read_tar(Source& file, Entries& entries) { return Reader(file, entries).run(); }

}  // namespace claviger::scan
