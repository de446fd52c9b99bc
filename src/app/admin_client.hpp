// How a command reaches the admin API: over the unix socket of a running server, or in this process when none
// runs.
#pragma once

#include <memory>
#include <string>

#include "app/cli.hpp"
#include "console/api.hpp"

namespace claviger::app {

// A way to the admin API.
class Door {
 public:
  virtual ~Door() = default;
  // The API's answer, problems included; an error means that there was none.
  virtual Result<console::ApiResponse> ask(const console::ApiRequest& request) = 0;
  // Whether a server stands behind it, so that what was begun goes on.
  virtual bool served() const { return true; }
};

struct DoorOptions {
  std::string data;
  std::string config;  // as asked for
  UnlockOptions unlock;
};

// Over DIR/claviger.sock when somebody listens there; else the data directory is opened here. data_in_use
// when another process has it but does not listen.
Result<std::unique_ptr<Door>> open_door(const DoorOptions& options);

// One exchange of HTTP/1.1 over a connected stream socket, which is closed afterwards. Blocks; io_failed and
// upstream_malformed.
Result<console::ApiResponse> exchange(int socket, const console::ApiRequest& request);
// A connected unix socket, or -1 when nobody listens at `path`, which may be longer than an address holds.
Result<int> connect_unix(const std::string& path);

}  // namespace claviger::app
