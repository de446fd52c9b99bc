// Random or not: entropy, runs, sequences, words.
#include "detect/judge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "detect/text.hpp"

namespace claviger::detect {
namespace {

// Bit j of row i: the pair of letters i, j is among the third of all pairs that make up nine tenths of the
// pairs in English words and identifiers. Counted over C headers and Python sources.
constexpr std::array<std::uint32_t, 26> kCommonPairs{
    0x13eb94e, 0x0164911, 0x01a4d95, 0x0144919, 0x1efb97d, 0x01a4931, 0x0162990, 0x0084111, 0x22ef87f,
    0x0000000, 0x0000010, 0x11c4919, 0x014d113, 0x03c697d, 0x07efd6f, 0x11ec911, 0x0100000, 0x11e715d,
    0x11cc995, 0x11ec995, 0x00eb917, 0x0000111, 0x0004191, 0x0088010, 0x0048000, 0x0000010};

// What people write where a secret would stand. In one case throughout, or with a capital first letter.
constexpr std::array<std::string_view, 53> kStandIns = [] {
  std::array<std::string_view, 53> words{
      "example",  "placeholder", "changeme",  "change-me",   "change_me",    "changeit",     "dummy",
      "sample",   "redacted",    "removed",   "insert",      "replace",      "foobar",       "lorem",
      "notreal",  "not-real",    "fake",      "mock",        "goeshere",     "go-here",      "go_here",
      "todo",     "fixme",       "undefined", "your",        "secret-key",   "api-key",      "apikey",
      "api_key",  "my-token",    "mytoken",   "my_token",    "deadbeef",     "cafebabe",     "default",
      "password", "passw0rd",    "p@ssw0rd",  "supersecret", "super-secret", "super_secret", "super_secure",
      "hidden",   "masked",      "invalid",   "qwerty",      "asdf",         "testing",      "test-key",
      "test_key", "testkey",     "abcdef",    "hunter2"};
  std::ranges::sort(words);
  return words;
}();

// Where the words with a first letter, or a later one, begin.
constexpr std::array<std::uint8_t, 27> kStandInsFrom = [] {
  std::array<std::uint8_t, 27> out{};
  for (std::size_t letter = 0; letter < out.size(); ++letter)
    for (const std::string_view word : kStandIns)
      if (static_cast<std::size_t>(word.front() - 'a') < letter) ++out[letter];
  return out;
}();

bool same_word(std::string_view text, std::string_view word) {
  const auto fits = [&](auto shape) {
    for (std::size_t i = 0; i < word.size(); ++i)
      if (text[i] != shape(word[i], i)) return false;
    return true;
  };
  const auto upper = [](char c) { return is(c, kLower) ? static_cast<char>(c - 32) : c; };
  return fits([](char c, std::size_t) { return c; }) || fits([&](char c, std::size_t) { return upper(c); }) ||
         fits([&](char c, std::size_t i) { return i == 0 ? upper(c) : c; });
}

// A short word must begin a part, since it may stand in random text by chance.
bool begins_part(std::string_view text, std::size_t at) {
  return at == 0 || !is(text[at - 1], kAlnum) || (is(text[at - 1], kLower) && is(text[at], kUpper));
}

bool holds_stand_in(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is(text[at], kAlpha)) continue;
    const auto letter = static_cast<std::size_t>(lower(text[at]) - 'a');
    for (std::size_t i = kStandInsFrom[letter]; i < kStandInsFrom[letter + 1]; ++i) {
      const std::string_view word = kStandIns[i];
      if (text.size() - at >= word.size() && lower(text[at + 1]) == word[1] &&
          same_word(text.substr(at), word) && (word.size() >= 6 || begins_part(text, at)))
        return true;
    }
  }
  return false;
}

// What passwords are stored as: $2b$12$..., $argon2id$..., {SSHA}..., ENC[...]
bool is_digest(std::string_view text) {
  constexpr std::string_view heads[] = {"$1$",   "$2a$", "$2b$",    "$2y$",    "$5$",     "$6$",
                                        "$7$",   "$y$",  "$argon2", "$scrypt", "$pbkdf2", "pbkdf2",
                                        "{SSHA", "{SHA", "{bcrypt", "ENC[",    "ENC("};
  return std::ranges::any_of(heads, [&](std::string_view head) { return text.starts_with(head); });
}

// 1a2b3c4d5e: two sequences, one within the other.
bool interleaves(std::string_view text) {
  std::size_t row = 0;
  for (std::size_t i = 2; i < text.size(); ++i) {
    row = is(text[i], kAlnum) && lower(text[i]) - lower(text[i - 2]) == 1 ? row + 1 : 0;
    if (row >= 6) return true;
  }
  return false;
}

