// Key files of the operator's own servers: written whole, then the server is told.
#pragma once

#include "base/limits.hpp"
#include "net/loop.hpp"
#include "net/worker.hpp"
#include "steward/rotation.hpp"

namespace claviger::app {

// Works on a thread of its own. `home` must outlive it.
class KeyFileWriter final : public steward::KeyFiles {
 public:
  explicit KeyFileWriter(net::Loop& home) : home_(home), workers_(1) {}
  // The file is replaced by rename, mode 0600, with the owner of the one before; then the command is run, for
  // at most limits::kReloadMs. Refuses io_failed, naming what failed.
  void replace(const steward::KeyFile& file, std::string lines,
               std::function<void(Result<void>)> done) override;

 private:
  net::Loop& home_;
  net::Workers workers_;
};

// The same, here and now.
Result<void> replace_key_file(const steward::KeyFile& file, std::string_view lines,
                              std::int64_t reload_ms = limits::kReloadMs);

}  // namespace claviger::app
