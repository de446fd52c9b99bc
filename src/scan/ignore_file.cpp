// Reading, writing and matching of .claviger-ignore.
#include "scan/ignore_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "base/encoding.hpp"
#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "scan/text_form.hpp"

namespace claviger::scan {
namespace {

constexpr std::string_view kHead =
    "# Leaks that were looked at and accepted (claviger scan ignore). One a line: hash rule expiry author "
    "reason\n";
constexpr std::size_t kHashDigits = 32;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeys = 64;  // branches that each made the file

// Cuts the next word off `line`.
std::string_view word(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(begin);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view cut = line.substr(0, end);
  line.remove_prefix(end);
  return cut;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::string_view(" \t\r").contains(text.front())) text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r").contains(text.back())) text.remove_suffix(1);
  return text;
}

std::string hash_of(const crypto::HmacSha256& mac, std::string_view rule, std::string_view secret) {
  std::string message(rule);
  message.append(1, '\0').append(secret);
  const Digest digest = mac.mac(message);
  crypto::wipe(message);
  return hex(digest).substr(0, kHashDigits);
}

std::string date_of(Time time) { return time == kNever ? "never" : format_time(time).substr(0, 10); }

std::string one_word(std::string_view text) {
  std::string out = visible(text);
  std::ranges::replace(out, ' ', '_');
  return out.empty() ? "-" : out;
}

std::unexpected<Error> unreadable(std::string why) { return refuse(Code::configuration, std::move(why)); }

}  // namespace

Result<void> IgnoreFile::parse_key(std::string_view line) {
  const std::string_view id = word(line), base64 = word(line);
  const auto bytes = unbase64(base64);
  if (!bytes || bytes->size() != kKeyBytes || !trimmed(line).empty())
    return unreadable("a key line is: key ID and 32 bytes in base64");
  if (std::ranges::any_of(keys_, [&](const NamedKey& key) { return key.base64 == base64; })) return {};
  if (keys_.size() == kKeys) return unreadable("more keys than any history of branches makes");
  keys_.push_back({std::string(id), std::string(base64), crypto::HmacSha256(*bytes)});
  return {};
}

Result<void> IgnoreFile::parse_entry(std::string_view line) {
  IgnoreEntry entry;
  entry.hash = word(line);
  entry.rule = word(line);
  const std::string_view expiry = word(line);
  entry.author = word(line);
  entry.reason = trimmed(line);
  if (entry.hash.size() != kHashDigits || !unhex(entry.hash))
    return unreadable(
        "an entry begins with a hash of 32 hex digits (a merge conflict in here? keep both sides)");
  if (entry.author.empty() || entry.reason.empty())
    return unreadable("an entry is: hash, rule, expiry (a date or never), author, reason");
  if (entry.reason == "-") entry.reason.clear();
  if (expiry != "never") {
    auto expires = parse_time(expiry);
    if (!expires) return unreadable(fmt::format("{} is neither a date nor never", visible(expiry)));
    entry.expires = *expires;
  }
  entries_.push_back(std::move(entry));
  return {};
}

Result<IgnoreFile> IgnoreFile::parse(std::string_view text) {
  if (text.size() > limits::kIgnoreFile) return unreadable(".claviger-ignore is too large to be one.");
  IgnoreFile file;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const bool key = line.starts_with("key ");
    if (key) word(line);
    const auto taken = key ? file.parse_key(line) : file.parse_entry(line);
    if (!taken)
      return unreadable(
          fmt::format("Line {} of .claviger-ignore cannot be read: {}.", number, taken.error().say));
  }
  if (file.keys_.empty())
    return unreadable(
        ".claviger-ignore has no key line, so its hashes mean nothing: restore it from the history.");
  std::ranges::sort(file.keys_, {}, &NamedKey::id);
  std::ranges::sort(file.entries_, {}, [](const IgnoreEntry& e) { return std::tie(e.hash, e.reason); });
  return file;
}

IgnoreFile IgnoreFile::fresh(Rng& rng) {
  std::array<std::uint8_t, kKeyBytes> key{};
  rng.fill(key);
  IgnoreFile file;
  file.keys_.push_back(
      {hex(crypto::sha256(ByteView(key))).substr(0, 8), base64(key), crypto::HmacSha256(key)});
  return file;
}

std::string IgnoreFile::text() const {
  std::string out(kHead);
  for (const NamedKey& key : keys_) out += fmt::format("key {} {}\n", key.id, key.base64);
  const IgnoreEntry* last = nullptr;
  for (const IgnoreEntry& entry : entries_) {
    if (last != nullptr && last->hash == entry.hash) continue;  // a merge left it twice
    last = &entry;
    out += fmt::format("{} {} {} {} {}\n", entry.hash, one_word(entry.rule), date_of(entry.expires),
                       one_word(entry.author), entry.reason.empty() ? "-" : visible(entry.reason));
  }
  return out;
}

IgnoreEntry* IgnoreFile::find(std::string_view rule, std::string_view secret) {
  for (const NamedKey& key : keys_) {
    const std::string hash = hash_of(key.mac, rule, secret);
    const auto at = std::ranges::lower_bound(entries_, hash, {}, &IgnoreEntry::hash);
    if (at != entries_.end() && at->hash == hash && at->rule == rule) return &*at;
  }
  return nullptr;
}

bool IgnoreFile::covers(std::string_view rule, std::string_view secret, Time now) {
  if (entries_.empty()) return false;
  IgnoreEntry* entry = find(rule, secret);
  if (entry == nullptr) return false;
  ++entry->used;
  return now < entry->expires;
}

void IgnoreFile::add(std::string_view rule, std::string_view secret, IgnoreEntry entry) {
  entry.rule = rule;
  if (IgnoreEntry* old = find(rule, secret)) {
    entry.hash = old->hash;
    *old = std::move(entry);
    return;
  }
  entry.hash = hash_of(keys_.front().mac, rule, secret);
  entries_.insert(std::ranges::upper_bound(entries_, entry.hash, {}, &IgnoreEntry::hash), std::move(entry));
}

std::vector<std::string> remarks(const IgnoreFile& file, Time now, Coverage coverage) {
  std::size_t expired = 0, unaudited = 0;
  std::vector<std::string> said;
  for (const IgnoreEntry& entry : file.entries()) {
    expired += entry.used > 0 && entry.expires <= now ? 1 : 0;
    unaudited += entry.reason.empty() ? 1 : 0;
    if (entry.used > 0 || coverage == Coverage::part) continue;
    said.push_back(fmt::format("stale ignore: {} {} ({}) matched nothing: delete its line", entry.hash,
                               visible(entry.rule), visible(entry.author)));
  }
  if (expired > 0)
    said.push_back(fmt::format("{} in .claviger-ignore expired: what it covered is reported again",
                               counted(expired, "entry")));
  if (unaudited > 0)
    said.push_back(fmt::format("{} in .claviger-ignore without a reason: nobody has looked yet",
                               counted(unaudited, "entry")));
  return said;
}

}  // namespace claviger::scan
