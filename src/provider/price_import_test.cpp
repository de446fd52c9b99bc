// Tests of reading other people's price lists: exact decimals, both formats, and what is told instead of
// taken.
#include "provider/price_import.hpp"

#include <gtest/gtest.h>

#include "provider/price_file.hpp"

namespace claviger::provider {
namespace {

const Time kDay = *parse_time("2026-11-24");
const std::vector<std::string> kNames{"openai", "anthropic", "gemini", "x-ai", "deepseek"};

Result<PriceImport> import(std::string_view json) {
  return import_prices(json, kDay, "list of 2026-11-24", kNames);
}

TEST(Decimals, AreReadExactlyOrRoundedUp) {
  struct Case {
    std::string_view text;
    int shift;
    std::int64_t value;
    bool exact;
  };
  for (const Case& one :
       {Case{"1e-05", 15, 10'000'000'000, true}, Case{"0.00000015", 15, 150'000'000, true},
        Case{"2.0000000000000002e-07", 15, 200'000'001, false}, Case{"0", 15, 0, true},
        Case{"0.0", 15, 0, true}, Case{"2.5", 9, 2'500'000'000, true}, Case{"1E+1", 9, 10'000'000'000, true},
        Case{"1e-30", 9, 1, false}, Case{"007", 0, 7, true}}) {
    bool exact = true;
    EXPECT_EQ(scaled_decimal(one.text, one.shift, exact), one.value) << one.text;
    EXPECT_EQ(exact, one.exact) << one.text;
  }
  for (const std::string_view bad : {"", "-1", "1.2.3", "abc", "1e", "1e99", "1e9999", ".", "0x1", "1e18"}) {
    bool exact = true;
    EXPECT_FALSE(scaled_decimal(bad, 9, exact)) << bad;
  }
}

TEST(Import, OfAnythingElseIsRefused) {
  EXPECT_EQ(import("nonsense").error().code, Code::invalid_json);
  for (const std::string_view other : {"{}", "7", R"({"a":1})", R"("x")"})
    EXPECT_EQ(import(other).error().code, Code::invalid_input) << other;
}

TEST(Import, ReadsLiteLlm) {
  const auto made = import(R"({"sample_spec":{"input_cost_per_token":0},
    "gpt-x":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":2.5e-06,
      "output_cost_per_token":1e-05,
      "cache_read_input_token_cost":1.25e-06,"cache_creation_input_token_cost":3e-06,
      "input_cost_per_token_priority":4.25e-06,"output_cost_per_token_priority":1.7e-05,
      "input_cost_per_token_above_272k_tokens":5e-06,"max_input_tokens":400000,
      "max_output_tokens":128000,
      "search_context_cost_per_query":{"search_context_size_low":0.03,"search_context_size_high":0.05}},
    "gemini/gemini-x":{"litellm_provider":"gemini","input_cost_per_token":0,"output_cost_per_token":0},
    "claude-x":{"litellm_provider":"anthropic","input_cost_per_token":1e-06,"output_cost_per_token":5e-06,
      "cache_creation_input_token_cost":1.25e-06,"cache_creation_input_token_cost_above_1hr":2e-06},
    "whisper-x":{"litellm_provider":"openai","mode":"audio_transcription","input_cost_per_second":0.0001},
    "tts-x":{"litellm_provider":"openai","mode":"audio_speech","input_cost_per_character":1.5e-05},
    "hd/1024-x-1024/dall-e-3":{"litellm_provider":"openai","mode":"image_generation",
      "input_cost_per_pixel":1e-08},
    "no-price":{"litellm_provider":"openai","output_cost_per_token":1e-06},
    "elsewhere":{"litellm_provider":"somebody","input_cost_per_token":1e-06}})");
  ASSERT_TRUE(made) << told(made.error());
  EXPECT_EQ(made->format, "litellm");
  ASSERT_EQ(made->rows.size(), 5u);
  EXPECT_EQ(made->not_taken.size(), 3u);
  EXPECT_EQ(made->rounded_up, 0);
  const Price& chat = made->rows[0];
  EXPECT_EQ(chat.rates.input, 2'500'000'000);
  EXPECT_EQ(chat.rates.cache_write_30m, 3'000'000'000);
  EXPECT_FALSE(chat.rates.cache_write_5m);
  EXPECT_EQ(chat.priority_percent, 170);
  ASSERT_EQ(chat.tiers.size(), 1u);
  EXPECT_EQ(chat.tiers[0].above, 272'000);
  EXPECT_EQ(chat.tiers[0].rates.input, 5'000'000'000);
  EXPECT_EQ(chat.tiers[0].rates.output, 10'000'000'000) << "what a tier leaves out stays";
  EXPECT_EQ(chat.tool_call, Nanousd{50'000'000});
  EXPECT_EQ(chat.context, 400'000);
  EXPECT_EQ(chat.max_output, 128'000);
  EXPECT_EQ(made->rows[1].models, std::vector<std::string>{"gemini-x"});
  EXPECT_EQ(made->rows[1].rates.input, 0) << "0 is a price";
  EXPECT_EQ(made->rows[2].rates.cache_write_1h, 2'000'000'000);
  EXPECT_EQ(made->rows[3].second, Nanousd{100'000});
  EXPECT_EQ(made->rows[4].characters, 15'000'000'000);
}

TEST(Import, ReadsGenaiPrices) {
  const auto made = import(R"([{"id":"google","models":[{"id":"gemini-y","match":{"or":[{"equals":"gemini-y"},
      {"starts_with":"gemini-y-"},{"regex":"x.*"}]},"context_window":1000,
      "prices":{"input_mtok":{"base":2,"tiers":[{"start":200000,"price":4}]},"output_mtok":{"base":12,
      "tiers":[{"start":200000,"price":18}]},"cache_read_mtok":0.2}}]},
    {"id":"deepseek","models":[{"id":"d","match":{"equals":"d"},"prices":[
      {"prices":{"input_mtok":1,"output_mtok":2}},
      {"constraint":{"start_time":"00:30:00Z","end_time":"16:30:00Z"},
       "prices":{"input_mtok":2,"output_mtok":4}}]}]},
    {"id":"openai","models":[{"id":"o","match":{"equals":"o"},"prices":[
      {"prices":{"input_mtok":9,"output_mtok":9}},
      {"constraint":{"start_date":"2026-10-01"},"prices":{"input_mtok":5,"output_mtok":5}},
      {"constraint":{"start_date":"2026-12-31"},"prices":{"input_mtok":7,"output_mtok":7}}]},
      {"id":"o","match":{"equals":"o"},"prices":{"input_mtok":1}}]},
    {"id":"nowhere","models":[]}])");
  ASSERT_TRUE(made) << told(made.error());
  EXPECT_EQ(made->format, "genai-prices");
  ASSERT_EQ(made->rows.size(), 4u);
  const Price& tiered = made->rows[0];
  EXPECT_EQ(tiered.provider, "gemini");
  EXPECT_EQ(tiered.models, (std::vector<std::string>{"gemini-y", "gemini-y-*"}));
  ASSERT_EQ(tiered.tiers.size(), 1u);
  EXPECT_EQ(tiered.tiers[0].rates.output, 18'000'000'000);
  EXPECT_EQ(tiered.tiers[0].rates.cache_read, 200'000'000);
  EXPECT_EQ(made->rows[1].rates.input, 2'000'000'000) << "the dearest hour counts all day";
  EXPECT_EQ(made->rows[2].rates.input, 5'000'000'000);
  EXPECT_EQ(made->rows[2].valid_from, kDay);
  EXPECT_EQ(made->rows[3].valid_from, *parse_time("2026-12-31"));
  EXPECT_EQ(made->not_taken.size(), 3u) << "a regex, a provider, and a second row of one model";
}

TEST(Import, WritesAFileThatReadsBackTheSame) {
  const auto made = import(R"({"gpt \"x\"":{"litellm_provider":"openai",
    "input_cost_per_token":2.0000000000000002e-07,"output_cost_per_token":1e-05,
    "output_cost_per_token_above_200k_tokens":2e-05,"input_cost_per_token_flex":1e-07,"max_output_tokens":7},
    "pic":{"litellm_provider":"openai","mode":"image_generation","output_cost_per_image":0.04}})");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->rounded_up, 1);
  const auto read = parse_price_file(price_file_text(*made), RowOrigin::imported, OtherTables::refuse);
  ASSERT_TRUE(read) << told(read.error()) << price_file_text(*made);
  ASSERT_EQ(read->rows.size(), 2u);
  const Price& row = read->rows[0];
  EXPECT_EQ(row.models, made->rows[0].models);
  EXPECT_EQ(row.rates, made->rows[0].rates);
  EXPECT_EQ(row.rates.input, 200'000'001);
  EXPECT_EQ(row.tiers.at(0).rates, made->rows[0].tiers.at(0).rates);
  EXPECT_EQ(row.flex_percent, 50);
  EXPECT_EQ(row.max_output, 7);
  EXPECT_EQ(row.valid_from, kDay);
  EXPECT_EQ(read->rows[1].pictures.at(0).price, Nanousd{40'000'000});
}

}  // namespace
}  // namespace claviger::provider
