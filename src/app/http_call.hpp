// One HTTP exchange from a command: blocking, verified TLS, no redirect followed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/result.hpp"

namespace claviger::app {

struct HttpCall {
  std::string_view method;
  std::string base;  // https://host[:port][/path]; http only to this host
  std::string path;  // with its query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpReply {
  int status = 0;
  std::string body;
};

// Refuses invalid_input for a base that cannot be used; upstream_failed, upstream_timeout and
// upstream_malformed for what happens on the way, an answer of more than `most` bytes among it. Wipes its
// copies of headers and body.
Result<HttpReply> call(const HttpCall& asked, std::size_t most,
                       std::int64_t timeout_ms = limits::kProbeTimeoutMs);

}  // namespace claviger::app
