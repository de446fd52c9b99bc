// One quick look at all bytes of a text, many at a time: where something stands that is worth a closer look.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace claviger::detect {

struct Span {
  std::size_t begin = 0, end = 0;
};

struct Survey {
  std::vector<Span> dense;           // runs in which a secret may stand: mixed as names and words are not
  std::vector<Span> letters;         // runs of letters and digits that may be base64 or hex
  std::vector<std::size_t> escapes;  // %2D, \u002d, \x2d, \/ and &#45; by their looks
  bool zeros = false;                // a zero byte stands somewhere, as in UTF-16

  void clear();
};

inline constexpr std::size_t kShortestDense = 16;
inline constexpr std::size_t kShortestBase64 = 20;  // characters: less cannot hold a secret
inline constexpr std::size_t kShortestHex = 32;

// What runs are made of: printable, and no blank, quote, bracket, comma or the like.
inline constexpr std::array<bool, 256> kInRun = [] {
  std::array<bool, 256> out{};
  for (int c = '!'; c <= '~'; ++c) out[c] = true;
  for (const char c : std::string_view("\"'`()[]{}<>,;|\\")) out[static_cast<std::uint8_t>(c)] = false;
  return out;
}();
inline bool is_in_run(char c) { return kInRun[static_cast<std::uint8_t>(c)]; }

// Replaces what `out` holds.
void survey(std::string_view text, Survey& out);
// The same on a processor of which nothing is known.
void survey_plain(std::string_view text, Survey& out);

}  // namespace claviger::detect
