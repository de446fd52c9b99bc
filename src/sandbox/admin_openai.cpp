// The double of OpenAI's administration: keys of a project's service account, admin keys, usage and costs.
#include <algorithm>
#include <map>

#include "base/encoding.hpp"
#include "sandbox/admin.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::string_view kProject = "proj_sandbox";
constexpr std::string_view kAccount = "svc_acct_sandbox";
constexpr std::int64_t kLongestExpiry = 31'536'000;
constexpr std::int64_t kCreated = 1'760'000'000;  // of project and service account

Plan openai_error(int status, const Json& code, const std::string& message) {
  return admin_json(
      status,
      {{"error",
        {{"message", message}, {"type", "invalid_request_error"}, {"param", nullptr}, {"code", code}}}});
}

Plan missing(const std::string& what) { return openai_error(404, 404, "The " + what + " was not found"); }

std::int64_t seconds(Time time) { return time.ns / 1'000'000'000; }

Json maybe_seconds(const std::optional<Time>& time) { return time ? Json(seconds(*time)) : Json(nullptr); }

Json account_json() {
  return {{"object", "organization.project.service_account"},
          {"id", kAccount},
          {"name", "sandbox"},
          {"role", "member"},
          {"created_at", kCreated}};
}

Json project_json() {
  return {{"object", "organization.project"}, {"id", kProject},         {"name", "Sandbox"},
          {"created_at", kCreated},           {"archived_at", nullptr}, {"status", "active"}};
}

Json key_json(const AdminKey& key) {
  Json out = {{"object", "organization.project.api_key"},
              {"redacted_value", hint_of(key.secret, 14, 4)},
              {"name", key.name},
              {"created_at", seconds(key.created)},
              {"last_used_at", maybe_seconds(key.last_used)},
              {"id", key.id},
              {"owner_project_access", "active"},
              {"owner", {{"type", "service_account"}, {"service_account", account_json()}}}};
  if (key.expires != kNever) out["expires_at"] = seconds(key.expires);
  return out;
}

Json admin_key_json(const AdminKey& key) {
  return {{"object", "organization.admin_api_key"},
          {"id", key.id},
          {"name", key.name},
          {"redacted_value", hint_of(key.secret, 12, 4)},
          {"created_at", seconds(key.created)},
          {"last_used_at", maybe_seconds(key.last_used)},
          {"expires_at", key.expires == kNever ? Json(nullptr) : Json(seconds(key.expires))},
          {"owner",
           {{"type", "user"},
            {"object", "organization.user"},
            {"id", "user-sandbox"},
            {"name", "Sandbox"},
            {"created_at", kCreated},
            {"role", "owner"}}}};
}

// One page of a list: `limit` from the one behind `after`.
template <class Show>
Plan page_of(const Request& request, const std::vector<AdminKey*>& keys, Show show) {
  const std::string after = asked_for(request, "after");
  const std::string limit = asked_for(request, "limit");
  const std::size_t most =
      limit.empty() ? 20 : static_cast<std::size_t>(std::clamp(std::atoi(limit.c_str()), 1, 100));
  auto from = keys.begin();
  if (!after.empty()) {
    from = std::ranges::find(keys, after, &AdminKey::id);
    if (from == keys.end()) return openai_error(400, "invalid_value", "Invalid 'after': no such object.");
    ++from;
  }
  Json data = Json::array();
  for (; from != keys.end() && data.size() < most; ++from) data.push_back(show(**from));
  Json out = {{"object", "list"}, {"data", data}, {"has_more", from != keys.end()}};
  out["first_id"] = data.empty() ? Json(nullptr) : data.front()["id"];
  out["last_id"] = data.empty() ? Json(nullptr) : data.back()["id"];
  return admin_json(200, out);
}

// Time buckets of a report, some a page.
struct Span {
  std::int64_t from = 0, to = 0, width = 0;
  std::size_t most = 0;
};

std::optional<Span> span_of(const Request& request, Time now, bool daily) {
  Span span;
  const std::string width = asked_for(request, "bucket_width");
  span.width = width == "1m" ? 60 : width == "1h" ? 3600 : 86'400;
  if (daily && span.width != 86'400) return std::nullopt;
  const std::string from = asked_for(request, "start_time"), to = asked_for(request, "end_time");
  const std::string page = asked_for(request, "page"), limit = asked_for(request, "limit");
  if (from.empty()) return std::nullopt;
  span.from = std::atoll(from.c_str());
  if (page.starts_with("page_")) span.from = std::atoll(page.c_str() + 5);
  span.from -= span.from % span.width;
  span.to = to.empty() ? seconds(now) + 1 : std::atoll(to.c_str());
  const std::size_t usual = span.width == 60 ? 60 : span.width == 3600 ? 24 : 7;
  const std::size_t bound = daily ? 180 : span.width == 60 ? 1440 : span.width == 3600 ? 168 : 31;
  span.most = limit.empty() ? usual : static_cast<std::size_t>(std::max(1, std::atoi(limit.c_str())));
  span.most = std::min(span.most, bound);
  return span;
}

bool listed(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

// "completions", "embeddings", ...: the report an entry belongs to.
std::string_view report_of(const Entry& entry) {
  const std::string_view path = entry.path;
  if (path.ends_with("/embeddings")) return "embeddings";
  if (path.contains("/images/")) return "images";
  if (path.ends_with("/moderations")) return "moderations";
  if (path.ends_with("/speech")) return "audio_speeches";
  if (path.contains("/audio/")) return "audio_transcriptions";
  return "completions";
}

using GroupKey = std::pair<std::string, std::string>;  // key id, model

struct Sums {
  std::int64_t input = 0, cached = 0, output = 0, requests = 0, cost = 0;
};

// What the key's entries within a bucket add up to, in the groups that were asked for.
std::map<GroupKey, Sums> sums_of(const Book& book, const AdminKeys& keys, const Request& request,
                                 std::string_view report, std::int64_t from, std::int64_t to) {
  const auto groups = all_asked_for(request, "group_by");
  const auto ids = all_asked_for(request, "api_key_ids");
  const auto models = all_asked_for(request, "models");
  std::map<GroupKey, Sums> sums;
  for (const Entry& entry : book.entries()) {
    const AdminKey* key = keys.by_sha256(entry.key_sha256);
    if (!key || key->provider != "openai" || seconds(entry.at) < from || seconds(entry.at) >= to) continue;
    if (entry.model.empty()) continue;  // a list of models is no use
    if (!report.empty() && report_of(entry) != report) continue;
    if ((!ids.empty() && !listed(ids, key->id)) || (!models.empty() && !listed(models, entry.model)))
      continue;
    Sums& sum = sums[{listed(groups, "api_key_id") ? key->id : "",
                      listed(groups, "model") || listed(groups, "line_item") ? entry.model : ""}];
    sum.input += entry.spent.input;
    sum.cached += entry.spent.cache_read;
    sum.output += entry.spent.output;
    sum.cost += entry.cost_nanousd;
    ++sum.requests;
  }
  return sums;
}

template <class Results>
Plan buckets_of(const Span& span, Results results) {
  Json data = Json::array();
  std::int64_t at = span.from;
  for (; at < span.to && data.size() < span.most; at += span.width)
    data.push_back({{"object", "bucket"},
                    {"start_time", at},
                    {"end_time", at + span.width},
                    {"results", results(at, std::min(at + span.width, span.to))}});
  const bool more = at < span.to;
  return admin_json(200, {{"object", "page"},
                          {"data", data},
                          {"has_more", more},
                          {"next_page", more ? Json("page_" + std::to_string(at)) : Json(nullptr)}});
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

Plan Admin::openai(const AdminAsked& asked, const Book& book) {
  const Request& request = asked.request;
  if (!is_admin(request.header("authorization"), asked.now))
    return openai_error(401, "invalid_api_key", "Incorrect API key provided: sk-admin***.");
  const auto& path = asked.path;
  const std::string what = path.size() > 2 ? path[2] : "";
  if (what == "projects") return openai_project(asked);
  if (what == "usage" && path.size() == 4 && request.method == "GET") return openai_usage(asked, book);
  if (what == "costs" && request.method == "GET") return openai_costs(asked, book);
  if (what != "admin_api_keys") return openai_error(404, "unknown_url", "Unknown request URL.");
  if (path.size() == 3 && request.method == "GET")
    return page_of(request, keys_.listed("openai", "admin", asked.now), admin_key_json);
  if (path.size() == 3 && request.method == "POST") {
    AdminKey key;
    key.owner = "admin";
    key.secret = "sk-admin-" + fresh(58) + "T3BlbkFJ" + fresh(58);
    return openai_key_made(asked, "organization.admin_api_key", std::move(key));
  }
  AdminKey* key = path.size() == 4 ? keys_.find("openai", path[3]) : nullptr;
  if (!key || key->owner != "admin") return missing("admin API key " + (path.size() > 3 ? path[3] : ""));
  if (request.method == "GET") return admin_json(200, admin_key_json(*key));
  if (request.method != "DELETE") return openai_error(405, "method_not_allowed", "Not allowed.");
  keys_.remove(*key, asked.now);
  return admin_json(200,
                    {{"object", "organization.admin_api_key.deleted"}, {"id", key->id}, {"deleted", true}});
}

Plan Admin::openai_project(const AdminAsked& asked) {
  const Request& request = asked.request;
  const auto& path = asked.path;
  const bool get = request.method == "GET";
  const auto list_of_one = [](const Json& one) {
    return admin_json(200, {{"object", "list"},
                            {"data", Json::array({one})},
                            {"first_id", one["id"]},
                            {"last_id", one["id"]},
                            {"has_more", false}});
  };
  if (path.size() == 3 && get) return list_of_one(project_json());
  if (path.size() < 4 || path[3] != kProject) return missing("project " + (path.size() > 3 ? path[3] : ""));
  if (path.size() == 4 && get) return admin_json(200, project_json());
  const std::string kind = path.size() > 4 ? path[4] : "";
  if (kind == "service_accounts") {
    if (path.size() == 5 && get) return list_of_one(account_json());
    if (path.size() < 6 || path[5] != kAccount)
      return missing("service account " + (path.size() > 5 ? path[5] : ""));
    if (path.size() == 6 && get) return admin_json(200, account_json());
    if (path.size() != 7 || path[6] != "api_keys" || request.method != "POST")
      return openai_error(404, "unknown_url", "Unknown request URL.");
    AdminKey key;
    key.owner = kProject;
    key.secret = new_secret("openai");
    return openai_key_made(asked, "organization.project.service_account.api_key", std::move(key));
  }
  if (kind != "api_keys") return openai_error(404, "unknown_url", "Unknown request URL.");
  if (path.size() == 5 && get) return page_of(request, keys_.listed("openai", kProject, asked.now), key_json);
  AdminKey* key = path.size() == 6 ? keys_.find("openai", path[5]) : nullptr;
  if (!key || key->owner != kProject) return missing("API key " + (path.size() > 5 ? path[5] : ""));
  if (get) return admin_json(200, key_json(*key));
  if (request.method == "DELETE") {
    keys_.remove(*key, asked.now);
    return admin_json(
        200, {{"object", "organization.project.api_key.deleted"}, {"id", key->id}, {"deleted", true}});
  }
  const bool scopes = asked.body.contains("scopes") && asked.body["scopes"].is_array();
  const bool life =
      asked.body.contains("expires_in_seconds") && asked.body["expires_in_seconds"].is_number_integer();
  if (key->expires <= asked.now) return openai_error(400, "invalid_value", "Expired keys cannot be updated.");
  if (request.method != "POST" || (!scopes && !life))
    return openai_error(400, "missing_required_parameter", "Send scopes or expires_in_seconds.");
  if (scopes) key->extra["scopes"] = asked.body["scopes"];
  if (life)
    key->expires = asked.now + std::chrono::seconds(asked.body["expires_in_seconds"].get<std::int64_t>());
  return admin_json(200, key_json(*key));
}

// `key` has its owner and secret. The answer is the only one that holds the secret.
Plan Admin::openai_key_made(const AdminAsked& asked, std::string_view kind, AdminKey key) {
  const Json& body = asked.body;
  const std::int64_t longest = keys_.manners.longest_life_s;
  const bool given = body.contains("expires_in_seconds") && !body["expires_in_seconds"].is_null();
  if (longest > 0 && !given)
    return openai_error(400, "missing_required_parameter",
                        "expires_in_seconds is required by your organization's key expiration policy.");
  if (given) {
    const std::int64_t life =
        body["expires_in_seconds"].is_number_integer() ? body["expires_in_seconds"].get<std::int64_t>() : 0;
    if (life < 1 || life > (longest > 0 ? longest : kLongestExpiry))
      return openai_error(400, "invalid_value", "expires_in_seconds exceeds the maximum that is allowed.");
    key.expires = asked.now + std::chrono::seconds(life);
  }
  key.provider = "openai";
  key.id = "key_" + fresh(20);
  if (body.contains("name") && body["name"].is_string()) key.name = body["name"].get<std::string>();
  if (body.contains("scopes") && body["scopes"].is_array()) key.extra["scopes"] = body["scopes"];
  const AdminKey* made = keys_.add(std::move(key), asked.now);
  if (!made) return openai_error(429, "rate_limit_exceeded", "The double remembers no more keys.");
  Json out = {
      {"object", kind}, {"id", made->id}, {"name", made->name}, {"created_at", seconds(made->created)}};
  if (made->owner == "admin") out = admin_key_json(*made);
  out["value"] = made->secret;
  if (made->expires != kNever) out["expires_at"] = seconds(made->expires);
  return admin_json(200, out);
}

Plan Admin::openai_usage(const AdminAsked& asked, const Book& book) {
  const auto span = span_of(asked.request, asked.now, false);
  if (!span) return openai_error(400, "missing_required_parameter", "start_time is required.");
  const std::string report = asked.path[3];
  return buckets_of(*span, [&](std::int64_t from, std::int64_t to) {
    Json results = Json::array();
    for (const auto& [group, sum] : sums_of(book, keys_, asked.request, report, from, to))
      results.push_back({{"object", "organization.usage." + report + ".result"},
                         {"input_tokens", sum.input},
                         {"input_cached_tokens", sum.cached},
                         {"input_uncached_tokens", sum.input - sum.cached},
                         {"output_tokens", sum.output},
                         {"num_model_requests", sum.requests},
                         {"project_id", kProject},
                         {"user_id", nullptr},
                         {"api_key_id", text_or_null(group.first)},
                         {"model", text_or_null(group.second)},
                         {"batch", nullptr}});
    return results;
  });
}

Plan Admin::openai_costs(const AdminAsked& asked, const Book& book) {
  const auto span = span_of(asked.request, asked.now, true);
  if (!span) return openai_error(400, "invalid_value", "start_time is required, and bucket_width is 1d.");
  return buckets_of(*span, [&](std::int64_t from, std::int64_t to) {
    Json results = Json::array();
    for (const auto& [group, sum] : sums_of(book, keys_, asked.request, {}, from, to))
      results.push_back({{"object", "organization.costs.result"},
                         {"amount", {{"value", static_cast<double>(sum.cost) / 1e9}, {"currency", "usd"}}},
                         {"line_item", text_or_null(group.second)},
                         {"project_id", kProject},
                         {"api_key_id", text_or_null(group.first)}});
    return results;
  });
}

}  // namespace claviger::sandbox
