// The importers behind import_prices, one a format, and what they share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/json_look.hpp"
#include "provider/price_import.hpp"

namespace claviger::provider {

struct ImportContext {
  Time valid_from;
  std::string_view source;
  const std::vector<std::string>& providers;  // names that may be priced here
};

// Powers of ten from a list's unit to ours.
inline constexpr int kPerToken = 15;    // USD a token -> nano-USD a million tokens
inline constexpr int kPerMillion = 9;   // USD a million -> nano-USD a million
inline constexpr int kApiece = 9;       // USD -> nano-USD
inline constexpr int kPerThousand = 6;  // USD a thousand -> nano-USD apiece

// The value as money; nullopt when it is absent or no price. Counts what had to be rounded.
std::optional<std::int64_t> read_money(wire::JsonValue value, int shift, PriceImport& import);
// Our name of a provider, empty when it is not among ours.
std::string provider_here(std::string_view name, const std::vector<std::string>& providers);

// {"model": {"litellm_provider", "input_cost_per_token", ...}, ...}
void import_litellm(wire::JsonValue root, const ImportContext& context, PriceImport& out);
// [{"id", "models": [{"id", "match", "prices"}]}]
void import_genai(wire::JsonValue providers, const ImportContext& context, PriceImport& out);

}  // namespace claviger::provider
