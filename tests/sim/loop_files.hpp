// The key file of a simulated server of the operator's own: written by a worker that fails, loses answers and
// dies with the program; read by the server when it is told to, and a little later.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "steward/rotation.hpp"
#include "weather.hpp"

namespace claviger::sim {

class LoopFiles final : public steward::KeyFiles {
 public:
  LoopFiles(const Clock& clock, SeededRng& rng) : clock_(clock), rng_(rng) {}

  // What a person has written into the file before the first rotation.
  void write_by_hand(const std::string& secret);

  void replace(const steward::KeyFile&, std::string lines, std::function<void(Result<void>)> done) override {
    waiting_.emplace_back(std::move(lines), std::move(done));
  }
  bool waits() const { return !waiting_.empty(); }
  // The oldest writing happens, or not, and is told of, or not. When there is none, the server may start
  // anew.
  void let_through(Weather weather);
  // The worker ends with the program: amid its work, or before it.
  void caller_dies();

  // Whether the server would serve a call with this secret now.
  bool accepts(std::string_view secret) const;
  // Secrets that it will accept for good.
  std::size_t lasting() const { return file_.size(); }

 private:
  using Secrets = std::vector<std::string>;
  struct Reading {
    Time from;
    Secrets secrets;
  };
  void write(std::string_view lines);
  void reload();

  const Clock& clock_;
  SeededRng& rng_;
  std::deque<std::pair<std::string, std::function<void(Result<void>)>>> waiting_;
  Secrets file_;
  std::vector<Reading> readings_;  // the newest last
};

}  // namespace claviger::sim
