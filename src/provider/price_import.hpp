// Other people's price lists, read into rows of ours: LiteLLM's and genai-prices' (pydantic).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "provider/price.hpp"

namespace claviger::provider {

// What a list says and our schema does not take, with the reason.
struct NotTaken {
  std::string model;  // "provider/model"
  std::string why;
};

struct PriceImport {
  std::string format;  // "litellm" or "genai-prices"
  std::vector<Price> rows;
  std::vector<NotTaken> not_taken;
  std::int64_t rounded_up = 0;  // numbers finer than a nano-dollar per million: taken at the next one above
};

// Reads `json`, whichever of the two formats it is in. Rows without a date of their own are valid from
// `valid_from` on. Numbers are read from their decimal text, so that nothing is lost; a negative or
// unreadable one, a provider that is not among `providers` and a second row of one model are not taken, and
// told. Refuses invalid_json and invalid_input (neither format).
Result<PriceImport> import_prices(std::string_view json, Time valid_from, std::string_view source,
                                  const std::vector<std::string>& providers);

// The rows as a price file that parse_price_file reads back to the same prices.
std::string price_file_text(const PriceImport& import);

// A decimal number x 10^shift as a whole number, rounded up; `exact` is cleared when it had to be. nullopt:
// not a number, negative, or too large.
std::optional<std::int64_t> scaled_decimal(std::string_view decimal, int shift, bool& exact);

}  // namespace claviger::provider
