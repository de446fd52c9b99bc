// --match and --report: asks the inventory which secrets are ours. Hashes are sent, never a secret.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <span>

#include "app/command.hpp"
#include "app/http_call.hpp"
#include "app/scan_command.hpp"
#include "base/limits.hpp"
#include "crypto/wipe.hpp"

namespace claviger::app {
namespace {

constexpr std::size_t kTokenBytes = 4096;
constexpr std::size_t kAnswerBytes = 16 * 1024 * 1024;

// The admin token: in a file, or on a descriptor; never on the command line.
Result<std::string> admin_token() {
  std::string path;
  if (const char* file = std::getenv("CLAVIGER_ADMIN_TOKEN_FILE")) path = file;
  if (const char* fd = std::getenv("CLAVIGER_ADMIN_TOKEN_FD"); path.empty() && fd != nullptr)
    path = fmt::format("/proc/self/fd/{}", fd);
  if (path.empty())
    return refuse(
        Code::invalid_input,
        "An admin API needs a token: name its file in CLAVIGER_ADMIN_TOKEN_FILE, or its descriptor in "
        "CLAVIGER_ADMIN_TOKEN_FD.");
  TRY(std::string token, read_whole(path, kTokenBytes));
  while (token.ends_with('\n') || token.ends_with('\r') || token.ends_with(' ')) token.pop_back();
  return token;
}

// The admin API behind a URL.
class UrlDoor final : public Door {
 public:
  UrlDoor(std::string base, std::string token) : base_(std::move(base)), token_(std::move(token)) {}
  UrlDoor(const UrlDoor&) = delete;
  UrlDoor& operator=(const UrlDoor&) = delete;
  ~UrlDoor() override { crypto::wipe(token_); }

  Result<console::ApiResponse> ask(const console::ApiRequest& request) override {
    HttpCall asked{
        request.method, base_, request.path, {{"authorization", "Bearer " + token_}}, request.body};
    auto reply = call(asked, kAnswerBytes);
    crypto::wipe(asked.headers.front().second);
    if (!reply) return std::unexpected(reply.error());
    console::ApiResponse response;
    response.status = reply->status;
    response.body = std::move(reply->body);
    return response;
  }

 private:
  std::string base_, token_;
};

Result<std::unique_ptr<Door>> inventory_door(const std::string& where) {
  if (!where.starts_with("http://") && !where.starts_with("https://")) return open_door({where, "", {}});
  TRY(std::string token, admin_token());
  std::string base = where;
  while (base.ends_with('/')) base.pop_back();
  return std::make_unique<UrlDoor>(std::move(base), std::move(token));
}

Result<Json> answer_of(Door& door, const console::ApiRequest& request) {
  TRY(const console::ApiResponse response, door.ask(request));
  Json body = Json::parse(response.body, nullptr, false);
  if (response.status == 404 && request.path == "/api/v1/leaks")
    return refuse(Code::not_found, "The server does not take reports of leaks: it is of another version.");
  if (response.status >= 300) {
    const std::string said = body.is_object() ? body.value("detail", "") : "";
    return fail(Code::upstream_failed, fmt::format("status {}", response.status),
                fmt::format("The inventory answered with status {}. {}", response.status, said));
  }
  if (!body.is_object())
    return fail_upstream(Code::upstream_malformed, "no JSON", "The inventory's answer is not JSON.");
  return body;
}

scan::Known known_of(const Json& match) {
  scan::Known known;
  known.kind = match.value("kind", "");
  known.id = match.value("id", "");
  known.name = match.value("name", "");
  known.owner = match.value("owner", "");
  known.state = match.value("state", "");
  known.environment = match.value("environment", "");
  known.version = match.value("version", std::int64_t{0});
  return known;
}

}  // namespace

Result<void> match_findings(const std::string& where, std::vector<scan::Finding>& findings) {
  std::map<std::string, std::optional<scan::Known>> hashes;
  for (const scan::Finding& finding : findings) hashes.emplace(hex(finding.sha256), std::nullopt);
  TRY(const auto door, inventory_door(where));  // also with nothing to ask: a wrong address is told at once
  auto at = hashes.begin();
  while (at != hashes.end()) {
    Json batch = Json::array();
    for (; at != hashes.end() && batch.size() < limits::kMatchBatch; ++at) batch.push_back(at->first);
    TRY(const Json answer, answer_of(*door, request("POST", "/api/v1/inventory/match", {{"sha256", batch}})));
    const Json matches = answer.value("matches", Json::array());
    for (const Json& match : matches) {
      const auto mine = hashes.find(match.value("sha256", ""));
      // Of several the newest use counts: a credential before a key, a later version before an earlier one.
      if (mine != hashes.end() && !mine->second) mine->second = known_of(match);
    }
  }
  for (scan::Finding& finding : findings) finding.known = hashes[hex(finding.sha256)];
  return {};
}

namespace {

// Where it stands, without a word of what stands there.
std::string place_of(const scan::Finding& finding) {
  std::string place = fmt::format("{}:{}", finding.file, finding.line);
  if (!finding.commit.empty()) place += fmt::format(" in commit {}", finding.commit);
  return place;
}

Result<void> report_batch(Door& door, std::span<const scan::Finding* const> batch, const std::string& since) {
  Json hashes = Json::array(), places = Json::array();
  for (const scan::Finding* finding : batch) {
    hashes.push_back(hex(finding->sha256));
    places.push_back(place_of(*finding));
  }
  Json report{{"sha256", std::move(hashes)}, {"source", "claviger scan"}, {"places", std::move(places)}};
  if (!since.empty()) report["first_exposed"] = since;
  TRY([[maybe_unused]] const Json answer, answer_of(door, request("POST", "/api/v1/leaks", report)));
  return {};
}

}  // namespace

Result<void> report_findings(const std::string& where, const std::vector<scan::Finding>& findings) {
  if (findings.empty()) return {};
  TRY(const auto door, inventory_door(where));
  std::map<std::string, std::vector<const scan::Finding*>> by_date;  // of its commit: exposed since then
  for (const scan::Finding& one : findings) by_date[one.date].push_back(&one);
  for (const auto& [date, group] : by_date) {
    const std::span all(group);
    for (std::size_t first = 0; first < all.size(); first += limits::kMatchBatch)
      TRY_VOID(
          report_batch(*door, all.subspan(first, std::min(limits::kMatchBatch, all.size() - first)), date));
  }
  return {};
}

}  // namespace claviger::app
