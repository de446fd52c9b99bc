// claviger budget: what the organisation, teams, projects and keys may spend.
#include <fmt/format.h>

#include <ostream>

#include "app/command.hpp"
#include "base/money.hpp"

namespace claviger::app {
namespace {

struct Setting {
  std::string on, limit, action, time_zone;
  std::vector<std::int64_t> alert_at;
};

std::string usd(const Json& nanousd) {
  return nanousd.is_null() ? "-" : format_usd({nanousd.get<std::int64_t>()});
}

void print_budgets(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& budget : body["budgets"])
    rows.push_back({plain(budget["id"]), plain(budget["on"]), plain(budget["limit"]), plain(budget["action"]),
                    usd(budget["settled_nanousd"]), usd(budget["held_nanousd"]), plain(budget["to"])});
  print_table(out, {"ID", "ON", "LIMIT", "ACTION", "SETTLED USD", "HELD USD", "RESETS"}, rows);
}

void add_set(Bench& bench, CLI::App* group) {
  CLI::App* set =
      bench.command(group, "set", "Sets a node's budget for a window",
                    "  claviger budget set --data DIR --on org --limit 100usd/month\n"
                    "  claviger budget set --data DIR --on team:core --limit 5usd/day --action alert "
                    "--alert-at 50,80,100");
  auto common = add_common(set);
  auto asked = std::make_shared<Setting>();
  set->add_option("--on", asked->on, "org, team:T, project:P or key:ID")->required();
  set->add_option("--limit", asked->limit,
                  "Amount and window, e.g. 5usd/day; hour, day, week, month or total")
      ->required();
  set->add_option("--action", asked->action, "block (default) or alert")
      ->check(CLI::IsMember({"block", "alert"}));
  set->add_option("--alert-at", asked->alert_at, "Percentages at which an alert is raised")->delimiter(',');
  set->add_option("--time-zone", asked->time_zone,
                  "Of the calendar window: UTC (default), +05:30, Europe/Berlin");
  bench.action(set, [&terminal = bench.terminal, common, asked] {
    Json body{{"on", asked->on}, {"limit", asked->limit}};
    if (!asked->action.empty()) body["action"] = asked->action;
    if (!asked->alert_at.empty()) body["alert_at"] = asked->alert_at;
    if (!asked->time_zone.empty()) body["time_zone"] = asked->time_zone;
    return ask(terminal, *common, request("PUT", "/api/v1/budgets", body),
               [](const Json& answer, std::ostream& out) { print_object(out, answer); });
  });
}

}  // namespace

void add_budget_commands(Bench& bench) {
  CLI::App* group = bench.group("budget", "Budgets of organisation, teams, projects and keys");
  add_set(bench, group);

  CLI::App* list = bench.command(group, "list", "Lists budgets with their present window",
                                 "  claviger budget list --data DIR --on team:core");
  auto common = add_common(list);
  auto on = std::make_shared<std::string>();
  list->add_option("--on", *on, "Only this node's");
  bench.action(list, [&terminal = bench.terminal, common, on] {
    console::ApiRequest made = request("GET", "/api/v1/budgets");
    add_query(made, "on", *on);
    return ask(terminal, *common, made, print_budgets);
  });

  CLI::App* remove =
      bench.command(group, "remove", "Removes a budget", "  claviger budget remove --data DIR team:core.day");
  auto removing = add_common(remove);
  auto id = std::make_shared<std::string>();
  remove->add_option("ID", *id, "The budget's id, as `budget list` shows it")->required();
  bench.action(remove, [&terminal = bench.terminal, removing, id] {
    return ask(terminal, *removing, request("DELETE", "/api/v1/budgets/" + segment(*id)),
               [id](const Json&, std::ostream& out) { out << "Removed " << *id << ".\n"; });
  });
}

}  // namespace claviger::app
