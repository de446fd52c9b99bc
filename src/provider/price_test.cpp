// Tests of price rows: files that are refused, which row is in force, and the table that is built in.
#include "provider/price.hpp"

#include <gtest/gtest.h>

#include <string>

#include "provider/glob.hpp"

namespace claviger::provider {
namespace {

Time at(std::string_view text) { return *parse_time(text); }
const Time kToday = at("2026-11-20T12:00:00Z");

std::string row(std::string_view fields) {
  return "[[price]]\nprovider = \"p\"\nsource = \"s\"\nvalid_from = \"2026-01-01\"\n" + std::string(fields) +
         "\n";
}
Result<PriceBook> book(std::string_view rows) {
  return PriceBook::parse("version = \"v\"\n" + std::string(rows));
}

TEST(PriceFile, ThatIsNotUnderstoodIsRefused) {
  const std::string good = "model = \"m\"\ninput = \"1\"\n";
  ASSERT_TRUE(book(row(good)));
  for (const std::string& rows :
       {row("model = \"m\""),
        row("input = \"1\""),
        row("model = \"\"\ninput = \"1\""),
        row("model = \"m\"\nmodels = [\"m\"]\ninput = \"1\""),
        row("model = \"m\"\ninput = 1"),
        row("model = \"m\"\ninput = 1.5"),
        row("model = \"m\"\ninput = \"-1\""),
        row("model = \"m\"\ninput = \"1e3\""),
        row("model = \"m\"\ninput = \"0.0000000001\""),
        row("model = \"m\"\ninput = \"9999999\""),
        row(good + "budget = \"1\""),
        row(good + "peak_percent = 0"),
        row(good + "priority_percent = 5000"),
        row(good + "max_output = -1"),
        row(good + "context = \"many\""),
        row(good + "tiers = 1"),
        row(good + "tiers = [{ input = \"1\" }]"),
        row(good + "tiers = [{ above = 1, budget = \"1\" }]"),
        row(good + "tiers = [{ above = 2 }, { above = 1 }]"),
        row(good + "peaks = [{ from = \"04:00\", to = \"01:00\" }]"),
        row(good + "peaks = [{ from = \"4\", to = \"5\" }]"),
        row(good + "peaks = [{ from = \"00:00\", to = \"25:00\" }]"),
        row(good + "tool_call = 1"),
        std::string("[[price]]\nprovider = \"p\"\nmodel = \"m\"\ninput = \"1\"\n"),
        std::string("[[price]]\nmodel = \"m\"\ninput = \"1\"\nsource = \"s\"\nvalid_from = \"2026-01-01\"\n"),
        std::string("price = 1\n"),
        std::string("[budget]\n"),
        std::string("not toml"),
        row(good) + row(good),
        row("model = \"m\"\ninput = \"1\"\nvalid_from = \"yesterday\"")}) {
    const auto parsed = book(rows);
    ASSERT_FALSE(parsed) << rows;
    EXPECT_EQ(parsed.error().code, Code::configuration);
  }
  EXPECT_FALSE(PriceBook::parse(row(good))) << "a file without a version";
}

TEST(PriceBook, KnowsNoPriceForAnUnknownModelOrProvider) {
  const auto prices = book(row("model = \"m\"\ninput = \"1\""));
  EXPECT_EQ(prices->find("p", "n", kToday), nullptr);
  EXPECT_EQ(prices->find("q", "m", kToday), nullptr);
  EXPECT_EQ(prices->find("p", "m", at("2025-12-31T23:59:59Z")), nullptr);
  EXPECT_EQ(prices->dearest("q"), nullptr);
  EXPECT_EQ(PriceBook{}.find("p", "m", kToday), nullptr);
}

TEST(PriceBook, TakesANameBeforeAGlobAndALongerGlobBeforeAShorter) {
  const auto prices =
      book(row("model = \"*\"\ninput = \"1\"") + row("model = \"gpt-*\"\ninput = \"2\"") +
           row("model = \"gpt-5-2026-*\"\ninput = \"3\"") + row("model = \"gpt-5\"\ninput = \"4\""));
  ASSERT_TRUE(prices) << told(prices.error());
  const auto input = [&](std::string_view model) { return *prices->find("p", model, kToday)->rates.input; };
  EXPECT_EQ(input("llama"), 1'000'000'000);
  EXPECT_EQ(input("gpt-4"), 2'000'000'000);
  EXPECT_EQ(input("gpt-5-2026-01-01"), 3'000'000'000);
  EXPECT_EQ(input("gpt-5"), 4'000'000'000);
}

TEST(PriceBook, TakesTheNewestRowThatHasBegun) {
  const auto prices = book(
      "[[price]]\nprovider=\"p\"\nsource=\"s\"\nmodel=\"m\"\nvalid_from=\"2026-01-01\"\ninput=\"1\"\n"
      "[[price]]\nprovider=\"p\"\nsource=\"s\"\nmodel=\"m\"\nvalid_from=\"2026-12-31T10:00:00Z\"\ninput="
      "\"2\"\n");
  ASSERT_TRUE(prices) << told(prices.error());
  const Price* now = prices->find("p", "m", kToday);
  EXPECT_EQ(now->rates.input, 1'000'000'000);
  ASSERT_NE(now->next, nullptr);
  EXPECT_EQ(prices->find("p", "m", at("2026-12-31T10:00:00Z")), now->next);
  EXPECT_NE(now->version, now->next->version);
}

TEST(PriceBook, PutsTheOperatorsRowsOverTheBuiltInOfEqualRank) {
  const std::string builtin = "version = \"v\"\n" + row("model = \"m\"\ninput = \"1\"\nmax_output = 77") +
                              row("model = \"other\"\ninput = \"1\"");
  const auto prices = PriceBook::with_operator_rows(
      builtin,
      "[server]\nport = 1\n[[price]]\nprovider = \"p\"\nmodel = \"m\"\ninput = \"0\"\noutput = \"0\"\n",
      OtherTables::ignore);
  ASSERT_TRUE(prices) << told(prices.error());
  const Price* own = prices->find("p", "m", kToday);
  EXPECT_TRUE(own->from_operator);
  EXPECT_EQ(own->rates.input, 0);
  EXPECT_EQ(own->max_output, 77) << "a bound that the operator left out stays";
  EXPECT_FALSE(prices->find("p", "other", kToday)->from_operator);
  EXPECT_FALSE(PriceBook::with_operator_rows(builtin, "[server]\n", OtherTables::refuse));
}

TEST(PriceBook, PutsImportedRowsBetweenTheBuiltInAndTheOperatorsFromTheirDayOn) {
  const std::string builtin =
      "version = \"v\"\n" + row("model = \"m\"\ninput = \"1\"") + row("model = \"n\"\ninput = \"1\"");
  const std::string imported =
      "[[price]]\nprovider = \"p\"\nmodels = [\"m\", \"n\"]\nvalid_from = \"2026-11-24\"\ninput = \"2\"\n";
  const std::string own = "[[price]]\nprovider = \"p\"\nmodel = \"n\"\ninput = \"3\"\n";
  const auto prices = PriceBook::with_operator_rows(builtin, own, OtherTables::refuse, imported);
  ASSERT_TRUE(prices) << told(prices.error());
  EXPECT_EQ(prices->find("p", "m", kToday)->rates.input, 1'000'000'000);
  const Price* later = prices->find("p", "m", at("2026-11-24T00:00:00Z"));
  EXPECT_EQ(later->rates.input, 2'000'000'000);
  EXPECT_TRUE(later->imported);
  EXPECT_TRUE(later->version.starts_with("imported:")) << later->version;
  EXPECT_EQ(prices->find("p", "n", at("2026-11-24T00:00:00Z"))->rates.input, 3'000'000'000);
  EXPECT_EQ(prices->find("p", "m", kToday)->next, later) << "the day before, a hold covers both";
}

TEST(PriceBook, ReadsUnitsAndRefusesWhatIsNone) {
  const auto prices =
      book(row("model = \"pic\"\npictures = [{ size = \"1x1\", quality = \"hd\", price = \"0.08\", "
               "usual = true }, { tokens = 7 }]") +
           row("model = \"ear\"\nsecond = \"0.0001\"") + row("model = \"mouth\"\ncharacters = \"15\""));
  EXPECT_EQ(prices->find("p", "pic", kToday)->pictures.size(), 2u);
  EXPECT_EQ(prices->find("p", "ear", kToday)->second, Nanousd{100'000});
  EXPECT_EQ(prices->find("p", "mouth", kToday)->characters, 15'000'000'000);
  for (const std::string_view bad :
       {"pictures = [{ size = \"1x1\" }]", "pictures = [{ price = 1 }]", "pictures = [1]",
        "pictures = [{ tokens = 0 }]", "pictures = [{ price = \"1\", colour = \"red\" }]", "second = 1",
        "characters = \"x\"", "tool_call_once = 1"})
    EXPECT_FALSE(
        PriceBook::parse("version = \"v\"\n" + row("model = \"m\"\ninput = \"1\"\n" + std::string(bad))))
        << bad;
}

TEST(PriceBook, DearestTakesTheTopOfEveryClassTiersAndPeaksIncluded) {
  const auto prices =
      book(row("model = \"a\"\ninput = \"1\"\noutput = \"9\"\ntiers = [{ above = 5, input = \"3\" }]") +
           row("model = \"b\"\ninput = \"2\"\noutput = \"4\"\npeak_percent = 200\n"
               "peaks = [{ from = \"01:00\", to = \"02:00\" }]\nmax_output = 50"));
  const Price* dearest = prices->dearest("p");
  ASSERT_NE(dearest, nullptr);
  EXPECT_EQ(dearest->rates.input, 4'000'000'000);
  EXPECT_EQ(dearest->rates.output, 9'000'000'000);
  EXPECT_EQ(dearest->output_bound, 50);
  EXPECT_FALSE(dearest->rates.audio_in);
}

TEST(BuiltInPrices, AreReadableAndEveryRowSaysWhereItIsFrom) {
  const auto prices = PriceBook::parse(kPricesData);
  ASSERT_TRUE(prices) << told(prices.error());
  EXPECT_GT(prices->rows().size(), 100u);
  for (const Price& one : prices->rows()) {
    EXPECT_FALSE(one.source.empty()) << one.version;
    EXPECT_TRUE(one.version.starts_with("2026-11-24:")) << one.version;
    const bool by_unit = !one.pictures.empty() || one.second || one.characters || one.rates.image_out;
    EXPECT_TRUE(by_unit || (one.rates.input && one.rates.output) ||
                one.models.front().find("embed") != std::string::npos)
        << one.version;
  }
}

// providers.md 7.2, as of 2026-11-20.
TEST(BuiltInPrices, AreThoseOfTheList) {
  const auto prices = PriceBook::parse(kPricesData);
  ASSERT_TRUE(prices) << told(prices.error());
  const struct {
    std::string_view provider, model, input, cache_read, output;
  } rows[] = {{"openai", "gpt-4o", "2.5", "1.25", "10"},
              {"openai", "gpt-4o-2024-08-06", "2.5", "1.25", "10"},
              {"openai", "gpt-5-nano", "0.05", "0.005", "0.4"},
              {"openai", "gpt-5.6-sol", "4", "0.4", "20"},
              {"openai", "gpt-5.6-luna", "0.2", "0.02", "1.2"},
              {"openai", "gpt-6-astra-2026-09-04", "10", "1", "50"},
              {"openai", "gpt-6.1-sol", "2", "0.10", "10"},
              {"anthropic", "claude-haiku-4-5-20251001", "1", "0.1", "5"},
              {"anthropic", "claude-opus-5-5", "4", "0.2", "20"},
              {"anthropic", "claude-fable-5-1", "10", "0.25", "50"},
              {"anthropic", "claude-sonnet-5-5", "2", "0.10", "10"},
              {"gemini", "gemini-2.5-pro", "1.25", "0.125", "10"},
              {"gemini", "gemini-3.8-flash", "0.75", "0.075", "3.75"},
              {"mistral", "mistral-medium-3-5", "1.5", "0.15", "7.5"},
              {"deepseek", "deepseek-v4-pro", "0.66", "0.022", "1.98"},
              {"x-ai", "grok-4.6", "2", "0.5", "6"},
              {"groq", "openai/gpt-oss-120b", "0.15", "0.075", "0.6"},
              {"cohere", "command-r7b", "0.0375", "0.0375", "0.15"}};
  for (const auto& one : rows) {
    const Price* price = prices->find(one.provider, one.model, kToday);
    ASSERT_NE(price, nullptr) << one.model;
    EXPECT_EQ(price->rates.input, parse_usd(one.input)->value) << one.model;
    EXPECT_EQ(price->rates.cache_read.value_or(*price->rates.input), parse_usd(one.cache_read)->value)
        << one.model;
    EXPECT_EQ(price->rates.output, parse_usd(one.output)->value) << one.model;
  }
  for (const std::string_view unknown : {"gpt-4o-2024-05-13", "gpt-7", "gpt-4o-mini-search-preview"})
    EXPECT_EQ(prices->find("openai", unknown, kToday), nullptr) << unknown;
  EXPECT_EQ(prices->find("gemini", "gemini-3.1-flash-lite-image", kToday), nullptr);
}

TEST(BuiltInPrices, KnowWhatEndsAndWhatIsFree) {
  const auto prices = PriceBook::parse(kPricesData);
  const Price* flash = prices->find("gemini", "gemini-3.8-flash", at("2027-01-02T00:00:00Z"));
  EXPECT_EQ(flash->rates.input, parse_usd("1.5")->value);
  EXPECT_EQ(prices->find("ollama", "llama3.2:latest", kToday)->rates.output, 0);
  EXPECT_EQ(prices->find("vllm", "any/model", kToday)->rates.input, 0);
  EXPECT_EQ(prices->find("openai_compatible", "any", kToday), nullptr);
}

TEST(Glob, MatchesStarsAndQuestionMarksOnly) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("gpt-*-mini*", "gpt-4o-mini-2024"));
  EXPECT_TRUE(glob_match("a?c", "abc"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("gpt-?", "gpt-55"));
  EXPECT_FALSE(glob_match("a[bc]", "ab"));
  EXPECT_FALSE(glob_match("*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace claviger::provider
