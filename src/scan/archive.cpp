// One archive in another, within bounds.
#include "scan/archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/limits.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kTarMagicAt = 257;
constexpr int kLayers = 2 * limits::kArchiveDepth;  // a compressed stream around each archive

// Counts what passes, and ends with an error when the budget does.
class Metered final : public Source {
 public:
  Metered(Source& from, ArchiveBudget& budget) : from_(from), budget_(budget) {}
  Result<std::size_t> read(std::span<char> into) override {
    TRY(const std::size_t got, from_.read(into));
    TRY_VOID(budget_.unpacked(got));
    return got;
  }

 private:
  Source& from_;
  ArchiveBudget& budget_;
};

// How far in we are.
struct Depth {
  int containers = 0;  // zip and tar
  int layers = 0;      // those and gzip and zstd
};

// The name of what a compressed file holds: without the suffix; what .tgz holds is a tar.
std::string inner_name(std::string_view name) {
  const std::string_view last = name.substr(name.find_last_of('/') + 1);
  for (const std::string_view suffix : {".gz", ".zst", ".zstd"})
    if (last.ends_with(suffix) && last.size() > suffix.size())
      return std::string(last.substr(0, last.size() - suffix.size()));
  return std::string(last);
}

class Opening final : public Entries {
 public:
  Opening(std::string name, Depth depth, ArchiveBudget& budget, Members& members)
      : name_(std::move(name)), depth_(depth), budget_(budget), members_(members) {}

  // Looks at the kind of `content`: opened when it is an archive, given on when not.
  void look(const std::string& path, Source& content) {
    Metered metered(content, budget_);
    std::array<char, kArchiveHead> head;
    const auto got = read_full(metered, head);
    if (!got) return members_.problem(path, got.error().detail);
    const std::string_view first(head.data(), *got);
    JoinedSource whole(first, metered);
    const auto kind = archive_kind(first);
    if (!kind) return members_.member(path, whole);
    if (depth_.layers == kLayers || (depth_.containers == limits::kArchiveDepth && is_container(*kind))) {
      members_.problem(path, fmt::format("it is an archive nested deeper than {} and was not opened",
                                         limits::kArchiveDepth));
      return;
    }
    Opening inner(path, {depth_.containers + (is_container(*kind) ? 1 : 0), depth_.layers + 1}, budget_,
                  members_);
    inner.open(*kind, whole);
  }

  void open(ArchiveKind kind, Source& content) {
    Result<void> done;
    if (kind == ArchiveKind::tar) {
      done = read_tar(content, *this);
    } else if (kind == ArchiveKind::zip) {
      done = open_held(content);
    } else {
      const auto unpacked = unpack(kind == ArchiveKind::gzip ? Packing::gzip : Packing::zstd, content);
      return look_inside(*unpacked);
    }
    if (!done) members_.problem(name_, done.error().detail);
  }

  // What a compressed stream holds. A tar in it is the same archive: x.tar.gz!/file.
  void look_inside(Source& unpacked) {
    Metered metered(unpacked, budget_);
    std::array<char, kArchiveHead> head;
    const auto got = read_full(metered, head);
    if (!got) return members_.problem(name_, got.error().detail);
    const std::string_view first(head.data(), *got);
    JoinedSource whole(first, metered);
    if (archive_kind(first) == ArchiveKind::tar && depth_.containers < limits::kArchiveDepth) {
      ++depth_.containers;
      return open(ArchiveKind::tar, whole);
    }
    look(name_ + "!/" + inner_name(name_), whole);
  }

  bool entry(std::string_view name, Source& content) override {
    if (!counted(budget_.entry())) return false;
    look(fmt::format("{}!/{}", name_, name), content);
    return !budget_.spent();
  }

  void unreadable(std::string_view name, const std::string& why) override {
    members_.problem(fmt::format("{}!/{}", name_, name), why);
  }

 private:
  static bool is_container(ArchiveKind kind) { return kind == ArchiveKind::zip || kind == ArchiveKind::tar; }

  bool counted(const Result<void>& within) {
    if (!within) members_.problem(name_, within.error().detail);
    return within.has_value();
  }

  // A zip is read from its end, so that an inner one is held in memory.
  Result<void> open_held(Source& content) {
    std::vector<char> bytes;
    std::array<char, 64 * 1024> piece;
    for (;;) {
      TRY(const std::size_t got, read_full(content, piece));
      if (bytes.size() + got > limits::kArchiveMember)
        return fail(Code::corrupt, fmt::format("an inner zip of more than {} MiB is not opened",
                                               limits::kArchiveMember >> 20));
      bytes.insert(bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
      if (got < piece.size()) break;
    }
    return read_zip(MemoryExtent({bytes.data(), bytes.size()}), *this);
  }

  std::string name_;
  Depth depth_;
  ArchiveBudget& budget_;
  Members& members_;
};

// The sum of a tar header's bytes is written in it, its own field taken as spaces.
bool is_tar(std::string_view head) {
  if (head.size() < kArchiveHead) return false;
  if (!head.substr(kTarMagicAt).starts_with("ustar")) return false;
  unsigned sum = 0;
  for (std::size_t i = 0; i < kArchiveHead; ++i)
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(head[i]);
  unsigned written = 0;
  for (const char c : head.substr(148, 8)) {
    if (c >= '0' && c <= '7') written = written * 8 + static_cast<unsigned>(c - '0');
    if (c == '\0') break;
  }
  return sum == written;
}

}  // namespace

Result<void> ArchiveBudget::unpacked(std::uint64_t bytes) {
  unpacked_ += bytes;
  const bool bomb = unpacked_ > limits::kArchiveFree && unpacked_ / limits::kArchiveRatio > packed_;
  if (unpacked_ <= limits::kArchiveTotal && !bomb) return {};
  spent_ = true;
  return fail(Code::corrupt,
              fmt::format("it unpacks to more than {} times its size or {} GiB; the rest was not read",
                          limits::kArchiveRatio, limits::kArchiveTotal >> 30));
}

Result<void> ArchiveBudget::entry() {
  if (++entries_ <= limits::kArchiveEntries) return {};
  spent_ = true;
  return fail(Code::corrupt,
              fmt::format("it holds more than {} files; the rest was not read", limits::kArchiveEntries));
}

std::optional<ArchiveKind> archive_kind(std::string_view head) {
  using std::string_view_literals::operator""sv;
  if (head.starts_with("PK\3\4"sv) || head.starts_with("PK\5\6"sv)) return ArchiveKind::zip;
  if (head.starts_with("\x1f\x8b\x08"sv)) return ArchiveKind::gzip;
  if (head.starts_with("\x28\xb5\x2f\xfd"sv)) return ArchiveKind::zstd;
  if (is_tar(head)) return ArchiveKind::tar;
  return std::nullopt;
}

void open_archive(ArchiveKind kind, const Extent& file, const std::string& name, Members& members) {
  ArchiveBudget budget(file.size());
  const bool container = kind == ArchiveKind::zip || kind == ArchiveKind::tar;
  Opening opening(name, {container ? 1 : 0, 1}, budget, members);
  if (kind == ArchiveKind::zip) {
    const auto done = read_zip(file, opening);
    if (!done) members.problem(name, done.error().detail);
    return;
  }
  ExtentSource whole(file, 0, file.size());
  opening.open(kind, whole);
}

}  // namespace claviger::scan
