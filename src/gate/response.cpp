// Response heads: what of the provider's head goes on to the client, and chunk framing.
#include "gate/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>

namespace claviger::gate {
namespace {

// Account, edge and cookie headers of a provider: none of the client's business, some of them another
// tenant's.
constexpr wire::NameSet kDropped(std::to_array<std::string_view>({
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
}));
constexpr std::array<std::string_view, 6> kDroppedPrefixes = {
    "x-ratelimit-", "anthropic-ratelimit-", "ratelimit", "anthropic-priority-", "cf-", "x-goog-upload-"};

bool starts_with_name(std::string_view name, std::string_view prefix) {
  return wire::same_name(name.substr(0, prefix.size()), prefix);
}

bool is_dropped(std::string_view name) {
  return wire::is_hop_by_hop(name) || kDropped.contains(name) ||
         std::ranges::any_of(kDroppedPrefixes,
                             [&](std::string_view prefix) { return starts_with_name(name, prefix); });
}

// How one dialect names what is left of one limit.
struct AllowanceNames {
  std::string_view limit, remaining, reset;
};
constexpr AllowanceNames kRequests = {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                                      "x-ratelimit-reset-requests"};
constexpr AllowanceNames kTokens = {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
                                    "x-ratelimit-reset-tokens"};
constexpr AllowanceNames kAnthropicRequests = {"anthropic-ratelimit-requests-limit",
                                               "anthropic-ratelimit-requests-remaining",
                                               "anthropic-ratelimit-requests-reset"};
constexpr AllowanceNames kAnthropicTokens = {"anthropic-ratelimit-tokens-limit",
                                             "anthropic-ratelimit-tokens-remaining",
                                             "anthropic-ratelimit-tokens-reset"};

// "name: 42ms\r\n", put together beside `out`: names and units here are short.
void append_number(std::string& out, std::string_view name, std::integral auto number,
                   std::string_view unit = {}) {
  std::array<char, 96> line;
  char* at = std::copy(name.begin(), name.end(), line.data());
  *at++ = ':';
  *at++ = ' ';
  at = std::to_chars(at, line.data() + line.size(), number).ptr;
  at = std::copy(unit.begin(), unit.end(), at);
  *at++ = '\r';
  *at++ = '\n';
  out.append(line.data(), at);
}

void append_one(std::string& out, provider::Dialect dialect, const AllowanceNames& names,
                const std::optional<ledger::Allowance::One>& one, Time now) {
  if (!one) return;
  append_number(out, names.limit, one->limit);
  append_number(out, names.remaining, one->left);
  // OpenAI writes the time until a limit is whole again as "1.5s" or "20ms", Anthropic as a moment.
  if (dialect == provider::Dialect::anthropic)
    wire::append_header(out, names.reset, format_time({now.ns + one->reset_ms * 1'000'000}));
  else
    append_number(out, names.reset, one->reset_ms, "ms");
}

}  // namespace

void append_allowance(std::string& out, provider::Dialect dialect, const ledger::Allowance& allowance,
                      Time now) {
  constexpr std::size_t kLines = 6 * 64;
  out.reserve(out.size() + kLines);
  const bool anthropic = dialect == provider::Dialect::anthropic;
  append_one(out, dialect, anthropic ? kAnthropicRequests : kRequests, allowance.requests, now);
  append_one(out, dialect, anthropic ? kAnthropicTokens : kTokens, allowance.tokens, now);
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
    append_number(out, "content-length", head.content_length);
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
