// The providers of the simulated loop: OpenAI's keys, Azure's two slots, x-ai's rotation in place,
// Anthropic's and Groq's keys that people make, and a server of the operator's own; slow to know and to
// forget, behind a network that loses answers.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "loop_files.hpp"
#include "steward/outside.hpp"
#include "weather.hpp"

namespace claviger::sim {

enum class KnownFrom : std::uint8_t { now, soon };

class LoopProvider final : public steward::Outside {
 public:
  LoopProvider(const Clock& clock, SeededRng& rng, LoopFiles& files)
      : clock_(clock), rng_(rng), files_(files) {}

  // A key that a person has made; its secret.
  std::string make_by_hand(std::string_view provider, KnownFrom from);
  // And one that a person has deleted.
  void end_by_hand(std::string_view secret);
  // The provider's id of a key; empty when there is none.
  std::string id_of(std::string_view secret) const;

  void send(steward::OutsideCall call, Done done) override {
    waiting_.emplace_back(std::move(call), std::move(done));
  }
  bool waits() const { return !waiting_.empty(); }
  // The oldest call happens, or not, and is answered, or not.
  void let_through(Weather weather);
  // Who has asked is gone: some of what was sent arrives all the same.
  void caller_dies();

  // Whether a call with this secret would be served now.
  bool accepts(std::string_view provider, std::string_view secret) const;
  // Secrets that will be served for good, of one provider.
  std::size_t lasting(std::string_view provider) const;

 private:
  struct Key {
    std::string provider, id, name, secret;
    Time known;  // served, and listed, from then on
    Time until = kNever;
  };
  steward::OutsideAnswer happen(const steward::OutsideCall& call);
  steward::OutsideAnswer openai(const steward::OutsideCall& call);
  steward::OutsideAnswer azure(const steward::OutsideCall& call);
  steward::OutsideAnswer xai(const steward::OutsideCall& call);
  steward::OutsideAnswer anthropic(const steward::OutsideCall& call);
  // Groq and vLLM: nothing but a probe.
  steward::OutsideAnswer probed(const steward::OutsideCall& call) const;
  Key& make(std::string_view provider, std::string id, std::string name);
  Key* newest(std::string_view provider, std::string_view id);
  std::string fresh_secret(std::string_view provider);
  Time soon(std::int64_t most_ms);

  const Clock& clock_;
  SeededRng& rng_;
  LoopFiles& files_;
  std::deque<std::pair<steward::OutsideCall, Done>> waiting_;
  std::vector<Key> keys_;
  int made_ = 0;
};

}  // namespace claviger::sim
