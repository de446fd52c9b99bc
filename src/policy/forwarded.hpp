// Where a request came from when it came through proxies: X-Forwarded-For and Forwarded, believed hop by hop.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "policy/ip.hpp"

namespace claviger::policy {

// What the head says of the way: the fields' values in the order of their arrival.
struct Way {
  std::span<const std::string_view> x_forwarded_for;
  std::span<const std::string_view> forwarded;
};

// The nearest address that is not a trusted proxy's, walking from the peer towards the client: what stands
// further away, anybody may have written. Without trusted proxies, or from another peer, the peer itself.
// Refuses malformed_request when a trusted hop's word cannot be read, when the two fields name different
// addresses, and beyond limits::kForwardedHops: who cannot be told is not let in.
Result<IpAddress> client_address(const IpAddress& peer, std::span<const Cidr> trusted, const Way& way);

}  // namespace claviger::policy
