// claviger incident drill: plants a key, reports it as leaked, and measures how the house answers.
#include <fmt/format.h>

#include <chrono>
#include <ostream>
#include <thread>

#include "app/command.hpp"
#include "app/http_call.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"

namespace claviger::app {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kAnswerBytes = 1024 * 1024;
constexpr std::chrono::milliseconds kBetweenLooks{20};
constexpr std::chrono::seconds kPatience{120};

struct Asked {
  std::string credential, gate, model = "gpt-4o-mini";
};

struct Measured {
  std::string name;
  std::int64_t ms = 0, goal_ms = 0;
};

std::int64_t since_ms(steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - start).count();
}

// One drill: what it has made is taken away when it ends, however it ends.
class Drill {
 public:
  Drill(Door& door, const Asked& asked) : door_(door), asked_(asked) {}
  ~Drill() { clean_up(); }
  Drill(const Drill&) = delete;
  Drill& operator=(const Drill&) = delete;

  Result<void> play();
  Json summary() const;
  bool held() const;

 private:
  Result<Json> say(std::string_view method, const std::string& path, const Json& body = nullptr);
  Result<void> plant();
  Result<std::string> call_gate();
  Result<void> lock();
  Result<void> wait_for_figures();
  Result<void> write_report();
  Result<void> withdraw();
  void clean_up();

  Door& door_;
  const Asked& asked_;
  std::string gate_, environment_ = "drill", token_, key_, incident_, credential_, other_incident_;
  steady_clock::time_point contained_;
  std::vector<Measured> measured_;
};

Result<Json> Drill::say(std::string_view method, const std::string& path, const Json& body) {
  const console::ApiRequest made = body.is_null() ? request(method, path) : request(method, path, body);
  TRY(const console::ApiResponse response, door_.ask(made));
  if (response.status >= 300) return std::unexpected(error_of(response));
  Json read = Json::parse(response.body, nullptr, false);
  if (read.is_discarded())
    return fail_upstream(Code::upstream_malformed, "no JSON", "The server's answer is not JSON.");
  return read;
}

// A key of an environment that has no credential, unless a spare one was named: then its calls are real.
Result<void> Drill::plant() {
  TRY(const Json status, say("GET", "/api/v1/status"));
  gate_ = asked_.gate;
  if (gate_.empty() && status.contains("gate") && status["gate"].is_string()) gate_ = status["gate"];
  if (gate_.empty())
    return refuse(Code::invalid_input,
                  "A drill needs a running server: start claviger serve, or give --gate URL.");
  if (!asked_.credential.empty()) {
    TRY(const Json credential, say("GET", "/api/v1/credentials/" + segment(asked_.credential)));
    environment_ = credential["environment"];
    credential_ = credential["id"];
  }
  TRY(Json key, say("POST", "/api/v1/keys",
                    {{"name", "drill"},
                     {"project", "drill"},
                     {"environment", environment_},
                     {"expires", "1h"},
                     {"budgets", Json::array({"0.01usd/total"})}}));
  key_ = key["id"];
  token_ = key["key"];
  crypto::wipe(key["key"].get_ref<std::string&>());
  return {};
}

// What the gate says to a call with the planted key: the refusal's code, or the status.
Result<std::string> Drill::call_gate() {
  HttpCall call_;
  call_.method = "POST";
  call_.base = gate_;
  call_.path = "/v1/chat/completions";
  call_.headers = {{"authorization", "Bearer " + token_}};
  call_.body = Json{{"model", asked_.model},
                    {"max_tokens", 1},
                    {"messages", Json::array({{{"role", "user"}, {"content", "drill"}}})}}
                   .dump();
  auto reply = call(call_, kAnswerBytes);
  crypto::wipe(call_.headers.front().second);
  if (!reply) return std::unexpected(std::move(reply).error());
  const Json body = Json::parse(reply->body, nullptr, false);
  if (reply->status >= 400 && body.is_object() && body.contains("error") && body["error"].is_object() &&
      body["error"].contains("code") && body["error"]["code"].is_string())
    return body["error"]["code"].get<std::string>();
  return fmt::format("status {}", reply->status);
}

