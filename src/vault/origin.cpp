// Base URLs and origins, read strictly: what two parsers could read in two ways is refused.
#include "vault/origin.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace claviger::vault {
namespace {

constexpr std::size_t kUrlBytes = 2048;
constexpr std::size_t kHostBytes = 253;
constexpr std::size_t kLabelBytes = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::unexpected<Error> bad(std::string_view why) {
  return refuse(Code::invalid_input, fmt::format("The URL cannot be used: {}.", why));
}

// Four decimal numbers up to 255 without leading zeros: the one numeric form that everyone reads alike.
bool is_dotted_quad(std::string_view host) {
  int parts = 0;
  while (true) {
    const std::size_t end = std::min(host.find('.'), host.size());
    const std::string_view part = host.substr(0, end);
    if (part.empty() || part.size() > 3 || !std::ranges::all_of(part, is_digit)) return false;
    int number = 0;
    std::from_chars(part.data(), part.data() + part.size(), number);
    if (number > 255 || (part.size() > 1 && part.front() == '0')) return false;
    ++parts;
    if (end == host.size()) return parts == 4;
    host.remove_prefix(end + 1);
  }
}

// URL parsers take a host whose last label is a number, also a hexadecimal one, for an IPv4 address.
bool reads_as_number(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);  // npos + 1 is 0
  if (std::ranges::all_of(last, is_digit)) return true;
  return last.starts_with("0x") &&
         std::ranges::all_of(last.substr(2), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

Result<std::string> read_name(std::string_view text) {
  std::string host;
  std::ranges::transform(text, std::back_inserter(host), lower);
  if (host.ends_with('.')) host.pop_back();
  if (host.empty() || host.size() > kHostBytes) return bad("the host is missing or longer than 253 bytes");
  if (reads_as_number(host) && !is_dotted_quad(host))
    return bad("a numeric host must be a plain dotted quad such as 192.0.2.1");
  for (std::size_t start = 0; start <= host.size();) {
    const std::size_t end = std::min(host.find('.', start), host.size());
    const std::string_view label = std::string_view(host).substr(start, end - start);
    if (label.empty() || label.size() > kLabelBytes || label.front() == '-' || label.back() == '-' ||
        !std::ranges::all_of(label,
                             [](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_'; }))
      return bad("the host is not a name of letters, digits and hyphens");
    start = end + 1;
  }
  return host;
}

Result<std::string> read_ipv6(std::string_view text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> normal{};
  if (text.size() >= normal.size() || ::inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1 ||
      ::inet_ntop(AF_INET6, &address, normal.data(), normal.size()) == nullptr)
    return bad("what stands in brackets is not an IPv6 address");
  return std::string(normal.data());
}

Result<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || text.front() == '0' || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return bad("the port is not a number from 1 to 65535");
  return port;
}

Result<void> read_authority(std::string_view text, BaseUrl& url) {
  if (text.contains('@')) return bad("it holds a user name or password; give the secret on its own");
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return bad("a bracket is not closed");
    TRY(url.host, read_ipv6(text.substr(1, end - 1)));
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return bad("something stands between host and port");
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    TRY(url.host, read_name(text.substr(0, colon)));
    port = text.substr(colon);
  }
  url.port = url.scheme == "https" ? 443 : 80;
  if (port.empty()) return {};
  TRY(url.port, read_port(port.substr(1)));
  return {};
}

// "" or "/a/b"; the slash at the end is dropped.
Result<std::string> read_path(std::string_view text) {
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return std::string();
  for (std::size_t start = 1; start <= text.size();) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    const std::string_view segment = text.substr(start, end - start);
    if (segment.empty() || segment == "." || segment == "..")
      return bad("its path has an empty or a dot segment");
    const bool plain = std::ranges::all_of(segment, [](char c) {
      return is_digit(c) || is_letter(c) || std::string_view("-._~:@").contains(c);
    });
    if (!plain) return bad("its path holds something else than letters, digits and -._~:@");
    start = end + 1;
  }
  return std::string(text);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && is_dotted_quad(host));
}

}  // namespace

std::string BaseUrl::origin() const {
  if (host.contains(':')) return fmt::format("{}://[{}]:{}", scheme, host, port);
  return fmt::format("{}://{}:{}", scheme, host, port);
}

std::string BaseUrl::text() const {
  std::string start = origin();
  if (port == (scheme == "https" ? 443 : 80)) start.erase(start.rfind(':'));
  return start + path;
}

Result<BaseUrl> parse_base_url(std::string_view text, PlainHttp plain_http) {
  if (text.size() > kUrlBytes) return bad("it is longer than 2048 bytes");
  if (!std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; }))
    return bad("it holds a space, a control byte or a letter outside ASCII (write such a host in punycode)");
  if (text.contains('\\')) return bad("it holds a backslash");
  if (text.contains('?') || text.contains('#')) return bad("it has a query or a fragment");
  BaseUrl url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return bad("it does not begin with https://");
  std::ranges::transform(text.substr(0, colon), std::back_inserter(url.scheme), lower);
  if (url.scheme != "https" && url.scheme != "http") return bad("its scheme is not https");
  text.remove_prefix(colon + 3);
  const std::size_t slash = std::min(text.find('/'), text.size());
  TRY_VOID(read_authority(text.substr(0, slash), url));
  TRY(url.path, read_path(text.substr(slash)));
  if (url.scheme == "http" && plain_http == PlainHttp::loopback_only && !is_loopback(url.host))
    return bad("plain http is only for loopback addresses, unless it is allowed for this credential by name");
  return url;
}

Result<std::string> parse_origin(std::string_view text, PlainHttp plain_http) {
  TRY(const BaseUrl url, parse_base_url(text, plain_http));
  if (!url.path.empty()) return bad("an origin is scheme, host and port, without a path");
  return url.origin();
}

}  // namespace claviger::vault
