// Expositions: both formats, escapes, and a bound on series.
#include "console/metrics.hpp"

#include <set>
#include <sstream>

#include "console/rig_test.hpp"

namespace claviger::console {
namespace {

TEST(Metrics, labels_are_escaped) {
  Exposition out(Exposition::Format::openmetrics);
  out.gauge("g", "", "Help.");
  out.sample({{"l", "a\"b\\c\nd"}}, 1);
  EXPECT_EQ(out.take(), "# TYPE g gauge\n# HELP g Help.\ng{l=\"a\\\"b\\\\c\\nd\"} 1\n# EOF\n");
}

TEST(Metrics, counters_are_named_as_each_format_wants) {
  Exposition open(Exposition::Format::openmetrics);
  open.counter("cost_usd", "usd", "Cost.");
  open.sample_nano({}, 1'500'000'000);
  EXPECT_EQ(open.take(),
            "# TYPE cost_usd counter\n# UNIT cost_usd usd\n# HELP cost_usd Cost.\ncost_usd_total "
            "1.500000000\n# EOF\n");
  Exposition old(Exposition::Format::text);
  old.counter("cost_usd", "usd", "Cost.");
  old.sample({}, 2);
  EXPECT_EQ(old.take(), "# TYPE cost_usd_total counter\n# HELP cost_usd_total Cost.\ncost_usd_total 2\n");
}

TEST(Metrics, series_beyond_the_bound_are_summed_into_one) {
  Exposition out(Exposition::Format::text);
  out.counter("c", "", "Help.");
  for (std::size_t i = 0; i < kSeriesPerFamily + 10; ++i) out.sample({{"id", std::to_string(i)}}, 1);
  out.gauge("next", "", "Help.");
  out.sample({}, 1);
  const std::string text = out.take();
  EXPECT_NE(text.find("c_total{id=\"overflow\"} 10\n"), std::string::npos);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), 2 + kSeriesPerFamily + 1 + 3);
}

TEST(Metrics, the_format_follows_the_accept_header) {
  EXPECT_EQ(exposition_format("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"),
            Exposition::Format::openmetrics);
  EXPECT_EQ(exposition_format("text/plain"), Exposition::Format::text);
  EXPECT_EQ(exposition_format(""), Exposition::Format::text);
}

class MetricsRouteTest : public ApiTest {
 protected:
  ApiResponse scrape(std::string accept) {
    ApiRequest request;
    request.method = "GET";
    request.path = "/metrics";
    request.accept = std::move(accept);
    return api->handle(request, actor(identity::Role::auditor));
  }
};

TEST_F(MetricsRouteTest, an_exposition_is_well_formed_in_both_formats) {
  ASSERT_EQ(call("PUT", "/api/v1/budgets", {{"on", "org"}, {"limit", "5usd/day"}}).status, 200);
  const ApiResponse open = scrape("application/openmetrics-text");
  EXPECT_EQ(open.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
  const ApiResponse old = scrape("*/*");
  EXPECT_EQ(old.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(old.body.find("# EOF"), std::string::npos);
  EXPECT_NE(old.body.find("claviger_budget_limit_usd{budget=\"org.day\"} 5.000000000\n"), std::string::npos);
  // A family stands once, and every sample belongs to the family before it.
  std::set<std::string> families;
  std::string family;
  std::istringstream lines(open.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.rfind(' ') - 7);
      EXPECT_TRUE(families.insert(family).second) << family;
    } else if (!line.starts_with('#')) {
      EXPECT_TRUE(line.starts_with(family)) << line;
    }
  }
  EXPECT_GT(families.size(), 15U);
}

}  // namespace
}  // namespace claviger::console
