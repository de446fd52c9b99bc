// Where a credential may be sent: base URLs and origins, read strictly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::vault {

// Plain http is for loopback (127.0.0.0/8, ::1, localhost) unless the operator has allowed it by name.
enum class PlainHttp : std::uint8_t { loopback_only, allowed };

// A base URL in normal form.
struct BaseUrl {
  std::string scheme;      // "https" or "http"
  std::string host;        // lower case, no trailing dot; an IPv6 address without its brackets
  std::uint16_t port = 0;  // always set
  std::string path;        // "" or "/v1": no slash at its end

  std::string origin() const;  // "https://host:port", the port always written, IPv6 in brackets
  std::string text() const;    // as the operator would write it: default port left out
};

// Reads a base URL. Refuses with invalid_input anything but scheme://host[:port][/path] in visible ASCII:
// user info, query, fragment, backslash, escapes, empty or dot segments, and every host that reads as a
// number without being a plain dotted quad (short, octal, hex or decimal forms).
Result<BaseUrl> parse_base_url(std::string_view text, PlainHttp plain_http = PlainHttp::loopback_only);

// Reads "https://host[:port]" into the form of BaseUrl::origin(); a path is refused.
Result<std::string> parse_origin(std::string_view text, PlainHttp plain_http = PlainHttp::loopback_only);

}  // namespace claviger::vault
