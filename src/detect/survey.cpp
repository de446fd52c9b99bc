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
constexpr int kOddTurns = 2;   // turns that no name has, in a dense run
constexpr int kManyTurns = 5;  // or turns of any kind
constexpr int kLetters = 4;

// One bit a byte.
struct Bits {
  std::uint64_t value = 0, mark = 0, zero = 0;
  std::uint64_t uppers = 0, lowers = 0, digits = 0;
};

Bits bits_plain(const char* at, std::size_t size) {
  Bits out;
  for (std::size_t i = 0; i < size; ++i) {
    const char c = at[i];
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (kInRun[static_cast<std::uint8_t>(c)]) out.value |= bit;
    if (c == '%' || c == '&' || c == '\\') out.mark |= bit;
    if (c == '\0') out.zero |= bit;
    if (is(c, kUpper)) out.uppers |= bit;
    if (is(c, kLower)) out.lowers |= bit;
    if (is(c, kDigit)) out.digits |= bit;
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
  std::uint32_t value, mark, zero, uppers, lowers, digits;
};

__attribute__((target("avx2"))) inline Half half(const char* at) {
  constexpr std::array<std::uint8_t, 16> kRows{1, 2, 4, 8, 16, 32, 64, 128};
  const auto bits = [](const __m256i& of) __attribute__((target("avx2"))) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(of));
  };
  const auto same = [](const __m256i& of, char c) __attribute__((target("avx2"))) {
    return _mm256_cmpeq_epi8(of, _mm256_set1_epi8(c));
  };
  // Signed comparison: the range is moved to the lowest numbers there are.
  const auto within = [](const __m256i& of, char first, int count) __attribute__((target("avx2"))) {
    const __m256i moved = _mm256_sub_epi8(of, _mm256_set1_epi8(static_cast<char>(first + 128)));
    return _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(count - 128)), moved);
  };
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const __m256i columns = _mm256_shuffle_epi8(both_halves(kColumns), bytes);  // 0 above ASCII
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  const __m256i rows = _mm256_shuffle_epi8(both_halves(kRows), high);
  const __m256i none = same(_mm256_and_si256(columns, rows), 0);
  const __m256i marks =
      _mm256_or_si256(_mm256_or_si256(same(bytes, '%'), same(bytes, '&')), same(bytes, '\\'));
  return {~bits(none),
          bits(marks),
          bits(same(bytes, 0)),
          bits(within(bytes, 'A', 26)),
          bits(within(bytes, 'a', 26)),
          bits(within(bytes, '0', 10))};
}

__attribute__((target("avx2"))) inline Bits bits_avx2(const char* at) {
  const Half low = half(at), high = half(at + 32);
  const auto both = [](std::uint32_t a, std::uint32_t b) { return a | std::uint64_t{b} << 32; };
  return {both(low.value, high.value),   both(low.mark, high.mark),     both(low.zero, high.zero),
          both(low.uppers, high.uppers), both(low.lowers, high.lowers), both(low.digits, high.digits)};
}

#endif

// Whether 16 bits stand in a row.
bool has_row(std::uint64_t bits) {
  bits &= bits >> 1;
  bits &= bits >> 2;
  bits &= bits >> 4;
  return (bits & bits >> 8) != 0;
}

// What was counted of a run so far.
struct Tally {
  std::size_t size = 0;
  int turns = 0, odd = 0, letters = 0;
  bool capitals = false;  // 16 capitals or digits in a row

  bool may_be_dense() const { return odd >= kOddTurns || turns >= kManyTurns || capitals; }
};

class Surveyor {
 public:
  Surveyor(std::string_view text, Survey& out) : text_(text), out_(out) {}

  // Always inline: what counts bits is compiled anew for each kind of processor.
  [[gnu::always_inline]] inline void block(std::size_t at, const Bits& bits);
  void end() { finish(open_, text_.size()); }

 private:
  // Of one block: where kinds of letters change, and where it shows that a capital only began a word.
  struct Turns {
    std::uint64_t all = 0, calm = 0, capitals = 0;
  };
  [[gnu::always_inline]] inline Turns turns_of(const Bits& bits) const;
  [[gnu::always_inline]] inline void count(const Bits& bits, const Turns& turns, std::uint64_t in,
                                           Tally& into) const;
  [[gnu::always_inline]] inline void runs(std::size_t at, const Bits& bits, const Turns& turns);
  void finish(const Tally& run, std::size_t end);
  void words(std::size_t begin, std::size_t end);
  void escapes(std::size_t at, std::uint64_t marks);

  std::string_view text_;
  Survey& out_;
  Tally open_;              // the run that the block before ended in
  Bits before_;             // the block before
  std::size_t in_row_ = 0;  // capitals and digits at its end
};

// Random text has changes between kinds of letters that are not just a capital's. In aNameOfWords a capital
// stands behind a small letter, and two follow: such a turn is calm, all others are odd.
Surveyor::Turns Surveyor::turns_of(const Bits& bits) const {
  const auto earlier = [](std::uint64_t now, std::uint64_t before, unsigned by) {
    return now << by | before >> (64 - by);
  };
  const std::uint64_t lower = earlier(bits.lowers, before_.lowers, 1);
  const std::uint64_t digit = earlier(bits.digits, before_.digits, 1);
  const std::uint64_t upper = earlier(bits.uppers, before_.uppers, 1);
  Turns out;
  out.all =
      (lower & (bits.uppers | bits.digits)) | (digit & (bits.uppers | bits.lowers)) | (upper & bits.digits);
  out.calm =
      bits.lowers & lower & earlier(bits.uppers, before_.uppers, 2) & earlier(bits.lowers, before_.lowers, 3);
  out.capitals = bits.uppers | bits.digits;
  return out;
}

