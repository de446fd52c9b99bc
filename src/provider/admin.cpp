// From a descriptor and values to a call; what a status means.
#include "provider/admin.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/limits.hpp"
#include "provider/admin_template.hpp"
#include "provider/provider.hpp"
#include "provider/sigv4.hpp"

namespace claviger::provider {
namespace {

constexpr std::array<std::string_view, 7> kOutcomes{"done",   "gone", "exists", "again",
                                                    "denied", "full", "refused"};
constexpr std::size_t kTimeSeconds = 19;  // "2026-11-20T13:30:00"

std::unexpected<Error> no_place(std::string_view why) {
  return refuse(Code::invalid_parameter, std::string(why));
}

// Times in whole seconds, and what follows from other values.
Result<Values> gather(const Link& link, const Values& about) {
  Values all = link.parameters;
  for (const auto& [name, value] : about) all[name] = value;
  Time from, to;
  for (const std::string_view name : {"expires", "old_expires", "from", "to"}) {
    const auto at = all.find(name);
    if (at == all.end() || at->second.empty()) continue;
    const auto time = parse_time(at->second);
    if (!time) return no_place(fmt::format("{} is not a time.", name));
    at->second = format_time(*time).substr(0, kTimeSeconds) + "Z";
    if (name == "from") from = *time;
    if (name == "to") to = *time;
  }
  const auto span = to - from;
  all["bucket"] = span <= std::chrono::hours(12) ? "1m" : span <= std::chrono::days(7) ? "1h" : "1d";
  if (const auto life = all.find("lifetime_s"); life != all.end() && !life->second.empty()) {
    const std::int64_t seconds = std::atoll(life->second.c_str());
    all["lifetime_days"] = std::to_string(std::max<std::int64_t>(1, seconds / 86'400));
  }
  std::string slot = all["id"];
  std::ranges::transform(slot, slot.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  all["slot"] = slot;
  return all;
}

// The query field by field: one whose value is missing is left out.
Result<std::string> filled_path(std::string_view path, const Values& values) {
  std::size_t start = 0;  // where the query begins; a "?" within braces is none
  for (std::size_t at = 0, depth = 0; at <= path.size(); ++at) {
    start = at;
    if (at == path.size() || (path[at] == '?' && depth == 0)) break;
    depth += path[at] == '{' ? 1U : 0U;
    depth -= path[at] == '}' ? 1U : 0U;
  }
  TRY(const auto front, fill(path.substr(0, start), values, Writing::url));
  if (!front) return no_place("A part of the path is missing.");
  std::string out = *front;
  std::string_view query = path.substr(std::min(start + 1, path.size()));
  char sign = '?';
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    TRY(const auto field, fill(query.substr(0, end), values, Writing::url));
    if (field) out.append(1, sign).append(*field);
    if (field) sign = '&';
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

Result<void> append_object(const BodyPart& part, const Values& values, JsonWriter& out) {
  out.open('{');
  for (const BodyPart& member : part.parts) {
    if (member.kind == BodyPart::Kind::object) {
      out.key(member.name);
      TRY_VOID(append_object(member, values, out));
    } else if (member.kind == BodyPart::Kind::literal) {
      out.key(member.name).raw(member.text);
    } else {
      TRY(const auto text, fill(member.text, values, Writing::json));
      if (text) out.key(member.name).raw(*text);
    }
  }
  out.close('}');
  return {};
}

Result<std::string> form_of(const BodyPart& body, const Values& values) {
  std::string out;
  for (const BodyPart& member : body.parts) {
    TRY(const auto text, fill(member.text, values, Writing::url));
    if (text) out.append(out.empty() ? "" : "&").append(member.name).append("=").append(*text);
  }
  return out;
}

bool ends_in_version(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return path.contains('/') && last.size() >= 2 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9';
}

bool begins_with_version(std::string_view path) {
  return path.size() >= 3 && path[1] == 'v' && path[2] >= '0' && path[2] <= '9';
}

std::string_view without_last(std::string_view path) { return path.substr(0, path.rfind('/')); }

struct Target {
  BaseUrl base;
  std::string path;
};

Result<Target> own_target(const Adapter& adapter, const AdapterCall& call, const Link& link,
                          std::string_view path) {
  const auto& rows = builtin_providers();
  const auto row = std::ranges::find(rows, adapter.provider, &Provider::name);
  std::string url = link.base_url;
  if (url.empty() && call.at != "own") url = call.at;
  if (url.empty() && row != rows.end()) url = row->default_base_url;
  if (url.empty()) return no_place("The credential has no base URL: give it one.");
  Target target;
  TRY(target.base, parse_base_url(url));
  if (call.at != "own") return target.path = path, target;
  // Bedrock's keys are asked about where its models are listed, not where they run.
  constexpr std::string_view kRuntime = "bedrock-runtime.";
  if (target.base.host.starts_with(kRuntime)) target.base.host.replace(0, kRuntime.size(), "bedrock.");
  if (row != rows.end() && row->path_form == PathForm::azure)
    return target.path = upstream_target(target.base, path, PathForm::azure), target;
  const std::string_view front =
      ends_in_version(target.base.path) ? without_last(target.base.path) : std::string_view(target.base.path);
  // A version of the base URL's own stays: "/openai/v4" + "/v1/models" -> "/openai/v4/models".
  if (front.size() != target.base.path.size() && begins_with_version(path))
    return target.path = target.base.path + std::string(path.substr(path.find('/', 1))), target;
  return target.path = std::string(front).append(path), target;
}

Result<Target> admin_target(const Adapter& adapter, const Link& link, std::string_view path) {
  Target target;
  TRY(target.base, parse_base_url(link.admin_base_url.empty() ? adapter.admin_url : link.admin_base_url));
  std::string_view front = target.base.path;
  if (begins_with_version(path) && ends_in_version(front)) front = without_last(front);
  target.path = std::string(front).append(path);
  return target;
}

std::string origin_of(const BaseUrl& base) {
  const bool usual = base.port == (base.scheme == "https" ? 443 : 80);
  return base.scheme + "://" + base.host + (usual ? "" : ":" + std::to_string(base.port));
}

// Where tokens are bought. An admin API at another place has its own token endpoint there.
Result<std::string> token_url(const Adapter& adapter, const Link& link, const Values& values) {
  if (adapter.token_url.empty()) return std::string();
  if (const auto own = link.parameters.find("token_url"); own != link.parameters.end()) {
    TRY_VOID(parse_base_url(own->second));
    return own->second;
  }
  const auto path_at = adapter.token_url.find('/', adapter.token_url.find("//") + 2);
  const auto path = fill(std::string_view(adapter.token_url).substr(path_at), values, Writing::url);
  if (!path || !*path) return std::string();  // no tenant: then the secret must be a token
  if (link.admin_base_url.empty()) return adapter.token_url.substr(0, path_at) + **path;
  TRY(const BaseUrl given, parse_base_url(link.admin_base_url));
  TRY(const BaseUrl usual, parse_base_url(adapter.admin_url));
  const std::string front =
      given.origin == usual.origin ? adapter.token_url.substr(0, path_at) : origin_of(given);
  return front + **path;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }

Result<void> check_link(const Adapter& adapter, const Link& link) {
  std::string known;
  for (const AdapterParameter& one : adapter.parameters)
    known += fmt::format("{}{} ({}{})", known.empty() ? "" : "; ", one.name, one.says,
                         one.required ? ", needed" : "");
  const auto there = [&](std::string_view what) {
    return no_place(fmt::format("{} {} has {}.", adapter.provider, what,
                                known.empty() ? "no parameters" : "the parameters " + known));
  };
  for (const auto& [name, value] : link.parameters) {
    const bool general = name == "variant" || (name == "token_url" && !adapter.token_url.empty());
    if (!general &&
        std::ranges::find(adapter.parameters, name, &AdapterParameter::name) == adapter.parameters.end())
      return there(fmt::format("does not know the parameter {}: it", name));
  }
  for (const AdapterParameter& one : adapter.parameters) {
    const auto given = link.parameters.find(one.name);
    if (one.required && (given == link.parameters.end() || given->second.empty()))
      return there(fmt::format("needs the parameter {}: it", one.name));
  }
  return {};
}

Result<AdminCall> call_of(const Adapter& adapter, Operation operation, const Link& link,
                          const Values& about) {
  const AdapterCall* call = adapter.find(operation);
  if (!call)
    return no_place(fmt::format("{} offers no API to {} keys.", adapter.provider, operation_name(operation)));
  TRY(const Values values, gather(link, about));
  TRY(const std::string path, filled_path(call->path, values));
  TRY(Target target,
      call->at == "admin" ? admin_target(adapter, link, path) : own_target(adapter, *call, link, path));
  AdminCall out;
  out.method = call->method;
  out.base_url = origin_of(target.base);
  out.path = std::move(target.path);
  out.headers = call->headers;
  out.auth = call->auth;
  out.own_key = call->own_key;
  if (call->auth == AdminAuth::azure || call->auth == AdminAuth::client_pair) {
    TRY(out.token_url, token_url(adapter, link, values));
  }
  if (call->auth == AdminAuth::aws) {
    const std::string_view region = region_of_host(target.base.host);
    out.region = region.empty() ? adapter.region : std::string(region);
    out.service = call->at == "admin" ? adapter.service : "bedrock";
  }
  if (!call->body) return out;
  if (call->form) {
    TRY(out.body, form_of(*call->body, values));
  } else {
    JsonWriter writer(out.body);
    TRY_VOID(append_object(*call->body, values, writer));
  }
  out.headers.emplace_back("content-type",
                           call->form ? "application/x-www-form-urlencoded" : "application/json");
  return out;
}

std::string key_name(const Adapter& adapter, std::string_view label, std::string_view nonce) {
  const auto longest =
      adapter.name_length > 0 ? static_cast<std::size_t>(adapter.name_length) : limits::kKeyName;
  std::string name = "claviger-";
  const std::size_t room = longest - std::min(longest, name.size() + nonce.size() + 1);
  std::string slug;
  for (const char c : label) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool kept = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9');
    if (kept || (!slug.empty() && slug.back() != '-')) slug += kept ? low : '-';
  }
  return name.append(slug.substr(0, room)).append("-").append(nonce);
}

Outcome outcome_of(const Adapter& adapter, Operation operation, int status, std::string_view body) {
  if (status >= 200 && status < 300) return Outcome::done;
  if (!adapter.full.empty() && operation == Operation::create && body.contains(adapter.full))
    return Outcome::full;
  if (status == 408 || status == 425 || status == 429 || status >= 500) return Outcome::again;
  if (status == 400 && body.contains("Throttling")) return Outcome::again;  // AWS
  if (status == 401 || status == 403) return Outcome::denied;
  if (status == 404 || status == 410)
    return operation == Operation::create ? Outcome::refused : Outcome::gone;
  if (status == 409) return operation == Operation::create ? Outcome::exists : Outcome::again;
  return Outcome::refused;
}

}  // namespace claviger::provider
