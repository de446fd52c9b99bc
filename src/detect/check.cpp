// Proofs of a secret by its own bytes.
#include "detect/check.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/encoding.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::uint64_t kAzureSeed = 0x44656661756c7430ULL;  // "Default0", most significant byte first

std::array<std::uint8_t, 4> big_endian(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
          static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}
std::array<std::uint8_t, 4> little_endian(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8),
          static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 24)};
}

Verdict proven_if(bool holds) { return {!holds, holds, 0}; }

// The integer after "key": in a flat JSON text; 0 when there is none.
std::int64_t json_integer(std::string_view json, std::string_view key) {
  const std::string quoted = '"' + std::string(key) + '"';
  std::size_t at = json.find(quoted);
  if (at == std::string_view::npos) return 0;
  at += quoted.size();
  while (at < json.size() && (json[at] == ' ' || json[at] == ':')) ++at;
  std::int64_t value = 0;
  std::from_chars(json.data() + at, json.data() + json.size(), value);
  return value;
}

Verdict verify_jwt(std::string_view secret) {
  const std::size_t start = secret.find("eyJ");  // ghs_<digits>_ and the like stand before
  if (start == std::string_view::npos) return {true, false, 0};
  secret.remove_prefix(start);
  const std::size_t first = secret.find('.');
  const std::size_t second = secret.find('.', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return {true, false, 0};
  const std::string head = loose_base64(secret.substr(0, first));
  const std::string body = loose_base64(secret.substr(first + 1, second - first - 1));
  const bool objects =
      head.starts_with('{') && head.ends_with('}') && body.starts_with('{') && body.ends_with('}');
  // A token that opens something says for whom, by whom or until when.
  constexpr std::string_view claims[] = {"\"exp\"", "\"iat\"", "\"iss\"", "\"sub\"", "\"aud\"", "\"jti\"",
                                         "\"role",  "\"scp\"", "\"scope", "\"email", "\"user",  "\"uid\""};
  const bool claiming =
      std::ranges::any_of(claims, [&](std::string_view claim) { return body.contains(claim); });
  const bool holds = objects && claiming && head.contains("\"alg\"") && !head.contains("\"none\"");
  return {!holds, holds, holds ? json_integer(body, "exp") : 0};
}

std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m + (m > 2 ? -3U : 9U)) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

// X-Amz-Date=20261124T101500Z and X-Amz-Expires=43200.
Verdict verify_presigned(std::string_view secret) {
  const std::size_t dash = secret.rfind('-');
  const std::string url = loose_base64(secret.substr(dash + 1));
  if (!url.contains("X-Amz-")) return {true, false, 0};
  const auto number = [&](std::size_t at, std::size_t size) {
    std::int64_t value = 0;
    if (at + size <= url.size()) std::from_chars(url.data() + at, url.data() + at + size, value);
    return value;
  };
  Verdict out{false, true, 0};
  const std::size_t date = url.find("X-Amz-Date=");
  const std::size_t expires = url.find("X-Amz-Expires=");
  if (date != std::string::npos && expires != std::string::npos) {
    const std::size_t at = date + 11;
    const std::int64_t day = days_from_civil(number(at, 4), static_cast<unsigned>(number(at + 4, 2)),
                                             static_cast<unsigned>(number(at + 6, 2)));
    out.expires_s = day * 86400 + number(at + 9, 2) * 3600 + number(at + 11, 2) * 60 + number(at + 13, 2) +
                    number(expires + 14, 6);
  }
  return out;
}

bool is_aws_id(std::string_view secret) {
  for (const char c : secret.substr(4))
    if (!is(c, kUpper) && !(c >= '2' && c <= '7')) return false;
  return secret.size() == 20;
}

}  // namespace

std::string crc_base62(std::string_view text) { return base62(big_endian(crc32(text)), 6); }
std::string crc_hex_little(std::string_view text) { return hex(little_endian(crc32(text))); }

std::uint32_t marvin32(std::string_view bytes, std::uint64_t seed) {
  auto low = static_cast<std::uint32_t>(seed);
  auto high = static_cast<std::uint32_t>(seed >> 32);
  const auto rotate = [](std::uint32_t x, int by) { return x << by | x >> (32 - by); };
  const auto mix = [&](std::uint32_t word) {
    low += word;
    high ^= low;
    low = rotate(low, 20) + high;
    high = rotate(high, 9) ^ low;
    low = rotate(low, 27) + high;
    high = rotate(high, 19);
  };
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]));
  };
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4)
    mix(byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24);
  std::uint32_t last = 0x80;
  for (std::size_t i = bytes.size(); i > at; --i) last = last << 8 | byte(i - 1);
  mix(last);
  mix(0);
  return low ^ high;
}

std::string azure_tail(std::string_view head) {
  const auto sum = little_endian(marvin32(loose_base64(head), kAzureSeed));
  const std::string digits = base62(sum, 6);
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 4), 4);
}

std::string loose_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string standard(text);
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  if (standard.size() % 4 == 1) return {};
  while (standard.size() % 4 != 0) standard.push_back('=');
  const auto bytes = unbase64(standard);
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

namespace {

Verdict verify_azure(std::string_view secret) {
  const std::string_view head = secret.substr(0, 80);
  const std::string_view tail = secret.substr(80, 4);
  const auto sum = little_endian(marvin32(loose_base64(head), kAzureSeed));
  const std::string whole = base62(sum, 6);
  const bool holds =
      tail == azure_tail(head) || whole.starts_with(tail) || base64(ByteView(sum).first(3)) == tail;
  return {false, holds, 0};
}

}  // namespace

Verdict verify(const Rule& rule, std::string_view secret) {
  switch (rule.check) {
    case Check::none:
      return {};
    case Check::github: {
      const std::size_t body = secret.find('_') + 1;
      return proven_if(secret.size() > body + 6 &&
                       crc_base62(secret.substr(body, secret.size() - body - 6)) ==
                           secret.substr(secret.size() - 6));
    }
    case Check::claviger:
      return proven_if(crc_base62(secret.substr(0, secret.size() - 6)) == secret.substr(secret.size() - 6));
    case Check::grafana: {
      const std::size_t line = secret.rfind('_');
      return proven_if(crc_hex_little(secret.substr(0, line)) == secret.substr(line + 1));
    }
    case Check::azure:
      return verify_azure(secret);
    case Check::bedrock: {
      const std::string text = loose_base64(secret.substr(4));
      return proven_if(text.starts_with("BedrockAPIKey-"));
    }
    case Check::bedrock_url:
      return verify_presigned(secret);
    case Check::jwt:
      return verify_jwt(secret);
    case Check::marker:
      return {false, secret.contains(rule.marker), 0};
    case Check::aws_id:
      return {!is_aws_id(secret), false, 0};  // an alphabet is no proof
    case Check::service_account:
      return {};
  }
  return {};
}

}  // namespace claviger::detect
