// Classes of 64 bytes at once as bits, and the few places where the bits say that something long stands.
#include "detect/survey.hpp"

#include <array>
#include <bit>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kLongerDense = 40;  // runs from here on have one turn more

// One bit a byte.
struct Bits {
  std::uint64_t value = 0, mark = 0, zero = 0;
};

Bits bits_plain(const char* at, std::size_t size) {
  Bits out;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = at[i];
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (kInRun[static_cast<std::uint8_t>(c)]) out.value |= bit;
    if (c == '%' || c == '&' || c == '\\') out.mark |= bit;
    if (c == '\0') out.zero |= bit;
  }
  return out;
}

// One bit a byte of at most 64: what kinds of letters and digits stand there.
struct Kinds {
  std::uint64_t uppers = 0, lowers = 0, digits = 0;
  std::uint64_t letters() const { return uppers | lowers; }
  std::uint64_t all() const { return uppers | lowers | digits; }
};

Kinds kinds_plain(const char* at, std::size_t size) {
  Kinds out;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (is(at[i], kUpper)) out.uppers |= bit;
    if (is(at[i], kLower)) out.lowers |= bit;
    if (is(at[i], kDigit)) out.digits |= bit;
  }
  return out;
}

#if defined(__x86_64__)

// Row by row of the ASCII table, which rows hold the column: a byte is in a value when the bit of its row
// stands in the entry of its column.
constexpr std::array<std::uint8_t, 16> kColumns = [] {
  std::array<std::uint8_t, 16> out{};
  for (int c = 0; c < 128; ++c)
    if (kInRun[c]) out[c & 15] |= static_cast<std::uint8_t>(1 << (c >> 4));
  return out;
}();

__attribute__((target("avx2"))) inline __m256i both_halves(const std::array<std::uint8_t, 16>& table) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())));
}

struct Half {
  std::uint32_t value, mark, zero;
};

__attribute__((target("avx2"))) inline Half half(const char* at) {
  constexpr std::array<std::uint8_t, 16> kRows{1, 2, 4, 8, 16, 32, 64, 128};
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i columns = _mm256_shuffle_epi8(both_halves(kColumns), bytes);  // 0 above ASCII
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  const __m256i rows = _mm256_shuffle_epi8(both_halves(kRows), high);
  const __m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(columns, rows), _mm256_setzero_si256());
  const __m256i marks = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('%')),
                                                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('&'))),
                                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')));
  const __m256i zeros = _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256());
  return {~static_cast<std::uint32_t>(_mm256_movemask_epi8(none)),
          static_cast<std::uint32_t>(_mm256_movemask_epi8(marks)),
          static_cast<std::uint32_t>(_mm256_movemask_epi8(zeros))};
}

__attribute__((target("avx2"))) inline Bits bits_avx2(const char* at) {
  const Half low = half(at), high = half(at + 32);
  return {low.value | std::uint64_t{high.value} << 32, low.mark | std::uint64_t{high.mark} << 32,
          low.zero | std::uint64_t{high.zero} << 32};
}

struct HalfKinds {
  std::uint32_t uppers, lowers, digits;
};

__attribute__((target("avx2"))) inline HalfKinds half_kinds(const char* at) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  // Signed comparison: the range is moved to the lowest numbers there are.
  const auto within = [&](const __m256i& of, char first, int count) __attribute__((target("avx2"))) {
    const __m256i moved = _mm256_sub_epi8(of, _mm256_set1_epi8(static_cast<char>(first + 128)));
    return _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(count - 128)), moved);
  };
  const auto bits = [](const __m256i& of) __attribute__((target("avx2"))) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(of));
  };
  return {bits(within(bytes, 'A', 26)), bits(within(bytes, 'a', 26)), bits(within(bytes, '0', 10))};
}

__attribute__((target("avx2"))) inline Kinds kinds_avx2(const char* at) {
  const HalfKinds low = half_kinds(at), high = half_kinds(at + 32);
  return {low.uppers | std::uint64_t{high.uppers} << 32, low.lowers | std::uint64_t{high.lowers} << 32,
          low.digits | std::uint64_t{high.digits} << 32};
}

#endif

// Whether 16 bits stand in a row.
bool has_row(std::uint64_t bits) {
  bits &= bits >> 1;
  bits &= bits >> 2;
  bits &= bits >> 4;
  return (bits & bits >> 8) != 0;
}

class Surveyor {
 public:
  Surveyor(std::string_view text, Survey& out, bool fast) : text_(text), out_(out), fast_(fast) {}

  void block(std::size_t at, const Bits& bits) {
    if (bits.mark != 0) escapes(at, bits.mark);
    out_.zeros = out_.zeros || bits.zero != 0;
    const auto ahead = static_cast<std::size_t>(std::countr_one(bits.value));
    if (!has_row(bits.value) && open_ + ahead < kShortestDense) {
      open_ = static_cast<std::size_t>(std::countl_one(bits.value));
      return;
    }
    runs(at, bits.value);
  }
  void end() {
    if (open_ >= kShortestDense) run(text_.size() - open_, text_.size());
  }

