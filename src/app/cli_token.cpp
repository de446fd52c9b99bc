// claviger token: admin tokens.
#include <ostream>

#include "app/command.hpp"

namespace claviger::app {
namespace {

struct Creating {
  std::string name, role, expires, rotates;
};

void print_tokens(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& token : body["tokens"])
    rows.push_back({plain(token["id"]), plain(token["name"]), plain(token["role"]), plain(token["expires"]),
                    plain(token["created"])});
  print_table(out, {"ID", "NAME", "ROLE", "EXPIRES", "CREATED"}, rows);
}

void print_issued(const Json& body, std::ostream& out) {
  out << plain(body["token"]) << "\n\nAdmin token " << plain(body["id"]) << " with role "
      << plain(body["role"]) << ". It is not shown again: keep it where secrets are kept.\n";
}

}  // namespace

void add_token_commands(Bench& bench) {
  CLI::App* group = bench.group("token", "Admin tokens for the admin API");
  CLI::App* create =
      bench.command(group, "create", "Issues an admin token; it is printed once",
                    "  claviger token create --data DIR --name grafana --role auditor --expires 90d\n"
                    "  claviger token create --data DIR --name ci --rotate openai-dev --expires 90d");
  auto common = add_common(create);
  auto asked = std::make_shared<Creating>();
  create->add_option("--name", asked->name, "For people")->required();
  auto* may = create->add_option_group("rights");
  may->add_option("--role", asked->role, "owner, operator, developer or auditor")
      ->check(CLI::IsMember({"owner", "operator", "developer", "auditor"}));
  may->add_option("--rotate", asked->rotates,
                  "Credential, by name or id, that it may rotate, and nothing else: for CI");
  may->require_option(1);
  create->add_option("--expires", asked->expires, "30d, or a time (default: never)");
  bench.action(create, [&terminal = bench.terminal, common, asked] {
    Json body{{"name", asked->name}};
    if (!asked->role.empty()) body["role"] = asked->role;
    if (!asked->rotates.empty()) body["rotates"] = asked->rotates;
    if (!asked->expires.empty()) body["expires"] = asked->expires;
    return ask(terminal, *common, request("POST", "/api/v1/tokens", body), print_issued);
  });

  CLI::App* list = bench.command(group, "list", "Lists admin tokens", "  claviger token list --data DIR");
  auto listing = add_common(list);
  bench.action(list, [&terminal = bench.terminal, listing] {
    return ask(terminal, *listing, request("GET", "/api/v1/tokens"), print_tokens);
  });

  CLI::App* revoke =
      bench.command(group, "revoke", "Revokes an admin token", "  claviger token revoke --data DIR ID");
  auto revoking = add_common(revoke);
  auto id = std::make_shared<std::string>();
  revoke->add_option("ID", *id, "The token's id")->required();
  bench.action(revoke, [&terminal = bench.terminal, revoking, id] {
    return ask(terminal, *revoking, request("DELETE", "/api/v1/tokens/" + segment(*id)),
               [id](const Json&, std::ostream& out) { out << "Revoked " << *id << ".\n"; });
  });
}

}  // namespace claviger::app
