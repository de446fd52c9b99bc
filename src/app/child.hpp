// Runs another program and waits for it: git, and a hook that is being tested.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace claviger::app {

struct Child {
  std::vector<std::string> arguments;  // the program first, looked for in PATH
  std::string folder = ".";            // where it runs
  std::string input;                   // its standard input
  // Leaves out what git hands to its hooks in the environment (GIT_DIR, GIT_INDEX_FILE, ...), which would
  // lead a git for another repository astray.
  bool outside_git = false;
};

struct Ended {
  int code = 0;      // 128 + signal when it was killed
  std::string text;  // its standard output and error, as they came
};

// io_failed when it cannot be started.
Result<Ended> run_child(const Child& child);

}  // namespace claviger::app