 private:
  void runs(std::size_t at, std::uint64_t value) {
    std::size_t i = 0;
    while (i < kBlock) {
      const auto ones = static_cast<std::size_t>(std::countr_one(value >> i));
      if (i + ones >= kBlock) {
        open_ += kBlock - i;
        return;
      }
      if (open_ + ones >= kShortestDense) run(at + i - open_, at + i + ones);
      open_ = 0;
      i += ones;
      i += static_cast<std::size_t>(std::countr_zero(value >> i));
    }
  }

  void run(std::size_t begin, std::size_t end);
  Kinds kinds_at(std::size_t at, std::size_t size) const;
  void words(std::size_t at, std::size_t size, std::uint64_t all, std::size_t& open);
  void escapes(std::size_t at, std::uint64_t marks);

  std::string_view text_;
  Survey& out_;
  const bool fast_;       // the processor has AVX2
  std::size_t open_ = 0;  // members of a run before the block
};

// Random text has changes between kinds of letters that are not just a capital's, or no small letters.
void Surveyor::run(std::size_t begin, std::size_t end) {
  int digits = 0, turns = 0, letters = 0;
  bool capitals = false;
  std::size_t open = 0;  // letters and digits before the piece
  for (std::size_t at = begin; at < end; at += kBlock) {
    const std::size_t size = end - at < kBlock ? end - at : kBlock;
    const Kinds kinds = kinds_at(at, size);
    const std::uint64_t turned = (kinds.lowers << 1 & (kinds.uppers | kinds.digits)) |
                                 (kinds.digits << 1 & kinds.letters()) | (kinds.uppers << 1 & kinds.digits);
    digits += std::popcount(kinds.digits);
    letters += std::popcount(kinds.letters());
    turns += std::popcount(turned);
    capitals = capitals || has_row(kinds.uppers | kinds.digits);
    const std::uint64_t all = kinds.all();
    const auto ahead = static_cast<std::size_t>(std::countr_one(all));
    if (has_row(all) || open + ahead >= kShortestBase64)
      words(at, size, all, open);
    else
      open = size < kBlock ? 0 : static_cast<std::size_t>(std::countl_one(all));
  }
  if (open >= kShortestBase64) out_.letters.push_back({end - open, end});
  // One in a thousand random texts of 20 letters and digits has fewer turns.
  const int least = end - begin < kLongerDense ? 3 : 4;
  if (letters >= 4 && (turns >= least || (turns >= 2 && digits >= 1) || capitals))
    out_.dense.push_back({begin, end});
}

Kinds Surveyor::kinds_at(std::size_t at, std::size_t size) const {
#if defined(__x86_64__)
  if (fast_ && at + kBlock <= text_.size()) {
    Kinds out = kinds_avx2(text_.data() + at);
    const std::uint64_t in = size < kBlock ? (std::uint64_t{1} << size) - 1 : ~std::uint64_t{0};
    out.uppers &= in;
    out.lowers &= in;
    out.digits &= in;
    return out;
  }
#endif
  return kinds_plain(text_.data() + at, size);
}

// Notes the long runs of `all` in a piece; `open` members stand before it.
void Surveyor::words(std::size_t at, std::size_t size, std::uint64_t all, std::size_t& open) {
  std::size_t i = 0;
  while (i < size) {
    const auto ones = static_cast<std::size_t>(std::countr_one(all >> i));
    if (i + ones >= size) {
      open += size - i;
      return;
    }
    if (open + ones >= kShortestBase64) out_.letters.push_back({at + i - open, at + i + ones});
    open = 0;
    i += ones;
    i += static_cast<std::size_t>(std::countr_zero(all >> i));
  }
}

void Surveyor::escapes(std::size_t at, std::uint64_t marks) {
  for (; marks != 0; marks &= marks - 1) {
    const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(marks));
    if (place + 1 >= text_.size()) return;
    const char mark = text_[place], next = text_[place + 1];
    const bool looks = mark == '%'   ? hex_of(next) >= 0
                       : mark == '&' ? next == '#'
                                     : next == 'u' || next == 'x' || next == '/';
    if (looks) out_.escapes.push_back(place);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) std::size_t blocks_avx2(std::string_view text, Surveyor& surveyor) {
  std::size_t at = 0;
  for (; at + kBlock <= text.size(); at += kBlock) surveyor.block(at, bits_avx2(text.data() + at));
  return at;
}
#endif

bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

std::size_t blocks(std::string_view text, Surveyor& surveyor, [[maybe_unused]] bool fast) {
#if defined(__x86_64__)
  if (fast) return blocks_avx2(text, surveyor);
#endif
  std::size_t at = 0;
  for (; at + kBlock <= text.size(); at += kBlock) surveyor.block(at, bits_plain(text.data() + at, kBlock));
  return at;
}

}  // namespace

void Survey::clear() {
  dense.clear();
  letters.clear();
  escapes.clear();
  zeros = false;
}

void survey(std::string_view text, Survey& out) {
  out.clear();
  const bool fast = has_avx2();
  Surveyor surveyor(text, out, fast);
  const std::size_t at = blocks(text, surveyor, fast);
  if (at < text.size()) surveyor.block(at, bits_plain(text.data() + at, text.size() - at));
  surveyor.end();
}

}  // namespace claviger::detect
