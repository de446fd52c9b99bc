// Response heads: what of the provider's head goes on to the client, and chunk framing.
#include "gate/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace claviger::gate {
namespace {

// Account, edge and cookie headers of a provider: none of the client's business, some of them another
// tenant's.
constexpr std::array<std::string_view, 18> kDropped = {
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
    "location",  // addresses at the provider, to which a client might carry its key
    "content-location",
    "link",
    "refresh",
    "operation-location",
    "azure-asyncoperation",
    "strict-transport-security",
};
constexpr std::array<std::string_view, 6> kDroppedPrefixes = {
    "x-ratelimit-", "anthropic-ratelimit-", "ratelimit", "anthropic-priority-", "cf-", "x-goog-upload-"};

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

namespace {

// OpenAI writes the time until a limit is whole again as "1.5s" or "20ms", Anthropic as a moment.
std::string reset_text(provider::Dialect dialect, std::int64_t reset_ms, Time now) {
  if (dialect == provider::Dialect::anthropic) return format_time({now.ns + reset_ms * 1'000'000});
  return std::to_string(reset_ms) + "ms";
}

void append_one(std::string& out, provider::Dialect dialect, std::string_view what,
                const std::optional<ledger::Allowance::One>& one, Time now) {
  if (!one) return;
  const bool anthropic = dialect == provider::Dialect::anthropic;
  const auto add = [&](std::string_view part, std::string_view value) {
    std::string name = anthropic ? "anthropic-ratelimit-" : "x-ratelimit-";
    name.append(anthropic ? what : part).append("-").append(anthropic ? part : what);
    wire::append_header(out, name, value);
  };
  add("limit", std::to_string(one->limit));
  add("remaining", std::to_string(one->left));
  add("reset", reset_text(dialect, one->reset_ms, now));
}

}  // namespace

void append_allowance(std::string& out, provider::Dialect dialect, const ledger::Allowance& allowance,
                      Time now) {
  append_one(out, dialect, "requests", allowance.requests, now);
  append_one(out, dialect, "tokens", allowance.tokens, now);
}

std::string response_head(const wire::ResponseHead& head, Framing framing, std::string_view request_id,
                          std::string_view more) {
  std::string out;
  constexpr std::uint64_t kSmallBody = 4 * 1024;  // it may be sent behind the head
  out.reserve(768 + static_cast<std::size_t>(std::min(head.content_length, kSmallBody)));
  wire::append_status_line(out, head.status);
  for (const wire::Header& header : head.headers)
    if (!is_dropped(header.name) && !head.headers.connection_lists(header.name))
      out.append(header.name).append(": ").append(header.value).append("\r\n");  // as it was parsed
  wire::append_header(out, "x-claviger-request-id", request_id);
  out.append(more);
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
