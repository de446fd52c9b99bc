// claviger rotate and claviger rotation: provider keys are replaced while they are in use.
#include <chrono>
#include <ostream>
#include <thread>

#include "app/command.hpp"
#include "app/house.hpp"
#include "app/secret_body.hpp"

namespace claviger::app {
namespace {

struct Rotating {
  std::string credential, reason;
  bool now = false, emergency = false, dry_run = false, wait = false;
};

void print_rotation(const Json& body, std::ostream& out) {
  Json facts = body;
  facts.erase("steps");
  facts.erase("instructions");
  facts.erase("left");
  print_object(out, facts);
  if (!body["left"].empty()) out << "\nTaken back, and not refused by the provider yet:\n";
  for (const Json& key : body["left"])
    out << "  version " << plain(key["version"]) << ", since " << plain(key["since"]) << ", accepted last "
        << plain(key["accepted"]) << ", probed next " << plain(key["next"]) << '\n';
  std::vector<std::vector<std::string>> rows;
  for (const Json& step : body["steps"]) rows.push_back({plain(step["at"]), plain(step["step"])});
  out << '\n';
  print_table(out, {"AT", "STEP"}, rows);
  if (!body["instructions"].empty()) out << "\nTo do:\n";
  for (const Json& line : body["instructions"]) out << "  " << plain(line) << '\n';
}

void print_rotations(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["rotations"])
    rows.push_back({plain(one["id"]), plain(one["credential_name"]), plain(one["class"]), plain(one["mode"]),
                    plain(one["state"]), plain(one["started"]), plain(one["trouble"])});
  print_table(out, {"ID", "CREDENTIAL", "CLASS", "MODE", "STATE", "STARTED", "TROUBLE"}, rows);
}

void print_forecast(const Json& body, std::ostream& out) {
  int number = 0;
  for (const Json& step : body["steps"]) out << ++number << ". " << plain(step) << '\n';
  for (const Json& problem : body["problems"]) out << "! " << plain(problem) << '\n';
}

int show_reply(Terminal& terminal, const Common& common, const Reply& reply, const Show& show) {
  if (common.json)
    terminal.out << reply.body.dump(2) << '\n';
  else
    show(reply.body, terminal.out);
  return kOk;
}

bool failed(const Json& body) { return body["state"] == "failed" || body["state"] == "undone"; }

constexpr std::chrono::milliseconds kBetweenLooks{250};
constexpr std::chrono::minutes kAbsence{2};  // a server that is started anew is back by then

// Until it is over, or a person must do something. The rotation goes on when its server is started anew, and
// so does the waiting.
Reply wait_for(Terminal& terminal, const Common& common, Door& door, Reply reply) {
  using std::chrono::steady_clock;
  const auto goes_on = [](const Json& body) {
    return !body["over"].get<bool>() && body["instructions"].empty();
  };
  auto heard = steady_clock::now();
  while (reply.exit == kOk && goes_on(reply.body)) {
    std::this_thread::sleep_for(kBetweenLooks);
    const auto question = request("GET", "/api/v1/rotations/" + segment(reply.body["id"].get<std::string>()));
    const auto answer = door.ask(question);
    const bool away = !answer || answer->status == 503;
    if (away && steady_clock::now() - heard < kAbsence) continue;
    heard = steady_clock::now();
    reply = ask_door(terminal, common, door, question);
  }
  return reply;
}

int forecast(Terminal& terminal, const Common& common, Door& door, const Rotating& asked,
             const std::string& mode) {
  auto question = request("GET", "/api/v1/credentials/" + segment(asked.credential) + "/rotate");
  add_query(question, "mode", mode);
  const Reply reply = ask_door(terminal, common, door, question);
  if (reply.exit != kOk) return reply.exit;
  show_reply(terminal, common, reply, print_forecast);
  return reply.body["possible"].get<bool>() ? kOk : kNegative;
}

int rotate(Terminal& terminal, const Common& common, const Rotating& asked) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  const std::string mode = asked.emergency ? "emergency" : asked.now ? "now" : "planned";
  if (asked.dry_run) return forecast(terminal, common, **door, asked, mode);
  if (asked.wait && !(*door)->served())
    return tell(terminal, common.output(),
                Error{Code::conflict,
                      Origin::client,
                      {},
                      "Nothing can be waited for: no server runs on this data directory. Start it, or leave "
                      "--wait out; the rotation then begins with the server.",
                      0});
  Json body{{"mode", mode}};
  if (!asked.reason.empty()) body["reason"] = asked.reason;
  Reply reply =
      ask_door(terminal, common, **door,
               request("POST", "/api/v1/credentials/" + segment(asked.credential) + "/rotate", body));
  if (asked.wait) reply = wait_for(terminal, common, **door, std::move(reply));
  if (reply.exit != kOk) return reply.exit;
  show_reply(terminal, common, reply, print_rotation);
  const bool waits = asked.wait && !reply.body["over"].get<bool>();
  return failed(reply.body) || waits ? kNegative : kOk;
}

