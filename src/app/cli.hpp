// The command line: every command, its options, and what it ends with.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "store/sqlite.hpp"

namespace claviger::app {

// Exit codes of every command.
inline constexpr int kOk = 0;
inline constexpr int kNegative = 1;  // a negative answer: explain denied, verify failed, not found
inline constexpr int kUsage = 2;
inline constexpr int kFailure = 3;

// How the vault is opened. The key file is looked for in the data directory when nothing is said.
struct UnlockOptions {
  std::string root_key_file;
  int passphrase_fd = -1;  // read to its end
  int shares_fd = -1;      // break-glass shares, one a line
};

struct ServeOptions {
  std::string data;
  std::string listen;
  std::string admin;
  std::string config;  // empty: claviger.toml in the data directory when it is there
  int threads = 0;     // 0: one a core
  store::Durability durability = store::Durability::process;
  UnlockOptions unlock;
};

struct SandboxOptions {
  std::string listen;
  std::string script;             // file with faults; empty: none
  std::vector<std::string> keys;  // provider keys that are accepted; empty: any of a plausible shape
  std::string admin_key;          // the secret of the admin APIs; empty: there are none
  std::string key_file;           // accepted keys, one a line; empty: none
  bool lean = false;              // the same small answer to everything, for benchmarks
};

// Where a command reads and writes, and the two commands that are not the command line's own.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  int in = 0;  // descriptor of --secret-stdin
  std::function<int(const ServeOptions&)> serve;
  std::function<int(const SandboxOptions&)> sandbox;
};

// Parses `arguments` (without the program's name) and carries the command out. Returns the exit code; never
// throws.
int run_command(std::vector<std::string> arguments, Terminal& terminal);

// The program: run_command on the process's own arguments, streams, serve() and sandbox().
int run(int argc, char** argv);

// The data plane (serve.cpp) and the double of the providers (sandbox_command.cpp).
int serve(const ServeOptions& options);
int sandbox(const SandboxOptions& options);

}  // namespace claviger::app
