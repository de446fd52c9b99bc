// claviger key: virtual keys.
#include <fmt/format.h>

#include <ostream>

#include "app/command.hpp"
#include "provider/dialect.hpp"

namespace claviger::app {
namespace {

struct Creating {
  std::string name, parent, team, project, environment, expires, idempotency_key, max_tier;
  std::vector<std::string> models, endpoints, cidrs, budgets, schedules, tools;
  std::optional<std::int64_t> rpm, tpm, concurrency, max_output_tokens, max_choices;
  bool canary = false;
};

void print_keys(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& key : body["keys"])
    rows.push_back({plain(key["id"]), plain(key["name"]), plain(key["team"]), plain(key["project"]),
                    plain(key["environment"]), plain(key["state"]), plain(key["expires"])});
  print_table(out, {"ID", "NAME", "TEAM", "PROJECT", "ENVIRONMENT", "STATE", "EXPIRES"}, rows);
}

void print_issued(const Json& body, std::ostream& out) {
  if (body["key"].is_null()) {
    out << "This request was made before; its key is " << plain(body["id"])
        << ". The token was shown then and is not kept: rotate the key for a new one.\n";
    return;
  }
  out << plain(body["key"]) << "\n\nKey " << plain(body["id"])
      << ". This token is not shown again: keep it where secrets are kept.\n";
}

Json body_of(const Creating& asked) {
  Json body{{"name", asked.name}};
  const auto text = [&](const char* field, const std::string& value) {
    if (!value.empty()) body[field] = value;
  };
  const auto texts = [&](const char* field, const std::vector<std::string>& values) {
    if (!values.empty()) body[field] = values;
  };
  const auto number = [&](const char* field, const std::optional<std::int64_t>& value) {
    if (value) body[field] = *value;
  };
  text("parent", asked.parent);
  text("team", asked.team);
  text("project", asked.project);
  text("environment", asked.environment);
  text("max_tier", asked.max_tier);
  texts("schedules", asked.schedules);
  texts("tools", asked.tools);
  text("expires", asked.expires);
  texts("models", asked.models);
  texts("endpoints", asked.endpoints);
  texts("cidrs", asked.cidrs);
  texts("budgets", asked.budgets);
  if (asked.canary) body["canary"] = true;
  number("rpm", asked.rpm);
  number("tpm", asked.tpm);
  number("concurrency", asked.concurrency);
  number("max_output_tokens", asked.max_output_tokens);
  number("max_choices", asked.max_choices);
  return body;
}

void add_create(Bench& bench, CLI::App* group) {
  CLI::App* create = bench.command(
      group, "create", "Issues a virtual key; its token is printed once",
      "  claviger key create --data DIR --name chatbot --project support --environment dev --budget "
      "5usd/day\n"
      "  claviger key create --data DIR --name ci --project evals --environment dev --model 'gpt-5*' \\\n"
      "      --endpoint chat --cidr 10.0.0.0/8 --expires 30d --rpm 60 --json\n"
      "  claviger key create --data DIR --parent ID --name subtask --expires 1h --budget 1usd/total");
  auto common = add_common(create);
  auto asked = std::make_shared<Creating>();
  create->add_option("--name", asked->name, "For people")->required();
  create->add_option("--team", asked->team, "Team it belongs to");
  create->add_option("--parent", asked->parent,
                     "The key it is a child of; what is left out is the parent's, and nothing may be wider");
  create->add_option("--project", asked->project, "Project it belongs to (a child: its parent's)");
  create->add_option("--environment", asked->environment,
                     "dev, staging, prod or any name (a child: its parent's)");
  create->add_option("--model", asked->models, "Glob of models it may use (repeatable; default: all)")
      ->allow_extra_args(false);
  create
      ->add_option("--endpoint", asked->endpoints, provider::endpoint_names() + " (repeatable; default: all)")
      ->allow_extra_args(false);
  create->add_option("--cidr", asked->cidrs, "Network it may be used from (repeatable; default: all)")
      ->allow_extra_args(false);
  create->add_option("--expires", asked->expires,
                     "30d, or a time such as 2026-12-31T23:59:59Z (default: never)");
  create->add_option("--budget", asked->budgets, "Blocking budget such as 5usd/day (repeatable)")
      ->allow_extra_args(false);
  create->add_option("--rpm", asked->rpm, "Requests a minute");
  create->add_option("--tpm", asked->tpm, "Tokens a minute");
  create->add_option("--concurrency", asked->concurrency, "Requests in flight");
  create->add_option("--max-output-tokens", asked->max_output_tokens, "Longest answer");
  create->add_option("--max-choices,--n", asked->max_choices, "Most answers to one request (n)");
  create
      ->add_option("--schedule", asked->schedules,
                   "Weekly hours, e.g. 'mon-fri 08:00-18:00 Europe/Berlin' (repeatable; default: always)")
      ->allow_extra_args(false);
  create
      ->add_option("--tool", asked->tools,
                   "Glob of tools it may offer, e.g. web_search or 'function:*'; none: no tool (repeatable; "
                   "default: all)")
      ->allow_extra_args(false);
  create->add_option("--max-tier", asked->max_tier, "Dearest service tier: flex, standard or priority");
  create->add_flag("--canary", asked->canary,
                   "A key that nobody has a reason to use: any use is an incident");
  create->add_option("--idempotency-key", asked->idempotency_key,
                     "A repetition with the same one makes no second key");
  bench.action(create, [&terminal = bench.terminal, common, asked] {
    console::ApiRequest made = request("POST", "/api/v1/keys", body_of(*asked));
    made.idempotency_key = asked->idempotency_key;
    return ask(terminal, *common, made, print_issued);
  });
}

struct Listing {
  std::string team, project, environment;
};

// All pages as one list.
int list_keys(Terminal& terminal, const Common& common, const Listing& filter) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  Json all{{"keys", Json::array()}};
  std::string after;
  do {
    console::ApiRequest page = request("GET", "/api/v1/keys");
    add_query(page, "team", filter.team);
    add_query(page, "project", filter.project);
    add_query(page, "environment", filter.environment);
    add_query(page, "limit", "10000");
    add_query(page, "after", after);
    const Reply reply = ask_door(terminal, common, **door, page);
    if (reply.exit != kOk) return reply.exit;
    for (const Json& key : reply.body["keys"]) all["keys"].push_back(key);
    after = reply.body["next"].is_null() ? "" : reply.body["next"].get<std::string>();
  } while (!after.empty());
  if (common.json)
    terminal.out << all.dump(2) << '\n';
  else
    print_keys(all, terminal.out);
  return kOk;
}

