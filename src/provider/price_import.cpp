// What both importers share: exact decimals, the format's own signs, and dropping what would overlap.
#include "provider/price_import.hpp"

#include <algorithm>
#include <set>

#include "provider/price_import_parts.hpp"

namespace claviger::provider {
namespace {

constexpr int kMostDigits = 18;  // of what fits into 64 bits for certain

// "12.5e-7" into its digits and the power of ten of the last one.
struct Decimal {
  std::string digits;
  int power = 0;
};

std::optional<int> read_exponent(std::string_view text) {
  bool minus = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    minus = text.front() == '-';
    text.remove_prefix(1);
  }
  constexpr std::size_t kLongest = 3;
  if (text.empty() || text.size() > kLongest) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return minus ? -value : value;
}

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal out;
  const std::size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    const auto exponent = read_exponent(text.substr(mark + 1));
    if (!exponent) return std::nullopt;
    out.power = *exponent;
    text = text.substr(0, mark);
  }
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      out.digits += c;
      out.power -= point ? 1 : 0;
    } else {
      return std::nullopt;
    }
  }
  if (out.digits.empty()) return std::nullopt;
  out.digits.erase(0, std::min(out.digits.find_first_not_of('0'), out.digits.size() - 1));
  return out;
}

}  // namespace

std::optional<std::int64_t> scaled_decimal(std::string_view text, int shift, bool& exact) {
  auto number = read_decimal(text);
  if (!number) return std::nullopt;
  std::string& digits = number->digits;
  if (digits == "0") return 0;
  const int power = number->power + shift;
  if (power + static_cast<int>(digits.size()) > kMostDigits) return std::nullopt;
  bool more = false;
  if (power < 0) {
    const std::size_t keep = digits.size() - std::min(digits.size(), static_cast<std::size_t>(-power));
    more = digits.find_first_not_of('0', keep) != std::string::npos;
    digits.resize(keep);
  } else {
    digits.append(static_cast<std::size_t>(power), '0');
  }
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  if (more) exact = false;
  return value + (more ? 1 : 0);
}

std::optional<std::int64_t> read_money(wire::JsonValue value, int shift, PriceImport& import) {
  if (!value.is_number() && !value.is_string()) return std::nullopt;
  bool exact = true;
  const auto number = value.is_string() ? scaled_decimal(value.text().value_or(""), shift, exact)
                                        : scaled_decimal(value.raw(), shift, exact);
  if (number && !exact) ++import.rounded_up;
  return number;
}

std::string provider_here(std::string_view name, const std::vector<std::string>& providers) {
  std::string found(name);
  if (found == "google") found = "gemini";
  if (found == "xai") found = "x-ai";
  if (found == "text-completion-openai") found = "openai";
  if (found == "cohere_chat") found = "cohere";
  for (const char from : {'_', '-'}) {
    std::string other = found;
    std::ranges::replace(other, from, from == '_' ? '-' : '_');
    if (std::ranges::find(providers, found) == providers.end() &&
        std::ranges::find(providers, other) != providers.end())
      found = other;
  }
  return std::ranges::find(providers, found) == providers.end() ? std::string() : found;
}

Result<PriceImport> import_prices(std::string_view json, Time valid_from, std::string_view source,
                                  const std::vector<std::string>& providers) {
  wire::Json scanned;
  TRY_VOID(wire::scan(json, scanned, wire::Duplicates::allow));
  PriceImport out;
  const ImportContext context{valid_from, source, providers};
  const wire::JsonValue root = scanned.root();
  if (root.is_array()) {
    out.format = "genai-prices";
    import_genai(root, context, out);
  } else if (root.is_object() && root["providers"].is_array()) {
    out.format = "genai-prices";
    import_genai(root["providers"], context, out);
  } else if (root.is_object() && root.size() > 0 && (*root.members().begin()).second.is_object()) {
    out.format = "litellm";
    import_litellm(root, context, out);
  } else {
    return refuse(Code::invalid_input,
                  "The file is neither LiteLLM's model_prices_and_context_window.json nor the data.json of "
                  "genai-prices.");
  }
  // One price a model and day: what comes second is told and left out.
  std::set<std::string> seen;
  for (Price& row : out.rows)
    std::erase_if(row.models, [&](const std::string& model) {
      const bool first =
          seen.insert(row.provider + "\n" + model + "\n" + std::to_string(row.valid_from.ns)).second;
      if (!first) out.not_taken.push_back({row.provider + "/" + model, "it is priced by an earlier row."});
      return !first;
    });
  std::erase_if(out.rows, [](const Price& row) { return row.models.empty(); });
  return out;
}

}  // namespace claviger::provider
