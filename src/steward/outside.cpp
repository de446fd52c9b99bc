// Which addresses the steward may call on somebody's word.
#include "steward/outside.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "policy/ip.hpp"
#include "vault/origin.hpp"

namespace claviger::steward {
namespace {

// IANA's special-purpose registries. What is in none of them is public; of IPv6 only 2000::/3 is given out.
constexpr std::array<std::string_view, 20> kSpecial{
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "2001::/23",     "2001:db8::/32",   "2002::/16",      "3fff::/20",      "2620:4f:8000::/48"};
constexpr std::string_view kGivenOut = "2000::/3";
constexpr std::string_view kTranslated = "64:ff9b::/96";  // an IPv4 address behind a translator

bool within(std::string_view network, const policy::IpAddress& address) {
  return policy::Cidr::parse(network)->contains(address);
}

bool names(std::span<const std::string> hosts, std::string_view host) {
  return std::ranges::find(hosts, host) != hosts.end();
}

std::unexpected<Error> is_private(std::string_view host) {
  return refuse(Code::private_address,
                fmt::format("The address of {} is private: name the host in outside.private_hosts of the "
                            "configuration if it is meant.",
                            host));
}

// Everything a request target may hold; the rest must be escaped by whoever wrote it.
bool is_target(std::string_view target) {
  return std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#' && c != '\\'; });
}

}  // namespace

std::string_view OutsideAnswer::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, [](const auto& one) { return one.first; });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

bool is_public_address(std::string_view ip) {
  auto address = policy::IpAddress::parse(ip);
  if (!address) return false;
  if (within(kTranslated, *address)) {
    std::array<std::uint8_t, 4> last{};
    std::copy_n(address->bytes.end() - 4, 4, last.begin());
    return is_public_address(fmt::format("{}.{}.{}.{}", last[0], last[1], last[2], last[3]));
  }
  if (!address->is_v4() && !within(kGivenOut, *address)) return false;
  return std::ranges::none_of(kSpecial, [&](std::string_view one) { return within(one, *address); });
}

Result<void> check_reach(std::string_view host, std::span<const std::string> addresses,
                         std::span<const std::string> private_hosts) {
  if (names(private_hosts, host)) return {};
  // One private address among public ones is how a name is turned against its caller.
  for (const std::string& address : addresses)
    if (!is_public_address(address)) return is_private(host);
  return {};
}

Result<OutsideUrl> read_outside_url(std::string_view url, std::span<const std::string> private_hosts) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string_view::npos ? url.size() : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", start), url.size());
  std::string target(url.substr(end));
  if (!is_target(target))
    return refuse(Code::invalid_input,
                  "The URL cannot be used: it has a fragment, or a byte that must be escaped.");
  if (!target.starts_with('/')) target.insert(0, "/");
  TRY(const vault::BaseUrl base, vault::parse_base_url(url.substr(0, end), vault::PlainHttp::allowed));
  const bool named = names(private_hosts, base.host);
  if (base.scheme != "https" && !named)
    return refuse(Code::invalid_input,
                  fmt::format("The URL cannot be used: plain http is only for hosts that "
                              "outside.private_hosts of the configuration names, and {} is not.",
                              base.host));
  const bool literal = policy::IpAddress::parse(base.host).has_value();
  if (!named && (base.host == "localhost" || (literal && !is_public_address(base.host))))
    return is_private(base.host);
  return OutsideUrl{base.text(), std::move(target)};
}

}  // namespace claviger::steward
