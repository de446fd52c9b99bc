// [[watch]]: git repositories and folders of logs that are scanned as they change; what is found is reported
// as a leak.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/config.hpp"
#include "base/file.hpp"
#include "detect/engine.hpp"

namespace claviger::app {

// Looks every limits::kWatchMs, on a thread of its own. What was there at the first look is not scanned (that
// is `claviger scan`); from then on every new commit and every appended byte is, also what came while nobody
// looked: DIR/watch remembers how far it was.
class Watcher {
 public:
  // `data` is the data directory, whose server takes the reports.
  Watcher(std::string data, std::vector<WatchConfig> watches);
  ~Watcher();  // waits for the look that is under way
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // From the next look on.
  void adopt(std::vector<WatchConfig> watches);

 private:
  using Marks = std::map<std::string, std::string>;  // ref or file: how far it was read
  struct Finding;

  void run();
  bool look(const WatchConfig& watch);
  Result<void> look_at_repository(const WatchConfig& watch, Marks& marks, bool first);
  Result<void> look_at_folder(const WatchConfig& watch, Marks& marks, bool first);
  Result<void> scan_commits(const WatchConfig& watch, const std::string& ref, const std::string& from,
                            const std::string& to);
  Result<void> scan_file(const WatchConfig& watch, const std::string& path, std::uint64_t from,
                         std::uint64_t size);
  Result<void> report(const WatchConfig& watch, const std::vector<Finding>& found);

  const std::string data_;
  std::shared_ptr<const detect::Engine> engine_;
  std::map<std::string, int> resting_;  // watches that failed: looks that are left out
  std::mutex lock_;
  std::condition_variable wake_;
  bool stopping_ = false;             // guarded by lock_
  std::vector<WatchConfig> watches_;  // guarded by lock_
  std::thread thread_;
};

}  // namespace claviger::app
