// Giving memory back: what only the start, or a load that has passed, has needed.
#pragma once

#include <cstdint>

namespace claviger::app {

// Lets go of the program's own code and constants and those of its libraries: what is used comes back page by
// page from the page cache. Half of what an idle gate holds is of the start and of the command line.
void let_go_of_code();

// Returns free memory to the system once, a while after the last request. For a regular tick.
class IdleTrim {
 public:
  // `requests`: how many there have been so far.
  void tick(std::int64_t requests, std::int64_t now_ns);

 private:
  std::int64_t seen_ = 0;
  std::int64_t since_ns_ = 0;  // when `requests` last changed
  bool due_ = true;            // after the start, too
};

}  // namespace claviger::app
