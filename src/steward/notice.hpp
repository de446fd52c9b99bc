// A notice: something that people are to be told of, before it is known by which channel.
#pragma once

#include <string>

#include "base/clock.hpp"

namespace claviger::steward {

enum class Severity : std::uint8_t { info, warning, critical };

// Holds no secret, whatever happened. Small: it is sent as it is.
struct Notice {
  std::string type;     // "incident.detected", "alert.budget_threshold"
  std::string subject;  // "key:ab12"
  std::string thread;   // what belongs together: an incident's id, an alert's identity
  Severity severity = Severity::info;
  bool over = false;  // the thread has come to its end
  Time at;
  std::string summary;  // one sentence
  std::string data;     // a JSON object with the particulars
};

}  // namespace claviger::steward