void add_rotate(Bench& bench) {
  CLI::App* made =
      bench.command(&bench.app, "rotate", "Replaces a provider's key while it is in use",
                    "  claviger rotate --data DIR openai-dev --now --wait --json\n"
                    "  claviger rotate --data DIR openai-dev --emergency --reason 'seen in a log'\n"
                    "  claviger rotate --data DIR openai-dev --dry-run\n"
                    "With --wait: 0 when the old key is dead, 1 when the rotation failed or a "
                    "person must go on.");
  auto common = add_common(made);
  auto asked = std::make_shared<Rotating>();
  made->add_option("CREDENTIAL", asked->credential, "Name or id")->required();
  auto* now =
      made->add_flag("--now", asked->now,
                     "Revoke the old key as soon as nothing uses it, instead of keeping it for a while");
  made->add_flag("--emergency", asked->emergency,
                 "Revoke the old key first: calls may fail until it is replaced")
      ->excludes(now);
  made->add_option("--reason", asked->reason, "Why, for the record");
  made->add_flag("--dry-run", asked->dry_run, "Only say what would be done; 1 when it is not possible");
  made->add_flag("--wait", asked->wait, "Come back when it is over");
  bench.action(made,
               [&terminal = bench.terminal, common, asked] { return rotate(terminal, *common, *asked); });
}

void add_operation(Bench& bench, CLI::App* group, const std::string& name, const std::string& about,
                   std::string_view method, const std::string& suffix) {
  CLI::App* made = bench.command(group, name, about, "  claviger rotation " + name + " --data DIR rot_...");
  auto common = add_common(made);
  auto id = std::make_shared<std::string>();
  made->add_option("ID", *id, "The rotation's id")->required();
  bench.action(made, [&terminal = bench.terminal, common, id, method, suffix] {
    return ask(terminal, *common, request(method, "/api/v1/rotations/" + segment(*id) + suffix),
               print_rotation);
  });
}

void add_intake(Bench& bench, CLI::App* group) {
  CLI::App* made = bench.command(group, "intake", "Hands in the secret of a key that a person has created",
                                 "  claviger rotation intake --data DIR rot_... --secret-stdin < newkey");
  auto common = add_common(made);
  auto id = std::make_shared<std::string>();
  made->add_option("ID", *id, "The rotation's id")->required();
  auto source = add_secret_source(made);
  bench.action(made, [&terminal = bench.terminal, common, id, source] {
    return ask_with_secret(terminal, *common, *source,
                           request("POST", "/api/v1/rotations/" + segment(*id) + "/intake", Json::object()),
                           print_rotation);
  });
}

}  // namespace

void add_rotation_commands(Bench& bench) {
  add_rotate(bench);
  CLI::App* group = bench.group("rotation", "Rotations: under way and over");
  CLI::App* list = bench.command(group, "list", "Lists rotations, newest first",
                                 "  claviger rotation list --data DIR\n"
                                 "  claviger rotation list --data DIR openai-dev");
  auto common = add_common(list);
  auto credential = std::make_shared<std::string>();
  list->add_option("CREDENTIAL", *credential, "Only of this credential, by name or id");
  bench.action(list, [&terminal = bench.terminal, common, credential] {
    auto question = request("GET", "/api/v1/rotations");
    add_query(question, "credential", *credential);
    return ask(terminal, *common, question, print_rotations);
  });
  add_operation(bench, group, "show", "Shows one rotation and its steps", "GET", "");
  add_operation(bench, group, "resume", "Tries again now; a failed one begins anew", "POST", "/resume");
  add_operation(bench, group, "rollback", "Goes back to the old key, until it is being revoked", "POST",
                "/rollback");
  add_operation(bench, group, "ended", "Says that you have ended the key that a rotation left behind", "POST",
                "/ended");
  add_intake(bench, group);
}

}  // namespace claviger::app
