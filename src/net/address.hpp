// Socket addresses: "HOST:PORT" in, IPv4 and IPv6 alike.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace claviger::net {

// A resolved socket address.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  // The address alone, e.g. "127.0.0.1" or "::1"; an IPv4 address in IPv6 clothes is written as IPv4.
  std::string ip() const;
  // "127.0.0.1:80" or "[::1]:80".
  std::string text() const;
  bool is_loopback() const;
};

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

// "127.0.0.1:8080", "[::1]:8080", "localhost:0"; refuses anything else with a sentence.
Result<HostPort> parse_host_port(std::string_view text);

// True when the host is an IP address, which needs no resolver.
bool numeric_address(const HostPort& where, Address& out);

// Asks the system's resolver; blocks, so call it at start or on a worker.
Result<std::vector<Address>> resolve(const HostPort& where);

}  // namespace claviger::net
