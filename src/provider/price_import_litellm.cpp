// LiteLLM's list: one flat object, USD a token as JSON numbers, no dates.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "provider/price_import_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

struct TokenField {
  std::string_view name;
  std::optional<std::int64_t> Rates::* rate;
};
constexpr std::array<TokenField, 10> kTokens{
    {{"input_cost_per_token", &Rates::input},
     {"output_cost_per_token", &Rates::output},
     {"cache_read_input_token_cost", &Rates::cache_read},
     {"cache_read_input_audio_token_cost", &Rates::cache_read_audio},
     {"cache_creation_input_token_cost", &Rates::cache_write_5m},
     {"cache_creation_input_token_cost_above_1hr", &Rates::cache_write_1h},
     {"input_cost_per_audio_token", &Rates::audio_in},
     {"output_cost_per_audio_token", &Rates::audio_out},
     {"input_cost_per_image_token", &Rates::image_in},
     {"output_cost_per_image_token", &Rates::image_out}}};

struct PercentField {
  std::string_view suffix;
  int Price::* percent;
};
constexpr std::array<PercentField, 3> kTiers{{{"_priority", &Price::priority_percent},
                                              {"_flex", &Price::flex_percent},
                                              {"_batches", &Price::batch_percent}}};

// A multiplier in percent, rounded up, the larger of input's and output's.
void read_percents(JsonValue model, Price& row, PriceImport& out) {
  for (const PercentField& tier : kTiers) {
    int top = 0;
    for (const auto& [name, rate] : {kTokens[0], kTokens[1]}) {
      const auto dear = read_money(model[std::string(name) + std::string(tier.suffix)], kPerToken, out);
      const std::int64_t base = (row.rates.*rate).value_or(0);
      if (dear && base > 0 && *dear < base * 10)
        top = std::max(top, static_cast<int>((*dear * 100 + base - 1) / base));
    }
    if (top > 0) row.*tier.percent = top;
  }
}

// "input_cost_per_token_above_200k_tokens": a tier of the context.
void read_context_tiers(JsonValue model, Price& row, PriceImport& out) {
  constexpr std::string_view kAbove = "_above_", kTail = "k_tokens";
  std::map<std::int64_t, Rates> tiers;
  for (const auto& [key, value] : model.members()) {
    const std::size_t at = key.find(kAbove);
    if (at == std::string::npos || !key.ends_with(kTail)) continue;
    std::int64_t thousands = 0;
    const char* digits = key.data() + at + kAbove.size();
    if (std::from_chars(digits, key.data() + key.size() - kTail.size(), thousands).ec != std::errc{})
      continue;
    for (const TokenField& field : kTokens) {
      if (std::string_view(key).substr(0, at) != field.name) continue;
      const auto rate = read_money(value, kPerToken, out);
      if (!rate) continue;
      Rates& rates = tiers.try_emplace(thousands * 1000, row.rates).first->second;
      rates.*field.rate = rate;
    }
  }
  for (const auto& [above, rates] : tiers) row.tiers.push_back({above, rates});
}

std::optional<Nanousd> money(const std::optional<std::int64_t>& value) {
  return value ? std::optional(Nanousd{*value}) : std::nullopt;
}

void read_units(JsonValue model, std::string_view mode, Price& row, PriceImport& out) {
  if (mode == "audio_transcription")
    row.second = money(read_money(model["input_cost_per_second"], kApiece, out));
  if (mode == "audio_speech") row.characters = read_money(model["input_cost_per_character"], kPerToken, out);
  if (mode == "image_generation" && !row.rates.image_out) {
    auto picture = read_money(model["output_cost_per_image"], kApiece, out);
    if (!picture) picture = read_money(model["input_cost_per_image"], kApiece, out);
    if (picture) row.pictures.push_back({{}, {}, Nanousd{*picture}, {}, false});
  }
  std::optional<std::int64_t> search;
  for (const auto& [size, value] : model["search_context_cost_per_query"].members())
    if (const auto one = read_money(value, kApiece, out)) search = std::max(search.value_or(0), *one);
  row.tool_call = money(search);
  row.file_search = money(read_money(model["file_search_cost_per_1k_calls"], kPerThousand, out));
  row.code_session = money(read_money(model["code_interpreter_cost_per_session"], kApiece, out));
}

void read_bounds(JsonValue model, Price& row) {
  const auto bound = [&](std::string_view name) {
    const auto value = model[name].integer();
    return value && *value > 0 && *value <= 1'000'000'000 ? value : std::nullopt;
  };
  row.context = bound("max_input_tokens");
  row.max_output = bound("max_output_tokens");
  if (!row.max_output) row.max_output = bound("max_tokens");
}

// "gemini/gemini-2.5-pro" is our "gemini-2.5-pro".
std::string plain_name(std::string_view key, std::string_view litellm_provider) {
  std::string prefix(litellm_provider);
  prefix += '/';
  if (key.starts_with(prefix)) key.remove_prefix(prefix.size());
  return std::string(key);
}

void import_one(std::string_view key, JsonValue model, const ImportContext& context, PriceImport& out) {
  const std::string theirs = model["litellm_provider"].text().value_or("");
  const std::string label = theirs + "/" + std::string(key);
  Price row;
  row.provider = provider_here(theirs, context.providers);
  if (row.provider.empty()) {
    out.not_taken.push_back({label, "its provider is not known here."});
    return;
  }
  const std::string name = plain_name(key, theirs);
  if (name.find("-x-") != std::string::npos && name.find('/') != std::string::npos) {
    out.not_taken.push_back({label, "it prices one size of picture: give pictures in a [[price]] row."});
    return;
  }
  row.models.push_back(name);
  for (const TokenField& field : kTokens)
    row.rates.*field.rate = read_money(model[field.name], kPerToken, out);
  if (row.provider != "anthropic") std::swap(row.rates.cache_write_5m, row.rates.cache_write_30m);
  const std::string mode = model["mode"].text().value_or("");
  read_units(model, mode, row, out);
  const bool by_unit = !row.pictures.empty() || row.second || row.characters;
  if (!row.rates.input && !by_unit) {
    out.not_taken.push_back({label, "it has no price of its input that our schema knows."});
    return;
  }
  // A list that says both a unit and tokens of 0 means the unit.
  if (by_unit && row.rates.input == std::optional<std::int64_t>(0) && !row.rates.output) row.rates = {};
  read_percents(model, row, out);
  read_context_tiers(model, row, out);
  read_bounds(model, row);
  row.valid_from = context.valid_from;
  row.source = context.source;
  out.rows.push_back(std::move(row));
}

}  // namespace

void import_litellm(JsonValue root, const ImportContext& context, PriceImport& out) {
  for (const auto& [key, model] : root.members())
    if (key != "sample_spec" && model.is_object()) import_one(key, model, context, out);
}

}  // namespace claviger::provider
