// The steward's way to the outside: one HTTPS exchange at a time, sent by somebody else, answered on the
// steward's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"

namespace claviger::steward {

// Who vouches for the address.
enum class Reach : std::uint8_t {
  provider,  // the operator, who bound a credential to it: any address it resolves to
  guarded,   // nobody: https to public addresses only, but for hosts that the configuration names as private
};

// A call as a value. It may hold secrets in its headers, its path and its body: whoever sends it wipes them.
struct OutsideCall {
  std::string method = "POST";
  std::string base;          // scheme://host[:port][/path], see vault::parse_base_url
  std::string target = "/";  // appended to it: a path, with its query
  std::vector<std::pair<std::string, std::string>> headers;  // besides host, content-length and connection
  std::string body;
  Reach reach = Reach::guarded;
  std::int64_t timeout_ms = limits::kOutsideTimeoutMs;
  std::size_t most = limits::kOutsideAnswer;  // bytes of an answer that are taken
};

struct OutsideAnswer {
  int status = 0;                                            // 3xx too: no redirect is followed
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first of that name (lower case); empty when there is none.
  std::string_view header(std::string_view name) const;
};

// For the steward's thread. `done` is called once, on that thread and never from within send(): with the
// answer, or with private_address, invalid_input, upstream_failed, upstream_timeout, upstream_malformed,
// overloaded or shutting_down. Only private_address, invalid_input and overloaded prove that nothing was
// sent.
class Outside {
 public:
  using Done = std::function<void(Result<OutsideAnswer>)>;
  virtual ~Outside() = default;
  virtual void send(OutsideCall call, Done done) = 0;
};

// A whole URL in the parts of a call.
struct OutsideUrl {
  std::string base;    // scheme://host[:port]
  std::string target;  // "/path?query"
};
// Takes an address apart that a configuration or an administrator names. Refuses invalid_input for what
// cannot be read in one way only (user names, fragments, escapes in the host), private_address for a literal
// private address, and plain http; `private_hosts` are the hosts to which all of this is allowed.
Result<OutsideUrl> read_outside_url(std::string_view url, std::span<const std::string> private_hosts);

// Whether an address belongs to everybody's internet: not private, loopback, link-local (where clouds keep
// their metadata), shared, documentation, multicast or reserved, also when it is dressed as IPv6.
bool is_public_address(std::string_view ip);

// private_address unless every one of `addresses` is public or the host is named.
Result<void> check_reach(std::string_view host, std::span<const std::string> addresses,
                         std::span<const std::string> private_hosts);

}  // namespace claviger::steward
