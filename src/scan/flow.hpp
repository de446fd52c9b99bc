// Scans what flows by on a descriptor: whole, or line by line as it comes, and copies it on with secrets
// masked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "scan/inspector.hpp"

namespace claviger::scan {

// at_end: in large pieces, fast. lines: each line is looked at as soon as it is whole, for logs.
enum class Pace : std::uint8_t { at_end, lines };

struct FlowOptions {
  Pace pace = Pace::at_end;
  std::string name = "stdin";
  // Gets the input with every secret replaced by [REDACTED:rule]; nothing is copied when empty. Text that may
  // still turn out to be part of a secret is held back until it cannot. False: the reader has gone.
  std::function<bool(std::string_view)> copy;
  // Told about each finding as soon as it is found; false: it is not kept in the outcome.
  std::function<bool(const Finding&)> found;
};

// Reads `fd` to its end.
Outcome scan_flow(int fd, const Task& task, const FlowOptions& options);

}  // namespace claviger::scan
