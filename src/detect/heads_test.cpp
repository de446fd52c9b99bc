// Literals are found by their heads wherever they stand, also over each other and at the very end.
#include "detect/heads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/rng.hpp"
#include "detect/text.hpp"

namespace claviger::detect {
namespace {

const std::vector<Literal> kWatched{{"password", true}, {"_pass", true},        {"://", false},
                                    {"\" +", false},    {"-----BEGIN", false},  {"\"\n\t", false},
                                    {"abc", false},     {"bcd", true},          {"zzz", false},
                                    {"aut", true},      {"authorization", true}};

using Found = std::vector<std::pair<std::size_t, unsigned>>;

Found look_slowly(std::string_view text) {
  Found out;
  for (std::size_t at = 0; at < text.size(); ++at)
    for (unsigned i = 0; i < kWatched.size(); ++i) {
      const std::string_view word = kWatched[i].text, here = text.substr(at, word.size());
      const bool same = std::ranges::equal(
          word, here, [&](char a, char b) { return a == (kWatched[i].any_case ? lower(b) : b); });
      if (same) out.emplace_back(at, i);
    }
  return out;
}

TEST(Heads, are_found_as_by_looking_at_each_place) {
  const Heads heads(kWatched);
  SeededRng rng(5);
  std::size_t found = 0;
  std::vector<Heads::Place> places;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint64_t i = rng.below(60); i > 0; --i) {
      std::string piece = kWatched[rng.below(kWatched.size())].text;
      if (rng.below(3) == 0) piece.resize(rng.below(piece.size() + 1));
      if (rng.below(3) == 0)
        std::ranges::transform(piece, piece.begin(), [](char c) { return is(c, kLower) ? char(c - 32) : c; });
      text += piece;
      if (rng.below(4) == 0) text.push_back(static_cast<char>(rng.below(256)));
    }
    heads.find(text, places);
    Found out;
    for (const Heads::Place& place : places) out.emplace_back(place.begin, place.number);
    EXPECT_TRUE(std::ranges::is_sorted(places, {}, &Heads::Place::begin));
    std::ranges::sort(out);
    ASSERT_EQ(out, look_slowly(text)) << text;
    found += out.size();
  }
  EXPECT_GT(found, 10'000U);
}

TEST(Heads, are_for_few_literals_that_have_a_head) {
  EXPECT_TRUE(Heads::suits(kWatched));
  EXPECT_FALSE(Heads::suits({{"ab", false}}));
  EXPECT_FALSE(Heads::suits(std::vector<Literal>(97, {"abc", false})));
}

}  // namespace
}  // namespace claviger::detect