void add_list(Bench& bench, CLI::App* group) {
  CLI::App* list = bench.command(group, "list", "Lists keys, oldest first",
                                 "  claviger key list --data DIR --project support --json");
  auto common = add_common(list);
  auto filter = std::make_shared<Listing>();
  list->add_option("--team", filter->team, "Only this team's");
  list->add_option("--project", filter->project, "Only this project's");
  list->add_option("--environment", filter->environment, "Only this environment's");
  bench.action(
      list, [&terminal = bench.terminal, common, filter] { return list_keys(terminal, *common, *filter); });
}

// A command on one key with nothing but its id.
void add_operation(Bench& bench, CLI::App* group, const std::string& name, const std::string& about,
                   std::string_view method, const std::string& suffix) {
  CLI::App* made = bench.command(group, name, about, fmt::format("  claviger key {} --data DIR ID", name));
  auto common = add_common(made);
  auto id = std::make_shared<std::string>();
  made->add_option("ID", *id, "The key's id")->required();
  bench.action(made, [&terminal = bench.terminal, common, id, method, suffix] {
    return ask(terminal, *common, request(method, "/api/v1/keys/" + segment(*id) + suffix),
               [](const Json& body, std::ostream& out) { print_object(out, body); });
  });
}

void add_rotate(Bench& bench, CLI::App* group) {
  CLI::App* rotate = bench.command(group, "rotate", "Issues a new token for the same key",
                                   "  claviger key rotate --data DIR ID --grace 30m --json");
  auto common = add_common(rotate);
  auto id = std::make_shared<std::string>();
  auto grace = std::make_shared<std::string>();
  auto once = std::make_shared<std::string>();
  rotate->add_option("ID", *id, "The key's id")->required();
  rotate->add_option("--grace", *grace,
                     "How long the old token goes on working, e.g. 30m (default: not at all)");
  rotate->add_option(
      "--idempotency-key", *once,
      "A repetition with the same one rotates no second time, and shows the token again: for lost answers");
  bench.action(rotate, [&terminal = bench.terminal, common, id, grace, once] {
    const Json body = grace->empty() ? Json::object() : Json{{"grace", *grace}};
    console::ApiRequest made = request("POST", "/api/v1/keys/" + segment(*id) + "/rotate", body);
    made.idempotency_key = *once;
    return ask(terminal, *common, made, print_issued);
  });
}

void print_suggestion(const Json& body, std::ostream& out) {
  out << "Key " << plain(body["id"]) << " in " << plain(body["days"]) << " days: " << plain(body["requests"])
      << " requests, last used " << plain(body["last_used"]) << "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["findings"])
    rows.push_back({plain(one["field"]), plain(one["allowed"]), plain(one["used"]), plain(one["suggested"]),
                    plain(one["why"])});
  print_table(out, {"FIELD", "ALLOWED", "USED", "SUGGESTED", "WHY"}, rows);
  out << '\n' << plain(body["command"]) << '\n';
}

// The command names the data directory it was asked of, so that it can be run as it is.
int suggest(Terminal& terminal, const Common& common, const std::string& id) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  Reply reply =
      ask_door(terminal, common, **door, request("GET", "/api/v1/keys/" + segment(id) + "/suggest"));
  if (reply.exit != kOk) return reply.exit;
  reply.body["command"] = reply.body["command"].get<std::string>() + " --data '" + common.data + "'";
  if (common.json)
    terminal.out << reply.body.dump(2) << '\n';
  else
    print_suggestion(reply.body, terminal.out);
  return kOk;
}

void add_suggest(Bench& bench, CLI::App* group) {
  CLI::App* made = bench.command(group, "suggest", "Says what a key never needed, and the command for less",
                                 "  claviger key suggest --data DIR ID --json");
  auto common = add_common(made);
  auto id = std::make_shared<std::string>();
  made->add_option("ID", *id, "The key's id")->required();
  bench.action(made, [&terminal = bench.terminal, common, id] { return suggest(terminal, *common, *id); });
}

}  // namespace

void add_key_commands(Bench& bench) {
  CLI::App* group = bench.group("key", "Virtual keys");
  add_create(bench, group);
  add_list(bench, group);
  add_operation(bench, group, "show", "Shows one key", "GET", "");
  add_operation(bench, group, "freeze", "Stops a key until it is unfrozen", "POST", "/freeze");
  add_operation(bench, group, "unfreeze", "Lets a frozen key work again", "POST", "/unfreeze");
  add_operation(bench, group, "revoke", "Ends a key for good", "POST", "/revoke");
  add_rotate(bench, group);
  add_suggest(bench, group);
}

}  // namespace claviger::app
