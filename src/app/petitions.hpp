// The counter between the gate's lanes and the steward: petitions wait here for the steward's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "console/api.hpp"
#include "gate/petition.hpp"
#include "net/loop.hpp"

namespace claviger::app {

// `lay_down` is called by the lanes, everything else by the steward's thread. What is laid down is answered
// once, whatever happens. Must outlive the lanes.
class Petitions {
 public:
  Petitions(net::Loop& steward, console::Api& api) : steward_(steward), api_(api) {}
  Petitions(const Petitions&) = delete;
  Petitions& operator=(const Petitions&) = delete;

  void lay_down(std::shared_ptr<gate::Petition> petition, std::function<void()> done);
  // The steward's loop has ended: what waits, and what still comes, is refused with shutting_down.
  void close();

 private:
  using Waiting = std::pair<std::shared_ptr<gate::Petition>, std::function<void()>>;
  void answer_next();

  net::Loop& steward_;
  console::Api& api_;
  std::mutex lock_;
  std::deque<Waiting> waiting_;  // guarded by lock_; at most limits::kPetitions a lane
  bool closed_ = false;          // guarded by lock_
};

}  // namespace claviger::app
