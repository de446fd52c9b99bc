// Price rows written as a price file.
#include <fmt/format.h>

#include "base/money.hpp"
#include "provider/price_import.hpp"

namespace claviger::provider {
namespace {

std::string decimal(std::int64_t nano) {
  std::string text = format_usd({nano});
  while (text.ends_with('0') && text.find('.') != std::string::npos) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += c;
  }
  return out + "\"";
}

void append_rates(const Rates& rates, std::string_view before, std::string_view after, std::string& out) {
  for (const RateField& field : kRateFields)
    if (const auto& rate = rates.*field.member)
      out += fmt::format("{}{} = \"{}\"{}", before, field.name, decimal(*rate), after);
}

void append_number(std::string_view name, std::optional<std::int64_t> value, std::string& out) {
  if (value) out += fmt::format("{} = {}\n", name, *value);
}

void append_money(std::string_view name, const std::optional<Nanousd>& value, std::string& out) {
  if (value) out += fmt::format("{} = \"{}\"\n", name, decimal(value->value));
}

void append_row(const Price& row, std::string& out) {
  out += fmt::format("\n[[price]]\nprovider = {}\nmodels = [", quoted(row.provider));
  for (std::size_t i = 0; i < row.models.size(); ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", quoted(row.models[i]));
  out +=
      fmt::format("]\nvalid_from = \"{}\"\nsource = {}\n", format_time(row.valid_from), quoted(row.source));
  append_rates(row.rates, "", "\n", out);
  for (const ContextTier& tier : row.tiers) {
    out += fmt::format("{}{{ above = {}", &tier == row.tiers.data() ? "tiers = [" : ", ", tier.above);
    append_rates(tier.rates, ", ", "", out);
    out += " }";
  }
  if (!row.tiers.empty()) out += "]\n";
  for (const PicturePrice& one : row.pictures)
    if (one.price) out += fmt::format("pictures = [{{ price = \"{}\" }}]\n", decimal(one.price->value));
  if (row.characters) out += fmt::format("characters = \"{}\"\n", decimal(*row.characters));
  append_money("second", row.second, out);
  append_money("tool_call", row.tool_call, out);
  append_money("file_search", row.file_search, out);
  append_money("code_session", row.code_session, out);
  if (row.priority_percent > 0) append_number("priority_percent", row.priority_percent, out);
  if (row.flex_percent != 100) append_number("flex_percent", row.flex_percent, out);
  if (row.batch_percent != 100) append_number("batch_percent", row.batch_percent, out);
  append_number("context", row.context, out);
  append_number("max_output", row.max_output, out);
}

}  // namespace

std::string price_file_text(const PriceImport& import) {
  std::string out = fmt::format(
      "# Prices imported from a list in the format of {}. Rows are in force from valid_from on, over the "
      "built-in ones\n# and under those of claviger.toml.\n",
      import.format);
  for (const Price& row : import.rows) append_row(row, out);
  return out;
}

}  // namespace claviger::provider
