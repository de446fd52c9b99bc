// Tests of money: costs rounded up, unknown never free, and worst cases that no usage may exceed.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/rng.hpp"
#include "provider/price.hpp"

namespace claviger::provider {
namespace {

const Time kNoon = *parse_time("2026-11-20T12:00:00Z");

PriceBook book(std::string_view fields) {
  auto out = PriceBook::parse(
      "version = \"v\"\n[[price]]\nprovider = \"p\"\nmodel = \"m\"\nsource = \"s\"\n"
      "valid_from = \"2026-01-01\"\n" +
      std::string(fields) + "\n");
  EXPECT_TRUE(out) << told(out.error());
  return *std::move(out);
}
const Price& only(const PriceBook& prices) { return *prices.find("p", "m", kNoon); }

Usage used(std::int64_t in, std::int64_t out) {
  Usage usage;
  usage.seen = true;
  usage.uncached_in = in;
  usage.text_out = out;
  return usage;
}

constexpr std::string_view kPlain = "input = \"2\"\noutput = \"10\"\ncache_read = \"0.2\"";

TEST(Cost, OfAnUnknownClassIsNeverNothing) {
  const PriceBook prices = book(kPlain);
  for (const auto member : {&Usage::cache_write_5m, &Usage::cache_write_12h, &Usage::audio_in,
                            &Usage::audio_out, &Usage::image_out, &Usage::hosted_in, &Usage::hosted_out}) {
    Usage usage;
    usage.*member = 1'000'000;
    EXPECT_EQ(cost(only(prices), usage, kNoon).value, 10 * kNanoPerUsd);
    EXPECT_FALSE(priced_fully(only(prices), usage));
  }
}

TEST(Cost, OfAnUnknownTierIsTheDearestKnown) {
  const PriceBook prices = book(std::string(kPlain) + "\npriority_percent = 250");
  Usage usage = used(1'000'000, 0);
  for (const ServiceTier tier :
       {ServiceTier::priority, ServiceTier::fast, ServiceTier::ultrafast, ServiceTier::other}) {
    usage.tier = tier;
    EXPECT_EQ(cost(only(prices), usage, kNoon).value, 5 * kNanoPerUsd) << tier_name(tier);
  }
  EXPECT_FALSE(priced_fully(only(prices), usage));
  usage.tier = ServiceTier::flex;
  EXPECT_EQ(cost(only(prices), usage, kNoon).value, 2 * kNanoPerUsd) << "no discount unless the row has one";
}

TEST(Cost, IsRoundedUpOnceForTheWholeRequest) {
  const PriceBook tiny = book("input = \"0.000000001\"\noutput = \"0.000000001\"");
  EXPECT_EQ(cost(only(tiny), used(1, 0), kNoon).value, 1);
  EXPECT_EQ(cost(only(tiny), used(1, 1), kNoon).value, 1);
  EXPECT_EQ(cost(only(tiny), used(0, 0), kNoon).value, 0);
  EXPECT_EQ(cost(only(tiny), used(1'000'000, 1), kNoon).value, 2);
  const PriceBook prices = book(kPlain);
  EXPECT_EQ(cost(only(prices), used(1, 1), kNoon).value, 12'000);
}

TEST(Cost, OfALargeSumIsExactToTheLastNanodollar) {
  const PriceBook prices = book("input = \"9\"\noutput = \"9\"");
  EXPECT_EQ(cost(only(prices), used(1'000'000'000'000'001, 0), kNoon).value, 9'000'000'000'000'009'000);
}

TEST(Cost, SaturatesInsteadOfWrapping) {
  const PriceBook prices = book("input = \"1000000\"\noutput = \"1000000\"\npriority_percent = 1000");
  Usage usage = used(INT64_MAX, INT64_MAX);
  usage.tier = ServiceTier::priority;
  EXPECT_EQ(cost(only(prices), usage, kNoon).value, std::numeric_limits<std::int64_t>::max());
}

TEST(Cost, BillsCachedInputAsInputAndImagesAsTextWithoutAPriceOfTheirOwn) {
  const PriceBook prices = book("input = \"2\"\noutput = \"10\"");
  Usage usage;
  usage.cache_read = 1'000'000;
  usage.image_in = 1'000'000;
  EXPECT_EQ(cost(only(prices), usage, kNoon).value, 4 * kNanoPerUsd);
  EXPECT_TRUE(priced_fully(only(prices), usage));
}

TEST(Cost, RepricesTheWholeRequestAboveTheTier) {
  const PriceBook prices = book(std::string(kPlain) +
                                "\ntiers = [{ above = 100, input = \"4\", cache_read = \"0.4\", "
                                "output = \"15\" }]");
  EXPECT_EQ(cost(only(prices), used(100, 10), kNoon).value, 200'000 + 100'000);
  EXPECT_EQ(cost(only(prices), used(101, 10), kNoon).value, 404'000 + 150'000);
  Usage cached = used(1, 10);
  cached.cache_read = 100;
  EXPECT_EQ(cost(only(prices), cached, kNoon).value, 4'000 + 40'000 + 150'000)
      << "cached input counts for the tier";
}

TEST(Cost, FollowsTheTimeOfDayGeographyBatchAndToolCalls) {
  const PriceBook prices = book(std::string(kPlain) +
                                "\npeaks = [{ from = \"01:00\", to = \"04:00\" }]\n"
                                "peak_percent = 200\nbatch_percent = 50\nus_geo_percent = 110\n"
                                "tool_call = \"0.01\"");
  Usage usage = used(1'000'000, 0);
  const auto at = [&](std::string_view time) { return cost(only(prices), usage, *parse_time(time)).value; };
  EXPECT_EQ(at("2026-11-20T00:59:59Z"), 2 * kNanoPerUsd);
  EXPECT_EQ(at("2026-11-20T01:00:00Z"), 4 * kNanoPerUsd);
  EXPECT_EQ(at("2026-11-20T04:00:00Z"), 2 * kNanoPerUsd);
  usage.us_geo = true;
  EXPECT_EQ(at("2026-11-20T12:00:00Z"), 2'200'000'000);
  usage.tier = ServiceTier::batch;
  EXPECT_EQ(at("2026-11-20T12:00:00Z"), 1'100'000'000);
  usage.tool_calls = 3;
  EXPECT_EQ(at("2026-11-20T12:00:00Z"), 1'130'000'000);
}

TEST(Cost, OfAnExplicitZeroIsZeroAndFullyPriced) {
  const auto prices = PriceBook::parse(kPricesData);
  Usage usage = used(1'000'000, 1'000'000);
  usage.audio_in = usage.cache_write_1h = 5;
  const Price* price = prices->find("ollama", "llama3", kNoon);
  EXPECT_EQ(cost(*price, usage, kNoon).value, 0);
  EXPECT_TRUE(priced_fully(*price, usage));
}

Ask asked(std::int64_t max_output) {
  Ask ask;
  ask.model = "m";
  ask.max_output = max_output;
  return ask;
}

TEST(WorstCase, OfTheProvidersOwnToolsIsEveryRoundAtTheWholeContextAndEveryCall) {
  const PriceBook prices = book(std::string(kPlain) +
                                "\ncontext = 1000\ntool_call = \"0.01\"\nfile_search = \"0.002\"\n"
                                "code_session = \"0.03\"");
  Ask ask = asked(10);
  ask.hidden_input = true;
  const Worst plain = worst_case(only(prices), ask, 50, kNoon);
  ask.hosted = {4, 3, 2, 1, false};
  const Worst worst = worst_case(only(prices), ask, 50, kNoon);
  EXPECT_EQ(worst.unbounded, "");
  EXPECT_EQ(worst.money.value, 4 * plain.money.value + 30'000'000 + 4'000'000 + 30'000'000);
  EXPECT_EQ(worst.tokens, 4 * (1'000 + 10));
}

TEST(WorstCase, OfToolsWithoutAPriceOrABoundDoesNotExist) {
  const std::string context = std::string(kPlain) + "\ncontext = 1000";
  Ask ask = asked(10);
  ask.hidden_input = true;
  ask.hosted = {2, 1, 0, 0, false};
  EXPECT_NE(worst_case(only(book(context)), ask, 50, kNoon).unbounded.find("web search"), std::string::npos);
  ask.hosted.only_once = true;
  const PriceBook apiece = book(context + "\ntool_call = \"0.01\"");
  EXPECT_NE(worst_case(only(apiece), ask, 50, kNoon).unbounded.find("apiece"), std::string::npos);
  const PriceBook once = book(context + "\ntool_call = \"0.01\"\ntool_call_once = true");
  EXPECT_EQ(worst_case(only(once), ask, 50, kNoon).unbounded, "");
}

TEST(WorstCase, WithoutABoundOfTheAnswerIsUnbounded) {
  const PriceBook prices = book(kPlain);
  Ask ask;
  EXPECT_FALSE(worst_case(only(prices), ask, 100, kNoon).unbounded.empty());
  const PriceBook bounded = book(std::string(kPlain) + "\noutput_bound = 1000");
  const Worst worst = worst_case(only(bounded), ask, 100, kNoon);
  EXPECT_TRUE(worst.unbounded.empty());
  EXPECT_EQ(worst.output_tokens, 1000);
}

TEST(WorstCase, OfMediaNeedsATableOrTheContext) {
  Ask ask = asked(10);
  ask.images = 2;
  ask.media_bytes = 5000;
  const PriceBook bare = book(kPlain);
  EXPECT_FALSE(worst_case(only(bare), ask, 6000, kNoon).unbounded.empty());
  const PriceBook table = book(std::string(kPlain) + "\nimage_tokens = 1445");
  EXPECT_EQ(worst_case(only(table), ask, 6000, kNoon).input_tokens, 1000 + 64 + 2 * 1445);
  const PriceBook context = book(std::string(kPlain) + "\ncontext = 128000");
  EXPECT_EQ(worst_case(only(context), ask, 6000, kNoon).input_tokens, 128000);
  ask.hidden_input = true;
  EXPECT_FALSE(worst_case(only(table), ask, 6000, kNoon).unbounded.empty());
}

TEST(WorstCase, OfAClassWithoutAPriceIsUnbounded) {
  const PriceBook prices = book(std::string(kPlain) + "\ncontext = 1000");
  Ask ask = asked(10);
  ask.cache_write = CacheWrite::five_minutes;
  EXPECT_FALSE(worst_case(only(prices), ask, 10, kNoon).unbounded.empty());
  ask = asked(10);
  ask.audio_out = true;
  EXPECT_FALSE(worst_case(only(prices), ask, 10, kNoon).unbounded.empty());
  const PriceBook hole = book(std::string(kPlain) + "\ntiers = [{ above = 100000 }]");
  EXPECT_TRUE(worst_case(only(hole), asked(10), 90'000, kNoon).unbounded.empty());
  EXPECT_NE(worst_case(only(hole), asked(10), 110'000, kNoon).unbounded.find("100000"), std::string::npos);
}

TEST(WorstCase, TakesBytesForTokensAndMultipliesTheChoices) {
  const PriceBook prices = book(kPlain);
  Ask ask = asked(100);
  ask.choices = 3;
  const Worst worst = worst_case(only(prices), ask, 936, kNoon);
  EXPECT_EQ(worst.input_tokens, 1000);
  EXPECT_EQ(worst.tokens, 1300);
  EXPECT_EQ(worst.money.value, 1000 * 2000 + 300 * 10'000);
}

TEST(WorstCase, ReservesOneHourWritesOnlyWhenTheyAreAskedFor) {
  const PriceBook prices =
      book("input = \"2\"\noutput = \"10\"\ncache_write_5m = \"2.5\"\ncache_write_1h = \"4\"");
  Ask ask = asked(0);
  const auto money = [&] { return worst_case(only(prices), ask, 936, kNoon).money.value; };
  EXPECT_EQ(money(), 2'000'000);
  ask.cache_write = CacheWrite::five_minutes;
  EXPECT_EQ(money(), 2'500'000);
  ask.cache_write = CacheWrite::one_hour;
  EXPECT_EQ(money(), 4'000'000);
}

TEST(WorstCase, CountsCacheWritesThatTheProviderMakesByItself) {
  const PriceBook prices = book("input = \"2\"\noutput = \"10\"\ncache_write_30m = \"2.5\"");
  EXPECT_EQ(worst_case(only(prices), asked(0), 936, kNoon).money.value, 2'500'000);
}

TEST(WorstCase, CountsThePriceThatBeginsWithinADay) {
  const auto prices = PriceBook::parse(kPricesData);
  const auto money = [&](std::string_view time) {
    const Time now = *parse_time(time);
    return worst_case(*prices->find("gemini", "gemini-3.8-flash", now), asked(1000), 1000, now).money;
  };
  EXPECT_LT(money("2026-12-29T00:00:00Z"), money("2026-12-31T00:00:00Z"));
  EXPECT_EQ(money("2026-12-31T00:00:00Z"), money("2027-01-02T00:00:00Z"));
}

TEST(WorstCase, ReservesThePeakAtAnyHour) {
  const auto prices = PriceBook::parse(kPricesData);
  const Price& row = *prices->find("deepseek", "deepseek-v4-flash", kNoon);
  const Worst worst = worst_case(row, asked(1000), 936, kNoon);
  EXPECT_EQ(worst.money, cost(row, used(1000, 1000), *parse_time("2026-11-20T02:00:00Z")));
  EXPECT_GT(worst.money, cost(row, used(1000, 1000), kNoon));
}

TEST(WorstCase, CountsUsGeographyUnlessTheRequestExcludesIt) {
  const PriceBook prices = book(std::string(kPlain) + "\nus_geo_percent = 110");
  Ask ask = asked(0);
  EXPECT_EQ(worst_case(only(prices), ask, 936, kNoon).money.value, 2'200'000);
  ask.global_geo = true;
  EXPECT_EQ(worst_case(only(prices), ask, 936, kNoon).money.value, 2'000'000);
}

TEST(WorstCase, SaturatesInsteadOfWrapping) {
  const PriceBook prices = book("input = \"1000000\"\noutput = \"1000000\"");
  Ask ask = asked(INT64_MAX);
  ask.choices = 128;
  const Worst worst = worst_case(only(prices), ask, INT64_MAX, kNoon);
  EXPECT_EQ(worst.money.value, std::numeric_limits<std::int64_t>::max());
  EXPECT_GT(worst.tokens, 0);
}

// No usage that fits the request's bounds costs more than its worst case, over every built-in row.
TEST(WorstCase, IsNeverExceededByAnyUsageWithinItsBounds) {
  const auto prices = PriceBook::parse(kPricesData);
  ASSERT_TRUE(prices);
  SeededRng rng(7);
  const auto upto = [&](std::int64_t most) {
    return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(most) + 1));
  };
  for (int round = 0; round < 40; ++round)
    for (const Price& row : prices->rows()) {
      Ask ask = asked(upto(200'000));
      ask.choices = 1 + upto(3);
      if (row.rates.cache_write_5m) ask.cache_write = static_cast<CacheWrite>(upto(2));
      const Worst worst =
          worst_case(row, ask, upto(600'000), row.valid_from + std::chrono::hours(upto(2000)));
      if (!worst.unbounded.empty()) continue;
      Usage usage;
      std::int64_t left = worst.input_tokens;
      const auto part = [&](std::int64_t Usage::* member, bool may) {
        if (may) usage.*member = upto(left), left -= usage.*member;
      };
      part(&Usage::cache_read, true);
      part(&Usage::cache_write_30m, row.rates.cache_write_30m.has_value());
      part(&Usage::cache_write_5m, ask.cache_write != CacheWrite::none);
      part(&Usage::cache_write_1h, ask.cache_write == CacheWrite::one_hour);
      usage.uncached_in = left;
      usage.text_out = ask.max_output == 0 ? 0 : upto(worst.output_tokens) * ask.choices;
      usage.us_geo = upto(1) == 1;
      const Time when = row.valid_from + std::chrono::minutes(upto(1440));
      ASSERT_LE(cost(row, usage, when), worst.money) << row.version;
    }
}

}  // namespace
}  // namespace claviger::provider
