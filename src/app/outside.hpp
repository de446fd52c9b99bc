// The steward's calls to the outside: verified TLS, vetted and pinned addresses, no redirect followed.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "net/loop.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"
#include "steward/outside.hpp"

namespace claviger::app {

// Each call goes out on a worker's thread with a loop and a connection of its own; its answer is posted to
// `home`. The name is resolved once, the addresses are checked, and the connection goes to one of these and
// to nothing else. `home` and `tls` must outlive it; answers that come when `home` has ended are dropped.
class Courier final : public steward::Outside {
 public:
  Courier(net::Loop& home, const net::TlsContext& tls, std::vector<std::string> private_hosts);
  ~Courier() override;  // close()
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void send(steward::OutsideCall call, Done done) override;
  // From the next call on.
  void adopt(std::vector<std::string> private_hosts) { private_hosts_ = std::move(private_hosts); }
  // Breaks off what is under way; what is sent afterwards is refused with shutting_down.
  void close();

 private:
  struct Errand;
  struct Running;
  Result<steward::OutsideAnswer> carry(Errand& errand);
  void answer(std::shared_ptr<Errand> errand, Result<steward::OutsideAnswer> result);

  net::Loop& home_;
  const net::TlsContext& tls_;
  std::vector<std::string> private_hosts_;  // the steward's thread's
  std::size_t under_way_ = 0;               // the steward's thread's
  std::mutex lock_;
  bool closed_ = false;           // guarded by lock_
  std::set<net::Loop*> running_;  // guarded by lock_
  std::unique_ptr<net::Workers> workers_;
};

}  // namespace claviger::app
