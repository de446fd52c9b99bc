// Tells a service manager how the service stands (systemd's notification protocol).
#pragma once

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

namespace claviger::app {

// Sends `state`, e.g. "READY=1", to $NOTIFY_SOCKET. Does nothing when there is none.
void notify_service(std::string_view state);

// While it lives the service manager is told every few seconds that the start goes on (EXTEND_TIMEOUT_USEC).
class StartingUp {
 public:
  StartingUp();
  ~StartingUp();
  StartingUp(const StartingUp&) = delete;
  StartingUp& operator=(const StartingUp&) = delete;

 private:
  std::mutex lock_;
  std::condition_variable over_;
  bool done_ = false;  // guarded by lock_
  std::thread teller_;
};

}  // namespace claviger::app
