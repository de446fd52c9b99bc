// 64 bytes at once as bits: where the bits say that something long stands, it is looked at again, for its
// kinds of letters.
#include "detect/survey.hpp"

#include <array>
#include <bit>
#include <cstdint>

#include "detect/avx2.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

constexpr std::size_t kBlock = 64;
constexpr int kOddTurns = 2;   // turns that no name has, in a dense run
constexpr int kManyTurns = 5;  // or turns of any kind
constexpr int kLetters = 4;
constexpr int kManyDigits = 32;  // hex of text that is hex itself: hardly a letter among its digits

// One bit a byte: what runs are made of, and what begins an escape.
struct Bits {
  std::uint64_t value = 0, mark = 0;
  bool zero = false;  // whether one of them is
};

struct Kinds {
  std::uint64_t uppers = 0, lowers = 0, digits = 0;

  Kinds operator&(std::uint64_t in) const { return {uppers & in, lowers & in, digits & in}; }
};

// How 64 bytes are looked at: on any processor, and on one with AVX2.
struct Plain {
  static Bits bits(const char* at) {
    Bits out;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const std::uint64_t bit = std::uint64_t{1} << i;
      if (is_in_run(at[i])) out.value |= bit;
      if (at[i] == '%' || at[i] == '&' || at[i] == '\\') out.mark |= bit;
      out.zero = out.zero || at[i] == '\0';
    }
    return out;
  }
  static Kinds kinds(const char* at) {
    Kinds out;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const std::uint64_t bit = std::uint64_t{1} << i;
      if (is(at[i], kUpper)) out.uppers |= bit;
      if (is(at[i], kLower)) out.lowers |= bit;
      if (is(at[i], kDigit)) out.digits |= bit;
    }
    return out;
  }
};

#if defined(__x86_64__)

// Row by row of the ASCII table, which rows hold the column: a byte is in a value when the bit of its row
// stands in the entry of its column.
constexpr std::array<std::uint8_t, 16> kColumns = [] {
  std::array<std::uint8_t, 16> out{};
  for (int c = 0; c < 128; ++c)
    if (kInRun[c]) out[c & 15] |= static_cast<std::uint8_t>(1 << (c >> 4));
  return out;
}();

struct Avx2 {
  CLAVIGER_AVX2 static __m256i load(const char* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }
  CLAVIGER_AVX2 static __m256i same(const __m256i& of, char c) {
    return _mm256_cmpeq_epi8(of, _mm256_set1_epi8(c));
  }
  // Signed comparison: the range is moved to the lowest numbers there are.
  CLAVIGER_AVX2 static __m256i within(const __m256i& of, char first, int count) {
    const __m256i moved = _mm256_sub_epi8(of, _mm256_set1_epi8(static_cast<char>(first + 128)));
    return _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(count - 128)), moved);
  }
  CLAVIGER_AVX2 static std::uint64_t both(const __m256i& low, const __m256i& high) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
           std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32;
  }
  CLAVIGER_AVX2 static __m256i outside(const __m256i& bytes) {
    constexpr std::array<std::uint8_t, 16> kRows{1, 2, 4, 8, 16, 32, 64, 128};
    const __m256i columns = _mm256_shuffle_epi8(table_of(kColumns), bytes);  // 0 above ASCII
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    return same(_mm256_and_si256(columns, _mm256_shuffle_epi8(table_of(kRows), high)), 0);
  }
  CLAVIGER_AVX2 static __m256i marks(const __m256i& bytes) {
    return _mm256_or_si256(_mm256_or_si256(same(bytes, '%'), same(bytes, '&')), same(bytes, '\\'));
  }

  CLAVIGER_AVX2 static Bits bits(const char* at) {
    const __m256i low = load(at), high = load(at + 32);
    return {~both(outside(low), outside(high)), both(marks(low), marks(high)),
            _mm256_movemask_epi8(same(_mm256_min_epu8(low, high), 0)) != 0};
  }
  CLAVIGER_AVX2 static Kinds kinds(const char* at) {
    const __m256i low = load(at), high = load(at + 32);
    return {both(within(low, 'A', 26), within(high, 'A', 26)),
            both(within(low, 'a', 26), within(high, 'a', 26)),
            both(within(low, '0', 10), within(high, '0', 10))};
  }
};

#endif

// Bit i: 16 bits stand in a row from i on.
std::uint64_t rows_of(std::uint64_t bits) {
  bits &= bits >> 1;
  bits &= bits >> 2;
  bits &= bits >> 4;
  return bits & bits >> 8;
}

// Ones from bit `from` on; 0 <= from < 64.
std::uint64_t ones_from(std::size_t from) { return ~std::uint64_t{0} << from; }

// The runs of at least `least` ones among bits that come 64 after 64; 16 <= least.
// All always inline: what counts bits is compiled anew for each kind of processor.
class Runs {
 public:
  Runs(std::size_t begin, std::size_t least) : open_(begin), least_(least) {}

  template <class Run>
  [[gnu::always_inline]] inline void add(std::size_t at, std::uint64_t bits, const Run& run) {
    const auto head = static_cast<std::size_t>(std::countr_one(bits));
    if (head == kBlock) return;
    end(at + head, run);
    const std::uint64_t inner = bits & ones_from(head);
    for (std::uint64_t rows = rows_of(inner); rows != 0;) {
      const auto begin = static_cast<std::size_t>(std::countr_zero(rows));
      const std::size_t end = begin + static_cast<std::size_t>(std::countr_one(inner >> begin));
      if (end >= kBlock) break;
      if (end - begin >= least_) run(at + begin, at + end);
      rows &= ones_from(end);
    }
    open_ = at + kBlock - static_cast<std::size_t>(std::countl_one(inner));
  }
  // The bits end here.
  template <class Run>
  [[gnu::always_inline]] inline void end(std::size_t at, const Run& run) {
    if (at >= open_ + least_) run(open_, at);
  }

