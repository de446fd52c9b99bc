// Routes that answer questions: what was used, and what the gate would say.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/limits.hpp"
#include "console/render.hpp"
#include "console/route.hpp"

namespace claviger::console {
namespace {

using steward::By;
using steward::UsageRow;

constexpr std::size_t kRows = 10'000;
constexpr std::size_t kRowsBeforeFilter =
    1'000'000;  // with production among them, which is left out afterwards

Result<std::vector<By>> read_by(std::string_view text) {
  std::vector<By> by;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    TRY(const By one, steward::parse_by(name));
    if (std::ranges::find(by, one) != by.end())
      return refuse(Code::invalid_input, fmt::format("by: '{}' is given twice", name));
    by.push_back(one);
  }
  return by;
}

bool is_time(By by) { return by == By::hour || by == By::day || by == By::month; }

void add(UsageRow& sum, const UsageRow& row) {
  sum.requests += row.requests;
  sum.errors += row.errors;
  sum.estimated += row.estimated;
  sum.presumed += row.presumed;
  for (const provider::UsageField& field : provider::kUsageFields)
    sum.usage.*field.member += row.usage.*field.member;
  sum.cost_nanousd = saturating_add(sum.cost_nanousd, row.cost_nanousd);
}

// Rows grouped by one more column, the environment: those of production left out, the rest summed over it.
std::vector<UsageRow> without_production(std::vector<UsageRow> rows, const std::vector<By>& by) {
  std::map<std::vector<std::string>, UsageRow> sums;
  for (UsageRow& row : rows) {
    if (identity::is_production(row.group.back())) continue;
    row.group.pop_back();
    UsageRow& sum = sums[row.group];
    add(sum, row);
    sum.group = row.group;
  }
  std::vector<UsageRow> out;
  for (auto& [group, sum] : sums) out.push_back(std::move(sum));
  // The order of usage_query: times first, then from dearest.
  const auto times = [&](const UsageRow& row) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < by.size(); ++i)
      if (is_time(by[i])) texts.push_back(row.group[i]);
    return texts;
  };
  std::ranges::sort(out, [&](const UsageRow& a, const UsageRow& b) {
    return std::tuple(times(a), -a.cost_nanousd.value, a.group) <
           std::tuple(times(b), -b.cost_nanousd.value, b.group);
  });
  return out;
}

Result<Time> time_or(const std::string& text, Time fallback) {
  if (text.empty()) return fallback;
  return parse_time(text);
}

Result<Time> read_time(Session& s, std::string_view name, Time fallback) {
  return time_or(s.query.text(name), fallback);
}

}  // namespace

Result<Answer> show_usage(Session& s) {
  TRY(const std::vector<By> by, read_by(s.query.text("by")));
  TRY(const Time from, read_time(s, "from", Time{0}));
  TRY(const Time to, read_time(s, "to", s.now + std::chrono::hours(1)));
  if (to <= from) return refuse(Code::invalid_input, "to: must be later than from");
  const steward::UsageFilter filter{
      s.query.text("key"),      s.query.text("team"),  s.query.text("project"), s.query.text("environment"),
      s.query.text("provider"), s.query.text("model"), s.query.text("endpoint")};
  TRY_VOID(s.parts.deriver.catch_up());
  const bool hidden = s.production() == identity::Production::hidden;
  std::vector<By> asked = by;
  if (hidden) asked.push_back(By::environment);
  TRY(auto rows,
      steward::usage_query(s.parts.store, asked, from, to, filter, hidden ? kRowsBeforeFilter : kRows));
  if (hidden) rows = without_production(std::move(rows), by);
  if (rows.size() > kRows) rows.resize(kRows);
  Json list = Json::array();
  for (const UsageRow& row : rows) list.push_back(render(row, by));
  return Answer{200,
                {{"by", s.query.text("by")},
                 {"from", format_time(from)},
                 {"to", format_time(to)},
                 {"rows", std::move(list)}},
                {},
                {}};
}

Result<Answer> explain_request(Session& s) {
  // Asked with GET and a query, or with POST and the same fields in a body.
  const auto asked = [&](std::string_view name) {
    return s.request.method == "POST" ? s.body.text(name) : s.query.text(name);
  };
  gate::Inquiry inquiry;
  inquiry.key_id = asked("key");
  inquiry.model = asked("model");
  inquiry.endpoint = asked("endpoint");
  inquiry.ip = asked("ip");
  inquiry.provider = asked("provider");
  TRY(inquiry.at, time_or(asked("at"), s.now));
  inquiry.tools = asked("tools");
  inquiry.tier = asked("tier");
  if (s.request.method == "POST") {
    inquiry.choices = s.body.integer("n").value_or(1);
  } else {
    TRY(inquiry.choices, s.query.number("n", 1, limits::kMaxChoices));
  }
  TRY(const identity::Key key, s.parts.keys.get(inquiry.key_id));
  if (s.production() == identity::Production::hidden && identity::is_production(key.environment))
    return refuse(Code::not_found, fmt::format("There is no key '{}'.", inquiry.key_id));
  TRY(const gate::Explanation said, s.parts.explain(inquiry));
  Json rules = Json::array();
  for (const policy::RuleVerdict& verdict : said.rules)
    rules.push_back({{"rule", verdict.rule},
                     {"verdict", verdict.allowed ? "allow" : "deny"},
                     {"allowed", verdict.allowed},
                     {"code", verdict.allowed ? Json(nullptr) : Json(code_name(verdict.code))},
                     {"why", verdict.why},
                     {"to_change", verdict.to_change}});
  const auto first = std::ranges::find_if(said.rules, [](const auto& one) { return !one.allowed; });
  return Answer{200,
                {{"allowed", said.allowed},
                 {"rule", said.rule},
                 {"why", said.why},
                 {"rules", std::move(rules)},
                 {"change", first == said.rules.end() ? std::string() : first->to_change}},
                {},
                {}};
}

}  // namespace claviger::console
