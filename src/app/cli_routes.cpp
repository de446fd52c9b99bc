// claviger routes: the tables the gate itself goes by, without a server and without a data directory.
#include <array>
#include <ostream>

#include "app/command.hpp"
#include "console/route.hpp"
#include "provider/route.hpp"

namespace claviger::app {
namespace {

// A row that is shut for every method is told once for each that a client may send.
constexpr std::array<std::string_view, 5> kMethods{"GET", "POST", "PUT", "PATCH", "DELETE"};

Json described(const provider::Route& route, std::string_view method) {
  return {{"method", method},
          {"path", route.pattern},
          {"dialect", provider::dialect_name(route.dialect)},
          {"endpoint", provider::endpoint_name(route.endpoint)},
          {"meter", route.served ? provider::meter_name(route.meter) : "none"},
          {"served", route.served},
          {"why", route.served ? provider::meter_sentence(route.meter) : route.why_refused},
          {"id", route.id}};
}

// What the gate answers itself: the keys of a key.
Json described(const console::Route& route) {
  return {{"method", route.method}, {"path", route.pattern}, {"dialect", "claviger"},
          {"endpoint", "keys"},     {"meter", "free"},       {"served", true},
          {"why", route.about},     {"id", route.operation}};
}

void print_json(std::ostream& out) {
  Json rows = Json::array();
  for (const console::Route& route : console::key_routes()) rows.push_back(described(route));
  for (const provider::Route& route : provider::routes()) {
    if (route.method != "*") {
      rows.push_back(described(route, route.method));
      continue;
    }
    for (const std::string_view method : kMethods) rows.push_back(described(route, method));
  }
  out << Json{{"routes", std::move(rows)}}.dump(2) << '\n';
}

void print_text(std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const console::Route& route : console::key_routes())
    rows.push_back({"served", std::string(route.method), std::string(route.pattern), "claviger", "keys",
                    "free", std::string(route.about)});
  for (const provider::Route& route : provider::routes())
    rows.push_back({route.served ? "served" : "refused",
                    route.method == "*" ? "any" : std::string(route.method), std::string(route.pattern),
                    std::string(provider::dialect_name(route.dialect)),
                    std::string(provider::endpoint_name(route.endpoint)),
                    route.served ? std::string(provider::meter_name(route.meter)) : "-",
                    std::string(route.served ? provider::meter_sentence(route.meter) : route.why_refused)});
  print_table(out, {"", "method", "path", "dialect", "endpoint", "meter", "why"}, rows);
  out << "** stands for any rest of a path. Every path that is not listed is refused as unknown.\n";
}

}  // namespace

void add_route_commands(Bench& bench) {
  CLI::App* routes = bench.command(&bench.app, "routes", "Lists every route of the gate, served or refused",
                                   "  claviger routes\n  claviger routes --json");
  auto json = std::make_shared<bool>(false);
  routes->add_flag("--json", *json, "Print JSON");
  bench.action(routes, [&terminal = bench.terminal, json] {
    *json ? print_json(terminal.out) : print_text(terminal.out);
    return kOk;
  });
}

}  // namespace claviger::app
