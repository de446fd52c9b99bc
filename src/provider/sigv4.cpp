// The canonical request, the string to sign and the signature.
#include "provider/sigv4.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"

namespace claviger::provider {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kHex = "0123456789ABCDEF";

// "20150830T123600Z".
std::string stamp_of(Time now) {
  const std::time_t seconds = now.ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[17];
  std::strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

bool unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// Every service but S3 escapes the path once more than the request line does.
std::string canonical_path(std::string_view path) {
  std::string out;
  for (const char c : path.empty() ? std::string_view("/") : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (unreserved(c) || c == '/')
      out += c;
    else
      (out += '%').append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
  }
  return out;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::string> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    std::string pair(query.substr(0, end));
    if (pair.find('=') == std::string::npos) pair += '=';
    pairs.push_back(std::move(pair));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  // By name, then by value: '=' must not take part, for it stands behind some letters of a longer name.
  std::ranges::sort(pairs, [](const std::string& a, const std::string& b) {
    const std::size_t at = a.find('='), bt = b.find('=');
    const int names = std::string_view(a).substr(0, at).compare(std::string_view(b).substr(0, bt));
    return names != 0 ? names < 0 : a.substr(at) < b.substr(bt);
  });
  std::string out;
  for (const std::string& pair : pairs) out.append(out.empty() ? "" : "&").append(pair);
  return out;
}

Digest mac(ByteView key, std::string_view text) { return crypto::HmacSha256(key).mac(text); }

std::string body_hash(std::span<const std::string_view> body) {
  crypto::Sha256 hash;
  for (const std::string_view piece : body) hash.add(piece);
  return hex(hash.finish());
}

}  // namespace

Result<AwsKeys> parse_aws_keys(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  AwsKeys keys;
  keys.id = text.substr(0, first);
  if (first != std::string_view::npos) keys.secret = text.substr(first + 1, second - first - 1);
  if (second != std::string_view::npos) keys.token = text.substr(second + 1);
  const bool good = !keys.id.empty() && !keys.secret.empty() &&
                    (second == std::string_view::npos || !keys.token.empty()) &&
                    keys.token.find(':') == std::string_view::npos;
  if (good) return keys;
  return refuse(Code::invalid_input, "The secret is ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN].");
}

void append_signature(const AwsKeys& keys, const AwsRequest& request, std::string& out) {
  const std::string stamp = stamp_of(request.now);
  const std::string day = stamp.substr(0, 8);
  std::vector<std::pair<std::string, std::string>> headers = request.headers;
  headers.emplace_back("host", request.host);
  headers.emplace_back("x-amz-date", stamp);
  if (!keys.token.empty()) headers.emplace_back("x-amz-security-token", keys.token);
  std::ranges::sort(headers);

  std::string canonical;
  canonical.reserve(4096 + request.path.size() * 3 + request.query.size() + keys.token.size());
  canonical.append(request.method);
  canonical.append("\n").append(canonical_path(request.path)).append("\n");
  canonical.append(canonical_query(request.query)).append("\n");
  std::string names;
  for (const auto& [name, value] : headers) {
    canonical.append(name).append(":").append(value).append("\n");
    names.append(names.empty() ? "" : ";").append(name);
  }
  canonical.append("\n").append(names).append("\n").append(body_hash(request.body));

  std::string scope = day;
  scope.append("/").append(request.region).append("/").append(request.service).append("/aws4_request");
  std::string to_sign(kAlgorithm);
  to_sign.append("\n").append(stamp).append("\n").append(scope).append("\n");
  to_sign.append(hex(crypto::sha256(canonical)));
  crypto::wipe(canonical);
  for (auto& [name, value] : headers) crypto::wipe(value);

  std::string seed;
  seed.reserve(keys.secret.size() + 4);
  seed.append("AWS4").append(keys.secret);
  Digest key = mac(as_bytes(seed), day);
  crypto::wipe(seed);
  for (const std::string_view part : {request.region, request.service, std::string_view("aws4_request")})
    key = mac(key, part);
  const std::string signature = hex(mac(key, to_sign));
  crypto::wipe(std::span<std::uint8_t>(key));

  out.append("x-amz-date: ").append(stamp).append("\r\n");
  if (!keys.token.empty()) out.append("x-amz-security-token: ").append(keys.token).append("\r\n");
  out.append("authorization: ").append(kAlgorithm).append(" Credential=").append(keys.id).append("/");
  out.append(scope).append(", SignedHeaders=").append(names).append(", Signature=").append(signature);
  out.append("\r\n");
}

std::string_view region_of_host(std::string_view host) {
  if (!host.ends_with(".amazonaws.com")) return {};
  const std::size_t first = host.find('.');
  const std::size_t second = host.find('.', first + 1);
  const std::string_view region = host.substr(first + 1, second - first - 1);
  return region == "amazonaws" ? std::string_view{} : region;
}

}  // namespace claviger::provider
