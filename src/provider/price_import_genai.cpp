// The list of genai-prices: providers with models, matchers, dated prices in USD a million tokens, and tiers.
#include <algorithm>
#include <array>

#include "provider/price_import_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

struct MillionField {
  std::string_view name;
  std::optional<std::int64_t> Rates::* rate;
};
constexpr std::array<MillionField, 9> kMillions{{{"input_mtok", &Rates::input},
                                                 {"cache_read_mtok", &Rates::cache_read},
                                                 {"cache_write_mtok", &Rates::cache_write_5m},
                                                 {"output_mtok", &Rates::output},
                                                 {"input_audio_mtok", &Rates::audio_in},
                                                 {"cache_audio_read_mtok", &Rates::cache_read_audio},
                                                 {"output_audio_mtok", &Rates::audio_out},
                                                 {"input_image_mtok", &Rates::image_in},
                                                 {"output_image_mtok", &Rates::image_out}}};

// The names and globs a matcher stands for; `left_out` is set when part of it cannot be said so.
void read_match(JsonValue match, std::vector<std::string>& models, bool& left_out) {
  const auto add = [&models](std::string name) {
    if (std::ranges::find(models, name) == models.end()) models.push_back(std::move(name));
  };
  for (const auto& [kind, value] : match.members()) {
    const std::string text = value.text().value_or("");
    const bool plain = !text.empty() && text.find_first_of("*?") == std::string::npos;
    if (kind == "or" && value.is_array()) {
      for (const JsonValue one : value.elements()) read_match(one, models, left_out);
    } else if (kind == "equals" && plain) {
      add(text);
    } else if (kind == "starts_with" && plain) {
      add(text + "*");
    } else if (kind == "ends_with" && plain) {
      add("*" + text);
    } else if (kind == "contains" && plain) {
      add("*" + text + "*");
    } else {
      left_out = true;
    }
  }
}

// One set of prices: a number, or {"base", "tiers": [{"start", "price"}]}.
void read_prices(JsonValue prices, Price& row, PriceImport& out) {
  for (const MillionField& field : kMillions) {
    const JsonValue value = prices[field.name];
    row.rates.*field.rate = read_money(value.is_object() ? value["base"] : value, kPerMillion, out);
  }
  for (const MillionField& field : kMillions) {
    const JsonValue tiers = prices[field.name]["tiers"];
    if (!tiers.is_array()) continue;
    for (const JsonValue tier : tiers.elements()) {
      const auto above = tier["start"].integer();
      const auto rate = read_money(tier["price"], kPerMillion, out);
      if (!above || *above < 0 || !rate) continue;
      auto found = std::ranges::find(row.tiers, *above, &ContextTier::above);
      if (found == row.tiers.end()) found = row.tiers.insert(row.tiers.end(), {*above, row.rates});
      found->rates.*field.rate = rate;
    }
  }
  std::ranges::sort(row.tiers, {}, &ContextTier::above);
}

// Where the time of day decides, the dearest counts all day: a budget must hold at any hour.
void raise(Price& row, const Price& other) {
  for (const MillionField& field : kMillions) {
    const auto& theirs = other.rates.*field.rate;
    if (theirs) row.rates.*field.rate = std::max((row.rates.*field.rate).value_or(0), *theirs);
  }
}

void finish_row(Price row, const ImportContext& context, std::string_view label, PriceImport& out) {
  if (row.provider != "anthropic") std::swap(row.rates.cache_write_5m, row.rates.cache_write_30m);
  if (row.provider != "anthropic")
    for (ContextTier& tier : row.tiers) std::swap(tier.rates.cache_write_5m, tier.rates.cache_write_30m);
  if (!row.rates.input) {
    out.not_taken.push_back({std::string(label), "it has no price of its input."});
    return;
  }
  row.source = context.source;
  out.rows.push_back(std::move(row));
}

// "2026-09-23" as a time; nullopt when there is none.
std::optional<Time> date_of(JsonValue value) {
  const auto text = value.text();
  if (!text) return std::nullopt;
  const auto time = parse_time(*text);
  return time ? std::optional(*time) : std::nullopt;
}

// A list of prices in which the last one that fits counts: those of today, and those of days to come.
void read_dated(JsonValue list, const Price& base, const ImportContext& context, std::string_view label,
                PriceImport& out) {
  std::vector<Price> rows;
  for (const JsonValue one : list.elements()) {
    Price row = base;
    read_prices(one["prices"], row, out);
    const JsonValue constraint = one["constraint"];
    const auto from = date_of(constraint["start_date"]);
    const bool by_hour = given(constraint) && !from;
    if (by_hour && !rows.empty()) {
      raise(rows.back(), row);
      continue;
    }
    const bool in_force = !from || *from <= context.valid_from;
    row.valid_from = in_force ? context.valid_from : *from;
    if (in_force) rows.clear();
    rows.push_back(std::move(row));
  }
  for (Price& row : rows) finish_row(std::move(row), context, label, out);
}

void import_model(std::string_view provider, JsonValue model, const ImportContext& context,
                  PriceImport& out) {
  const std::string id = model["id"].text().value_or("");
  const std::string label = std::string(provider) + "/" + id;
  Price row;
  row.provider = provider;
  row.valid_from = context.valid_from;
  bool left_out = false;
  if (!id.empty()) row.models.push_back(id);
  read_match(model["match"], row.models, left_out);
  if (left_out)
    out.not_taken.push_back({label, "a part of its matcher is no name or glob; the rest is taken."});
  if (row.models.empty()) return;
  const auto context_window = model["context_window"].integer();
  if (context_window && *context_window > 0 && *context_window <= 1'000'000'000) row.context = context_window;
  const JsonValue prices = model["prices"];
  if (given(prices["requests_kcount"]))
    out.not_taken.push_back({label, "its price a request is not taken; the rest is."});
  if (prices.is_array()) return read_dated(prices, row, context, label, out);
  read_prices(prices, row, out);
  finish_row(std::move(row), context, label, out);
}

}  // namespace

void import_genai(JsonValue providers, const ImportContext& context, PriceImport& out) {
  for (const JsonValue one : providers.elements()) {
    const std::string theirs = one["id"].text().value_or("");
    const std::string ours = provider_here(theirs, context.providers);
    const JsonValue models = one["models"];
    if (ours.empty()) {
      out.not_taken.push_back({theirs, "the provider is not known here."});
      continue;
    }
    if (!models.is_array()) continue;
    for (const JsonValue model : models.elements()) import_model(ours, model, context, out);
  }
}

}  // namespace claviger::provider
