// Reading price rows from TOML: prices are decimal texts in USD per million tokens, never floating point.
#include "provider/price_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/encoding.hpp"
#include "base/limits.hpp"

namespace claviger::provider {
namespace {

constexpr std::int64_t kDearestRate = 1'000'000 * kNanoPerUsd;  // 1 USD a token: anything above is a slip
constexpr int kMostPercent = 1000;

struct PercentKey {
  std::string_view name;
  int Price::* member;
};
constexpr std::array<PercentKey, 5> kPercentKeys{{{"peak_percent", &Price::peak_percent},
                                                  {"batch_percent", &Price::batch_percent},
                                                  {"flex_percent", &Price::flex_percent},
                                                  {"priority_percent", &Price::priority_percent},
                                                  {"us_geo_percent", &Price::us_geo_percent}}};

struct BoundKey {
  std::string_view name;
  std::optional<std::int64_t> Price::* member;
};
constexpr std::array<BoundKey, 4> kBoundKeys{{{"max_output", &Price::max_output},
                                              {"output_bound", &Price::output_bound},
                                              {"context", &Price::context},
                                              {"image_tokens", &Price::image_tokens}}};

struct UnitKey {
  std::string_view name;
  std::optional<Nanousd> Price::* member;
};
constexpr std::array<UnitKey, 5> kUnitKeys{{{"tool_call", &Price::tool_call},
                                            {"file_search", &Price::file_search},
                                            {"code_session", &Price::code_session},
                                            {"second", &Price::second},
                                            {"request", &Price::request}}};

constexpr std::array<std::string_view, 10> kOtherKeys{"provider",   "model",         "models", "valid_from",
                                                      "source",     "tiers",         "peaks",  "pictures",
                                                      "characters", "tool_call_once"};

std::unexpected<Error> bad(std::string_view row, std::string_view what) {
  return refuse(Code::configuration, fmt::format("[[price]] {}: {}", row, what));
}

Result<std::int64_t> read_rate(const toml::node& node, std::string_view row, std::string_view key) {
  const auto text = node.value_exact<std::string>();
  if (!text)
    return bad(row, fmt::format("{} is a decimal in quotes, USD per million, such as \"2.5\".", key));
  const auto rate = parse_usd(*text);
  if (!rate || rate->value > kDearestRate) return bad(row, fmt::format("{} is not a price.", key));
  return rate->value;
}

template <class Keys>
bool listed(const Keys& keys, std::string_view name) {
  return std::ranges::any_of(keys, [&](const auto& key) { return key.name == name; });
}

Result<void> read_rates(const toml::table& table, std::string_view row, Rates& out) {
  for (const RateField& key : kRateFields)
    if (const toml::node* node = table.get(key.name)) {
      TRY(out.*key.member, read_rate(*node, row, key.name));
    }
  return {};
}

Result<void> read_tier(const toml::node& node, std::string_view row, Price& out) {
  const toml::table* table = node.as_table();
  if (!table) return bad(row, "tiers are tables such as { above = 200000, input = \"4\", output = \"18\" }.");
  for (const auto& [key, value] : *table)
    if (key.str() != "above" && !listed(kRateFields, key.str()))
      return bad(row, fmt::format("unknown key \"{}\" in tiers.", key.str()));
  ContextTier tier;
  tier.above = (*table)["above"].value_exact<std::int64_t>().value_or(-1);
  if (tier.above < 0) return bad(row, "a tier says above how many input tokens it begins.");
  TRY_VOID(read_rates(*table, row, tier.rates));
  if (!out.tiers.empty() && out.tiers.back().above >= tier.above) return bad(row, "tiers ascend.");
  out.tiers.push_back(std::move(tier));
  return {};
}

// "HH:MM"; -1 when it is not.
int read_minute(const toml::node* node) {
  const auto text = node ? node->value_exact<std::string>() : std::nullopt;
  if (!text || text->size() != 5 || (*text)[2] != ':') return -1;
  int hour = -1, minute = -1;
  const char* at = text->data();
  const bool digits = std::from_chars(at, at + 2, hour).ptr == at + 2 &&
                      std::from_chars(at + 3, at + 5, minute).ptr == at + 5;
  const bool in_range = hour >= 0 && minute >= 0 && minute < 60 && hour * 60 + minute <= 24 * 60;
  return digits && in_range ? hour * 60 + minute : -1;
}

Result<void> read_peak(const toml::node& node, std::string_view row, Price& out) {
  const toml::table* table = node.as_table();
  const int from = table ? read_minute(table->get("from")) : -1;
  const int to = table ? read_minute(table->get("to")) : -1;
  if (from < 0 || to <= from || table->size() != 2)
    return bad(row, "peaks are tables such as { from = \"01:00\", to = \"04:00\" } within one UTC day.");
  out.peaks.push_back({from, to});
  return {};
}

Result<void> read_list(const toml::table& table, std::string_view row, std::string_view key, Price& out,
                       Result<void> (*read)(const toml::node&, std::string_view, Price&)) {
  const toml::node* node = table.get(key);
  if (!node) return {};
  if (!node->is_array()) return bad(row, fmt::format("{} is a list.", key));
  for (const toml::node& element : *node->as_array()) TRY_VOID(read(element, row, out));
  return {};
}

Result<void> read_numbers(const toml::table& table, std::string_view row, Price& out) {
  for (const PercentKey& key : kPercentKeys)
    if (const toml::node* node = table.get(key.name)) {
      const auto value = node->value_exact<std::int64_t>().value_or(0);
      if (value < 1 || value > kMostPercent)
        return bad(row, fmt::format("{} is a whole number from 1 to {}.", key.name, kMostPercent));
      out.*key.member = static_cast<int>(value);
    }
  for (const BoundKey& key : kBoundKeys)
    if (const toml::node* node = table.get(key.name)) {
      const auto value = node->value_exact<std::int64_t>().value_or(0);
      if (value < 1 || value > 1'000'000'000) return bad(row, fmt::format("{} is a token count.", key.name));
      out.*key.member = value;
    }
  for (const UnitKey& key : kUnitKeys)
    if (const toml::node* node = table.get(key.name)) {
      TRY(const std::int64_t price, read_rate(*node, row, key.name));
      out.*key.member = Nanousd{price};
    }
  if (const toml::node* node = table.get("characters")) {
    TRY(out.characters, read_rate(*node, row, "characters"));
  }
  if (const toml::node* node = table.get("tool_call_once")) {
    if (!node->is_boolean()) return bad(row, "tool_call_once is true or false.");
    out.tool_call_once = node->value_or(false);
  }
  return {};
}

// { size = "1024x1024", quality = "hd", price = "0.08", tokens = 4160, usual = true }
Result<void> read_picture(const toml::node& node, std::string_view row, Price& out) {
  constexpr std::array<std::string_view, 5> kKeys{"size", "quality", "price", "tokens", "usual"};
  const toml::table* table = node.as_table();
  if (!table) return bad(row, "pictures are tables such as { size = \"1024x1024\", price = \"0.04\" }.");
  for (const auto& [key, value] : *table)
    if (std::ranges::find(kKeys, key.str()) == kKeys.end())
      return bad(row, fmt::format("unknown key \"{}\" in pictures.", key.str()));
  PicturePrice one;
  one.size = (*table)["size"].value_exact<std::string>().value_or("");
  one.quality = (*table)["quality"].value_exact<std::string>().value_or("");
  one.usual = (*table)["usual"].value_exact<bool>().value_or(false);
  if (const toml::node* price = table->get("price")) {
    TRY(const std::int64_t value, read_rate(*price, row, "price"));
    one.price = Nanousd{value};
  }
  one.tokens = (*table)["tokens"].value_exact<std::int64_t>();
  if (!one.price && one.tokens.value_or(0) < 1)
    return bad(row, "a picture has a price or a count of tokens.");
  out.pictures.push_back(std::move(one));
  return {};
}

Result<void> read_models(const toml::table& table, Price& out) {
  if (const auto one = table["model"].value_exact<std::string>()) out.models.push_back(*one);
  if (const toml::array* list = table["models"].as_array())
    for (const toml::node& node : *list) out.models.push_back(node.value_exact<std::string>().value_or(""));
  if (out.models.empty() || (table.contains("model") && table.contains("models")))
    return bad(out.provider, "say model = \"...\" or models = [\"...\"].");
  for (const std::string& model : out.models)
    if (model.empty() || model.size() > limits::kModelName)
      return bad(out.provider, "a model name is empty.");
  return {};
}

Result<void> read_origin(const toml::table& table, std::string_view row, RowOrigin origin, Price& out) {
  out.from_operator = origin != RowOrigin::builtin;
  out.imported = origin == RowOrigin::imported;
  out.source = table["source"].value_exact<std::string>().value_or("");
  const auto from = table["valid_from"].value_exact<std::string>();
  if (!out.from_operator && (out.source.empty() || !from))
    return bad(row, "source and valid_from are needed.");
  if (table.contains("valid_from") && !from) return bad(row, "valid_from is a date in quotes.");
  out.valid_from = Time{INT64_MIN};
  if (from) {
    const auto time = parse_time(*from);
    if (!time) return bad(row, "valid_from is a date such as \"2026-09-23\".");
    out.valid_from = *time;
  }
  if (out.from_operator && out.source.empty()) out.source = "operator";
  return {};
}

// Every number of the row, so that two rows of one name and date still have different versions.
std::string fingerprint(const Price& row) {
  std::string text;
  const auto rates = [&text](const Rates& r) {
    for (const RateField& key : kRateFields)
      text += (r.*key.member ? std::to_string(*(r.*key.member)) : "?") + ",";
  };
  rates(row.rates);
  for (const ContextTier& tier : row.tiers) {
    text += fmt::format(">{}:", tier.above);
    rates(tier.rates);
  }
  for (const PercentKey& key : kPercentKeys) text += fmt::format("{}%", row.*key.member);
  for (const PeakHours& peak : row.peaks) text += fmt::format("{}-{};", peak.from_minute, peak.to_minute);
  text += std::to_string(row.tool_call ? row.tool_call->value : -1);
  for (const UnitKey& key : kUnitKeys)
    if (row.*key.member && key.name != "tool_call")
      text += fmt::format("{}={}", key.name, (row.*key.member)->value);
  if (row.characters) text += fmt::format("characters={}", *row.characters);
  if (row.tool_call_once) text += "once";
  for (const PicturePrice& one : row.pictures)
    text += fmt::format("p{}/{}={},{}", one.size, one.quality, one.price ? one.price->value : -1,
                        one.tokens.value_or(-1));
  return fmt::format("{:08x}", crc32(text));
}

Result<Price> read_row(const toml::table& table, RowOrigin origin, std::string_view book) {
  Price out;
  out.provider = table["provider"].value_exact<std::string>().value_or("");
  if (out.provider.empty()) return bad("", "provider is missing.");
  TRY_VOID(read_models(table, out));
  const std::string row = out.provider + "/" + out.models.front();
  for (const auto& [key, value] : table)
    if (!listed(kRateFields, key.str()) && !listed(kPercentKeys, key.str()) &&
        !listed(kBoundKeys, key.str()) && !listed(kUnitKeys, key.str()) &&
        std::ranges::find(kOtherKeys, key.str()) == kOtherKeys.end())
      return bad(row, fmt::format("unknown key \"{}\".", key.str()));
  TRY_VOID(read_origin(table, row, origin, out));
  TRY_VOID(read_rates(table, row, out.rates));
  TRY_VOID(read_numbers(table, row, out));
  TRY_VOID(read_list(table, row, "tiers", out, read_tier));
  TRY_VOID(read_list(table, row, "peaks", out, read_peak));
  TRY_VOID(read_list(table, row, "pictures", out, read_picture));
  const bool by_unit = !out.pictures.empty() || out.second || out.characters || out.request;
  if (!out.rates.input && !by_unit)
    return bad(row, "input is missing; a model that costs nothing says input = \"0\".");
  const std::string since =
      out.valid_from.ns == INT64_MIN ? "always" : format_time(out.valid_from).substr(0, 10);
  out.version = fmt::format("{}:{}@{}#{}", book, row, since, fingerprint(out));
  return out;
}

}  // namespace

Result<PriceFile> parse_price_file(std::string_view toml_text, RowOrigin origin, OtherTables others) try {
  const toml::table file = toml::parse(toml_text);
  PriceFile out;
  if (others == OtherTables::refuse)
    for (const auto& [key, value] : file)
      if (key.str() != "price" && key.str() != "version")
        return refuse(Code::configuration, fmt::format("Unknown key \"{}\" in the price file.", key.str()));
  out.version = file["version"].value_exact<std::string>().value_or("");
  if (origin != RowOrigin::builtin) out.version = origin == RowOrigin::imported ? "imported" : "operator";
  if (out.version.empty()) return refuse(Code::configuration, "The price file has no version.");
  const toml::node* rows = file.get("price");
  if (!rows) return out;
  if (!rows->is_array_of_tables()) return refuse(Code::configuration, "price is written [[price]].");
  for (const toml::node& node : *rows->as_array()) {
    TRY(Price row, read_row(*node.as_table(), origin, out.version));
    out.rows.push_back(std::move(row));
  }
  return out;
} catch (const toml::parse_error& error) {
  return refuse(Code::configuration,
                fmt::format("Prices, line {}: {}", error.source().begin.line, error.description()));
}

}  // namespace claviger::provider
