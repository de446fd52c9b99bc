// Socket addresses: parsing, formatting and resolving them.
#include "net/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace claviger::net {
namespace {

const sockaddr_in& v4(const Address& a) { return reinterpret_cast<const sockaddr_in&>(a.storage); }
const sockaddr_in6& v6(const Address& a) { return reinterpret_cast<const sockaddr_in6&>(a.storage); }

}  // namespace

std::uint16_t Address::port() const {
  return ntohs(storage.ss_family == AF_INET ? v4(*this).sin_port : v6(*this).sin6_port);
}

void Address::set_port(std::uint16_t port) {
  if (storage.ss_family == AF_INET)
    reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
  else
    reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &v4(*this).sin_addr, text, sizeof(text));
  } else if (storage.ss_family == AF_INET6) {
    const in6_addr& address = v6(*this).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address))
      ::inet_ntop(AF_INET, address.s6_addr + 12, text, sizeof(text));
    else
      ::inet_ntop(AF_INET6, &address, text, sizeof(text));
  }
  return text;
}

std::string Address::text() const {
  const std::string address = ip();
  const bool colons = address.find(':') != std::string::npos;
  return colons ? fmt::format("[{}]:{}", address, port()) : fmt::format("{}:{}", address, port());
}

bool Address::is_loopback() const {
  const std::string address = ip();
  return address.starts_with("127.") || address == "::1";
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto bad = [&] {
    return refuse(
        Code::invalid_input,
        fmt::format("'{}' is not an address: write HOST:PORT, like 127.0.0.1:8080 or [::1]:8080", text));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return bad();
  HostPort result{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (host.empty() || host.find_first_of(" []/@") != std::string_view::npos) return bad();
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return bad();
  return result;
}

bool numeric_address(const HostPort& where, Address& out) {
  out = {};
  auto& four = reinterpret_cast<sockaddr_in&>(out.storage);
  if (::inet_pton(AF_INET, where.host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    out.length = sizeof(four);
    out.set_port(where.port);
    return true;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (::inet_pton(AF_INET6, where.host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    out.length = sizeof(six);
    out.set_port(where.port);
    return true;
  }
  return false;
}

Result<std::vector<Address>> resolve(const HostPort& where) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &list);
  if (failed != 0)
    return fail_upstream(Code::upstream_failed,
                         fmt::format("cannot resolve {}: {}", where.host, ::gai_strerror(failed)));
  std::vector<Address> found;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    Address address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
    found.push_back(address);
  }
  ::freeaddrinfo(list);
  return found;
}

}  // namespace claviger::net
