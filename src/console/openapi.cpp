// The OpenAPI 3.1 document, made from the tables that the handlers are called by, so that it cannot drift.
#include "console/render.hpp"
#include "console/route.hpp"

namespace claviger::console {
namespace {

Json type_of(const Field& field) {
  const auto reference = [&] { return Json{{"$ref", "#/components/schemas/" + std::string(field.shape)}}; };
  Json schema;
  switch (field.type) {
    case Type::text:
      schema = {{"type", "string"}};
      break;
    case Type::integer:
      schema = {{"type", "integer"}, {"format", "int64"}};
      break;
    case Type::boolean:
      schema = {{"type", "boolean"}};
      break;
    case Type::texts:
      schema = {{"type", "array"}, {"items", {{"type", "string"}}}};
      break;
    case Type::integers:
      schema = {{"type", "array"}, {"items", {{"type", "integer"}, {"format", "int64"}}}};
      break;
    case Type::object:
      schema = reference();
      break;
    case Type::objects:
      schema = {{"type", "array"}, {"items", reference()}};
      break;
    case Type::places:
      schema = {{"type", "array"}, {"items", {{"type", Json::array({"string", "object"})}}}};
      break;
  }
  return schema;
}

// An optional field may be null.
Json schema_of(const Field& field) {
  Json schema = type_of(field);
  if (field.need == Need::optional_) {
    if (schema.contains("$ref"))
      schema = {{"anyOf", Json::array({schema, {{"type", "null"}}})}};
    else
      schema["type"] = Json::array({schema["type"], "null"});
  }
  schema["description"] = field.about;
  return schema;
}

enum class Extra : std::uint8_t { refused, possible };

Json object_of(std::span<const Field> fields, Extra extra) {
  Json properties = Json::object();
  Json needed = Json::array();
  for (const Field& field : fields) {
    properties[std::string(field.name)] = schema_of(field);
    if (field.need == Need::required) needed.push_back(field.name);
  }
  Json schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!needed.empty()) schema["required"] = std::move(needed);
  schema["additionalProperties"] = extra == Extra::possible;
  return schema;
}

Json parameters(const Route& route) {
  Json list = Json::array();
  const std::size_t open = route.pattern.find('{');
  if (open != std::string_view::npos)
    list.push_back({{"name", route.pattern.substr(open + 1, route.pattern.find('}') - open - 1)},
                    {"in", "path"},
                    {"required", true},
                    {"schema", {{"type", "string"}}}});
  for (const Field& field : route.query)
    list.push_back({{"name", field.name},
                    {"in", "query"},
                    {"required", field.need == Need::required},
                    {"description", field.about},
                    {"schema", type_of(field)}});
  if (route.operation == "createKey" || route.operation == "rotateKey")
    list.push_back(
        {{"name", "Idempotency-Key"},
         {"in", "header"},
         {"required", false},
         {"description", "A repetition within a day changes nothing and answers without the token."},
         {"schema", {{"type", "string"}, {"maxLength", 255}}}});
  return list;
}

Json success(const Route& route) {
  Json answer{{"description", route.about}};
  if (!route.answer.empty())
    answer["content"]["application/json"]["schema"] = {
        {"$ref", "#/components/schemas/" + std::string(route.answer)}};
  if (route.access == Access::metrics) {
    answer["content"]["text/plain"]["schema"] = {{"type", "string"}};
    answer["content"]["application/openmetrics-text"]["schema"] = {{"type", "string"}};
  }
  return answer;
}

std::string roles(Access access) {
  std::string names;
  for (const auto role :
       {identity::Role::owner, identity::Role::operator_, identity::Role::developer, identity::Role::auditor})
    if (may(role, access)) names.append(names.empty() ? "" : ", ").append(identity::role_name(role));
  return names;
}

Json operation(const Route& route) {
  Json made{{"operationId", route.operation}, {"summary", route.about}};
  if (route.access == Access::open || route.access == Access::hook)
    made["security"] = Json::array();
  else
    made["description"] = "Roles: " + roles(route.access) + ".";
  made["parameters"] = parameters(route);
  if (!route.body.empty())
    made["requestBody"] = {
        {"required", true},
        {"content", {{"application/json", {{"schema", object_of(route.body, Extra::refused)}}}}}};
  if (route.access == Access::hook) {
    made["description"] = "The sender signs the body; see docs/incidents.md.";
    made["requestBody"] = {{"required", true},
                           {"content", {{"application/json", {{"schema", Json::object()}}}}}};
  }
  made["responses"][std::to_string(route.status)] = success(route);
  made["responses"]["default"] = {{"$ref", "#/components/responses/Problem"}};
  return made;
}

Json problem_schema() {
  static constexpr Field kProblem[] = {
      {"type", Type::text, Need::required, "urn:claviger:problem: and the code."},
      {"title", Type::text, Need::required, "What the code means."},
      {"status", Type::integer, Need::required, "The HTTP status."},
      {"detail", Type::text, Need::required, "What happened and what to do."},
      {"instance", Type::text, Need::required, "The path asked for."},
      {"code", Type::text, Need::required, "Stable error code."},
      {"request_id", Type::text, Need::required, "For the logs."},
  };
  return object_of(kProblem, Extra::refused);
}

std::string lower(std::string_view method) {
  std::string text(method);
  for (char& c : text) c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

Result<Answer> show_openapi(Session& s) {
  Json document{{"openapi", "3.1.0"},
                {"info",
                 {{"title", "Claviger admin API"},
                  {"version", s.parts.version},
                  {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
                {"servers", Json::array({{{"url", "/"}}})},
                {"security", Json::array({{{"adminToken", Json::array()}}})}};
  Json& paths = document["paths"] = Json::object();
  for (const Route& route : routes())
    paths[std::string(route.pattern)][lower(route.method)] = operation(route);
  for (const Route& route : key_routes()) {
    Json& made = paths[std::string(route.pattern)][lower(route.method)] = operation(route);
    made["servers"] = Json::array({{{"url", "/"}, {"description", "The gate's own address."}}});
    made["security"] = Json::array({{{"virtualKey", Json::array()}}});
    made["description"] = "Asked on the gate, with a virtual key; it concerns the keys below that one.";
  }
  Json& components = document["components"];
  for (const Shape& shape : shapes())
    components["schemas"][std::string(shape.name)] =
        object_of(shape.fields, shape.fields.empty() ? Extra::possible : Extra::refused);
  components["schemas"]["Problem"] = problem_schema();
  components["responses"]["Problem"] = {
      {"description", "Why it was refused (RFC 9457)."},
      {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  components["securitySchemes"]["adminToken"] = {{"type", "http"}, {"scheme", "bearer"}};
  components["securitySchemes"]["virtualKey"] = {{"type", "http"}, {"scheme", "bearer"}};
  return Answer{200, std::move(document), {}, {}};
}

}  // namespace claviger::console
