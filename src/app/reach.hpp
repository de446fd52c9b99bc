// Whether a TCP port can be reached from here, for claviger doctor. Blocks.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace claviger::app {

// Resolves `host` (brackets of an IPv6 address are taken off) and connects to one of its addresses.
// upstream_failed with what went wrong, upstream_timeout after `patience_ms` for each address.
Result<void> reach(const std::string& host, std::uint16_t port, int patience_ms);

}  // namespace claviger::app
