// How a provider is asked whether a key works (--verify), as values, and what its answer proves. No sockets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace claviger::scan {

// What an answer proves. Unknown unless the provider's own words prove something: an answer of a proxy, or
// one of a shape that was never seen, says nothing, neither that a key lives nor that it is dead.
enum class Verdict : std::uint8_t {
  valid,
  valid_scope_limited,
  valid_no_quota,
  valid_ip_blocked,
  valid_rate_limited,
  invalid,
  expired,
  blocked_by_provider,
  unknown,
};
std::string_view verdict_name(Verdict verdict);

// The cheapest request that needs a key and costs nothing.
struct Probe {
  std::string_view provider;
  std::string_view base;  // scheme and host, with the path in front when there is one
  std::string_view method;
  std::string_view path;
  std::string_view key_header;
  std::string_view key_prefix;    // in front of the key, e.g. "Bearer "
  std::string_view extra_header;  // empty: none
  std::string_view extra_value;
  // What the keys begin with that may be asked about there; empty: all. A key of another kind would be
  // refused, and that would prove nothing.
  std::string_view first_beginning = {}, second_beginning = {};
};
std::span<const Probe> probes();
// Null for providers and kinds of keys that cannot be asked about.
const Probe* probe_of(std::string_view provider, std::string_view key);

// The verdict of an answer to the probe of `provider`.
Verdict judge_answer(std::string_view provider, int status, std::string_view body);

}  // namespace claviger::scan