void Surveyor::block(std::size_t at, const Bits& bits) {
  if (bits.mark != 0) escapes(at, bits.mark);
  out_.zeros = out_.zeros || bits.zero != 0;
  const Turns turns = turns_of(bits);
  const int all = open_.turns + std::popcount(turns.all);
  const auto row = in_row_ + static_cast<std::size_t>(std::countr_one(turns.capitals));
  // What the first three bits call calm may belong to a turn of the block before.
  const bool plain =
      all < kManyTurns &&
      open_.odd + std::popcount(turns.all) - std::popcount(turns.calm & ~std::uint64_t{7}) < kOddTurns;
  if (plain && !open_.capitals && row < kShortestDense && !has_row(turns.capitals)) {
    const auto tail = static_cast<std::size_t>(std::countl_one(bits.value));
    if (tail < kBlock) open_ = {};
    open_.size += tail;
    if (tail > 0) count(bits, turns, ~std::uint64_t{0} << (kBlock - tail), open_);
  } else {
    runs(at, bits, turns);
  }
  in_row_ = turns.capitals == ~std::uint64_t{0} ? in_row_ + kBlock
                                                : static_cast<std::size_t>(std::countl_one(turns.capitals));
  before_ = bits;
}

// `in` is a stretch of ones.
void Surveyor::count(const Bits& bits, const Turns& turns, std::uint64_t in, Tally& into) const {
  const int turned = std::popcount(turns.all & in);
  into.turns += turned;
  into.odd += turned - std::popcount(turns.calm & in);
  into.letters += std::popcount((bits.uppers | bits.lowers) & in);
  const std::uint64_t row = turns.capitals & in;
  const bool goes_on =
      (row & 1) != 0 && in_row_ + static_cast<std::size_t>(std::countr_one(row)) >= kShortestDense;
  into.capitals = into.capitals || goes_on || has_row(row);
}

void Surveyor::runs(std::size_t at, const Bits& bits, const Turns& turns) {
  std::size_t i = 0;
  while (i < kBlock) {
    const auto ones = static_cast<std::size_t>(std::countr_one(bits.value >> i));
    const std::uint64_t from = ~std::uint64_t{0} << i;
    const bool goes_on = i + ones >= kBlock;
    if (ones > 0) {
      open_.size += goes_on ? kBlock - i : ones;
      count(bits, turns, goes_on ? from : from & ~(~std::uint64_t{0} << (i + ones)), open_);
    }
    if (goes_on) return;
    finish(open_, at + i + ones);
    open_ = {};
    i += ones;
    i += static_cast<std::size_t>(std::countr_zero(bits.value >> i));
  }
}

void Surveyor::finish(const Tally& run, std::size_t end) {
  if (run.size < kShortestDense || run.letters < kLetters || !run.may_be_dense()) return;
  out_.dense.push_back({end - run.size, end});
  words(end - run.size, end);
}

// Notes the long runs of letters and digits in a dense one.
void Surveyor::words(std::size_t begin, std::size_t end) {
  std::size_t at = begin;
  while (at + kShortestBase64 <= end) {
    std::size_t probe = at + kShortestBase64;
    while (probe > at && is(text_[probe - 1], kAlnum)) --probe;
    if (probe > at) {
      at = probe;  // text[probe - 1] is no letter: no long run begins before it
      continue;
    }
    const std::size_t stop = run_end(text_, at + kShortestBase64, kAlnum, end - at);
    out_.letters.push_back({at, stop});
    at = stop + 1;
  }
}

void Surveyor::escapes(std::size_t at, std::uint64_t marks) {
  for (; marks != 0; marks &= marks - 1) {
    const std::size_t place = at + static_cast<std::size_t>(std::countr_zero(marks));
    if (place + 1 >= text_.size()) return;
    const char mark = text_[place], next = text_[place + 1];
    const bool looks = mark == '%' ? hex_of(next) >= 0
                       : mark == '&'
                           ? next == '#'
                           : next == 'u' || next == 'x' || next == '/' || next == '0' || next == '1';
    if (looks) out_.escapes.push_back(place);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,lzcnt,popcnt"))) std::size_t blocks_avx2(std::string_view text,
                                                                         Surveyor& surveyor) {
  std::size_t at = 0;
  for (; at + kBlock <= text.size(); at += kBlock) surveyor.block(at, bits_avx2(text.data() + at));
  return at;
}
#endif

std::size_t blocks(std::string_view text, Surveyor& surveyor) {
#if defined(__x86_64__)
  const bool fast = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
                    __builtin_cpu_supports("lzcnt") != 0 && __builtin_cpu_supports("popcnt") != 0;
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
  Surveyor surveyor(text, out);
  const std::size_t at = blocks(text, surveyor);
  if (at < text.size()) surveyor.block(at, bits_plain(text.data() + at, text.size() - at));
  surveyor.end();
}

}  // namespace claviger::detect
