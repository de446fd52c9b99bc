// Expanding the templates of sample.hpp.
#include "detect/sample.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "base/encoding.hpp"
#include "detect/check.hpp"

namespace claviger::detect {
namespace {

constexpr std::string_view kUpperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kLowerCase = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

std::string alphabet(char name) {
  const std::string letters = std::string(kUpperCase).append(kLowerCase);
  switch (name) {
    case 'A':
      return letters + std::string(kDigits);
    case 'U':
      return letters + std::string(kDigits) + "-_";
    case 'W':
      return letters + std::string(kDigits) + "_";
    case 'B':
      return letters + std::string(kDigits) + "+/";
    case 'L':
      return letters;
    case 'D':
      return std::string(kDigits);
    case 'H':
      return std::string(kDigits) + "abcdef";
    case 'S':
      return std::string(kLowerCase) + std::string(kDigits);
    case 'C':
      return std::string(kUpperCase) + std::string(kDigits);
    case 'T':
      return std::string(kUpperCase) + "234567";
    case 'Q':
      return std::string(kLowerCase) + "234567";
    default:
      return {};
  }
}

std::string url_base64(std::string_view text) {
  std::string out = base64(as_bytes(text));
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (out.ends_with('=')) out.pop_back();
  return out;
}

std::string some(std::string_view from, std::size_t count, SeededRng& rng) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(from[rng.below(from.size())]);
  return out;
}

std::string random_bytes(std::size_t count, SeededRng& rng) {
  std::string out(count, '\0');
  for (char& c : out) c = static_cast<char>(rng.below(256));
  return out;
}

std::string jwt(SeededRng& rng) {
  const std::string body = R"({"sub":")" + some(alphabet('D'), 10, rng) + R"(","iat":17)" +
                           some(kDigits, 8, rng) + R"(,"exp":19)" + some(kDigits, 8, rng) + "}";
  return url_base64(R"({"alg":"HS256","typ":"JWT"})") + "." + url_base64(body) + "." +
         url_base64(random_bytes(32, rng));
}

// The outer shape of a PKCS#1 key: a SEQUENCE whose length is right, version 0, then an INTEGER of noise.
std::string der(SeededRng& rng) {
  std::string body("\x02\x01\x00\x02\x82\x01\x01\x00", 8);
  body += random_bytes(256, rng);
  std::string out("\x30\x82", 2);
  out.push_back(static_cast<char>(body.size() >> 8));
  out.push_back(static_cast<char>(body.size() & 255));
  return out + body;
}

std::string pem(SeededRng& rng) {
  const std::string body = base64(as_bytes(der(rng)));
  std::string out =
      "-----BEGIN RSA PRIVATE"
      " KEY-----\n";
  for (std::size_t at = 0; at < body.size(); at += 64) out += body.substr(at, 64) + "\n";
  return out +
         "-----END RSA PRIVATE"
         " KEY-----";
}

std::string uuid(SeededRng& rng) {
  const std::string hex = alphabet('H');
  return some(hex, 8, rng) + "-" + some(hex, 4, rng) + "-4" + some(hex, 3, rng) + "-" + some("89ab", 1, rng) +
         some(hex, 3, rng) + "-" + some(hex, 12, rng);
}

std::string presigned(SeededRng& rng) {
  const std::string url =
      "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Date=20261124T101500Z&X-Amz-Expires=43200&X-Amz-Signature=" +
      some(alphabet('H'), 64, rng);
  std::string out = base64(as_bytes(url));
  while (out.ends_with('=')) out.pop_back();
  return out;
}

std::string checksum(std::string_view name, std::string_view before) {
  const std::size_t start = before.find_last_of(" \t\n\"'`=:,(>/");
  const std::string_view token = start == std::string_view::npos ? before : before.substr(start + 1);
  if (name == "!github") return crc_base62(token.substr(token.find('_') + 1));
  if (name == "!claviger") return crc_base62(token);
  if (name == "!grafana") return crc_hex_little(token.substr(0, token.rfind('_')));
  if (name == "!azure") return azure_tail(token);
  return {};
}

class Expander {
 public:
  Expander(const Rule& rule, SeededRng& rng) : rule_(rule), rng_(rng) {}

  std::string run(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text[at] == '{' ? closing(text, at) : std::string_view::npos;
      const auto part =
          end != std::string_view::npos ? one(text.substr(at + 1, end - at - 1), out) : std::nullopt;
      if (part) {
        out += *part;
        at = end + 1;
      } else {
        out.push_back(text[at++]);
      }
    }
    return out;
  }

 private:
  static std::size_t closing(std::string_view text, std::size_t at) {
    int depth = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
      if (text[i] == '{') ++depth;
      if (text[i] == '}' && --depth == 0) return i;
    }
    return std::string_view::npos;
  }

  std::optional<std::string> one(std::string_view name, std::string_view before) {
    if (name == "uuid") return uuid(rng_);
    if (name == "jwt") return jwt(rng_);
    if (name == "pem") return pem(rng_);
    if (name == "der") return base64(as_bytes(der(rng_)));
    if (name == "presigned") return presigned(rng_);
    if (name == "age") return some("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, rng_);
    if (name == "secret") return sample();
    if (name.starts_with("base64:")) return base64(as_bytes(run(name.substr(7))));
    if (name.starts_with("hex:")) return hex(as_bytes(run(name.substr(4))));
    if (name.starts_with("!")) return checksum(name, before);
    std::size_t count = 0;
    const std::string from = name.empty() ? std::string() : alphabet(name.front());
    if (from.empty() || name.size() < 2) return std::nullopt;
    const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), count);
    if (error != std::errc() || end != name.data() + name.size() || count > 4096) return std::nullopt;
    return some(from, count, rng_);
  }

  std::string sample() {
    if (rule_.samples.empty() || ++depth_ > 4) return {};
    std::string out = run(rule_.samples[rng_.below(rule_.samples.size())]);
    --depth_;
    return out;
  }

  const Rule& rule_;
  SeededRng& rng_;
  int depth_ = 0;
};

}  // namespace

std::string expand_sample(const Rule& rule, std::string_view text, SeededRng& rng) {
  return Expander(rule, rng).run(text);
}

std::string expand_sample(const Rule& rule, std::string_view text, std::uint64_t seed) {
  const std::uint64_t name = std::uint64_t{crc32(rule.id)} << 32 | crc32(text);
  SeededRng first(name ^ seed * 0xd1342543de82ef95ULL);  // stretches of one stream would be alike
  SeededRng rng(first.next());
  return expand_sample(rule, text, rng);
}

}  // namespace claviger::detect
