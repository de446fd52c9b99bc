// Serve: the gate's story. Connections come in, requests walk through the rooms, answers go out.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "gate/lane.hpp"
#include "gate/world.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"

namespace claviger::gate {

// The data plane: one loop, thread, listener and journal for each lane.
class Gate {
 public:
  // Opens the listeners; nothing is served until start. `journals`: one a lane. Errors of net::Listener::tcp.
  static Result<std::unique_ptr<Gate>> open(Shared& shared, const net::HostPort& where,
                                            std::vector<std::unique_ptr<journal::Writer>> journals);
  ~Gate();

  void start(std::shared_ptr<const World> first);
  // Any thread but the lanes'. Returns when every lane admits on `next` and has cut what may not go on.
  void publish(const std::shared_ptr<const World>& next);
  // Stops accepting, lets running requests end for at most `grace_ms`, then ends the loops and closes the
  // journals.
  void stop(std::int64_t grace_ms);

  // "127.0.0.1:8080".
  const std::string& address() const { return address_; }
  std::size_t lanes() const { return lanes_.size(); }
  bool journals_writable() const;

 private:
  Gate(Shared& shared, std::vector<net::Listener> listeners,
       std::vector<std::unique_ptr<journal::Writer>> journals);
  void run_on_all(const std::function<void(std::size_t)>& job);

  Shared& shared_;
  std::vector<std::unique_ptr<journal::Writer>> journals_;  // outlive the loops: destructors write receipts
  std::vector<std::unique_ptr<net::Loop>> loops_;
  std::vector<net::Listener> listeners_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::thread> threads_;
  std::string address_;
  bool running_ = false;
};

}  // namespace claviger::gate
