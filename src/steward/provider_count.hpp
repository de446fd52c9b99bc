// What a provider itself counts of a leaked key, beside what passed the gate: the difference went past it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "provider/adapter.hpp"
#include "steward/accounting.hpp"

namespace claviger::steward {

// From one whole bucket of the provider's report to another.
struct ReportSpan {
  Time from, to;
};
// The span of a report about these times: as many whole buckets as cover them.
ReportSpan report_span(const provider::AdapterCall& call, Time from, Time to);

// The provider's own figures of one key.
struct ProviderCount {
  bool tells_use = false, tells_cost = false;
  ReportSpan use, cost;  // what they are of
  std::int64_t calls = 0, input_tokens = 0, output_tokens = 0;
  Nanousd spent;
};
using CountDone = std::function<void(Result<ProviderCount>)>;

// What the gate let through with the key in the same spans.
struct GateCount {
  AccountSums use, cost;
};

// Calls that the provider counts and the gate does not know: at least so many.
std::int64_t past_the_gate(const ProviderCount& provider, const GateCount& gate);
// An object for the incident's figures: both sides, the difference, and a sentence ("summary").
std::string to_json(const ProviderCount& provider, const GateCount& gate, Time asked);
// The same when nobody could be asked.
std::string to_json(std::string_view problem, Time asked);

// The incident's figures with such an object as their member "provider", in the place of an older one.
std::string with_provider(std::string_view accounting, std::string_view object);
// The sentence of that member; empty when nobody has answered yet.
std::string provider_sentence(std::string_view accounting);

}  // namespace claviger::steward
