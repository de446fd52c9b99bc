// The line on a terminal that tells how far a scan is.
#pragma once

#include <condition_variable>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <string>
#include <thread>

#include "scan/git_history.hpp"
#include "scan/tree.hpp"

namespace claviger::app {

// Shows what `line` says on `err` while it lives, beginning when a scan takes longer than a moment; the line
// is gone afterwards. Does nothing when not wanted.
class ProgressLine {
 public:
  // Given the seconds since the beginning.
  using Line = std::function<std::string(double seconds)>;
  ProgressLine(std::ostream& err, Line line, bool wanted);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

 private:
  void run();

  std::ostream& err_;
  Line line_;
  std::mutex lock_;
  std::condition_variable end_;
  bool ended_ = false;  // guarded by lock_
  std::thread thread_;
};

// Files, bytes and rate of a tree, whose end is not known before it is reached.
class TreeLine : public ProgressLine {
 public:
  TreeLine(std::ostream& err, const scan::Progress& progress, bool wanted);
};

// Phase, share and time left of a history.
class HistoryLine : public ProgressLine {
 public:
  HistoryLine(std::ostream& err, const scan::HistoryProgress& progress, bool wanted);
};

}  // namespace claviger::app
