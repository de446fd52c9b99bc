// Literals by their first bytes.
#include "detect/heads.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kMost = 64;  // literals
constexpr std::size_t kBlock = 32;

bool begins(const Literal& literal, std::string_view text) {
  if (text.size() < literal.text.size()) return false;
  if (!literal.any_case) return text.starts_with(literal.text);
  return std::ranges::equal(literal.text, text.substr(0, literal.text.size()),
                            [](char a, char b) { return a == lower(b); });
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
  // How many heads fit, whether a literal has them or not.
  std::size_t breadth() const {
    std::size_t out = 1;
    for (const auto& place : halves)
      for (const std::uint16_t half : place) out *= static_cast<std::size_t>(std::popcount(half));
    return out;
  }

 private:
  void take(std::size_t place, char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    halves[place][0] |= static_cast<std::uint16_t>(1U << (byte & 15));
    halves[place][1] |= static_cast<std::uint16_t>(1U << (byte >> 4));
  }
};

struct Group {
  Shape shape;
  std::vector<unsigned> numbers;
};

// Joins groups until few are left, always the two that together fit fewest heads.
void join_groups(std::vector<Group>& groups, std::size_t most) {
  while (groups.size() > most) {
    std::size_t best_a = 0, best_b = 1;
    auto least = std::numeric_limits<std::size_t>::max();
    for (std::size_t a = 0; a < groups.size(); ++a)
      for (std::size_t b = a + 1; b < groups.size(); ++b) {
        Shape both = groups[a].shape;
        both.add(groups[b].shape);
        const std::size_t more = both.breadth();
        if (more >= least) continue;
        least = more;
        best_a = a;
        best_b = b;
      }
    groups[best_a].shape.add(groups[best_b].shape);
    groups[best_a].numbers.insert(groups[best_a].numbers.end(), groups[best_b].numbers.begin(),
                                  groups[best_b].numbers.end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(best_b));
  }
}

}  // namespace

bool Heads::suits(const std::vector<Literal>& literals) {
  return literals.size() <= kMost &&
         std::ranges::all_of(literals, [](const Literal& one) { return one.text.size() >= kHead; });
}

Heads::Heads(std::vector<Literal> literals) : literals_(std::move(literals)) {
  std::vector<Group> groups;
  for (unsigned number = 0; number < literals_.size(); ++number) {
    Literal& literal = literals_[number];
    if (literal.any_case) std::ranges::transform(literal.text, literal.text.begin(), lower);
    Group group{{}, {number}};
    group.shape.add(literal);
    groups.push_back(std::move(group));
  }
  join_groups(groups, baskets_.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    baskets_[i] = std::move(groups[i].numbers);
    for (std::size_t place = 0; place < kHead; ++place)
      for (std::size_t value = 0; value < 16; ++value) {
        const auto basket = static_cast<std::uint8_t>(1U << i);
        if ((groups[i].shape.halves[place][0] >> value & 1U) != 0) low_[place][value] |= basket;
        if ((groups[i].shape.halves[place][1] >> value & 1U) != 0) high_[place][value] |= basket;
      }
  }
}

std::uint8_t Heads::baskets_at(std::string_view text, std::size_t at) const {
  std::uint8_t out = 0xff;
  for (std::size_t place = 0; place < kHead; ++place) {
    const auto byte = static_cast<std::uint8_t>(text[at + place]);
    out &= low_[place][byte & 15] & high_[place][byte >> 4];
  }
  return out;
}

void Heads::compare(std::string_view text, std::size_t at, std::uint8_t baskets,
                    std::vector<Place>& out) const {
  const std::string_view here = text.substr(at);
  for (; baskets != 0; baskets &= static_cast<std::uint8_t>(baskets - 1))
    for (const unsigned number : baskets_[static_cast<std::size_t>(std::countr_zero(baskets))])
      if (begins(literals_[number], here)) out.push_back({at, number});
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
    if (some == 0) continue;
    std::array<std::uint8_t, kBlock> baskets;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(baskets.data()), fits);
    for (; some != 0; some &= some - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(some));
      compare(text, at + i, baskets[i], out);
    }
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
  for (; at + kHead <= text.size(); ++at)
    if (const std::uint8_t baskets = baskets_at(text, at); baskets != 0) compare(text, at, baskets, out);
}

}  // namespace claviger::detect
