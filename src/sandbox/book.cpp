// Bills requests in integers and writes the ledger down.
#include "sandbox/book.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/json_writer.hpp"

namespace claviger::sandbox {
namespace {

__extension__ using Wide = __int128;  // tokens x nano-USD outgrow 64 bits

bool in_peak(const provider::Price& row, Time at) {
  const std::int64_t minute = at.ns / 1'000'000'000 / 60 % (24 * 60);
  return std::any_of(row.peaks.begin(), row.peaks.end(), [minute](const provider::PeakHours& peak) {
    return minute >= peak.from_minute && minute < peak.to_minute;
  });
}

}  // namespace

std::int64_t bill(const provider::Price& row, const Spent& spent, Time at) {
  check(spent.cache_read + spent.cache_write <= spent.input, "cached tokens are part of the input");
  const provider::Rates* rates = &row.rates;
  for (const provider::ContextTier& tier : row.tiers)
    if (spent.input > tier.above && tier.rates.input) rates = &tier.rates;
  const Wide input = rates->input.value_or(0);
  Wide sum = input * (spent.input - spent.cache_read - spent.cache_write);
  sum += Wide(rates->cache_read.value_or(rates->input.value_or(0))) * spent.cache_read;
  // Where a row knows no write class of its own, writing costs what reading in does.
  sum += Wide(rates->cache_write_5m.value_or(rates->cache_write_30m.value_or(rates->input.value_or(0)))) *
         spent.cache_write;
  sum += Wide(rates->output.value_or(0)) * spent.output;
  sum += Wide(rates->image_in.value_or(rates->input.value_or(0))) * spent.image_in;
  sum += Wide(rates->audio_in.value_or(0)) * spent.audio_in;
  sum += Wide(rates->image_out.value_or(0)) * spent.image_out;
  sum += Wide(rates->audio_out.value_or(0)) * spent.audio_out;
  if (in_peak(row, at)) sum = (sum * row.peak_percent + 99) / 100;
  return static_cast<std::int64_t>((sum + 999'999) / 1'000'000) + spent.units_nanousd;
}

void Book::add(Entry entry) {
  total_ += entry.cost_nanousd;
  entries_.push_back(std::move(entry));
}

std::string Book::json() const {
  std::string out;
  JsonWriter writer(out);
  writer.open('{').field("requests", static_cast<std::int64_t>(entries_.size()));
  writer.field("total_cost_nanousd", total_).key("entries").open('[');
  for (const Entry& entry : entries_) {
    writer.open('{').field("id", entry.id).field("path", entry.path).field("model", entry.model);
    writer.field("key_sha256", entry.key_sha256).field("input_tokens", entry.spent.input);
    writer.field("output_tokens", entry.spent.output).field("cost_nanousd", entry.cost_nanousd);
    writer.field_bool("completed", entry.completed).close('}');
  }
  writer.close(']').close('}');
  return out;
}

}  // namespace claviger::sandbox
