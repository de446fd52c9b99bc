// Literals by their first bytes.
#include "detect/heads.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kMost = 96;  // literals
constexpr std::size_t kBlock = 32;

bool begins(const Literal& literal, std::string_view text) {
  if (text.size() < literal.text.size()) return false;
  if (!literal.any_case) return text.starts_with(literal.text);
  return std::ranges::equal(literal.text, text.substr(0, literal.text.size()),
                            [](char a, char b) { return a == lower(b); });
}

// Of a byte in source code, roughly.
double frequency(char c) {
  if (is(c, kLower)) return 0.025;
  if (c == ' ') return 0.15;
  if (c == '\n' || c == '\t') return 0.03;
  return is(c, kAlnum) ? 0.004 : 0.01;
}

// The halves of bytes with which a group's literals have at each of their first places.
struct Shape {
  std::array<std::array<std::uint16_t, 2>, 3> halves{};  // a bit for each value

  void add(const Literal& literal) {
    for (std::size_t i = 0; i < halves.size(); ++i) {
      const char c = literal.text[i];
      take(i, c);
      if (literal.any_case && is(c, kLower)) take(i, static_cast<char>(c - 32));
    }
  }
  void add(const Shape& other) {
    for (std::size_t i = 0; i < halves.size(); ++i)
      for (std::size_t k = 0; k < 2; ++k) halves[i][k] |= other.halves[i][k];
  }
  // How often a place fits in ordinary text, whether a literal stands there or not.
  double likelihood() const {
    double out = 1;
    for (const auto& place : halves) {
      double fits = 0;
      for (unsigned byte = 0; byte < 128; ++byte)
        if ((place[0] >> (byte & 15) & 1U) != 0 && (place[1] >> (byte >> 4) & 1U) != 0)
          fits += frequency(static_cast<char>(byte));
      out *= fits;
    }
    return out;
  }

 private:
  void take(std::size_t place, char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    halves[place][0] |= static_cast<std::uint16_t>(1U << (byte & 15));
    halves[place][1] |= static_cast<std::uint16_t>(1U << (byte >> 4));
  }
};

// Joins groups until few are left, always the two that cost least together.
void join_groups(std::vector<Shape>& groups, std::size_t most) {
  while (groups.size() > most) {
    std::size_t best_a = 0, best_b = 1;
    auto least = std::numeric_limits<double>::max();
    for (std::size_t a = 0; a < groups.size(); ++a)
      for (std::size_t b = a + 1; b < groups.size(); ++b) {
        Shape both = groups[a];
        both.add(groups[b]);
        const double more = both.likelihood() - groups[a].likelihood() - groups[b].likelihood();
        if (more >= least) continue;
        least = more;
        best_a = a;
        best_b = b;
      }
    groups[best_a].add(groups[best_b]);
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(best_b));
  }
}

}  // namespace

bool Heads::suits(const std::vector<Literal>& literals) {
  return literals.size() <= kMost &&
         std::ranges::all_of(literals, [](const Literal& one) { return one.text.size() >= kHead; });
}

Heads::Heads(std::vector<Literal> literals) : literals_(std::move(literals)) {
  std::vector<Shape> groups;
  for (unsigned number = 0; number < literals_.size(); ++number) {
    Literal& literal = literals_[number];
    if (literal.any_case) std::ranges::transform(literal.text, literal.text.begin(), lower);
    Shape shape;
    shape.add(literal);
    groups.push_back(shape);
    add_slots(number);
  }
  join_groups(groups, kBaskets);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t place = 0; place < kHead; ++place)
      for (std::size_t value = 0; value < 16; ++value) {
        const auto basket = static_cast<std::uint8_t>(1U << i);
        if ((groups[i].halves[place][0] >> value & 1U) != 0) low_[place][value] |= basket;
        if ((groups[i].halves[place][1] >> value & 1U) != 0) high_[place][value] |= basket;
      }
  }
}

std::size_t Heads::slot_of(const char* head) {
  std::uint32_t word = 0;
  std::memcpy(&word, head, kHead);
  return word * 0x9e3779b1U >> (32 - kSlotBits);
}

void Heads::compare(std::string_view text, std::size_t at, std::vector<Place>& out) const {
  const std::vector<unsigned>& numbers = slots_[slot_of(text.data() + at)];
  if (numbers.empty()) return;
  const std::string_view here = text.substr(at);
  for (const unsigned number : numbers)
    if (begins(literals_[number], here)) out.push_back({at, number});
}

// All ways to write the first bytes of a literal lead to it.
void Heads::add_slots(unsigned number) {
  const Literal& literal = literals_[number];
  for (unsigned capitals = 0; capitals < (1U << kHead); ++capitals) {
    std::array<char, kHead> head{};
    bool possible = true;
    for (std::size_t i = 0; i < kHead; ++i) {
      head[i] = literal.text[i];
      if ((capitals >> i & 1U) == 0) continue;
      possible = possible && literal.any_case && is(head[i], kLower);
      head[i] = static_cast<char>(head[i] - 32);
    }
    std::vector<unsigned>& slot = slots_[slot_of(head.data())];
    if (possible && std::ranges::find(slot, number) == slot.end()) slot.push_back(number);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) std::size_t Heads::find_avx2(std::string_view text,
                                                             std::vector<Place>& out) const {
  const auto table = [](const Nibbles& of) __attribute__((target("avx2"))) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(of.data())));
  };
  const __m256i low[kHead] = {table(low_[0]), table(low_[1]), table(low_[2])};
  const __m256i high[kHead] = {table(high_[0]), table(high_[1]), table(high_[2])};
  const __m256i half = _mm256_set1_epi8(15);
  std::size_t at = 0;
  for (; at + kBlock + kHead - 1 <= text.size(); at += kBlock) {
    __m256i fits = _mm256_set1_epi8(-1);
    for (std::size_t place = 0; place < kHead; ++place) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + at + place));
      const __m256i from_low = _mm256_shuffle_epi8(low[place], _mm256_and_si256(bytes, half));
      const __m256i from_high =
          _mm256_shuffle_epi8(high[place], _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
      fits = _mm256_and_si256(fits, _mm256_and_si256(from_low, from_high));
    }
    auto some =
        ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(fits, _mm256_setzero_si256())));
    for (; some != 0; some &= some - 1)
      compare(text, at + static_cast<std::size_t>(std::countr_zero(some)), out);
  }
  return at;
}
#else
std::size_t Heads::find_avx2(std::string_view, std::vector<Place>&) const { return 0; }
#endif

void Heads::find(std::string_view text, std::vector<Place>& out) const {
  out.clear();
  std::size_t at = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") != 0) at = find_avx2(text, out);
#endif
  for (; at + kHead <= text.size(); ++at) compare(text, at, out);
}

}  // namespace claviger::detect
