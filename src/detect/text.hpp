// Classes of bytes, and small steps over text that every finder takes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace claviger::detect {

enum ByteClass : std::uint8_t {
  kDigit = 1,
  kUpper = 2,
  kLower = 4,
  kHexLetter = 8,  // a-f, A-F
  kDash = 16,      // - and _
  kBase64 = 32,    // + and /
  kSpace = 64,     // blank and tab
  kQuote = 128,    // " ' `
};
inline constexpr std::uint8_t kAlpha = kUpper | kLower;
inline constexpr std::uint8_t kAlnum = kAlpha | kDigit;
inline constexpr std::uint8_t kWord = kAlnum | kDash;

inline constexpr std::array<std::uint8_t, 256> kClassOf = [] {
  std::array<std::uint8_t, 256> out{};
  for (int c = '0'; c <= '9'; ++c) out[c] = kDigit;
  for (int c = 'A'; c <= 'Z'; ++c) out[c] = c <= 'F' ? kUpper | kHexLetter : kUpper;
  for (int c = 'a'; c <= 'z'; ++c) out[c] = c <= 'f' ? kLower | kHexLetter : kLower;
  out['-'] = out['_'] = kDash;
  out['+'] = out['/'] = kBase64;
  out[' '] = out['\t'] = kSpace;
  out['"'] = out['\''] = out['`'] = kQuote;
  return out;
}();

inline bool is(char c, std::uint8_t classes) {
  return (kClassOf[static_cast<std::uint8_t>(c)] & classes) != 0;
}
inline char lower(char c) { return is(c, kUpper) ? static_cast<char>(c + 32) : c; }
inline int hex_of(char c) {
  if (is(c, kDigit)) return c - '0';
  if (is(c, kHexLetter)) return lower(c) - 'a' + 10;
  return -1;
}

// Where the run of bytes of `classes` that holds or ends at `at` begins; looks back at most `most` bytes.
inline std::size_t run_begin(std::string_view text, std::size_t at, std::uint8_t classes, std::size_t most) {
  const std::size_t floor = at > most ? at - most : 0;
  while (at > floor && is(text[at - 1], classes)) --at;
  return at;
}
inline std::size_t run_end(std::string_view text, std::size_t at, std::uint8_t classes, std::size_t most) {
  const std::size_t ceiling = text.size() - at > most ? at + most : text.size();
  while (at < ceiling && is(text[at], classes)) ++at;
  return at;
}

// The stretch of a text that something was read from: what stands outside cannot change what was found.
struct Reach {
  std::size_t begin = std::string_view::npos, end = 0;
  void take(std::size_t from, std::size_t to) {
    begin = from < begin ? from : begin;
    end = to > end ? to : end;
  }
  // `before` bytes before `from`, and `after` behind `to`.
  void round(std::size_t from, std::size_t to, std::size_t before, std::size_t after) {
    take(from > before ? from - before : 0, to + after);
  }
};

// `needle` is lower case.
bool holds_any_case(std::string_view text, std::string_view needle);
std::string_view line_around(std::string_view text, std::size_t at, std::size_t most);
// Whether the byte before `at` ends an escape (\n, \t, \u003d, %3D, ESC[0m), so that a word may begin at `at`
// although a letter or digit stands before it.
bool after_escape(std::string_view text, std::size_t at);
inline constexpr std::size_t kEscapeReach = 16;  // so far before a place is looked for an escape at most

}  // namespace claviger::detect
