// Private keys in PEM, OpenSSH, PGP and PuTTY form, also inside JSON and source strings.
#include <algorithm>

#include "base/limits.hpp"
#include "base/pem.hpp"
#include "detect/check.hpp"
#include "detect/find.hpp"
#include "detect/join.hpp"
#include "detect/judge.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

struct Block {
  std::size_t end = 0;
  std::string body;  // base64 without line ends
  bool encrypted = false;
};

// Header lines as old OpenSSL and PGP write them: Proc-Type: 4,ENCRYPTED.
std::size_t skip_header(std::string_view text, std::size_t at) {
  const std::size_t line = std::min(text.find('\n', at), text.size());
  return text.substr(at, line - at).contains(": ") ? line : at;
}

std::optional<Block> read_block(std::string_view text, std::size_t at) {
  Block out;
  const std::size_t ceiling = std::min(text.size(), at + limits::kScanKeyBlock);
  while (at < ceiling) {
    const char c = text[at];
    if (text.substr(at, 8) == "-----END") {
      const std::size_t close = text.find("-----", at + 8);
      out.end = close == std::string_view::npos || close > at + 80 ? at + 8 : close + 5;
      return out;
    }
    if (text.substr(at, 10) == "-----BEGIN") return std::nullopt;  // another block: this one has no end
    if (is(c, kQuote)) {
      const auto step = step_over_seam(text, at);
      if (!step) return std::nullopt;
      at = step->next;
    } else if (c == '\\' && at + 1 < ceiling) {
      at += 2;  // \n, \r, \", a continued line
    } else if (c == '\n' && skip_header(text, at + 1) > at + 1) {
      const std::size_t next = skip_header(text, at + 1);
      out.encrypted = out.encrypted || text.substr(at, next - at).contains("ENCRYPTED");
      at = next;
    } else {
      if (is(c, kAlnum | kBase64) || c == '=')
        out.body.push_back(c);
      else if (c == '.' || c == '<' || c == '{' || c == '$' || c == '*')
        return std::nullopt;  // elided
      ++at;
    }
  }
  return std::nullopt;
}

// A DER SEQUENCE that ends where the bytes end.
bool is_whole_der(std::string_view bytes) {
  if (bytes.size() < 32 || bytes[0] != 0x30) return false;
  const auto first = static_cast<std::uint8_t>(bytes[1]);
  if (first < 0x80) return bytes.size() == 2U + first;
  const std::size_t count = first & 0x7f;
  std::size_t length = 0;
  for (std::size_t i = 0; i < count && i < 4; ++i)
    length = length << 8 | static_cast<std::uint8_t>(bytes[2 + i]);
  return count >= 1 && count <= 4 && bytes.size() == 2 + count + length;
}

// Nobody's key. Only a short block is asked for words and rows of one letter: in a long one they stand by
// chance, or as the zeros of lengths, of which every OpenSSH key has a dozen.
bool is_stand_in(std::string_view body) {
  constexpr std::size_t kShort = 256;
  return entropy(body) < 4.2 || is_wordy(body) || (body.size() < kShort && is_placeholder(body));
}

// The cipher an OpenSSH key is sealed with stands after its magic: length, name.
bool is_sealed_ssh(std::string_view bytes) {
  return bytes.starts_with("openssh-key-v1") && bytes.size() > 24 && bytes.substr(19, 4) != "none";
}

bool in_service_account(std::string_view text, std::size_t begin, std::size_t end) {
  const std::size_t from = begin > 2048 ? begin - 2048 : 0;
  return text.substr(from, begin - from).contains("service_account") ||
         text.substr(end, 2048).contains("auth_provider_x509_cert_url");
}

void add(Look& look, std::string_view id, std::size_t begin, std::size_t end, std::string secret,
         bool proven) {
  const auto rule = look.engine.rules().find(id);
  if (!rule) return;
  Hit hit;
  hit.rule = *rule;
  hit.begin = begin;
  hit.end = end;
  hit.secret = std::move(secret);
  hit.validated = proven;
  look.hits.push_back(std::move(hit));
}

void find_putty(Look& look, std::size_t at) {
  const std::string_view block = look.text.substr(at, limits::kScanKeyBlock);
  const std::size_t lines = block.find("Private-Lines:");
  const std::size_t mac = block.find("Private-MAC:", lines);
  if (lines == std::string_view::npos || mac == std::string_view::npos || mac < lines + 56) return;
  const std::size_t end = std::min(block.find_first_of("\r\n", mac), block.size());
  const bool sealed = !block.substr(0, lines).contains("Encryption: none");
  add(look, sealed ? "private-key-encrypted" : "putty-private-key", at, at + end,
      std::string(block.substr(0, end)), false);
}

}  // namespace

void find_private_key(Look& look, std::size_t at) {
  const std::string_view text = look.text;
  constexpr std::size_t kLongestLabel = 64;
  const std::size_t open = at + 11;
  look.reach.round(at, open, 0, kLongestLabel + 5);
  if (open > text.size()) return;
  const bool putty = text.substr(at, 5) == "PuTTY";
  const std::size_t size = putty ? 0 : text.substr(open, kLongestLabel + 5).find("-----");
  if (size == std::string_view::npos) return;
  const std::size_t close = open + size;
  const std::string_view label = text.substr(open, size);
  const bool pgp = label == "PGP PRIVATE KEY BLOCK";
  if (!label.ends_with("PRIVATE KEY") && !pgp && !putty) return;
  look.reach.take(0, text.size());  // keys are few, and what they hang on is long
  if (putty) return find_putty(look, at);
  const auto block = read_block(text, close + 5);
  if (!block || block->body.size() < 56) return;
  if (is_stand_in(block->body)) return;
  const std::string bytes = loose_base64(block->body);
  const bool sealed = block->encrypted || label.starts_with("ENCRYPTED") || is_sealed_ssh(bytes);
  const std::string_view id = sealed                                     ? "private-key-encrypted"
                              : pgp                                      ? "pgp-private-key"
                              : in_service_account(text, at, block->end) ? "gcp-service-account"
                                                                         : "private-key";
  add(look, id, at, block->end, pem_block(label, block->body),
      is_whole_der(bytes) || bytes.starts_with("openssh-key-v1"));
}

}  // namespace claviger::detect
