// The engine over bytes of any length: whole when they fit into a window, in overlapping pieces when not.
#include "scan/inspector.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/limits.hpp"
#include "crypto/hash.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kWindow = limits::kReadWindow;
constexpr std::size_t kOverlap = limits::kReadOverlap;
static_assert(kOverlap >= 2 * detect::kSeam);

std::string advice_of(const detect::Rule& rule) {
  if (rule.revoke.empty()) return rule.advice;
  return rule.advice.empty() ? "Revoke it at " + rule.revoke : rule.advice + " " + rule.revoke;
}

}  // namespace

Finding finding_of(const detect::Rule& rule, detect::Hit hit) {
  Finding finding;
  finding.rule = rule.id;
  finding.provider = rule.provider;
  finding.severity = rule.severity;
  finding.about = rule.description;
  finding.advice = advice_of(rule);
  finding.sha256 = crypto::sha256(hit.secret);
  finding.secret = std::move(hit.secret);
  finding.validated = hit.validated;
  return finding;
}

void LineCounter::advance(std::size_t offset) {
  while (at_ < offset) {
    const void* found = std::memchr(text_.data() + at_, '\n', offset - at_);
    if (found == nullptr) {
      column_ += static_cast<std::int64_t>(offset - at_);
      at_ = offset;
      return;
    }
    at_ = static_cast<std::size_t>(static_cast<const char*>(found) - text_.data()) + 1;
    ++line_;
    column_ = 1;
  }
}

LinePlace LinePlaces::of(const detect::Hit& hit) {
  if (hit.begin < last_) here_ = begin_;
  last_ = hit.begin;
  here_.advance(hit.begin);
  LineCounter end = here_;
  end.advance(hit.end > hit.begin ? std::min(hit.end, size_) - 1 : hit.begin);
  return {here_.line(), here_.column(), end.line()};
}

Inspector::Inspector(const Task& task, Tell tell)
    : task_(task),
      tell_(std::move(tell)),
      scanner_(task.engine),
      buffer_(new char[kWindow]) {}  // touched as it is needed

Inspector::~Inspector() = default;

void Inspector::file(int fd, const std::string& path) {
  FdSource source(fd);
  const auto got = read_full(source, {buffer_.get(), kWindow});
  if (!got) return problem(path, got.error().detail);
  ++outcome_.stats.files;
  const std::string_view head(buffer_.get(), *got);
  if (*got < kWindow) return bytes(head, path);
  // The window is full already: the same bytes again, from the stream's beginning.
  struct stat facts{};
  if (::fstat(fd, &facts) != 0 || ::lseek(fd, 0, SEEK_SET) != 0) return problem(path, std::strerror(errno));
  if (!opened(FdExtent(fd, static_cast<std::uint64_t>(facts.st_size)), head, path)) stream(source, path);
}

bool Inspector::opened(const Extent& extent, std::string_view head, const std::string& path) {
  if (task_.archives == Archives::as_bytes) return false;
  const auto kind = archive_kind(head.substr(0, kArchiveHead));
  if (!kind) return false;
  outcome_.stats.bytes += extent.size();
  // `head` may lie in the window, which the members must leave alone.
  if (inner_buffer_ == nullptr) inner_buffer_.reset(new char[kWindow]);
  std::swap(buffer_, inner_buffer_);
  open_archive(*kind, extent, path, *this);
  std::swap(buffer_, inner_buffer_);
  return true;
}

void Inspector::member(const std::string& path, Source& content) { stream(content, path); }

void Inspector::problem(const std::string& path, const std::string& why) { outcome_.problem(path, why); }

void Inspector::bytes(std::string_view bytes, const std::string& path) {
  if (bytes.empty() || opened(MemoryExtent(bytes), bytes, path)) return;
  outcome_.stats.bytes += bytes.size();
  look({bytes, 0, bytes.size()}, path);
}

void Inspector::stream(Source& source, const std::string& path) {
  Piece piece;
  std::size_t kept = 0;  // bytes of the last piece that begin this one
  for (;;) {
    const auto got = read_full(source, {buffer_.get() + kept, kWindow - kept});
    if (!got) problem(path, got.error().detail);
    const std::size_t fresh = got.value_or(0);
    outcome_.stats.bytes += fresh;
    piece.bytes = {buffer_.get(), kept + fresh};
    const bool last = kept + fresh < kWindow;
    piece.end = last ? piece.bytes.size() : kWindow - kOverlap / 2;
    if (!piece.bytes.empty()) look(piece, path);
    if (last) return;
    LineCounter place(piece.bytes, piece.line, piece.column);
    place.advance(kWindow - kOverlap);
    piece.line = place.line();
    piece.column = place.column();
    piece.first = kOverlap / 2;
    kept = kOverlap;
    std::memmove(buffer_.get(), buffer_.get() + kWindow - kOverlap, kOverlap);
  }
}

void Inspector::look(const Piece& piece, const std::string& path, std::vector<Spot>* spots) {
  LinePlaces places(piece.bytes, piece.line, piece.column);
  scanner_.scan(piece.bytes, {path}, [&](const detect::Hit& hit) {
    if (hit.begin < piece.first || hit.begin >= piece.end) return;
    if (spots != nullptr) spots->push_back({hit.begin, hit.end, task_.engine->rules().at(hit.rule).id});
    note(hit, places, path);
  });
  outcome_.skipped.allowed += scanner_.allowed();
}

void Inspector::note(const detect::Hit& hit, LinePlaces& places, const std::string& path) {
  const detect::Rule& rule = task_.engine->rules().at(hit.rule);
  if (rule.severity < task_.least) return;
  const LinePlace place = places.of(hit);
  if (tell_) return tell_(hit, path, place);
  if (!outcome_.has_room(path)) return;
  Finding finding = finding_of(rule, hit);
  finding.file = path;
  finding.line = place.line;
  finding.column = place.column;
  finding.end_line = place.end_line;
  outcome_.findings.push_back(std::move(finding));
}

}  // namespace claviger::scan
