// AWS Signature Version 4: the Authorization header of one request, over the bytes that are sent. No sockets,
// no clock.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace claviger::provider {

// "ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]" taken apart; views into it. Not a bearer key: those have
// no colon.
struct AwsKeys {
  std::string_view id, secret, token;
};
Result<AwsKeys> parse_aws_keys(std::string_view text);

struct AwsRequest {
  std::string_view method;
  std::string_view path;   // as it stands in the request line, escapes included
  std::string_view query;  // likewise, without "?"
  std::string_view host;   // the Host header's value
  std::string_view region, service;
  Time now;
  std::span<const std::string_view> body;  // in pieces
  // Further headers that are signed: lower-case names, trimmed values.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Appends the lines "x-amz-date", "x-amz-security-token" where there is one, and "authorization" with their
// line ends. `out` holds the token and should have room, for it must not grow.
void append_signature(const AwsKeys& keys, const AwsRequest& request, std::string& out);

// The region in "bedrock-runtime.eu-west-1.amazonaws.com"; empty when the host is not one of AWS's.
std::string_view region_of_host(std::string_view host);

}  // namespace claviger::provider
