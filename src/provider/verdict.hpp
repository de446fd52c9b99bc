// What an answer proves about the key it was asked with: one table, heard strictly by whoever probes a key,
// and loosely by the gate, which must choose another credential.
#pragma once

#include <cstdint>
#include <string_view>

namespace claviger::provider {

struct Provider;

// What a provider's own words prove. Unknown unless they prove something: an answer of a proxy, or one of a
// shape that was never seen, says neither that a key lives nor that it is dead.
enum class Verdict : std::uint8_t {
  valid,
  scope_limited,  // good, but not for what was asked
  no_quota,       // good, but its account may spend no more
  ip_blocked,     // good, but not from here
  rate_limited,   // good, but too fast
  invalid,        // wrong, deleted or disabled: providers do not tell these apart
  expired,
  provider_blocked,  // the provider has shut it out, e.g. as leaked
  unknown
};
// "valid", "valid_scope_limited", "valid_no_quota", "valid_ip_blocked", "valid_rate_limited", "invalid",
// "expired", "blocked_by_provider", "unknown".
std::string_view verdict_name(Verdict verdict);

// Of an answer to the provider's probe (Operation::probe). Azure and Bedrock say the same to a wrong key and
// at a wrong address: their `invalid` counts only where another key was valid.
Verdict classify(std::string_view provider, int status, std::string_view body);

// Whether the key works, if not for everything.
inline bool alive(Verdict verdict) { return verdict <= Verdict::rate_limited; }
// Whether it is refused for good. Only this may end a rotation's negative probe; a key that was valid is dead
// after two such answers.
inline bool dead(Verdict verdict) {
  return verdict == Verdict::invalid || verdict == Verdict::expired || verdict == Verdict::provider_blocked;
}

enum class Finding : std::uint8_t {
  good,         // nothing against it: an answer, or an error that is the request's own
  refused,      // the key itself was not accepted
  no_money,     // it is good, but its account may spend no more
  limited,      // it is good, but too fast
  fault,        // the provider failed
  unreachable,  // no connection came about
};
std::string_view finding_name(Finding finding);

// Of an error in the middle of traffic. `body` is the error's, as far as it was read. Status alone is not
// enough: a missing scope answers 401 at OpenAI, a bad key 400 at Gemini and x-ai, an empty account anything
// from 400 to 429. What no row knows is the request's own fault, except 401 and 5xx.
//
// Errors quote what a client has sent, and many clients share a key: only the fields that say what is wrong
// are looked at, and in answers to the request itself, 400 and 403, only the provider's own words, where its
// sentence begins. `provider` is the name of its rows; others have none.
Finding verdict(std::string_view provider, int status, std::string_view body);
// Whose rows a provider's errors are read by: its own, or those of the dialect that it speaks.
std::string_view words_of(const Provider& provider);

// Whether another credential may do better with the same request.
inline bool worth_another(Finding finding) { return finding != Finding::good; }

}  // namespace claviger::provider
