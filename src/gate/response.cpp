// Response heads: what of the provider's head goes on to the client, and chunk framing.
#include "gate/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace claviger::gate {
namespace {

// Account, edge and cookie headers of a provider: none of the client's business, some of them another
// tenant's.
constexpr std::array<std::string_view, 13> kDropped = {
    "content-length",
    "set-cookie",
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
    "server",
    "via",
    "alt-svc",
    "nel",
    "report-to",
    "www-authenticate",
    "location",
    "strict-transport-security",
};
constexpr std::array<std::string_view, 3> kDroppedPrefixes = {"x-ratelimit-", "anthropic-ratelimit-", "cf-"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool starts_with_name(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), name.begin(), [](char p, char n) { return p == lower(n); });
}

bool is_dropped(std::string_view name) {
  if (wire::is_hop_by_hop(name)) return true;
  for (const std::string_view prefix : kDroppedPrefixes)
    if (starts_with_name(name, prefix)) return true;
  return std::any_of(kDropped.begin(), kDropped.end(), [&](std::string_view dropped) {
    return dropped.size() == name.size() && starts_with_name(name, dropped);
  });
}

}  // namespace

std::string response_head(const wire::ResponseHead& head, Framing framing, std::string_view request_id) {
  std::string out;
  constexpr std::uint64_t kSmallBody = 4 * 1024;  // it may be sent behind the head
  out.reserve(768 + static_cast<std::size_t>(std::min(head.content_length, kSmallBody)));
  wire::append_status_line(out, head.status);
  for (const wire::Header& header : head.headers)
    if (!is_dropped(header.name) && !head.headers.connection_lists(header.name))
      out.append(header.name).append(": ").append(header.value).append("\r\n");  // as it was parsed
  wire::append_header(out, "x-claviger-request-id", request_id);
  if (framing == Framing::chunked)
    wire::append_header(out, "transfer-encoding", "chunked");
  else
    wire::append_header(out, "content-length", std::to_string(head.content_length));
  out += "\r\n";
  return out;
}

std::string chunk_head(std::size_t size) {
  char digits[16];
  std::string out(digits, std::to_chars(digits, digits + sizeof(digits), size, 16).ptr);
  out += "\r\n";
  return out;
}

std::string chunk(std::string_view payload) {
  std::string out = chunk_head(payload.size());
  out.append(payload).append(kChunkEnd);
  return out;
}

}  // namespace claviger::gate
