// Signed notes (https://c2sp.org/signed-note) and checkpoints (https://c2sp.org/tlog-checkpoint).
#include "journal/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/hash.hpp"

namespace claviger::journal {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // begins a signature line
constexpr std::uint8_t kEd25519 = 1;
constexpr std::size_t kHashBytes = 4;

// First four bytes of SHA-256(name || '\n' || type || public key).
Bytes key_hash(std::string_view origin, const crypto::PublicKey& key) {
  const std::uint8_t type = kEd25519;
  const Digest digest =
      crypto::Sha256().add(origin).add("\n").add(ByteView(&type, 1)).add(ByteView(key)).finish();
  return Bytes(digest.begin(), digest.begin() + kHashBytes);
}

// Cuts the text before the next '\n' off the front; nullopt when there is none.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::string statement(const Checkpoint& checkpoint) {
  return fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size, base64(checkpoint.root));
}

}  // namespace

std::string sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key) {
  const std::string text = statement(checkpoint);
  Bytes signature = key_hash(checkpoint.origin, key.public_key());
  const crypto::Signature made = key.sign(as_bytes(text));
  signature.insert(signature.end(), made.begin(), made.end());
  return fmt::format("{}\n{}{} {}\n", text, kDash, checkpoint.origin, base64(signature));
}

std::string write_verifier_key(const std::string& origin, const crypto::PublicKey& key) {
  Bytes typed{kEd25519};
  typed.insert(typed.end(), key.begin(), key.end());
  return fmt::format("{}+{}+{}\n", origin, hex(key_hash(origin, key)), base64(typed));
}

Result<Checkpoint> read_checkpoint(std::string_view note) {
  const auto bad = [] { return fail(Code::corrupt, "the checkpoint is not origin, size and root"); };
  Checkpoint checkpoint;
  const auto origin = take_line(note);
  const auto size = take_line(note);
  const auto root = take_line(note);
  if (!origin || !size || !root || origin->empty()) return bad();
  const auto end = std::from_chars(size->data(), size->data() + size->size(), checkpoint.size);
  if (end.ec != std::errc() || fmt::format("{}", checkpoint.size) != *size) return bad();
  const auto bytes = unbase64(*root);
  if (!bytes || bytes->size() != checkpoint.root.size()) return bad();
  checkpoint.origin = *origin;
  std::ranges::copy(*bytes, checkpoint.root.begin());
  return checkpoint;
}

Result<VerifierKey> read_verifier_key(std::string_view text) {
  const auto bad = [] { return fail(Code::corrupt, "not a verifier key: <origin>+<hash>+<base64 key>"); };
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return bad();
  VerifierKey key;
  key.origin = text.substr(0, first);
  const auto typed = unbase64(text.substr(second + 1));
  if (!typed || typed->size() != 1 + key.key.size() || typed->front() != kEd25519) return bad();
  std::copy(typed->begin() + 1, typed->end(), key.key.begin());
  if (hex(key_hash(key.origin, key.key)) != text.substr(first + 1, second - first - 1)) return bad();
  return key;
}

bool is_signed_by(std::string_view note, const VerifierKey& key) {
  const std::size_t blank = note.find("\n\n");
  if (blank == std::string_view::npos) return false;
  const std::string_view signed_text = note.substr(0, blank + 1);
  const std::string head = fmt::format("{}{} ", kDash, key.origin);
  const Bytes hash = key_hash(key.origin, key.key);
  std::string_view lines = note.substr(blank + 2);
  while (const auto line = take_line(lines)) {
    if (!line->starts_with(head)) continue;
    const auto bytes = unbase64(line->substr(head.size()));
    crypto::Signature signature{};
    if (!bytes || bytes->size() != kHashBytes + signature.size()) continue;
    if (!std::equal(hash.begin(), hash.end(), bytes->begin())) continue;
    std::copy(bytes->begin() + kHashBytes, bytes->end(), signature.begin());
    if (crypto::verify(key.key, as_bytes(signed_text), signature)) return true;
  }
  return false;
}

}  // namespace claviger::journal