bool holds_template(std::string_view text) {
  constexpr std::string_view marks[] = {"${",  "{{",  "$(", "%(", "%{",   "#{",  "<%",
                                        "...", "***", "[[", "@@", "xxxx", "XXXX"};
  constexpr std::array<bool, 256> kBegins = [&] {
    std::array<bool, 256> out{};
    for (const std::string_view mark : marks) out[static_cast<std::uint8_t>(mark.front())] = true;
    return out;
  }();
  for (std::size_t at = 0; at < text.size(); ++at)
    if (kBegins[static_cast<std::uint8_t>(text[at])])
      for (const std::string_view mark : marks)
        if (mark.front() == text[at] && text.substr(at).starts_with(mark)) return true;
  const bool angled = text.starts_with('<') && text.ends_with('>');
  const bool braced = text.starts_with('{') && text.ends_with('}');
  const bool variable = text.starts_with('$') && text.size() > 1 && is(text[1], kAlpha | kDash) &&
                        std::ranges::all_of(text.substr(1), [](char c) { return is(c, kWord); });
  // %s and %DB_PASSWORD%; a password may begin with the sign as well.
  const bool percent = text.starts_with('%') && (text.ends_with('%') || text.size() <= 4);
  return angled || braced || variable || percent || text.starts_with("&#");
}

// Longest run of one byte, and of bytes that each follow the one before (abc, 123, 321), any case.
struct Runs {
  std::size_t same = 1, sequence = 1;
};
Runs runs_of(std::string_view text) {
  Runs out;
  std::size_t same = 1, up = 1, down = 1;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const int step = lower(text[i]) - lower(text[i - 1]);
    const bool ordinary = is(text[i], kAlnum) && is(text[i - 1], kAlnum);
    const bool wrapped = text[i] == '0' && text[i - 1] == '9';
    same = text[i] == text[i - 1] ? same + 1 : 1;
    up = ordinary && (step == 1 || wrapped) ? up + 1 : 1;
    down = ordinary && step == -1 ? down + 1 : 1;
    out.same = std::max(out.same, same);
    out.sequence = std::max({out.sequence, up, down});
  }
  return out;
}

// The text repeats its first `period` bytes, but for one byte in eight: people type so, and end otherwise.
bool repeats(std::string_view text, std::size_t period) {
  std::size_t other = 0;
  for (std::size_t i = period; i < text.size(); ++i) other += text[i] != text[i - period] ? 1 : 0;
  return other == 0 || (text.size() >= 32 && other * 8 <= text.size());
}

// What stands behind a prefix repeats three times or more: sk-lf-abcd1234abcd1234abcd1234.
bool ends_repeating(std::string_view text, std::size_t period) {
  std::size_t row = 0;
  while (row + period < text.size() && text[text.size() - 1 - row] == text[text.size() - 1 - row - period])
    ++row;
  return row >= 2 * period && (row + period) * 3 >= text.size() * 2;
}

// Sealed for a cluster's own key, as Kubernetes' SealedSecret has it: a length of 512, then the rest.
bool is_sealed(std::string_view text) { return text.size() >= 200 && text.starts_with("Ag"); }

// An account or contract of a chain.
bool is_address(std::string_view text) {
  return text.size() == 42 && text.starts_with("0x") && is_hex(text.substr(2));
}

// 2026-11-24, perhaps with the time.
bool is_date(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00";
  if (text.size() < shape.size() || (text.size() > shape.size() && text[10] != 'T')) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == '-' ? text[i] != '-' : !is(text[i], kDigit)) return false;
  return true;
}

std::size_t distinct(std::string_view text) {
  std::array<bool, 256> seen{};
  std::size_t count = 0;
  for (const char c : text) {
    bool& known = seen[static_cast<std::uint8_t>(c)];
    count += known ? 0 : 1;
    known = true;
  }
  return count;
}

struct Makeup {
  std::size_t digits = 0, uppers = 0, lowers = 0, others = 0, turns = 0, pairs = 0;
};
Makeup makeup_of(std::string_view text) {
  Makeup out;
  int before = -1;
  for (const char c : text) {
    int kind = 3;
    if (is(c, kDigit))
      kind = 0, ++out.digits;
    else if (is(c, kUpper))
      kind = 1, ++out.uppers;
    else if (is(c, kLower))
      kind = 2, ++out.lowers;
    else
      ++out.others;
    if (before >= 0 && kind != 3 && before != 3) {
      ++out.pairs;
      if (kind != before) ++out.turns;
    }
    before = kind;
  }
  return out;
}

constexpr std::string_view kWeak[] = {"password", "passwd",   "pass",    "secret",     "user",
                                      "root",     "postgres", "admin",   "guest",      "test",
                                      "mysql",    "redis",    "token",   "mypassword", "username",
                                      "pwd",      "rabbitmq", "mongodb", "local",      "x-oauth-basic"};

// A well-known word, perhaps with a few digits: admin123.
bool is_weak(std::string_view small) {
  while (!small.empty() && is(small.back(), kDigit)) small.remove_suffix(1);
  return std::ranges::find(kWeak, small) != std::end(kWeak);
}

}  // namespace

double entropy(std::string_view text) {
  if (text.empty()) return 0;
  std::array<std::uint32_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<std::uint8_t>(c)];
  double bits = 0;
  const auto size = static_cast<double>(text.size());
  for (const std::uint32_t count : counts)
    if (count > 0) bits -= count / size * std::log2(count / size);
  return bits;
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return hex_of(c) >= 0; });
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : hex_of(text[i]) < 0) return false;
  }
  return true;
}

