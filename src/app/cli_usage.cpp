// claviger usage and explain.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ostream>

#include "app/command.hpp"
#include "base/money.hpp"

namespace claviger::app {
namespace {

struct Asking {
  std::string by = "key";
  std::string from, to, key, team, project, environment;
};

struct Explaining {
  std::string key, model, endpoint, ip, provider, at, tier, n;
  std::vector<std::string> tools;
};

void print_usage(const Json& body, std::ostream& out) {
  std::vector<std::string> groups;
  std::vector<std::string> head;
  const std::string by = body["by"].get<std::string>();
  for (std::size_t at = 0; at < by.size();) {
    const std::size_t comma = std::min(by.find(',', at), by.size());
    groups.push_back(by.substr(at, comma - at));
    at = comma + 1;
  }
  head = groups;
  for (const char* column : {"requests", "errors", "estimated", "input", "output", "cost usd"})
    head.push_back(column);
  std::vector<std::vector<std::string>> rows;
  for (const Json& row : body["rows"]) {
    std::vector<std::string> cells;
    for (const std::string& group : groups) cells.push_back(plain(row[group]));
    for (const char* column : {"requests", "errors", "estimated", "input_tokens", "output_tokens"})
      cells.push_back(plain(row[column]));
    cells.push_back(format_usd({row["cost_nanousd"].get<std::int64_t>()}));
    rows.push_back(std::move(cells));
  }
  print_table(out, head, rows);
}

void add_usage(Bench& bench) {
  CLI::App* usage = bench.command(&bench.app, "usage", "Sums what was used and what it cost",
                                  "  claviger usage --data DIR --by project --from 2026-11-01\n"
                                  "  claviger usage --data DIR --by day,model --json");
  auto common = add_common(usage);
  auto asked = std::make_shared<Asking>();
  usage->add_option(
      "--by", asked->by,
      "key (default), project, team, model, environment, day, hour, month, provider or endpoint; several "
      "with commas");
  usage->add_option("--from", asked->from, "First day or time (default: the beginning)");
  usage->add_option("--to", asked->to, "End, exclusive (default: now)");
  usage->add_option("--key", asked->key, "Only this key's, and that of the keys below it");
  usage->add_option("--team", asked->team, "Only this team's");
  usage->add_option("--project", asked->project, "Only this project's");
  usage->add_option("--environment", asked->environment, "Only this environment's");
  bench.action(usage, [&terminal = bench.terminal, common, asked] {
    console::ApiRequest made = request("GET", "/api/v1/usage");
    add_query(made, "by", asked->by);
    add_query(made, "from", asked->from);
    add_query(made, "to", asked->to);
    add_query(made, "key", asked->key);
    add_query(made, "team", asked->team);
    add_query(made, "project", asked->project);
    add_query(made, "environment", asked->environment);
    return ask(terminal, *common, made, print_usage);
  });
}

void print_explanation(const Json& body, std::ostream& out) {
  out << (body["allowed"].get<bool>() ? "allowed" : "denied") << " (" << plain(body["rule"])
      << "): " << plain(body["why"]) << "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const Json& rule : body["rules"])
    rows.push_back(
        {rule["allowed"].get<bool>() ? "ok" : "no", plain(rule["rule"]),
         plain(rule["why"]) + (rule["allowed"].get<bool>() ? "" : " " + plain(rule["to_change"]))});
  print_table(out, {"", "RULE", "WHY"}, rows);
}

// Its answer decides the exit code, so it does not go through ask().
int explain(Terminal& terminal, const Common& common, const Explaining& asked) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  console::ApiRequest made = request("GET", "/api/v1/explain");
  add_query(made, "key", asked.key);
  add_query(made, "model", asked.model);
  add_query(made, "endpoint", asked.endpoint);
  add_query(made, "ip", asked.ip);
  add_query(made, "provider", asked.provider);
  add_query(made, "at", asked.at);
  add_query(made, "tools", fmt::format("{}", fmt::join(asked.tools, ",")));
  add_query(made, "tier", asked.tier);
  add_query(made, "n", asked.n);
  const Reply reply = ask_door(terminal, common, **door, made);
  if (reply.exit != kOk) return reply.exit;
  if (common.json)
    terminal.out << reply.body.dump(2) << '\n';
  else
    print_explanation(reply.body, terminal.out);
  return reply.body["allowed"].get<bool>() ? kOk : kNegative;
}

}  // namespace

void add_usage_commands(Bench& bench) {
  add_usage(bench);
  CLI::App* made = bench.command(
      &bench.app, "explain", "Says what the gate would say to a request",
      "  claviger explain --data DIR --key ID --model gpt-5-mini --endpoint chat --ip 10.0.0.7");
  auto common = add_common(made);
  auto asked = std::make_shared<Explaining>();
  made->add_option("--key", asked->key, "The key's id")->required();
  made->add_option("--model", asked->model, "The model asked for")->required();
  made->add_option("--endpoint", asked->endpoint, "The endpoint, e.g. chat")->required();
  made->add_option("--ip", asked->ip, "Where the caller is (default: 127.0.0.1)");
  made->add_option("--provider", asked->provider,
                   "A provider or credential by name (default: the endpoint's own)");
  made->add_option("--at", asked->at, "When (default: now)");
  made->add_option("--tool", asked->tools,
                   "A tool the request offers, as in the key's scope: function:NAME, web_search; repeatable");
  made->add_option("--tier", asked->tier, "The service tier asked for, e.g. flex or priority");
  made->add_option("--n", asked->n, "How many answers are asked for (default: 1)");
  bench.action(made,
               [&terminal = bench.terminal, common, asked] { return explain(terminal, *common, *asked); });
}

}  // namespace claviger::app
