// A leak rule as data: what a secret looks like, how it is proven, what to do about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace claviger::detect {

enum class Severity : std::uint8_t { low, medium, high, critical };
std::string_view severity_name(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);

// How a rule finds its secrets.
enum class Kind : std::uint8_t {
  token,        // an anchor literal stands in the secret itself, which matches `pattern`
  context,      // the value given to a name, of the shape `pattern`, with one of the `context` words nearby
  assignment,   // the value given to a name that means "secret", judged by how random it is
  connection,   // user and password in a URL
  private_key,  // PEM, PuTTY and age blocks
  pattern,      // a regular expression over the whole text, as gitleaks has it
};

// What proves a secret beyond its shape. A secret that fails its check is no finding.
enum class Check : std::uint8_t {
  none,
  github,           // the last six characters are the CRC-32 of the body, base62
  claviger,         // the last six characters are the CRC-32 of all before them, base62
  grafana,          // the last eight are the CRC-32 of all before "_", hex, little-endian
  azure,            // the last four are the head of a Marvin32 hash
  bedrock,          // base64 of "BedrockAPIKey-..."
  bedrock_url,      // base64 of a presigned URL
  jwt,              // header and payload are JSON
  marker,           // holds the maker's base64 marker; proven when present, still a finding when not
  aws_id,           // base32 body
  service_account,  // a service account's JSON
};

// A checksum, without which no token was ever issued.
inline bool has_sum(Check check) {
  return check == Check::github || check == Check::claviger || check == Check::grafana;
}

inline constexpr int kFirstGroup = -1;  // the first group that took part, or the whole match

struct Rule {
  std::string id;
  std::string provider;
  std::string description;
  std::string advice;  // what to do, in one sentence
  std::string revoke;  // where a person revokes it: a URL, or empty
  Severity severity = Severity::high;
  Kind kind = Kind::token;
  Check check = Check::none;
  std::string pattern;  // RE2 over bytes; group `group` is the secret
  int group = 0;
  std::vector<std::string> anchors;      // token: one of these stands in every match (case-sensitive)
  std::vector<std::string> context;      // words, lower case, one of which stands near; may be empty
  std::string marker;                    // for Check::marker
  std::vector<std::string> stopwords;    // lower case; a secret that holds one is no finding
  std::vector<std::string> public_near;  // beside one of these the token is public by design, and no finding
  double entropy = 0;                    // least Shannon bits a character; 0: the judge decides by itself
  std::uint32_t least = 0;  // shortest run of bytes worth matching; 0 for rules that come at run time
  bool is_public = false;   // public by design: named by `claviger scan rules`, never a finding
  std::string path;         // pattern kind: only in files whose path matches
  std::vector<std::string> samples;   // templates of the bare secret (see sample.hpp)
  std::vector<std::string> examples;  // templates of texts in which exactly this rule finds one secret
  std::vector<std::string> counter_examples;  // templates of texts in which no rule finds anything
};

}  // namespace claviger::detect
