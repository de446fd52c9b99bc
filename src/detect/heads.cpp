// Literals by their first bytes.
#include "detect/heads.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "detect/avx2.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kMost = 96;  // literals, whose numbers fit a byte
constexpr std::size_t kBlock = 32;

bool begins(const Literal& literal, std::string_view text) {
  if (text.size() < literal.text.size()) return false;
  if (!literal.any_case) return text.starts_with(literal.text);
  return std::ranges::equal(literal.text, text.substr(0, literal.text.size()),
                            [](char a, char b) { return a == lower(b); });
}

// Of bytes in source code, roughly.
constexpr std::array<double, 128> kFrequency = [] {
  std::array<double, 128> out{};
  for (std::size_t c = 0; c < out.size(); ++c)
    out[c] = (kClassOf[c] & kLower) != 0 ? 0.025 : (kClassOf[c] & kAlnum) != 0 ? 0.004 : 0.01;
  out[' '] = 0.15;
  out['\n'] = out['\t'] = 0.03;
  return out;
}();

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
      for (unsigned highs = place[1] & 0x7fU; highs != 0; highs &= highs - 1)
        for (unsigned lows = place[0]; lows != 0; lows &= lows - 1)
          fits += kFrequency[static_cast<unsigned>(std::countr_zero(highs)) << 4 |
                             static_cast<unsigned>(std::countr_zero(lows))];
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

// Joins groups until few are left, always the two that cost least together. The start of every scan waits for
// this: costs are kept, and for each group with which later one it costs least.
void join_groups(std::vector<Shape>& groups, std::size_t most) {
  constexpr double kNever = std::numeric_limits<double>::max();
  const std::size_t count = groups.size();
  std::vector<double> alone(count), together(count * count, kNever);
  std::vector<std::size_t> cheapest(count);
  std::vector<bool> gone(count);
  const auto cost = [&](std::size_t a, std::size_t b) -> double& {
    return together[std::min(a, b) * count + std::max(a, b)];
  };
  const auto weigh = [&](std::size_t a, std::size_t b) {
    Shape both = groups[a];
    both.add(groups[b]);
    cost(a, b) = both.likelihood() - alone[a] - alone[b];
  };
  const auto look = [&](std::size_t a) {
    const auto row = together.begin() + static_cast<std::ptrdiff_t>(a * count);
    cheapest[a] =
        static_cast<std::size_t>(std::min_element(row, row + static_cast<std::ptrdiff_t>(count)) - row);
  };
  for (std::size_t a = 0; a < count; ++a) alone[a] = groups[a].likelihood();
  for (std::size_t a = 0; a < count; ++a) {
    for (std::size_t b = a + 1; b < count; ++b) weigh(a, b);
    look(a);
  }
  for (std::size_t left = count; left > most; --left) {
    std::size_t a = 0;
    for (std::size_t i = 1; i < count; ++i)
      if (together[i * count + cheapest[i]] < together[a * count + cheapest[a]]) a = i;
    const std::size_t b = cheapest[a];
    groups[a].add(groups[b]);
    alone[a] = groups[a].likelihood();
    gone[b] = true;
    for (std::size_t other = 0; other < count; ++other) {
      cost(b, other) = kNever;
      if (other != a && !gone[other]) weigh(a, other);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (i == a || i == b || cheapest[i] == a || cheapest[i] == b)
        look(i);
      else if (i < a && cost(i, a) < cost(i, cheapest[i]))
        cheapest[i] = a;
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (!gone[i]) groups[kept++] = groups[i];
  groups.resize(kept);
}

}  // namespace

bool Heads::suits(const std::vector<Literal>& literals) {
  return literals.size() <= kMost &&
         std::ranges::all_of(literals, [](const Literal& one) { return one.text.size() >= kHead; });
}

Heads::Heads(std::vector<Literal> literals) : literals_(std::move(literals)) {
  std::vector<Shape> groups;
  for (Literal& literal : literals_) {
    if (literal.any_case) std::ranges::transform(literal.text, literal.text.begin(), lower);
    Shape shape;
    shape.add(literal);
    groups.push_back(shape);
  }
  fill_slots();
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
  const std::size_t slot = slot_of(text.data() + at);
  for (std::size_t i = slots_[slot]; i < slots_[slot + 1]; ++i)
    if (begins(literals_[in_slots_[i]], text.substr(at))) out.push_back({at, in_slots_[i]});
}

void Heads::fill_slots() {
  std::vector<std::pair<std::size_t, std::uint8_t>> pairs;
  std::vector<std::size_t> slots;
  for (std::size_t number = 0; number < literals_.size(); ++number) {
    add_slots(literals_[number], slots);
    for (const std::size_t slot : slots) pairs.emplace_back(slot, static_cast<std::uint8_t>(number));
  }
  std::ranges::sort(pairs);
  for (const auto& [slot, number] : pairs) {
    in_slots_.push_back(number);
    ++slots_[slot + 1];
  }
  for (std::size_t slot = 1; slot < slots_.size(); ++slot)
    slots_[slot] = static_cast<std::uint16_t>(slots_[slot] + slots_[slot - 1]);
}

// All ways to write the first bytes of a literal lead to it. Replaces what `out` holds.
void Heads::add_slots(const Literal& literal, std::vector<std::size_t>& out) {
  out.clear();
  for (unsigned capitals = 0; capitals < (1U << kHead); ++capitals) {
    std::array<char, kHead> head{};
    bool possible = true;
    for (std::size_t i = 0; i < kHead; ++i) {
      head[i] = literal.text[i];
      if ((capitals >> i & 1U) == 0) continue;
      possible = possible && literal.any_case && is(head[i], kLower);
      head[i] = static_cast<char>(head[i] - 32);
    }
    const std::size_t slot = slot_of(head.data());
    if (possible && std::ranges::find(out, slot) == out.end()) out.push_back(slot);
  }
}

#if defined(__x86_64__)
CLAVIGER_AVX2 std::size_t Heads::find_avx2(std::string_view text, std::vector<Place>& out) const {
  const __m256i low[kHead] = {table_of(low_[0]), table_of(low_[1]), table_of(low_[2])};
  const __m256i high[kHead] = {table_of(high_[0]), table_of(high_[1]), table_of(high_[2])};
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
  if (has_avx2()) at = find_avx2(text, out);
#endif
  for (; at + kHead <= text.size(); ++at) compare(text, at, out);
}

}  // namespace claviger::detect
