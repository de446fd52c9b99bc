// The survey of many bytes at once says what a slow look at each byte says, wherever blocks begin and end.
#include "detect/survey.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

struct Counts {
  int turns = 0, odd = 0, letters = 0, digits = 0;
  bool capitals = false;
};

Counts counts_of(std::string_view run) {
  Counts out;
  std::size_t row = 0;
  const auto at = [&](std::size_t i, std::uint8_t kind) { return i < run.size() && is(run[i], kind); };
  for (std::size_t i = 0; i < run.size(); ++i) {
    out.letters += at(i, kAlpha) ? 1 : 0;
    out.digits += at(i, kDigit) ? 1 : 0;
    row = at(i, kUpper | kDigit) ? row + 1 : 0;
    out.capitals = out.capitals || row >= kShortestDense;
    if (i == 0) continue;
    const bool hump = at(i - 1, kLower) && at(i, kUpper);
    const bool turn = hump || (at(i - 1, kLower) && at(i, kDigit)) || (at(i - 1, kDigit) && at(i, kAlpha)) ||
                      (at(i - 1, kUpper) && at(i, kDigit));
    out.turns += turn ? 1 : 0;
    out.odd += turn && !(hump && at(i + 1, kLower) && at(i + 2, kLower)) ? 1 : 0;
  }
  return out;
}

using Spans = std::vector<std::pair<std::size_t, std::size_t>>;

Spans spans_of(const std::vector<Span>& list) {
  Spans out;
  for (const Span& span : list) out.emplace_back(span.begin, span.end);
  return out;
}

// What `text` has, byte by byte: dense runs, and long words in them.
void look_slowly(std::string_view text, Spans& dense, Spans& letters) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_in_run(text[end])) ++end;
    const Counts counts = counts_of(text.substr(at, end - at));
    const bool mixed = counts.letters >= 4 && (counts.odd >= 2 || counts.turns >= 5 || counts.capitals);
    if (end - at >= kShortestDense && (mixed || counts.digits >= 32)) {
      dense.emplace_back(at, end);
      for (std::size_t word = at; word < end;) {
        const std::size_t stop = run_end(text, word, kAlnum, end - word);
        if (stop - word >= kShortestBase64) letters.emplace_back(word, stop);
        word = stop + 1;
      }
    }
    at = std::max(end, at + 1);
  }
}

// Pieces of names, words, keys and what stands between them.
std::string some_text(SeededRng& rng) {
  constexpr std::string_view pieces[] = {"name",          "Of",    "XY", "the", "7", "42", "q", "Zz", "AKIA",
                                         "ABCDEF1234567", " ",     "\n", "\"",  "/", "_",  "-", ".",  "aB3",
                                         "x9K",           "lower", "\0z"};
  std::string out;
  for (std::uint64_t i = rng.below(120); i > 0; --i) {
    const std::string_view piece = pieces[rng.below(std::size(pieces))];
    for (std::uint64_t times = rng.below(8) == 0 ? 1 + rng.below(30) : 1; times > 0; --times) out += piece;
  }
  return out;
}

TEST(Survey, of_many_bytes_at_once_is_that_of_each_byte) {
  SeededRng rng(11);
  std::size_t runs = 0, words = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string text = some_text(rng);
    Spans dense, letters;
    look_slowly(text, dense, letters);
    Survey found;
    survey(text, found);
    ASSERT_EQ(spans_of(found.dense), dense) << text;
    ASSERT_EQ(spans_of(found.letters), letters) << text;
    Survey plain;
    survey_plain(text, plain);
    ASSERT_EQ(spans_of(plain.dense), dense) << text;
    ASSERT_EQ(spans_of(plain.letters), letters) << text;
    ASSERT_EQ(plain.escapes, found.escapes) << text;
    runs += dense.size();
    words += letters.size();
  }
  EXPECT_GT(runs, 1000U);
  EXPECT_GT(words, 100U);
}

TEST(Survey, names_are_not_dense_and_keys_are) {
  const auto is_dense = [](std::string_view text) {
    Survey found;
    survey(text, found);
    return !found.dense.empty();
  };
  EXPECT_FALSE(is_dense("expectedCredentialsCreateError"));
  EXPECT_FALSE(is_dense("github.com/openbao/openbao/api/v2"));
  EXPECT_TRUE(is_dense("q7Rk2LmZx9TbW4vNc8Jd"));
  EXPECT_TRUE(is_dense("9f86d081884c7d659a2feaa0c55ad015"));
  EXPECT_TRUE(is_dense("XQ7RK2LMZX6TBW4VNKIA"));
}

}  // namespace
}  // namespace claviger::detect
