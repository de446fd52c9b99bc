// Finds the probes of a text, or of some stretches of it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "detect/parts.hpp"
#include "detect/survey.hpp"
#include "detect/trace.hpp"

namespace claviger::detect {

struct Found {
  Probes probes;              // of each kind by begin
  std::vector<bool> awake{};  // `pattern` rules by number, when one of their keywords stands in the text
  bool zeros = false;

  std::vector<Probe>& of(ProbeKind kind) { return probes[static_cast<std::size_t>(kind)]; }
  void clear();
};

class Gatherer {
 public:
  // All of `text`.
  void whole(const Engine::Parts& parts, Scratch& scratch, std::string_view text, Found& out);
  // What stands in `stretches`, which ascend and end where no run goes on.
  void some(const Engine::Parts& parts, Scratch& scratch, std::string_view text,
            std::span<const Span> stretches, Found& out);

 private:
  Survey survey_;
  std::vector<Heads::Place> places_;
  std::string pieces_;               // the stretches, one after the other
  std::vector<std::size_t> begins_;  // of the stretches in `pieces_`
};

}  // namespace claviger::detect