bool is_placeholder(std::string_view secret) {
  if (secret.empty() || holds_template(secret) || is_digest(secret)) return true;
  if (is_sealed(secret) || is_address(secret) || is_date(secret)) return true;
  const Runs runs = runs_of(secret);
  const bool hex = is_hex(secret);
  if (runs.same >= (hex ? 7U : 6U) || runs.sequence >= 7 || interleaves(secret)) return true;
  if (secret.size() >= 8) {
    if (distinct(secret) <= (secret.size() >= 16 ? 5U : 3U)) return true;
    for (std::size_t period = 1; period <= secret.size() / 2 && period <= 16; ++period)
      if (repeats(secret, period) || ends_repeating(secret, period)) return true;
  }
  return holds_stand_in(secret);
}

double wordiness(std::string_view text) {
  std::size_t pairs = 0, common = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (!is(text[i], kAlpha) || !is(text[i - 1], kAlpha)) continue;
    ++pairs;
    if ((kCommonPairs[lower(text[i - 1]) - 'a'] >> (lower(text[i]) - 'a') & 1U) != 0) ++common;
  }
  return pairs == 0 ? 0 : static_cast<double>(common) / static_cast<double>(pairs);
}

bool is_wordy(std::string_view text, double from) {
  std::size_t pairs = 0;
  for (std::size_t i = 1; i < text.size(); ++i)
    pairs += is(text[i], kAlpha) && is(text[i - 1], kAlpha) ? 1 : 0;
  return pairs >= 20 && makeup_of(text).digits * 8 < text.size() && wordiness(text) >= from;
}

bool looks_random(std::string_view value) {
  if (value.size() < 12) return false;
  const double bits = entropy(value);
  if (is_hex(value)) return value.size() >= 24 && bits >= 2.7 && makeup_of(value).digits > 0;
  if (bits < (value.size() >= 20 ? 3.3 : 3.0)) return false;
  const Makeup makeup = makeup_of(value);
  const std::size_t letters = makeup.uppers + makeup.lowers;
  if (letters == 0 || makeup.pairs < 8) return false;
  const double turns = static_cast<double>(makeup.turns) / static_cast<double>(makeup.pairs);
  const double words = wordiness(value);
  if (makeup.others * 4 > value.size()) return false;  // prose, paths, dotted names
  if (makeup.digits == 0) return value.size() >= 20 && makeup.uppers > 3 && turns >= 0.3 && words <= 0.62;
  if (turns < 0.18) return words <= 0.45 && makeup.digits >= 2;
  return words <= 0.62 || (turns >= 0.4 && words <= 0.7);
}

bool looks_like_password(std::string_view value) {
  if (value.size() < 8 || value.size() > 128 || is_placeholder(value) || is_uuid(value)) return false;
  std::string small(value);
  std::ranges::transform(small, small.begin(), lower);
  if (is_weak(small)) return false;
  std::size_t symbols = 0;
  for (const char c : value) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte <= ' ' || byte >= 127 || std::string_view("()[]{}<>;,\\\"'`").contains(c)) return false;
    if (std::string_view("!@#$%^&*?~+=|").contains(c)) ++symbols;
  }
  const Makeup makeup = makeup_of(value);
  if (makeup.uppers + makeup.lowers == 0 || entropy(value) < 2.5) return false;
  if (value.contains("://") || value.starts_with('/') || value.starts_with("./")) return false;
  if (symbols == 0 && makeup.digits == 0) return false;
  // GoogleCloudV1Secret is a name
  const bool calm = makeup.turns * 2 < makeup.pairs;
  if (symbols == 0 && calm && value.size() >= 12 && makeup.digits <= 2 && wordiness(value) >= 0.7)
    return false;
  // word_word_2, v1.2.3-name and the like: parts that are each a word or a number
  std::size_t at = 0;
  bool plain = symbols == 0;
  while (plain && at < value.size()) {
    const std::size_t end = std::min(value.find_first_of("-_./:", at), value.size());
    const Makeup part = makeup_of(value.substr(at, end - at));
    plain = part.digits == 0 || part.uppers + part.lowers == 0 || part.turns <= 1;
    at = end + 1;
  }
  if (plain && value.find_first_of("-_./:") != std::string_view::npos) return false;
  return symbols > 0 || makeup.turns >= 2 || makeup.digits >= 3;
}

bool is_login(std::string_view user, std::string_view password) {
  if (password.size() < 6 || password == user || is_placeholder(password)) return false;
  std::string small(password);
  std::ranges::transform(small, small.begin(), lower);
  if (is_weak(small) || small.contains(' ')) return false;
  const bool letters = std::ranges::all_of(password, [](char c) { return is(c, kAlpha | kDash); });
  return letters ? looks_random(password) || wordiness(password) < 0.65 : entropy(password) >= 2.2;
}

}  // namespace claviger::detect
