// claviger leak and claviger incident.
#include <fmt/format.h>

#include <ostream>

#include "app/command.hpp"
#include "crypto/wipe.hpp"

namespace claviger::app {
namespace {

constexpr std::chrono::minutes kAhead{5};  // of this machine's clock

void print_taken(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["incidents"])
    rows.push_back({plain(one["id"]), plain(one["subject"]), plain(one["state"])});
  print_table(out, {"INCIDENT", "SUBJECT", "STATE"}, rows);
  out << plain(body["unknown"]) << " hashes are not ours\n";
}

struct Reporting {
  std::vector<std::string> hashes, places;
  std::string source, first_exposed;
  bool from_stdin = false;
};

// One hash a line; what stands behind it in the line is where it was found.
Result<void> read_lines(int fd, Reporting& asked) {
  TRY(std::string text, read_text_fd(fd, 1024 * 1024));
  std::vector<std::string> places;
  bool any_place = false;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t space = std::min(line.find_first_of(" \t"), line.size());
    asked.hashes.emplace_back(line.substr(0, space));
    places.emplace_back(line.substr(std::min(line.find_first_not_of(" \t", space), line.size())));
    any_place |= !places.back().empty();
  }
  if (any_place) asked.places = std::move(places);
  return {};
}

int report_leaks(Terminal& terminal, const Common& common, Reporting asked) {
  if (asked.from_stdin == !asked.hashes.empty())
    return tell(terminal, common.output(), refuse(Code::invalid_input, "Give --sha256 or --stdin.").error());
  if (asked.from_stdin)
    if (const auto read = read_lines(terminal.in, asked); !read)
      return tell(terminal, common.output(), read.error());
  // By hand it is a slip of the pen. What machines report, by dates of commits, is taken as it comes.
  const auto since = parse_time(asked.first_exposed);
  if (since && *since > SystemClock().now() + kAhead)
    return tell(
        terminal, common.output(),
        refuse(Code::invalid_input,
               fmt::format("--first-exposed: {} lies in the future. Leave it out when it is not known.",
                           asked.first_exposed))
            .error());
  Json body{{"sha256", asked.hashes}};
  if (!asked.source.empty()) body["source"] = asked.source;
  if (!asked.places.empty()) body["places"] = asked.places;
  if (!asked.first_exposed.empty()) body["first_exposed"] = asked.first_exposed;
  return ask(terminal, common, request("POST", "/api/v1/leaks", body), print_taken);
}

void print_incidents(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["incidents"])
    rows.push_back({plain(one["id"]), plain(one["subject"]), plain(one["name"]), plain(one["environment"]),
                    plain(one["state"]), plain(one["containment"]), plain(one["detected"]),
                    plain(one["contain_ms"])});
  print_table(out, {"ID", "SUBJECT", "NAME", "ENVIRONMENT", "STATE", "CONTAINMENT", "DETECTED", "CONTAIN_MS"},
              rows);
}

void print_incident(const Json& body, std::ostream& out) {
  Json head = body;
  for (const char* part : {"places", "timeline", "accounting"}) head.erase(part);
  print_object(out, head);
  for (const Json& place : body["places"]) out << "place  " << plain(place["place"]) << '\n';
  out << '\n';
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["timeline"])
    rows.push_back({plain(one["at"]), plain(one["what"]), plain(one["actor"]), plain(one["detail"])});
  print_table(out, {"TIME", "WHAT", "BY", ""}, rows);
  if (body["accounting"].is_object()) out << '\n' << plain(body["accounting"]["summary"]) << '\n';
}

std::string path_of(const std::string& id, std::string_view suffix = {}) {
  return "/api/v1/incidents/" + segment(id) + std::string(suffix);
}

void add_list(Bench& bench, CLI::App* group) {
  CLI::App* list = bench.command(group, "list", "Lists incidents, newest first",
                                 "  claviger incident list --data DIR --state open --json");
  auto common = add_common(list);
  auto state = std::make_shared<std::string>();
  list->add_option("--state", *state,
                   "open, detected, contained, accounted, replaced or closed (default: all)");
  bench.action(list, [&terminal = bench.terminal, common, state] {
    console::ApiRequest asked = request("GET", "/api/v1/incidents");
    add_query(asked, "state", *state);
    return ask(terminal, *common, asked, print_incidents);
  });
}

void add_show(Bench& bench, CLI::App* group) {
  CLI::App* show = bench.command(group, "show", "Shows one incident with its timeline",
                                 "  claviger incident show --data DIR ID --json");
  auto common = add_common(show);
  auto id = std::make_shared<std::string>();
  show->add_option("ID", *id, "The incident")->required();
  bench.action(show, [&terminal = bench.terminal, common, id] {
    return ask(terminal, *common, request("GET", path_of(*id)), print_incident);
  });
}

