// What an answer's status and error body prove about the credential it was asked with.
#pragma once

#include <cstdint>
#include <string_view>

namespace claviger::provider {

enum class Finding : std::uint8_t {
  good,         // nothing against it: an answer, or an error that is the request's own
  refused,      // the key itself was not accepted
  no_money,     // it is good, but its account may spend no more
  limited,      // it is good, but too fast
  fault,        // the provider failed
  unreachable,  // no connection came about
};
std::string_view finding_name(Finding finding);

// `body` is the error's, as far as it was read. Status alone is not enough: a missing scope answers 401 at
// OpenAI, a bad key 400 at Gemini and x-ai, an empty account anything from 400 to 429. What no row knows is
// the request's own fault, except 401 and 5xx.
Finding verdict(int status, std::string_view body);

// Whether another credential may do better with the same request.
inline bool worth_another(Finding finding) { return finding != Finding::good; }

}  // namespace claviger::provider
