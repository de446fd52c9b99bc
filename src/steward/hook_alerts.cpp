// Table hook_alert, and the reading of what it holds.
#include "steward/hook_alerts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "crypto/wipe.hpp"
#include "steward/alert.hpp"
#include "wire/json.hpp"

namespace claviger::steward {

const std::string_view kHookAlertSchema = R"(
CREATE TABLE IF NOT EXISTS hook_alert (
  repository TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, place TEXT NOT NULL,
  found INTEGER NOT NULL, tries INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (repository, number)
) STRICT, WITHOUT ROWID;
)";

namespace {

constexpr std::int64_t kAtOnce = 8;              // alerts that are read in one tick
constexpr int kTries = 8;                        // then people are told
constexpr std::chrono::seconds kFirstPause{10};  // doubles with each try

// "owner/name" as GitHub names them: nothing that could lead elsewhere.
bool is_repository(std::string_view name) {
  const std::size_t slash = name.find('/');
  const auto plain = [](std::string_view part) {
    return !part.empty() && part != "." && part != ".." && part.size() <= 100 &&
           std::ranges::all_of(part, [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    c == '_' || c == '.';
           });
  };
  return slash != std::string_view::npos && plain(name.substr(0, slash)) && plain(name.substr(slash + 1));
}

OutsideCall question(const std::string& api_url, const HookAlert& alert, const std::string& token) {
  OutsideCall call;
  call.method = "GET";
  call.base = api_url;
  call.target =
      fmt::format("/repos/{}/secret-scanning/alerts/{}?hide_secret=false", alert.repository, alert.number);
  call.headers = {{"authorization", "Bearer " + token},
                  {"accept", "application/vnd.github+json"},
                  {"x-github-api-version", "2022-11-28"},
                  {"user-agent", "claviger"}};
  return call;
}

Result<void> forget(store::Tx& tx, const HookAlert& alert) {
  TRY_VOID(tx.run("DELETE FROM hook_alert WHERE repository = ?1 AND number = ?2",
                  {alert.repository, alert.number}));
  return {};
}

}  // namespace

Result<void> put_hook_alert(store::Tx& tx, const HookAlert& alert, Time now) {
  if (!is_repository(alert.repository) || alert.number <= 0)
    return refuse(Code::invalid_input, "The alert does not say of which repository it is, or its number.");
  TRY_VOID(tx.run("INSERT OR REPLACE INTO hook_alert VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                  {alert.repository, alert.number, alert.kind, alert.place, alert.found.ns,
                   std::int64_t{alert.tries}, now.ns}));
  return {};
}

void HookAlerts::tick() {
  if (outside_ == nullptr) return;
  std::vector<HookAlert> due;
  (void)store_.read([&](store::Tx& tx) -> Result<void> {
    TRY(const auto rows, tx.query("SELECT repository, number, kind, place, found, tries FROM hook_alert "
                                  "WHERE next <= ?1 ORDER BY next LIMIT ?2",
                                  {clock_.now().ns, kAtOnce}));
    due.clear();
    for (const store::Row& row : rows)
      due.push_back({row.text(0),
                     row.integer(1),
                     row.text(2),
                     row.text(3),
                     {row.integer(4)},
                     static_cast<int>(row.integer(5))});
    return {};
  });
  for (const HookAlert& alert : due) {
    if (!token_)
      (void)give_up(alert);
    else if (!busy_.contains(alert.place))
      ask(alert);
  }
}

void HookAlerts::ask(const HookAlert& alert) {
  auto token = token_();
  if (!token) return void(again(alert));
  OutsideCall call = question(api_url_, alert, *token);
  crypto::wipe(*token);
  busy_.insert(alert.place);
  outside_->send(std::move(call), [this, alert](Result<OutsideAnswer> answer) {
    busy_.erase(alert.place);
    if (!take(alert, std::move(answer))) (void)again(alert);
  });
}

Result<void> HookAlerts::take(const HookAlert& alert, Result<OutsideAnswer> answer) {
  if (!answer) return std::unexpected(std::move(answer).error());
  wire::Json read;
  std::string secret;
  if (answer->status == 200 && wire::scan(answer->body, read))
    secret = read.root()["secret"].text().value_or("");
  crypto::wipe(answer->body);
  if (secret.empty()) return fail_upstream(Code::upstream_failed, "GitHub shows no secret");
  LeakReport report;
  report.source = "github secret scanning";
  report.first_exposed = alert.found;
  report.leaks.push_back({crypto::sha256(secret), {alert.place}});
  crypto::wipe(secret);
  TRY([[maybe_unused]] const LeakAnswer taken, incidents_.report(report, {"github", "hook", {}}));
  return store_.write([&](store::Tx& tx) { return forget(tx, alert); });
}

Result<void> HookAlerts::again(HookAlert alert) {
  const Time now = clock_.now();
  const auto pause = kFirstPause * (1 << std::min(alert.tries, kTries));
  if (++alert.tries >= kTries) return give_up(alert);
  return store_.write([&](store::Tx& tx) { return put_hook_alert(tx, alert, now + pause); });
}

// People are told: nobody here can see the secret.
Result<void> HookAlerts::give_up(const HookAlert& alert) {
  DueAlert due;
  due.at = due.window_start = clock_.now();
  due.kind = "leak_unread";
  due.subject = alert.place;
  due.message = fmt::format("GitHub found a secret of the kind {} and does not show it: look at {}.",
                            alert.kind, alert.place);
  return store_.write([&](store::Tx& tx) -> Result<void> {
    TRY_VOID(forget(tx, alert));
    return note_due(tx, due);
  });
}

}  // namespace claviger::steward
