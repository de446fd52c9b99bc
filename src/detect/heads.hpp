// A few literals at once, told by their first three bytes: where any of them begins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "detect/literals.hpp"

namespace claviger::detect {

// The first three bytes of 32 places are looked up at once, half a byte at a time, with literals that begin
// alike in one of eight baskets. What fits a basket is looked up whole, and only then compared.
class Heads {
 public:
  struct Place {
    std::size_t begin = 0;
    unsigned number = 0;
  };

  // Whether there are so few, and none so short, that they are found well in this way.
  static bool suits(const std::vector<Literal>& literals);
  // Literal i is reported as number i.
  explicit Heads(std::vector<Literal> literals);

  // Every place at which a literal stands, by ascending begin. Replaces what `out` holds.
  void find(std::string_view text, std::vector<Place>& out) const;

 private:
  static constexpr std::size_t kHead = 3, kBaskets = 8, kSlotBits = 10;
  using Nibbles = std::array<std::uint8_t, 16>;  // the baskets that have this half of a byte

  static std::size_t slot_of(const char* head);
  static void add_slots(const Literal& literal, std::vector<std::size_t>& out);
  void fill_slots();
  void compare(std::string_view text, std::size_t at, std::vector<Place>& out) const;
  std::size_t find_avx2(std::string_view text, std::vector<Place>& out) const;

  std::vector<Literal> literals_;
  // Numbers by slot, one slot after the other, and where each begins.
  std::vector<std::uint8_t> in_slots_;
  std::array<std::uint16_t, (std::size_t{1} << kSlotBits) + 1> slots_{};
  std::array<Nibbles, kHead> low_{}, high_{};
};

}  // namespace claviger::detect
