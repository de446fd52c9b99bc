// The double of Anthropic's administration: keys are listed and changed, never made; usage and cost.
#include <algorithm>
#include <map>

#include "sandbox/admin.hpp"

namespace claviger::sandbox {
namespace {

Plan anthropic_error(int status, std::string_view type, const std::string& message) {
  return admin_json(
      status,
      {{"type", "error"}, {"error", {{"type", type}, {"message", message}}}, {"request_id", "req_sandbox"}});
}

std::string status_of(const AdminKey& key, Time now) {
  if (key.extra.value("archived", false)) return "archived";
  if (key.expires <= now) return "expired";
  return key.disabled ? "inactive" : "active";
}

Json key_json(const AdminKey& key, Time now) {
  const Json workspace = key.owner.empty() ? Json(nullptr) : Json(key.owner);
  return {{"type", "api_key"},
          {"id", key.id},
          {"name", key.name},
          {"partial_key_hint", hint_of(key.secret, 16, 4)},
          {"status", status_of(key, now)},
          {"created_at", seconds_time(key.created)},
          {"expires_at", key.expires == kNever ? Json(nullptr) : Json(seconds_time(key.expires))},
          {"created_by", {{"id", "user_sandbox"}, {"type", "user"}}},
          {"principal", {{"type", "user_actor"}, {"user_id", "user_sandbox"}}},
          {"scope", key.owner.empty() ? Json{{"type", "organization"}}
                                      : Json{{"type", "workspace"}, {"workspace_id", key.owner}}},
          {"workspace_id", workspace}};
}

std::int64_t step_of(const std::string& width) {
  const std::int64_t second = 1'000'000'000;
  return (width == "1m" ? 60 : width == "1h" ? 3600 : 86'400) * second;
}

}  // namespace

Plan Admin::anthropic(const AdminAsked& asked, const Book& book) {
  const Request& request = asked.request;
  const std::string_view own = request.header("x-api-key");
  if (!is_admin(own.empty() ? request.header("authorization") : own, asked.now))
    return anthropic_error(401, "authentication_error", "invalid x-api-key");
  const auto& path = asked.path;
  if (path.size() == 4 && path[2] == "analytics") return anthropic_analytics(asked, book);
  if (path.size() < 3 || path[2] != "api_keys") return anthropic_error(404, "not_found_error", "Not Found");
  if (path.size() == 3 && request.method == "GET") {
    const std::string after = asked_for(request, "after_id"), limit = asked_for(request, "limit");
    const std::string wanted = asked_for(request, "status");
    const auto most =
        static_cast<std::size_t>(limit.empty() ? 20 : std::clamp(std::atoi(limit.c_str()), 1, 1000));
    auto keys = keys_.listed("anthropic", asked_for(request, "workspace_id"), asked.now);
    std::erase_if(
        keys, [&](const AdminKey* key) { return !wanted.empty() && status_of(*key, asked.now) != wanted; });
    auto from = after.empty() ? keys.begin() : std::ranges::find(keys, after, &AdminKey::id);
    if (!after.empty() && from != keys.end()) ++from;
    Json data = Json::array();
    for (; from != keys.end() && data.size() < most; ++from) data.push_back(key_json(**from, asked.now));
    Json out = {{"data", data}, {"has_more", from != keys.end()}};
    out["first_id"] = data.empty() ? Json(nullptr) : data.front()["id"];
    out["last_id"] = data.empty() ? Json(nullptr) : data.back()["id"];
    return admin_json(200, out);
  }
  AdminKey* key = path.size() == 4 ? keys_.find("anthropic", path[3]) : nullptr;
  if (!key) return anthropic_error(404, "not_found_error", "API key not found");
  if (request.method == "GET") return admin_json(200, key_json(*key, asked.now));
  if (request.method != "POST") return anthropic_error(405, "invalid_request_error", "Method Not Allowed");
  const std::string status = asked.body.value("status", "");
  if (key->extra.value("archived", false) && !status.empty() && status != "archived")
    return anthropic_error(400, "invalid_request_error", "An archived API key cannot be changed.");
  if (!status.empty() && status != "active" && status != "inactive" && status != "archived")
    return anthropic_error(400, "invalid_request_error",
                           "status: Input should be 'active', 'inactive' or 'archived'");
  if (status == "archived") key->extra["archived"] = true;
  if (status == "inactive" || status == "archived") keys_.disable(*key, asked.now);
  if (status == "active") keys_.enable(*key, asked.now);
  if (asked.body.contains("name")) key->name = asked.body.value("name", key->name);
  return admin_json(200, key_json(*key, asked.now));
}

Plan Admin::anthropic_analytics(const AdminAsked& asked, const Book& book) {
  const Request& request = asked.request;
  const auto from = parse_time(asked_for(request, "starting_at"));
  const auto to = parse_time(asked_for(request, "ending_at"));
  if (!from) return anthropic_error(400, "invalid_request_error", "starting_at: Field required");
  const Time end = to ? *to : asked.now;
  const std::int64_t step = step_of(asked_for(request, "time_bucket_width"));
  const auto ids = all_asked_for(request, "api_key_ids");
  struct Sums {
    Spent spent;
    std::int64_t requests = 0, cost = 0;
  };
  std::map<std::tuple<std::int64_t, std::string, std::string>, Sums> rows;
  for (const Entry& entry : book.entries()) {
    const AdminKey* key = keys_.by_sha256(entry.key_sha256);
    if (!key || key->provider != "anthropic" || entry.at < *from || entry.at >= end) continue;
    if (entry.model.empty()) continue;  // a list of models is no use
    if (!ids.empty() && std::ranges::find(ids, key->id) == ids.end()) continue;
    Sums& sum = rows[{entry.at.ns - entry.at.ns % step, key->id, entry.model}];
    sum.spent.input += entry.spent.input;
    sum.spent.cache_read += entry.spent.cache_read;
    sum.spent.cache_write += entry.spent.cache_write;
    sum.spent.output += entry.spent.output;
    sum.cost += entry.cost_nanousd;
    ++sum.requests;
  }
  Json data = Json::array();
  for (const auto& [row, sum] : rows) {
    const auto& [at, key, model] = row;
    Json one = {{"starting_at", seconds_time(Time{at})},
                {"ending_at", seconds_time(Time{at + step})},
                {"group", {{"api_key_id", key}, {"model", model}}}};
    const Spent& spent = sum.spent;
    if (asked.path[3] == "usage")
      one["usage"] = {{"uncached_input_tokens", spent.input - spent.cache_read - spent.cache_write},
                      {"cache_read_input_tokens", spent.cache_read},
                      {"cache_creation", {{"ephemeral_5m_input_tokens", spent.cache_write}}},
                      {"output_tokens", spent.output},
                      {"total_tokens", spent.input + spent.output},
                      {"requests", sum.requests}};
    else  // cents, as a decimal text
      one["cost"] = {{"amount", std::to_string(sum.cost / 10'000'000) + "." +
                                    std::to_string(10'000'000 + sum.cost % 10'000'000).substr(1)},
                     {"currency", "USD"},
                     {"requests", sum.requests}};
    data.push_back(std::move(one));
  }
  return admin_json(200, {{"data", data}, {"has_more", false}, {"next_page", nullptr}});
}

}  // namespace claviger::sandbox
