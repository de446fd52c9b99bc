// Reading and writing addresses and networks.
#include "policy/ip.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace claviger::policy {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kV4Offset = 96;  // bits before the IPv4 part of a mapped address

// inet_pton takes a terminated string; the longest address text is 45 bytes.
bool read_address(std::string_view text, IpAddress& out) {
  char terminated[64];
  if (text.empty() || text.size() >= sizeof(terminated)) return false;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  if (std::memchr(terminated, '\0', text.size()) != nullptr) return false;
  in_addr v4{};
  if (::inet_pton(AF_INET, terminated, &v4) == 1) {
    std::copy(kMapped.begin(), kMapped.end(), out.bytes.begin());
    std::memcpy(out.bytes.data() + kMapped.size(), &v4, sizeof(v4));
    return true;
  }
  return ::inet_pton(AF_INET6, terminated, out.bytes.data()) == 1;
}

void clear_host_bits(IpAddress& address, int bits) {
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(bits - i * 8, 0, 8);
    address.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
}

}  // namespace

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

std::string IpAddress::text() const {
  char out[INET6_ADDRSTRLEN] = {};
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes.data() + kMapped.size(), out, sizeof(out));
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), out, sizeof(out));
  }
  return out;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  IpAddress address;
  if (!read_address(text, address))
    return refuse(Code::invalid_input,
                  fmt::format("'{}' is not an IP address: write it like 192.0.2.1 or 2001:db8::1", text));
  return address;
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return refuse(Code::invalid_input, fmt::format("'{}' is not a network: {}", text, why));
  };
  const std::size_t slash = text.find('/');
  const std::string_view head = text.substr(0, slash);
  Cidr made;
  if (!read_address(head, made.base_)) return bad("write it like 10.0.0.0/8 or 2001:db8::/32");
  if (slash == std::string_view::npos) return made;
  const std::string_view digits = text.substr(slash + 1);
  int bits = -1;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool dotted = head.find(':') == std::string_view::npos;
  const int most = dotted ? 32 : 128;
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || bits < 0 || bits > most ||
      (digits.size() > 1 && digits.front() == '0'))
    return bad(fmt::format("the length after the slash is a number from 0 to {}", most));
  made.bits_ = dotted ? bits + kV4Offset : bits;
  const IpAddress given = made.base_;
  clear_host_bits(made.base_, made.bits_);
  if (made.base_ != given) return bad(fmt::format("it names a host; the network is {}", made.text()));
  return made;
}

bool Cidr::contains(const IpAddress& address) const {
  if (base_.is_v4() != address.is_v4()) return false;
  IpAddress masked = address;
  clear_host_bits(masked, bits_);
  return masked == base_;
}

std::string Cidr::text() const {
  return fmt::format("{}/{}", base_.text(), base_.is_v4() ? bits_ - kV4Offset : bits_);
}

}  // namespace claviger::policy
