// claviger notify: channels that people are told by.
#include <chrono>
#include <ostream>
#include <thread>

#include "app/command.hpp"

namespace claviger::app {
namespace {

constexpr int kLooks = 200;  // at a message that is under way
constexpr std::chrono::milliseconds kBetweenLooks{100};

void print_channels(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["channels"])
    rows.push_back({plain(one["name"]), plain(one["kind"]), plain(one["place"]), plain(one["state"]),
                    plain(one["waiting"]), plain(one["sent"]), plain(one["dead"]), plain(one["problem"])});
  print_table(out, {"NAME", "KIND", "PLACE", "STATE", "WAITING", "SENT", "DEAD", "PROBLEM"}, rows);
}

void print_messages(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["messages"])
    rows.push_back({plain(one["id"]), plain(one["channel"]), plain(one["type"]), plain(one["subject"]),
                    plain(one["at"]), plain(one["attempts"]), plain(one["problem"])});
  print_table(out, {"ID", "CHANNEL", "EVENT", "SUBJECT", "TIME", "ATTEMPTS", "PROBLEM"}, rows);
}

// Asks for a test and waits for the first attempt's outcome.
int test_channel(Terminal& terminal, const Common& common, const std::string& name) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  Reply reply = ask_door(terminal, common, **door,
                         request("POST", "/api/v1/notify/channels/" + segment(name) + "/test"));
  for (int look = 0; look < kLooks && reply.exit == kOk && reply.body["attempts"] == 0; ++look) {
    std::this_thread::sleep_for(kBetweenLooks);
    reply = ask_door(
        terminal, common, **door,
        request("GET", "/api/v1/notify/messages/" + std::to_string(reply.body["id"].get<std::int64_t>())));
  }
  if (reply.exit != kOk) return reply.exit;
  if (common.json)
    terminal.out << reply.body.dump(2) << '\n';
  else
    print_object(terminal.out, reply.body);
  return reply.body["state"] == "sent" ? kOk : kNegative;
}

}  // namespace

void add_notify_commands(Bench& bench) {
  CLI::App* group = bench.group("notify", "Who is told of incidents and alerts");
  CLI::App* list = bench.command(group, "list", "Lists the channels of the configuration and how they fare",
                                 "  claviger notify list --data DIR --json");
  auto common = add_common(list);
  bench.action(list, [&terminal = bench.terminal, common] {
    return ask(terminal, *common, request("GET", "/api/v1/notify/channels"), print_channels);
  });
  CLI::App* test =
      bench.command(group, "test", "Sends a test message through a channel; exit code 1 when it fails",
                    "  claviger notify test --data DIR security --json");
  auto of_test = add_common(test);
  auto name = std::make_shared<std::string>();
  test->add_option("NAME", *name, "The channel")->required();
  bench.action(
      test, [&terminal = bench.terminal, of_test, name] { return test_channel(terminal, *of_test, *name); });
  CLI::App* dead = bench.command(group, "dead", "Lists messages that were given up",
                                 "  claviger notify dead --data DIR --json");
  auto of_dead = add_common(dead);
  bench.action(dead, [&terminal = bench.terminal, of_dead] {
    return ask(terminal, *of_dead, request("GET", "/api/v1/notify/messages"), print_messages);
  });
}

}  // namespace claviger::app
