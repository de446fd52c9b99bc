// The window over a stream: what is decided, what is still open, and the masked copy.
#include "scan/flow.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/limits.hpp"

namespace claviger::scan {
namespace {

constexpr std::size_t kWindow = limits::kReadWindow;
constexpr std::size_t kContext = limits::kReadOverlap / 2;  // decided bytes kept before the open ones
static_assert(kContext >= detect::kSeam);
constexpr std::string_view kBlockBegin = "-----BEGIN ", kBlockEnd = "-----END ";

class Flow {
 public:
  Flow(int fd, const Task& task, const FlowOptions& options)
      : source_(fd), inspector_(task), options_(options), buffer_(new char[kWindow]) {}

  Outcome run() {
    while (!ended_ && !reader_gone_) {
      fill();
      decide(decidable());
      keep_context();
    }
    ++inspector_.outcome().stats.files;
    return std::move(inspector_.outcome());
  }

 private:
  std::string_view all() const { return {buffer_.get(), size_}; }
  std::string_view open() const { return all().substr(decided_); }

  void fill() {
    const std::span<char> room(buffer_.get() + size_, kWindow - size_);
    const auto got = options_.pace == Pace::lines ? source_.read(room) : read_full(source_, room);
    if (!got) inspector_.outcome().problem(options_.name, got.error().detail);
    const std::size_t fresh = got.value_or(0);
    inspector_.outcome().stats.bytes += fresh;
    ended_ = options_.pace == Pace::lines ? fresh == 0 : fresh < room.size();
    size_ += fresh;
  }

  // Up to where what has come can be judged without what is still to come.
  std::size_t decidable() const {
    if (ended_) return size_;
    const std::size_t safe = size_ - std::min(size_, kContext);
    if (options_.pace == Pace::at_end || size_ == kWindow) return std::max(safe, decided_);
    const std::size_t line = open().rfind('\n');
    if (line == std::string_view::npos) return decided_;
    const std::size_t end = decided_ + line + 1;
    // A block such as a private key that has begun and not ended is waited for, as long as one may be.
    const std::size_t begin = open().substr(0, line + 1).rfind(kBlockBegin);
    const bool unfinished =
        begin != std::string_view::npos &&
        open().substr(begin, end - decided_ - begin).find(kBlockEnd) == std::string_view::npos;
    return unfinished && end - decided_ - begin < detect::kSeam ? decided_ + begin : end;
  }

  void decide(std::size_t end) {
    if (end <= decided_) return;
    places_.clear();
    const std::size_t first = inspector_.outcome().findings.size();
    inspector_.look({all(), decided_, end, line_, column_}, options_.name, &places_);
    tell(first);
    if (options_.copy) end = copy(end);
    decided_ = end;
  }

  void tell(std::size_t first) {
    auto& findings = inspector_.outcome().findings;
    if (!options_.found) return;
    const auto dropped = std::remove_if(findings.begin() + static_cast<std::ptrdiff_t>(first), findings.end(),
                                        [&](const Finding& finding) { return !options_.found(finding); });
    findings.erase(dropped, findings.end());
  }

  // Copies what is decided; returns its end, behind the last secret when that reaches further.
  std::size_t copy(std::size_t end) {
    std::string out;
    std::size_t at = decided_;
    for (const Inspector::Spot& spot : places_) {
      if (spot.begin >= at) {
        out.append(all().substr(at, spot.begin - at)).append("[REDACTED:").append(spot.rule).append("]");
      }
      at = std::max(at, spot.end);
    }
    if (at < end) out.append(all().substr(at, end - at));
    reader_gone_ = !options_.copy(out);
    return std::max(at, end);
  }

  void keep_context() {
    const std::size_t cut = decided_ - std::min(decided_, kContext);
    LineCounter place(all(), line_, column_);
    place.advance(cut);
    line_ = place.line();
    column_ = place.column();
    std::memmove(buffer_.get(), buffer_.get() + cut, size_ - cut);
    size_ -= cut;
    decided_ -= cut;
  }

  FdSource source_;
  Inspector inspector_;
  const FlowOptions& options_;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;                // bytes in the buffer
  std::size_t decided_ = 0;             // of which judged, and copied on
  std::int64_t line_ = 1, column_ = 1;  // of the buffer's beginning
  bool ended_ = false, reader_gone_ = false;
  std::vector<Inspector::Spot> places_;
};

}  // namespace

Outcome scan_flow(int fd, const Task& task, const FlowOptions& options) {
  return Flow(fd, task, options).run();
}

}  // namespace claviger::scan