 private:
  std::size_t open_;  // where the run begins that goes on
  std::size_t least_;
};

// What is counted of a run, 64 bytes after 64. Random text has changes between kinds of letters that are not
// just a capital's. In aNameOfWords a capital stands behind a small letter, and two follow: such a turn is
// calm, all others are odd.
class Tally {
 public:
  [[gnu::always_inline]] inline void add(const Kinds& now) {
    const auto earlier = [](std::uint64_t bits, std::uint64_t before, unsigned by) {
      return bits << by | before >> (64 - by);
    };
    const std::uint64_t lower = earlier(now.lowers, before_.lowers, 1);
    const std::uint64_t digit = earlier(now.digits, before_.digits, 1);
    const std::uint64_t upper = earlier(now.uppers, before_.uppers, 1);
    const std::uint64_t turns =
        (lower & (now.uppers | now.digits)) | (digit & (now.uppers | now.lowers)) | (upper & now.digits);
    const std::uint64_t calm =
        now.lowers & lower & earlier(now.uppers, before_.uppers, 2) & earlier(now.lowers, before_.lowers, 3);
    const std::uint64_t row = now.uppers | now.digits;
    const auto head = static_cast<std::size_t>(std::countr_one(row));
    turns_ += std::popcount(turns);
    calm_ += std::popcount(calm);
    letters_ += std::popcount(now.uppers | now.lowers);
    digits_ += std::popcount(now.digits);
    capitals_ = capitals_ || in_row_ + head >= kShortestDense || rows_of(row) != 0;
    in_row_ = head == kBlock ? in_row_ + kBlock : static_cast<std::size_t>(std::countl_one(row));
    before_ = now;
  }
  // `more`: turns that what follows may yet show to be calm.
  bool is_dense(int more) const {
    if (digits_ >= kManyDigits) return true;
    return letters_ >= kLetters && (turns_ - calm_ - more >= kOddTurns || turns_ >= kManyTurns || capitals_);
  }

 private:
  int turns_ = 0, calm_ = 0, letters_ = 0, digits_ = 0;
  bool capitals_ = false;   // 16 capitals or digits in a row
  std::size_t in_row_ = 0;  // those at the end
  Kinds before_;
};

template <class Cpu>
class Surveyor {
 public:
  Surveyor(std::string_view text, Survey& out) : text_(text), out_(out) {}

  [[gnu::always_inline]] inline void whole() {
    out_.clear();
    Runs values(0, kShortestDense);
    const auto run = [this](std::size_t begin, std::size_t end) __attribute__((always_inline)) {
      if (!is_dense(begin, end)) return;
      out_.dense.push_back({begin, end});
      words(begin, end);
    };
    for (std::size_t at = 0; at < text_.size(); at += kBlock) {
      const Bits bits = look(at, Cpu::bits);
      if (bits.mark != 0) escapes(at, bits.mark);
      if (bits.zero && !out_.zeros) out_.zeros = text_.substr(at, kBlock).contains('\0');
      values.add(at, bits.value, run);
    }
    values.end(text_.size(), run);
  }

 private:
  // What stands behind the text's end is looked at as zeros.
  template <class Look>
  [[gnu::always_inline]] inline auto look(std::size_t at, const Look& look) const {
    if (at + kBlock <= text_.size()) return look(text_.data() + at);
    std::array<char, kBlock> rest{};
    text_.copy(rest.data(), kBlock, at);
    return look(rest.data());
  }
  [[gnu::always_inline]] inline Kinds kinds(std::size_t at, std::size_t end) const {
    const Kinds found = look(at, Cpu::kinds);
    return end - at >= kBlock ? found : found & ~ones_from(end - at);
  }
  [[gnu::always_inline]] inline bool is_dense(std::size_t begin, std::size_t end) const {
    Tally tally;
    for (std::size_t at = begin; at < end; at += kBlock) {
      tally.add(kinds(at, end));
      if (tally.is_dense(1)) return true;
    }
    return tally.is_dense(0);
  }
  // Notes the long runs of letters and digits in a dense one.
  [[gnu::always_inline]] inline void words(std::size_t begin, std::size_t end) {
    Runs runs(begin, kShortestBase64);
    const auto run = [this](std::size_t from, std::size_t to) { out_.letters.push_back({from, to}); };
    for (std::size_t at = begin; at < end; at += kBlock) {
      const Kinds found = kinds(at, end);
      runs.add(at, found.uppers | found.lowers | found.digits, run);
    }
    runs.end(end, run);
  }
  void escapes(std::size_t at, std::uint64_t marks);

  std::string_view text_;
  Survey& out_;
};

template <class Cpu>
void Surveyor<Cpu>::escapes(std::size_t at, std::uint64_t marks) {
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
CLAVIGER_AVX2 void survey_avx2(std::string_view text, Survey& out) { Surveyor<Avx2>(text, out).whole(); }
#endif

}  // namespace

void Survey::clear() {
  dense.clear();
  letters.clear();
  escapes.clear();
  zeros = false;
}

void survey_plain(std::string_view text, Survey& out) { Surveyor<Plain>(text, out).whole(); }

void survey(std::string_view text, Survey& out) {
#if defined(__x86_64__)
  if (has_avx2()) return survey_avx2(text, out);
#endif
  survey_plain(text, out);
}

}  // namespace claviger::detect
