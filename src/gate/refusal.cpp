// Refusals as HTTP responses.
#include "gate/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/http1.hpp"

namespace claviger::gate {
namespace {

constexpr std::int64_t kShortestWaitMs = 50;
constexpr std::int64_t kLongestWaitMs = 5'000;
constexpr std::int64_t kLongestToldMs = 60'000;

}  // namespace

std::string refusal_response(const Error& error, provider::Dialect dialect, std::string_view request_id,
                             AfterRefusal after) {
  const provider::ErrorBody body = provider::error_body(dialect, error, request_id);
  std::string out;
  wire::append_status_line(out, http_status(error.code));
  wire::append_header(out, "content-type", body.content_type);
  wire::append_header(out, "content-length", std::to_string(body.body.size()));
  wire::append_header(out, provider::request_id_header(dialect), request_id);
  wire::append_header(out, "cache-control", "no-store");
  const std::int64_t wait_ms = std::max<std::int64_t>(error.retry_after_ms, kShortestWaitMs);
  const bool soon = retry_of(error.code) == Retry::soon;
  // SDKs sleep through any Retry-After they are given, a day included: a longer wait must also say "do not
  // retry".
  if (retry_of(error.code) == Retry::never || (soon && wait_ms > kLongestWaitMs))
    wire::append_header(out, "x-should-retry", "false");
  if (soon && wait_ms <= kLongestToldMs) {
    wire::append_header(out, "retry-after-ms", std::to_string(wait_ms));
    wire::append_header(out, "retry-after", std::to_string((wait_ms + 999) / 1000));
  }
  if (after == AfterRefusal::close) wire::append_header(out, "connection", "close");
  out += "\r\n";
  out += body.body;
  return out;
}

}  // namespace claviger::gate
