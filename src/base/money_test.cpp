// Money: what is no amount is refused; text, costs and sums are exact, and nothing wraps round.
#include "base/money.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"

namespace claviger {
namespace {

constexpr std::int64_t kMax = INT64_MAX;

TEST(ParseUsd, what_is_no_amount_is_refused_with_a_sentence) {
  for (const char* bad :
       {"",   ".",     "$",    "usd",  "$usd", "-1",  "+1",    "1e3", "1,5",     "1.2.3", " 1",
        "1 ", "5 usd", "5eur", "0x10", "nan",  "inf", "1_000", "$$5", "5usdusd", "5Usd",  "\xc2\xbd"}) {
    const auto parsed = parse_usd(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().code, Code::invalid_input) << bad;
    EXPECT_NE(parsed.error().say.find("is not an amount"), std::string::npos) << bad;
  }
}

TEST(ParseUsd, a_tenth_decimal_is_refused_even_when_it_is_zero) {
  EXPECT_FALSE(parse_usd("0.0000000001").has_value());
  EXPECT_FALSE(parse_usd("0.1000000000").has_value());
  EXPECT_EQ(parse_usd("0.000000001").value().value, 1);
}

TEST(ParseUsd, one_nano_dollar_more_than_fits_is_refused) {
  EXPECT_EQ(parse_usd("9223372036.854775807").value().value, kMax);
  EXPECT_FALSE(parse_usd("9223372036.854775808").has_value());
  EXPECT_FALSE(parse_usd("9223372037").has_value());
  EXPECT_FALSE(parse_usd("99999999999999999999").has_value());
}

TEST(ParseUsd, every_spelling_of_an_amount_is_read_exactly) {
  for (const char* five : {"5", "5.", "5.0", "5.000000000", "05", "$5", "5usd", "5USD", "$5usd"})
    EXPECT_EQ(parse_usd(five).value().value, 5 * kNanoPerUsd) << five;
  EXPECT_EQ(parse_usd("0.1").value().value, 100'000'000);
  EXPECT_EQ(parse_usd(".25").value().value, 250'000'000);
  EXPECT_EQ(parse_usd("0").value().value, 0);
}

TEST(FormatUsd, amounts_are_written_without_exponent_and_with_at_least_two_decimals) {
  EXPECT_EQ(format_usd({0}), "0.00");
  EXPECT_EQ(format_usd({1}), "0.000000001");
  EXPECT_EQ(format_usd({12'500}), "0.0000125");
  EXPECT_EQ(format_usd({100'000'000}), "0.10");
  EXPECT_EQ(format_usd({5 * kNanoPerUsd}), "5.00");
  EXPECT_EQ(format_usd({1'234'567'890'123}), "1234.567890123");
  EXPECT_EQ(format_usd({kMax}), "9223372036.854775807");
}

TEST(FormatUsd, negative_amounts_keep_their_sign_down_to_the_smallest) {
  EXPECT_EQ(format_usd({-1}), "-0.000000001");
  EXPECT_EQ(format_usd({-1'500'000'000}), "-1.50");
  EXPECT_EQ(format_usd({INT64_MIN}), "-9223372036.854775808");
}

TEST(FormatUsd, what_is_written_is_read_back_to_the_nano_dollar) {
  SeededRng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(rng.next() >> (1 + rng.below(63)));
    const Nanousd amount{value};
    EXPECT_EQ(parse_usd(format_usd(amount)).value(), amount) << value;
  }
}

TEST(Cost, any_part_of_a_nano_dollar_is_rounded_up) {
  EXPECT_EQ(cost_rounded_up(1, 1).value, 1);
  EXPECT_EQ(cost_rounded_up(1, 999'999).value, 1);
  EXPECT_EQ(cost_rounded_up(1, 1'000'000).value, 1);
  EXPECT_EQ(cost_rounded_up(1, 1'000'001).value, 2);
  EXPECT_EQ(cost_rounded_up(3, 500'000).value, 2);
}

TEST(Cost, whole_costs_are_not_rounded) {
  EXPECT_EQ(cost_rounded_up(1'000'000, 2'500'000'000).value, 2'500'000'000);
  EXPECT_EQ(cost_rounded_up(1000, 15 * kNanoPerUsd).value, 15'000'000);
}

TEST(Cost, nothing_costs_nothing_and_no_count_is_ever_paid_back) {
  EXPECT_EQ(cost_rounded_up(0, kMax).value, 0);
  EXPECT_EQ(cost_rounded_up(kMax, 0).value, 0);
  EXPECT_EQ(cost_rounded_up(-5, 1'000'000).value, 0);
  EXPECT_EQ(cost_rounded_up(5, -1'000'000).value, 0);
}

TEST(Cost, products_beyond_64_bits_stay_exact_and_then_saturate) {
  EXPECT_EQ(cost_rounded_up(kMax, 1'000'000).value, kMax);
  EXPECT_EQ(cost_rounded_up(kMax, 999'999).value, 9'223'362'813'482'738'953);
  EXPECT_EQ(cost_rounded_up(kMax, 1'000'001).value, kMax);
  EXPECT_EQ(cost_rounded_up(kMax, kMax).value, kMax);
}

TEST(Cost, splitting_a_count_never_makes_it_cheaper) {
  SeededRng rng(2);
  for (int i = 0; i < 5'000; ++i) {
    const auto a = static_cast<std::int64_t>(rng.below(1'000'000));
    const auto b = static_cast<std::int64_t>(rng.below(1'000'000));
    const auto price = static_cast<std::int64_t>(rng.below(75 * kNanoPerUsd));
    EXPECT_GE(cost_rounded_up(a, price) + cost_rounded_up(b, price), cost_rounded_up(a + b, price));
  }
}

TEST(Saturation, sums_and_products_stop_at_the_largest_amount) {
  EXPECT_EQ(saturating_add({kMax}, {1}).value, kMax);
  EXPECT_EQ(saturating_add({kMax - 1}, {1}).value, kMax);
  EXPECT_EQ(saturating_add({2}, {3}).value, 5);
  EXPECT_EQ(saturating_times({kMax / 2 + 1}, 2).value, kMax);
  EXPECT_EQ(saturating_times({kMax}, 1).value, kMax);
  EXPECT_EQ(saturating_times({7}, 6).value, 42);
  EXPECT_EQ(saturating_times({kMax}, 0).value, 0);
}

TEST(Nanousd, amounts_add_subtract_and_compare) {
  Nanousd amount{5};
  amount += {3};
  amount -= {1};
  EXPECT_EQ(amount, Nanousd{7});
  EXPECT_EQ(Nanousd{7} - Nanousd{9}, Nanousd{-2});
  EXPECT_LT(Nanousd{-1}, Nanousd{0});
}

}  // namespace
}  // namespace claviger
