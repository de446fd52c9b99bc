// The names of JSON members, hashed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "wire/byte_words.hpp"

namespace claviger::wire {

// The name of a member that is looked for. One that stands in the program is hashed by the compiler, so that
// most names that an object does not have cost a look at one word.
struct JsonKey {
  template <std::size_t n>
  consteval JsonKey(const char (&literal)[n]) : JsonKey(std::string_view(literal, n - 1)) {}
  template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> && !std::is_array_v<Text>)
  constexpr JsonKey(const Text& name) : text(name), hash(hash_of(text)) {}

  // Of its size, its first eight bytes and its last eight. Keys that collide are compared, so it need not be
  // hard to make them do so.
  static constexpr std::uint32_t hash_of(std::string_view name);
  // Of 32 names that are not in an object, its size at most pass for its own.
  static constexpr std::uint32_t bit_of(std::uint32_t hash) { return 1U << (hash & 31); }

  std::string_view text;
  std::uint32_t hash;
};

constexpr std::uint32_t JsonKey::hash_of(std::string_view name) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  const std::size_t size = name.size();
  std::uint64_t hash = size;
  if (size >= 8) {
    hash = (hash ^ load_word(name.data())) * kOdd;
    hash ^= hash >> 32;
    name = name.substr(size - 8);
    return static_cast<std::uint32_t>((hash ^ load_word(name.data())) * kOdd >> 32);
  }
  return static_cast<std::uint32_t>((hash ^ load_few(name)) * kOdd >> 32);
}

}  // namespace claviger::wire
