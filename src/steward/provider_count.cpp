// Spans of reports, and two counts beside each other.
#include "steward/provider_count.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.hpp"
#include "wire/json.hpp"

namespace claviger::steward {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::string_view kMember = ",\"provider\":";

struct Bucket {
  std::int64_t seconds, longest;  // of a report in such buckets, as provider::call_of chooses them
};
constexpr Bucket kBuckets[] = {{60, 12 * 3'600}, {3'600, 7 * 86'400}, {86'400, INT64_MAX}};

ReportSpan widened(Time from, Time to, std::int64_t seconds) {
  const std::int64_t width = seconds * kSecond;
  return {{from.ns - from.ns % width}, {(to.ns + width - 1) / width * width}};
}

std::int64_t more(std::int64_t theirs, std::int64_t ours) { return std::max<std::int64_t>(0, theirs - ours); }

void write_use(JsonWriter& out, std::int64_t calls, std::int64_t input, std::int64_t output) {
  out.open('{').field("calls", calls).field("input_tokens", input).field("output_tokens", output).close('}');
}

std::string sentence(const ProviderCount& provider, const GateCount& gate) {
  const std::int64_t past = past_the_gate(provider, gate);
  std::string text;
  if (provider.tells_use)
    text =
        past == 0
            ? fmt::format("The provider counts {} calls with it, none of them past the gate", provider.calls)
            : fmt::format("The provider counts {} calls with it, and {} of them did not pass the gate",
                          provider.calls, past);
  if (provider.tells_cost) {
    const std::int64_t nanousd = more(provider.spent.value, gate.cost.cost.value);
    text += fmt::format("{} {} USD, {} more than the gate's calls",
                        text.empty() ? "The provider bills" : "; it bills", format_usd(provider.spent),
                        format_usd({nanousd}));
  }
  return text + ".";
}

}  // namespace

ReportSpan report_span(const provider::AdapterCall& call, Time from, Time to) {
  if (!call.path.contains("{bucket}")) return widened(from, to, 86'400);
  for (const Bucket& bucket : kBuckets) {
    const ReportSpan span = widened(from, to, bucket.seconds);
    if ((span.to.ns - span.from.ns) / kSecond <= bucket.longest) return span;
  }
  return widened(from, to, 86'400);
}

std::int64_t past_the_gate(const ProviderCount& provider, const GateCount& gate) {
  return provider.tells_use ? more(provider.calls, gate.use.calls) : 0;
}

std::string to_json(const ProviderCount& provider, const GateCount& gate, Time asked) {
  std::string text;
  JsonWriter out(text);
  out.open('{').field("asked", format_time(asked)).field("summary", sentence(provider, gate));
  if (provider.tells_use) {
    const AccountSums& ours = gate.use;
    out.key("use").open('{');
    out.field("from", format_time(provider.use.from)).field("to", format_time(provider.use.to));
    out.key("provider");
    write_use(out, provider.calls, provider.input_tokens, provider.output_tokens);
    out.key("gate");
    write_use(out, ours.calls, ours.input_tokens, ours.output_tokens);
    out.key("past_the_gate");
    write_use(out, more(provider.calls, ours.calls), more(provider.input_tokens, ours.input_tokens),
              more(provider.output_tokens, ours.output_tokens));
    out.close('}');
  }
  if (provider.tells_cost) {
    out.key("cost").open('{');
    out.field("from", format_time(provider.cost.from)).field("to", format_time(provider.cost.to));
    out.field("provider_nanousd", provider.spent.value).field("gate_nanousd", gate.cost.cost.value);
    out.field("past_the_gate_nanousd", more(provider.spent.value, gate.cost.cost.value)).close('}');
  }
  out.close('}');
  return text;
}

std::string to_json(std::string_view problem, Time asked) {
  std::string text;
  JsonWriter out(text);
  out.open('{').field("asked", format_time(asked)).field("problem", problem).close('}');
  return text;
}

std::string with_provider(std::string_view accounting, std::string_view object) {
  // The figures are written by to_json: an object without this member, or with it as the last.
  std::string_view before = accounting.substr(0, accounting.rfind(kMember));
  if (before.size() == accounting.size()) before = accounting.substr(0, accounting.rfind('}'));
  return fmt::format("{}{}{}}}", before, kMember, object);
}

std::string provider_sentence(std::string_view accounting) {
  wire::Json read;
  if (!wire::scan(accounting, read)) return {};
  return read.root()["provider"]["summary"].text().value_or(std::string());
}

}  // namespace claviger::steward
