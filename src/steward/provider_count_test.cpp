// The provider's count beside the gate's.
#include "steward/provider_count.hpp"

#include <gtest/gtest.h>

#include "wire/json.hpp"

namespace claviger::steward {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
Time at(std::string_view text) { return parse_time(text).value(); }

const provider::AdapterCall& usage_of(std::string_view provider, provider::Operation operation) {
  return *provider::find_adapter(provider)->find(operation);
}

TEST(ProviderCount, a_report_is_of_whole_buckets_and_as_fine_as_its_length_allows) {
  const auto& use = usage_of("openai", provider::Operation::usage);
  const ReportSpan minutes = report_span(use, at("2026-11-01T10:00:30Z"), at("2026-11-01T11:00:01Z"));
  EXPECT_EQ(format_time(minutes.from), format_time(at("2026-11-01T10:00:00Z")));
  EXPECT_EQ(format_time(minutes.to), format_time(at("2026-11-01T11:01:00Z")));
  // Twelve hours are asked for in minutes; widened beyond them, in hours.
  const ReportSpan hours = report_span(use, at("2026-11-01T10:00:30Z"), at("2026-11-01T22:00:30Z"));
  EXPECT_EQ(format_time(hours.from), format_time(at("2026-11-01T10:00:00Z")));
  EXPECT_EQ(format_time(hours.to), format_time(at("2026-11-01T23:00:00Z")));
  const ReportSpan days = report_span(usage_of("openai", provider::Operation::cost),
                                      at("2026-11-01T10:00:30Z"), at("2026-11-01T10:00:31Z"));
  EXPECT_EQ((days.to.ns - days.from.ns) / kSecond, 86'400);
}

ProviderCount ten_calls() {
  ProviderCount count;
  count.tells_use = count.tells_cost = true;
  count.calls = 10, count.input_tokens = 1'000, count.output_tokens = 100, count.spent = {5'000'000};
  return count;
}

TEST(ProviderCount, what_the_gate_does_not_know_went_past_it) {
  GateCount gate;
  gate.use.calls = 7, gate.use.input_tokens = 600, gate.cost.cost = {3'000'000};
  EXPECT_EQ(past_the_gate(ten_calls(), gate), 3);
  wire::Json read;
  const std::string text = to_json(ten_calls(), gate, at("2026-11-01T10:00:00Z"));
  ASSERT_TRUE(wire::scan(text, read));
  const wire::JsonValue past = read.root()["use"]["past_the_gate"];
  EXPECT_EQ(past["calls"].integer(), 3);
  EXPECT_EQ(past["input_tokens"].integer(), 400);
  EXPECT_EQ(past["output_tokens"].integer(), 100);
  EXPECT_EQ(read.root()["cost"]["past_the_gate_nanousd"].integer(), 2'000'000);
  EXPECT_NE(read.root()["summary"].text()->find("3 of them did not pass the gate"), std::string::npos);
}

TEST(ProviderCount, a_report_that_is_late_is_no_negative_use) {
  GateCount gate;
  gate.use.calls = 12, gate.cost.cost = {6'000'000};
  EXPECT_EQ(past_the_gate(ten_calls(), gate), 0);
  EXPECT_NE(to_json(ten_calls(), gate, {}).find("none of them past the gate"), std::string::npos);
}

TEST(ProviderCount, it_stands_in_the_figures_once) {
  const std::string first = with_provider(R"({"summary":"x","lines":3})", R"({"problem":"wait"})");
  EXPECT_EQ(first, R"({"summary":"x","lines":3,"provider":{"problem":"wait"}})");
  EXPECT_EQ(provider_sentence(first), "");
  const std::string second = with_provider(first, R"({"summary":"ten"})");
  EXPECT_EQ(second, R"({"summary":"x","lines":3,"provider":{"summary":"ten"}})");
  EXPECT_EQ(provider_sentence(second), "ten");
}

}  // namespace
}  // namespace claviger::steward
