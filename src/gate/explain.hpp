// Explain: what the gate would say to a request, by the same rooms, with every rule's verdict. Nothing is
// spent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "gate/authorize.hpp"
#include "gate/world.hpp"
#include "policy/decide.hpp"

namespace claviger::gate {

struct Explanation {
  bool allowed = false;
  std::string rule;  // the first rule that refuses; "allowed" when none does
  std::string why;
  std::vector<policy::RuleVerdict> rules;  // all that were looked at, in the gate's order
};

struct Inquiry {
  std::string key_id;
  std::string model;
  std::string endpoint;
  std::string ip;        // empty: 127.0.0.1
  std::string provider;  // empty: the endpoint's own
  std::string tools;     // kinds with commas, as a key's scope names them; empty: none
  std::string tier;      // as a request writes it; empty: none
  std::int64_t choices = 1;
  Time at;
};

// Refuses not_found (no such key) and invalid_input (endpoint or address not known, choices out of range).
Result<Explanation> explain(const Inquiry& inquiry, const World& world, ledger::Ledger& ledger);

}  // namespace claviger::gate
