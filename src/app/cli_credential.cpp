// claviger credential: providers' secrets, which come in on stdin or a descriptor.
#include <fmt/format.h>

#include <optional>
#include <ostream>

#include "app/command.hpp"
#include "app/secret_body.hpp"

namespace claviger::app {
namespace {

struct Adding {
  std::string name, provider, environment, base_url, owner, spend_alert, kind;
  std::vector<std::string> origins;
  std::int64_t rotate_days = 0;
};

struct Setting {
  std::optional<std::int64_t> priority, weight;
  std::vector<std::string> parameters;

  void add_to(Json& body) const {
    if (priority) body["priority"] = *priority;
    if (weight) body["weight"] = *weight;
    if (!parameters.empty()) body["parameters"] = parameters;
  }
};

std::shared_ptr<Setting> add_setting(CLI::App* command) {
  auto setting = std::make_shared<Setting>();
  command->add_option("--priority", setting->priority,
                      "Its place among credentials for one provider: the lower goes first (default 0)");
  command->add_option("--weight", setting->weight,
                      "Share of the traffic among those of one priority (default 0: by age, behind them)");
  command
      ->add_option("--parameter", setting->parameters,
                   "NAME=VALUE the provider needs: region=R, deployment.NAME=MODEL (repeatable)")
      ->allow_extra_args(false);
  return setting;
}

void print_credentials(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["credentials"]) {
    std::string current = "-";
    for (const Json& version : one["versions"])
      if (version["state"] == "current") current = plain(version["number"]);
    rows.push_back({plain(one["name"]), plain(one["id"]), plain(one["provider"]), plain(one["environment"]),
                    one["damaged"].get<bool>() ? "damaged" : plain(one["state"]), current,
                    plain(one["base_url"])});
  }
  print_table(out, {"NAME", "ID", "PROVIDER", "ENVIRONMENT", "STATE", "VERSION", "BASE URL"}, rows);
}

void print_credential(const Json& body, std::ostream& out) {
  Json facts = body;
  facts.erase("versions");
  print_object(out, facts);
  std::vector<std::vector<std::string>> rows;
  for (const Json& version : body["versions"])
    rows.push_back({plain(version["number"]), plain(version["state"]), plain(version["created"])});
  out << '\n';
  print_table(out, {"VERSION", "STATE", "CREATED"}, rows);
}

void add_add(Bench& bench, CLI::App* group) {
  CLI::App* add =
      bench.command(group, "add", "Puts a provider's secret into the vault",
                    "  claviger credential add --data DIR --name openai-dev --provider openai --environment "
                    "dev --secret-stdin < key\n"
                    "  claviger credential add --data DIR --name local --provider vllm --environment dev \\\n"
                    "      --base-url http://127.0.0.1:8000 --secret-fd 3 3< key");
  auto common = add_common(add);
  auto asked = std::make_shared<Adding>();
  add->add_option("--name", asked->name, "Unique name")->required();
  add->add_option("--provider", asked->provider, "openai, anthropic, gemini, ... or one of the configuration")
      ->required();
  add->add_option("--environment", asked->environment, "Only keys of this environment reach it")->required();
  add->add_option("--base-url", asked->base_url, "Where the provider is (default: its own)");
  add->add_option("--origin", asked->origins, "Further origin the secret may go to (repeatable)")
      ->allow_extra_args(false);
  add->add_option("--owner", asked->owner, "Who answers for it");
  add->add_option("--rotate-days", asked->rotate_days, "Age in days at which it is rotated");
  add->add_option("--spend-alert", asked->spend_alert, "Amount in USD a month that raises an alert");
  add->add_option("--kind", asked->kind, "inference (default) or admin");
  auto setting = add_setting(add);
  auto source = add_secret_source(add);
  bench.action(add, [&terminal = bench.terminal, common, asked, setting, source] {
    Json body{{"name", asked->name}, {"provider", asked->provider}, {"environment", asked->environment}};
    if (!asked->base_url.empty()) body["base_url"] = asked->base_url;
    if (!asked->origins.empty()) body["origins"] = asked->origins;
    if (!asked->owner.empty()) body["owner"] = asked->owner;
    if (asked->rotate_days != 0) body["rotate_days"] = asked->rotate_days;
    if (!asked->spend_alert.empty()) body["spend_alert"] = asked->spend_alert;
    if (!asked->kind.empty()) body["kind"] = asked->kind;
    setting->add_to(body);
    return ask_with_secret(terminal, *common, *source, request("POST", "/api/v1/credentials", body),
                           print_credential);
  });
}

void add_update(Bench& bench, CLI::App* group) {
  CLI::App* update =
      bench.command(group, "update", "Adds a new version of the secret",
                    "  claviger credential update --data DIR openai-dev --secret-stdin < newkey");
  auto common = add_common(update);
  auto name = std::make_shared<std::string>();
  auto later = std::make_shared<bool>(false);
  update->add_option("CREDENTIAL", *name, "Name or id")->required();
  update->add_flag("--later", *later, "Keep it pending instead of using it at once");
  auto source = add_secret_source(update);
  bench.action(update, [&terminal = bench.terminal, common, name, later, source] {
    const Json body{{"publish", *later ? "later" : "now"}};
    return ask_with_secret(terminal, *common, *source,
                           request("POST", "/api/v1/credentials/" + segment(*name) + "/versions", body),
                           print_credential);
  });
}

void add_set(Bench& bench, CLI::App* group) {
  CLI::App* set =
      bench.command(group, "set", "Changes its priority, weight or parameters",
                    "  claviger credential set --data DIR openai-2 --priority 1\n"
                    "  claviger credential set --data DIR azure --parameter deployment.mine=gpt-5");
  auto common = add_common(set);
  auto name = std::make_shared<std::string>();
  set->add_option("CREDENTIAL", *name, "Name or id")->required();
  auto setting = add_setting(set);
  bench.action(set, [&terminal = bench.terminal, common, name, setting] {
    Json body = Json::object();
    setting->add_to(body);
    return ask(terminal, *common, request("PATCH", "/api/v1/credentials/" + segment(*name), body),
               print_credential);
  });
}

void add_link(Bench& bench, CLI::App* group) {
  CLI::App* link =
      bench.command(group, "link", "Says which admin credential may rotate it, and where its keys are",
                    "  claviger credential link --data DIR openai-dev --admin-credential openai-admin \\\n"
                    "      --param project_id=proj_1 --param service_account_id=svc_acct_1\n"
                    "  claviger credential link --data DIR openai-dev --none");
  auto common = add_common(link);
  auto name = std::make_shared<std::string>();
  auto admin = std::make_shared<std::string>();
  auto parameters = std::make_shared<std::vector<std::string>>();
  auto none = std::make_shared<bool>(false);
  link->add_option("CREDENTIAL", *name, "Name or id")->required();
  auto* by = link->add_option("--admin-credential", *admin, "Name or id of a credential of kind admin");
  link->add_option("--param", *parameters,
                   "KEY=VALUE the provider needs, e.g. project_id=proj_1; key_id=ID names the key in use "
                   "(repeatable)")
      ->allow_extra_args(false);
  link->add_flag("--none", *none, "Take the link away")->excludes(by);
  bench.action(link, [&terminal = bench.terminal, common, name, admin, parameters, none] {
    if (admin->empty() && !*none)
      return tell(
          terminal, common->output(),
          Error{Code::invalid_input, Origin::client, {}, "Say --admin-credential NAME, or --none.", 0});
    Json body{{"admin_credential", *admin}};
    if (!parameters->empty()) body["parameters"] = *parameters;
    return ask(terminal, *common, request("PUT", "/api/v1/credentials/" + segment(*name) + "/link", body),
               [](const Json& shown, std::ostream& out) { print_object(out, shown); });
  });
}

// A command on one credential with nothing but its name.
void add_operation(Bench& bench, CLI::App* group, const std::string& name, const std::string& about,
                   std::string_view method, const std::string& suffix) {
  CLI::App* made =
      bench.command(group, name, about, fmt::format("  claviger credential {} --data DIR openai-dev", name));
  auto common = add_common(made);
  auto subject = std::make_shared<std::string>();
  made->add_option("CREDENTIAL", *subject, "Name or id")->required();
  bench.action(made, [&terminal = bench.terminal, common, subject, method, suffix] {
    return ask(terminal, *common, request(method, "/api/v1/credentials/" + segment(*subject) + suffix),
               print_credential);
  });
}

}  // namespace

void add_credential_commands(Bench& bench) {
  CLI::App* group = bench.group("credential", "Providers' secrets in the vault");
  add_add(bench, group);
  CLI::App* list = bench.command(group, "list", "Lists credentials", "  claviger credential list --data DIR");
  auto common = add_common(list);
  bench.action(list, [&terminal = bench.terminal, common] {
    return ask(terminal, *common, request("GET", "/api/v1/credentials"), print_credentials);
  });
  add_operation(bench, group, "show", "Shows one credential and its versions", "GET", "");
  add_update(bench, group);
  add_set(bench, group);
  add_link(bench, group);
  add_operation(bench, group, "rollback", "Makes the previous version current again", "POST", "/rollback");
  add_operation(bench, group, "disable", "Stops its use", "POST", "/disable");
  add_operation(bench, group, "enable", "Allows its use again", "POST", "/enable");
  add_operation(bench, group, "destroy", "Destroys the secret beyond recovery", "DELETE", "");
}

}  // namespace claviger::app
