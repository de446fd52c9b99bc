// From a request to its handler: path, method, role, fields, in this order.
#include "console/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/limits.hpp"
#include "console/problem.hpp"
#include "console/route.hpp"
#include "provider/route.hpp"

namespace claviger::console {
namespace {

// The decoded {parameter} when `path` fits the pattern ("" when it has none), else nullopt.
std::optional<std::string> fit(std::string_view pattern, std::string_view path) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) return pattern == path ? std::optional<std::string>("") : std::nullopt;
  const std::string_view before = pattern.substr(0, open);
  const std::string_view after = pattern.substr(pattern.find('}') + 1);
  if (!path.starts_with(before) || !path.ends_with(after) || path.size() <= before.size() + after.size())
    return std::nullopt;
  const std::string_view segment = path.substr(before.size(), path.size() - before.size() - after.size());
  if (segment.find('/') != std::string_view::npos) return std::nullopt;
  return provider::percent_decode(segment);
}

struct Found {
  const Route* route = nullptr;
  std::string subject;
  std::string allow;  // methods of the path, when the method is not one of them
};

Found find_route(std::span<const Route> table, std::string_view method, std::string_view path) {
  Found found;
  for (const Route& route : table) {
    auto subject = fit(route.pattern, path);
    if (!subject) continue;
    if (route.method == method) return {&route, std::move(*subject), {}};
    found.allow.append(found.allow.empty() ? "" : ", ").append(route.method);
  }
  return found;
}

bool is_json(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  std::string lower;
  for (const char c : type)
    if (c != ' ' && c != '\t') lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  return lower == "application/json";
}

Result<void> check_access(const Parts& parts, const Route& route, const Actor& actor) {
  if (route.access == Access::open || route.access == Access::hook) return {};
  if (route.access == Access::metrics && parts.metrics == MetricsAccess::everyone) return {};
  if (actor.via == Via::nobody)
    return refuse(Code::unauthenticated, "An admin token is needed: send Authorization: Bearer clva_...");
  if (may(actor.role, route.access)) return {};
  return deny(Code::forbidden, fmt::format("The role {} does not allow this ({}).",
                                           identity::role_name(actor.role), route.operation));
}

// A token for one credential's rotation rotates it, looks at its rotations, and does nothing else. What is
// not there and what is not its own look alike.
Result<void> check_bound(const Parts& parts, const Route& route, std::string_view subject,
                         const Actor& actor) {
  if (actor.rotates.empty() || route.access == Access::open) return {};
  const bool its_own = route.handler == rotate_credential || route.handler == forecast_rotation;
  if (its_own) {
    const auto credential = parts.vault.get(subject);
    if (credential && credential->id == actor.rotates) return {};
  }
  if (route.handler == list_rotations || route.handler == show_rotation) return {};
  return deny(Code::forbidden, "This token may rotate one credential, and nothing else.");
}

Result<void> check_body(const Route& route, const ApiRequest& request) {
  if (request.body.size() > limits::kAdminBody) return refuse(Code::body_too_large);
  if (request.body.empty()) return {};
  if (route.body.empty() && request.method == "GET")
    return refuse(Code::invalid_input, "This request takes no body.");
  if (!is_json(request.content_type))
    return refuse(Code::unsupported_encoding, "Send the body as application/json.");
  return {};
}

Result<Answer> answer_to(const Parts& parts, std::span<const Route> table, const ApiRequest& request,
                         const Actor& actor) {
  Found found = find_route(table, request.method, request.path);
  if (found.route == nullptr) {
    if (found.allow.empty()) return refuse(Code::not_found, "There is nothing at this path.");
    return refuse(Code::unsupported_method, fmt::format("This path takes {}.", found.allow));
  }
  const Route& route = *found.route;
  TRY_VOID(check_access(parts, route, actor));
  TRY_VOID(check_bound(parts, route, found.subject, actor));
  TRY_VOID(check_body(route, request));
  Session session{parts, request, actor, route, std::move(found.subject), {}, {}, parts.clock.now()};
  TRY(session.query, Query::read(request.query, route.query));
  if (route.access != Access::hook) {
    TRY(session.body, Body::read(request.body, route.body));
  }
  return route.handler(session);
}

Result<Answer> answer_or_bug(const Parts& parts, std::span<const Route> table, const ApiRequest& request,
                             const Actor& actor) {
  try {
    return answer_to(parts, table, request, actor);
  } catch (const std::exception& bug) {
    return fail(Code::internal, fmt::format("bug in the admin API: {}", bug.what()));
  }
}

ApiResponse written(Answer answer) {
  ApiResponse response;
  response.status = answer.status;
  response.headers = std::move(answer.headers);
  response.headers.emplace_back("Cache-Control", "no-store");
  if (!answer.content_type.empty()) {
    response.content_type = std::move(answer.content_type);
    response.body = std::move(answer.text);
  } else if (answer.status == 204) {
    response.content_type.clear();
  } else {
    // Text from outside may hold anything: what is not UTF-8 is replaced rather than thrown over.
    response.body = answer.body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    response.body.push_back('\n');
  }
  return response;
}

}  // namespace

Api::Api(Parts parts) : parts_(std::move(parts)) {}

void Api::adopt(std::shared_ptr<const provider::Catalog> catalog, std::vector<std::string> plain_http_hosts,
                MetricsAccess metrics, std::shared_ptr<const HookKeys> hooks) {
  parts_.catalog = std::move(catalog);
  parts_.plain_http_hosts = std::move(plain_http_hosts);
  parts_.metrics = metrics;
  parts_.hooks = std::move(hooks);
}

ApiResponse Api::handle(const ApiRequest& request, const Actor& actor) {
  auto answer = answer_or_bug(parts_, routes(), request, actor);
  if (!answer) {
    ApiResponse refused = problem(answer.error(), request);
    if (answer.error().code == Code::unsupported_method)
      refused.headers.emplace_back("Allow", find_route(routes(), request.method, request.path).allow);
    return refused;
  }
  return written(*std::move(answer));
}

Result<ApiResponse> Api::petition(const ApiRequest& request, std::string_view key_id) {
  const Actor actor{"key:" + std::string(key_id), identity::Role::developer, Via::key};
  TRY(Answer answer, answer_or_bug(parts_, key_routes(), request, actor));
  return written(std::move(answer));
}

Result<Actor> Api::actor_of(std::string_view authorization) {
  constexpr std::string_view kBearer = "bearer ";
  std::string scheme(authorization.substr(0, kBearer.size()));
  for (char& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (scheme != kBearer)
    return refuse(Code::unauthenticated, "An admin token is needed: send Authorization: Bearer.");
  TRY(const identity::AdminToken token, parts_.tokens.authenticate(authorization.substr(kBearer.size())));
  return Actor{"token:" + token.id, token.role, Via::token, token.rotates};
}

}  // namespace claviger::console
