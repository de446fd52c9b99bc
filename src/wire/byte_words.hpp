// Bytes as words, where a loop over bytes would cost more than what it finds out.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace claviger::wire {

static_assert(std::endian::native == std::endian::little, "words are compared with what the compiler made");

// The bytes of a word, small end first, also while compiling.
template <class Word>
constexpr Word load(const char* at) {
  Word word = 0;
  if consteval {
    for (std::size_t i = 0; i < sizeof(Word); ++i)
      word |= static_cast<Word>(static_cast<Word>(static_cast<unsigned char>(at[i])) << 8 * i);
  } else {
    std::memcpy(&word, at, sizeof(word));
  }
  return word;
}

constexpr std::uint64_t load_word(const char* at) { return load<std::uint64_t>(at); }

// Up to seven bytes as one word. Texts of one size have one word only if they are the same.
constexpr std::uint64_t load_few(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (text.size() >= 4) return load<std::uint32_t>(begin) | std::uint64_t{load<std::uint32_t>(end - 4)} << 32;
  if (text.size() >= 2) return load<std::uint16_t>(begin) | std::uint32_t{load<std::uint16_t>(end - 2)} << 16;
  return text.empty() ? 0 : static_cast<unsigned char>(*begin);
}

// ASCII capitals of eight bytes as small letters; all other bytes as they are.
inline std::uint64_t lower_word(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighs = 0x80 * kOnes;
  const std::uint64_t low = word & ~kHighs;
  // In the highest bit of each byte: at least 'A', and not above 'Z'.
  const std::uint64_t capital = (low + (0x80 - 'A') * kOnes) & ~(low + (0x7f - 'Z') * kOnes) & ~word & kHighs;
  return word | capital >> 2;
}

}  // namespace claviger::wire
