// Where hits are said to stand.
#include "scan/inspector.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace claviger::scan {
namespace {

std::tuple<std::int64_t, std::int64_t, std::int64_t> of(LinePlaces& places, std::size_t begin,
                                                        std::size_t end) {
  detect::Hit hit{};
  hit.begin = begin;
  hit.end = end;
  const LinePlace place = places.of(hit);
  return {place.line, place.column, place.end_line};
}

TEST(LinePlaces, are_those_of_the_lines_in_any_order) {
  const std::string_view text = "one\ntwo three\n\nfour\n";
  LinePlaces places(text);
  EXPECT_EQ(of(places, 0, 3), std::tuple(1, 1, 1));
  EXPECT_EQ(of(places, 8, 13), std::tuple(2, 5, 2));
  EXPECT_EQ(of(places, 8, 14), std::tuple(2, 5, 2));  // its end of line is its own
  EXPECT_EQ(of(places, 8, 16), std::tuple(2, 5, 4));
  EXPECT_EQ(of(places, 15, 20), std::tuple(4, 1, 4));
  EXPECT_EQ(of(places, 4, 7), std::tuple(2, 1, 2));  // a scan of very many hits starts its order anew
  EXPECT_EQ(of(places, 14, 14), std::tuple(3, 1, 3));
}

TEST(LinePlaces, of_a_later_part_of_a_text_count_on) {
  LinePlaces places("end\nnext", 7, 30);
  EXPECT_EQ(of(places, 0, 3), std::tuple(7, 30, 7));
  EXPECT_EQ(of(places, 4, 8), std::tuple(8, 1, 8));
  EXPECT_EQ(of(places, 1, 2), std::tuple(7, 31, 7));
}

}  // namespace
}  // namespace claviger::scan
