// IP addresses and networks as rules use them; an IPv4 address in IPv6 clothes is the IPv4 address.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::policy {

// Sixteen bytes in network order; IPv4 as ::ffff:a.b.c.d, so that each address has one form.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  bool is_v4() const;
  // "192.0.2.1" or "2001:db8::1"; never the mapped form.
  std::string text() const;
  // Refuses invalid_input: no zone, no port, no brackets, no leading zeros.
  static Result<IpAddress> parse(std::string_view text);
};

// A network. One of IPv4 never holds an IPv6 address nor the other way round: ::/0 is all of IPv6 only.
class Cidr {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or a lone address. Refuses host bits that are set, naming the network
  // meant.
  static Result<Cidr> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  // True when every address of `other` lies in this network.
  bool contains(const Cidr& other) const { return bits_ <= other.bits_ && contains(other.base_); }
  std::string text() const;
  friend bool operator==(const Cidr&, const Cidr&) = default;

 private:
  IpAddress base_;
  int bits_ = 128;  // of the sixteen bytes; an IPv4 /8 is 104
};

}  // namespace claviger::policy
