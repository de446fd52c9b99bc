// The progress line's thread.
#include "app/scan_progress.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ostream>

#include "scan/text_form.hpp"

namespace claviger::app {
namespace {

constexpr std::chrono::milliseconds kStep{200};
constexpr int kQuietSteps = 3;

}  // namespace

ProgressLine::ProgressLine(std::ostream& err, Line line, bool wanted) : err_(err), line_(std::move(line)) {
  if (wanted) thread_ = std::thread([this] { run(); });
}

ProgressLine::~ProgressLine() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard held(lock_);
    ended_ = true;
  }
  end_.notify_all();
  thread_.join();
}

void ProgressLine::run() {
  const auto began = std::chrono::steady_clock::now();
  std::unique_lock held(lock_);
  for (int steps = 0; !end_.wait_for(held, kStep, [&] { return ended_; }); ++steps) {
    if (steps < kQuietSteps) continue;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    err_ << "\r\x1b[K" << line_(seconds.count()) << std::flush;
  }
  err_ << "\r\x1b[K" << std::flush;
}

TreeLine::TreeLine(std::ostream& err, const scan::Progress& progress, bool wanted)
    : ProgressLine(
          err,
          [&progress](double seconds) {
            const std::uint64_t bytes = progress.bytes;
            const auto rate = static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds);
            return fmt::format("{}, {}, {}/s", scan::counted(progress.files, "file"), scan::bytes_text(bytes),
                               scan::bytes_text(rate));
          },
          wanted) {}

HistoryLine::HistoryLine(std::ostream& err, const scan::HistoryProgress& progress, bool wanted)
    : ProgressLine(
          err,
          [&progress](double seconds) -> std::string {
            constexpr std::array<std::string_view, 3> kPhases{"objects", "commits", "places"};
            const std::string_view phase = kPhases[static_cast<std::size_t>(progress.phase.load())];
            const auto done = static_cast<double>(progress.done), total = static_cast<double>(progress.total);
            if (total <= 0 || done <= 0) return fmt::format("{}, {:.0f} s", phase, seconds);
            return fmt::format("{} {:.0f} %, {:.0f} s, {:.0f} s left", phase, 100 * done / total, seconds,
                               seconds * (total - done) / done);
          },
          wanted) {}

}  // namespace claviger::app
