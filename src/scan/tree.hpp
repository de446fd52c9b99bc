// Scans a folder and everything below it, with all cores.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "scan/inspector.hpp"

namespace claviger::scan {

// What a scan has done so far, for somebody who looks at it from another thread.
struct Progress {
  std::atomic<std::uint64_t> files = 0;
  std::atomic<std::uint64_t> bytes = 0;
};

// Every regular file below `root`, files that git ignores too: that is where secrets live. .git folders are
// left out but for their config (their history is another scan) and counted, as are symbolic links, which are
// never followed, so that nothing outside the tree is read, and sockets, pipes and devices. A `root` that is
// a file is scanned itself, under the name it was given. Refuses with not_found or io_failed when `root`
// cannot be opened; what cannot be read below it is a problem of the outcome. Findings come in the order of
// before().
Result<Outcome> scan_tree(const std::string& root, const Task& task, unsigned threads, Progress& progress);

}  // namespace claviger::scan