void add_contain(Bench& bench, CLI::App* group) {
  CLI::App* made = bench.command(group, "contain", "Contains an incident now, whatever the policy says",
                                 "  claviger incident contain --data DIR ID --json");
  auto common = add_common(made);
  auto id = std::make_shared<std::string>();
  made->add_option("ID", *id, "The incident")->required();
  bench.action(made, [&terminal = bench.terminal, common, id] {
    return ask(terminal, *common, request("POST", path_of(*id, "/contain")), print_incident);
  });
}

void add_close(Bench& bench, CLI::App* group) {
  CLI::App* made = bench.command(
      group, "close", "Closes an incident with what was found out",
      "  claviger incident close --data DIR ID --resolution 'key replaced, nothing was spent' --json");
  auto common = add_common(made);
  auto id = std::make_shared<std::string>();
  auto resolution = std::make_shared<std::string>();
  auto accepted = std::make_shared<bool>(false);
  made->add_option("ID", *id, "The incident")->required();
  made->add_option("--resolution", *resolution, "What was found out")->required();
  made->add_flag("--accepted", *accepted,
                 "The leak is harmless: later reports of this secret change nothing");
  bench.action(made, [&terminal = bench.terminal, common, id, resolution, accepted] {
    const Json body{{"resolution", *resolution}, {"accepted", *accepted}};
    return ask(terminal, *common, request("POST", path_of(*id, "/close"), body), print_incident);
  });
}

struct Declaring {
  std::string subject, reason, first_exposed;
};

void add_open(Bench& bench, CLI::App* group) {
  CLI::App* made =
      bench.command(group, "open", "Opens an incident for a key or credential that is known to have leaked",
                    "  claviger incident open --data DIR credential:openai-prod --reason 'seen on a slide'");
  auto common = add_common(made);
  auto asked = std::make_shared<Declaring>();
  made->add_option("SUBJECT", asked->subject, "key:ID or credential:NAME")->required();
  made->add_option("--reason", asked->reason, "How it is known")->required();
  made->add_option("--first-exposed", asked->first_exposed, "Since when, RFC 3339 (default: now)");
  bench.action(made, [&terminal = bench.terminal, common, asked] {
    Json body{{"subject", asked->subject}, {"reason", asked->reason}};
    if (!asked->first_exposed.empty()) body["first_exposed"] = asked->first_exposed;
    return ask(terminal, *common, request("POST", "/api/v1/incidents", body), print_incident);
  });
}

// The report's own text; --json is the JSON form.
int print_report(Terminal& terminal, const Common& common, const std::string& id, const std::string& format) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  console::ApiRequest asked = request("GET", path_of(id, "/report"));
  add_query(asked, "format", common.json ? "json" : format);
  if (common.json || format == "json") return ask(terminal, common, asked, print_incident);
  auto answer = (*door)->ask(asked);
  if (!answer) return tell(terminal, common.output(), answer.error());
  if (answer->status >= 300) return tell(terminal, common.output(), error_of(*answer));
  terminal.out << answer->body;
  return kOk;
}

void add_report(Bench& bench, CLI::App* group) {
  CLI::App* made = bench.command(group, "report", "Writes an incident's report",
                                 "  claviger incident report --data DIR ID --format html > incident.html");
  auto common = add_common(made);
  auto id = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>("markdown");
  made->add_option("ID", *id, "The incident")->required();
  made->add_option("--format", *format, "markdown (default), html, csv or json");
  bench.action(made, [&terminal = bench.terminal, common, id, format] {
    return print_report(terminal, *common, *id, *format);
  });
}

}  // namespace

void add_incident_commands(Bench& bench) {
  CLI::App* leak = bench.group("leak", "Secrets that were found outside");
  CLI::App* report = bench.command(
      leak, "report", "Reports hashes of secrets that were found; those that are ours are contained at once",
      "  printf %s \"$FOUND\" | sha256sum | cut -d' ' -f1 | claviger leak report --data DIR --stdin --source "
      "ci\n"
      "  claviger leak report --data DIR --sha256 HEX --source 'pastebin' --place URL --json");
  auto common = add_common(report);
  auto asked = std::make_shared<Reporting>();
  report->add_option("--sha256", asked->hashes, "SHA-256 of a secret, in hex (repeatable)");
  report->add_flag("--stdin", asked->from_stdin,
                   "Read hashes from stdin, one a line, each with its place if known");
  report->add_option("--source", asked->source, "Who found them");
  report->add_option("--place", asked->places, "Where (repeatable)")->allow_extra_args(false);
  report->add_option("--first-exposed", asked->first_exposed, "Since when, RFC 3339 (default: now)");
  bench.action(report, [&terminal = bench.terminal, common, asked] {
    return report_leaks(terminal, *common, *asked);
  });
  CLI::App* incident = bench.group("incident", "Leaks of our own secrets, and what is done about them");
  add_list(bench, incident);
  add_show(bench, incident);
  add_open(bench, incident);
  add_contain(bench, incident);
  add_close(bench, incident);
  add_report(bench, incident);
  add_drill_command(bench, incident);
}

}  // namespace claviger::app