Result<void> Drill::lock() {
  TRY(const std::string before, call_gate());
  if (before == "frozen_key" || before == "unknown_key")
    return fail(Code::conflict, before,
                "The gate does not know the planted key: is it the gate of this data directory?");
  const auto start = steady_clock::now();
  TRY(const Json answer, say("POST", "/api/v1/leaks",
                             {{"sha256", Json::array({hex(crypto::sha256(token_))})},
                              {"source", "drill"},
                              {"places", Json::array({"a drill: nothing has leaked"})},
                              {"drill", true}}));
  contained_ = steady_clock::now();
  measured_.push_back({"report to containment", since_ms(start), 250});
  if (answer["incidents"].empty()) return fail(Code::internal, "the report was answered without an incident");
  incident_ = answer["incidents"][0]["id"];
  for (;;) {
    TRY(const std::string after, call_gate());
    if (after == "frozen_key") break;
    if (steady_clock::now() - start > kPatience)
      return fail(Code::internal, after, "The planted key was not locked.");
  }
  measured_.push_back({"report to refused call", since_ms(start), 1'000});
  return {};
}

Result<void> Drill::wait_for_figures() {
  for (;;) {
    TRY(const Json shown, say("GET", "/api/v1/incidents/" + segment(incident_)));
    if (shown["accounting"].is_object()) break;
    if (steady_clock::now() - contained_ > kPatience)
      return fail(Code::internal, "no figures", "The figures did not come.");
    std::this_thread::sleep_for(kBetweenLooks);
  }
  measured_.push_back({"containment to figures", since_ms(contained_), 30'000});
  return {};
}

Result<void> Drill::write_report() {
  for (const char* format : {"markdown", "html", "json", "csv"}) {
    console::ApiRequest made = request("GET", "/api/v1/incidents/" + segment(incident_) + "/report");
    add_query(made, "format", format);
    TRY(const console::ApiResponse response, door_.ask(made));
    if (response.status >= 300) return std::unexpected(error_of(response));
    if (response.body.find(incident_) == std::string::npos && std::string_view(format) != "csv")
      return fail(Code::internal, format, "A report does not name its incident.");
  }
  measured_.push_back({"containment to report", since_ms(contained_), 60'000});
  return {};
}

// The spare credential: withdrawn from the gate, and given back when the drill is over.
Result<void> Drill::withdraw() {
  if (credential_.empty()) return {};
  const auto start = steady_clock::now();
  TRY(const Json opened,
      say("POST", "/api/v1/incidents",
          {{"subject", "credential:" + credential_}, {"reason", "drill"}, {"drill", true}}));
  if (opened["drill"] != true)
    return fail(Code::conflict, "a real incident",
                fmt::format("The credential has the incident {}, which is no drill.", plain(opened["id"])));
  other_incident_ = opened["id"];
  TRY(const Json shown, say("POST", "/api/v1/incidents/" + segment(other_incident_) + "/contain"));
  if (shown["opens"] != false) return fail(Code::internal, "still open", "The credential was not withdrawn.");
  measured_.push_back({"credential withdrawn", since_ms(start), 1'000});
  return {};
}

Result<void> Drill::play() {
  TRY_VOID(plant());
  TRY_VOID(lock());
  TRY_VOID(wait_for_figures());
  TRY_VOID(write_report());
  return withdraw();
}

// Each is tried; what fails is left for the operator to see.
void Drill::clean_up() {
  crypto::wipe(token_);
  const Json over{{"resolution", "a drill"}, {"accepted", true}};
  if (!key_.empty()) (void)say("POST", "/api/v1/keys/" + segment(key_) + "/revoke");
  if (!incident_.empty()) (void)say("POST", "/api/v1/incidents/" + segment(incident_) + "/close", over);
  if (other_incident_.empty()) return;
  // Not as accepted: a leak of it in earnest must open an incident.
  (void)say("POST", "/api/v1/incidents/" + segment(other_incident_) + "/close", {{"resolution", "a drill"}});
  (void)say("POST", "/api/v1/credentials/" + segment(credential_) + "/enable");
}

bool Drill::held() const {
  for (const Measured& one : measured_)
    if (one.ms > one.goal_ms) return false;
  return true;
}

Json Drill::summary() const {
  Json steps = Json::array();
  for (const Measured& one : measured_)
    steps.push_back({{"name", one.name},
                     {"measured_ms", one.ms},
                     {"goal_ms", one.goal_ms},
                     {"held", one.ms <= one.goal_ms}});
  return {{"incident", incident_}, {"steps", std::move(steps)}, {"passed", held()}};
}

void print_summary(const Json& body, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& one : body["steps"])
    rows.push_back({plain(one["name"]), plain(one["measured_ms"]), plain(one["goal_ms"]),
                    one["held"] == true ? "held" : "MISSED"});
  print_table(out, {"STEP", "MEASURED_MS", "GOAL_MS", ""}, rows);
  out << "incident " << plain(body["incident"]) << ", closed as a drill\n";
}

int drill(Terminal& terminal, const Common& common, const Asked& asked) {
  auto door = open_door({common.data, common.config, common.unlock});
  if (!door) return tell(terminal, common.output(), door.error());
  Json body;
  bool held = false;
  {
    Drill one(**door, asked);
    if (const auto played = one.play(); !played) return tell(terminal, common.output(), played.error());
    body = one.summary();
    held = one.held();
  }
  if (common.json)
    terminal.out << body.dump(2) << '\n';
  else
    print_summary(body, terminal.out);
  return held ? kOk : kNegative;
}

}  // namespace

void add_drill_command(Bench& bench, CLI::App* incident) {
  CLI::App* made = bench.command(
      incident, "drill", "Plants a key, reports it as leaked and measures; exit code 1 when a goal is missed",
      "  claviger incident drill --data DIR --json\n"
      "  claviger incident drill --data DIR --credential openai-spare   # with real calls, and its "
      "withdrawal");
  auto common = add_common(made);
  auto asked = std::make_shared<Asked>();
  made->add_option("--credential", asked->credential, "A spare credential: it is withdrawn for a moment");
  made->add_option("--gate", asked->gate, "Where the gate is reached (default: as the server says)");
  made->add_option("--model", asked->model, "Model of the call that is made with --credential")
      ->capture_default_str();
  bench.action(made,
               [&terminal = bench.terminal, common, asked] { return drill(terminal, *common, *asked); });
}

}  // namespace claviger::app
