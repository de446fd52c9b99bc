// Runs the engine over files, streams and archives and writes findings down; one a thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "detect/engine.hpp"
#include "scan/archive.hpp"
#include "scan/finding.hpp"
#include "scan/source.hpp"

namespace claviger::scan {

enum class Archives : std::uint8_t { as_bytes, opened };

// What all threads of one scan share.
struct Task {
  std::shared_ptr<const detect::Engine> engine;
  detect::Severity least = detect::Severity::low;
  Archives archives = Archives::as_bytes;
};

// A finding of `hit`, its place left to the caller.
Finding finding_of(const detect::Rule& rule, detect::Hit hit);

// Where something stands in a text, from 1; the column counts bytes.
struct LinePlace {
  std::int64_t line = 0, column = 0, end_line = 0;
};

// Counts lines from one place of a text to a later one.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text, std::int64_t line = 1, std::int64_t column = 1)
      : text_(text), line_(line), column_(column) {}
  // To `offset`, which is not before the last one.
  void advance(std::size_t offset);
  std::int64_t line() const { return line_; }
  std::int64_t column() const { return column_; }  // in bytes, from 1

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_, column_;
};

// Where the hits of one text stand. As a scan tells them, almost always in order: lines are counted once.
class LinePlaces {
 public:
  explicit LinePlaces(std::string_view text, std::int64_t line = 1, std::int64_t column = 1)
      : begin_(text, line, column), here_(begin_), size_(text.size()) {}
  LinePlace of(const detect::Hit& hit);

 private:
  LineCounter begin_, here_;
  std::size_t size_, last_ = 0;
};

class Inspector final : private Members {
 public:
  // Is told of each hit instead of the outcome's findings; `path` is that of the file or member it stands in.
  using Tell = std::function<void(const detect::Hit& hit, const std::string& path, const LinePlace& place)>;

  explicit Inspector(const Task& task, Tell tell = {});
  ~Inspector() override;

  // An open regular file, which stays the caller's, read from its beginning.
  void file(int fd, const std::string& path);
  // All of `bytes`.
  void bytes(std::string_view bytes, const std::string& path);
  // To its end, in pieces that overlap, so that nothing is lost between two.
  void stream(Source& source, const std::string& path);

  struct Piece {
    std::string_view bytes;
    std::size_t first = 0, end = 0;  // a secret that begins here belongs to this piece
    std::int64_t line = 1, column = 1;
  };
  // Where a secret, or its encoded form, stands in a piece.
  struct Spot {
    std::size_t begin, end;
    std::string rule;
  };
  // One piece; also tells the spots when asked. How the bytes are counted is up to the caller.
  void look(const Piece& piece, const std::string& path, std::vector<Spot>* spots = nullptr);

  Outcome& outcome() { return outcome_; }

 private:
  void member(const std::string& path, Source& content) override;
  void problem(const std::string& path, const std::string& why) override;

  void note(const detect::Hit& hit, LinePlaces& places, const std::string& path);
  bool opened(const Extent& extent, std::string_view head, const std::string& path);

  const Task& task_;
  Tell tell_;
  detect::Engine::Scanner scanner_;
  std::unique_ptr<char[]> buffer_;        // one window
  std::unique_ptr<char[]> inner_buffer_;  // of what is being unpacked
  Outcome outcome_;
};

}  // namespace claviger::scan
