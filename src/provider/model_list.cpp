// Lists of models, cut in place.
#include "provider/model_list.hpp"

#include "provider/json_look.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

constexpr std::string_view kEmptyList = R"({"object":"list","data":[],"models":[],"has_more":false})";

std::string name_of(JsonValue model) {
  const JsonValue id = given(model["id"]) ? model["id"] : model["name"];
  std::string name = id.text().value_or("");
  constexpr std::string_view kGoogle = "models/";
  if (name.starts_with(kGoogle)) name.erase(0, kGoogle.size());
  return name;
}

}  // namespace

std::string cut_model_list(std::string_view body, const std::function<bool(std::string_view)>& may_use) {
  wire::Json json;
  if (!wire::scan(body, json, wire::Duplicates::refuse)) return std::string(kEmptyList);
  const JsonValue root = json.root();
  if (root.is_object() && root["data"].is_array() && root["models"].is_array())
    return std::string(kEmptyList);
  const JsonValue list = root.is_array() ? root : root["data"].is_array() ? root["data"] : root["models"];
  if (!list.is_array())
    return root.is_object() && given(root["data"]) ? std::string(kEmptyList) : std::string(body);
  std::string out(body.substr(0, list.offset() + 1));
  bool first = true;
  for (const JsonValue model : list.elements()) {
    const std::string name = name_of(model);
    if (name.empty() || !may_use(name)) continue;
    if (!first) out += ',';
    first = false;
    out += model.raw();
  }
  out.append("]").append(body.substr(list.end_offset()));
  return out;
}

std::string readdressed(std::string body, std::string_view provider_address, std::string_view own) {
  for (std::size_t at = body.find(provider_address); at != std::string::npos;
       at = body.find(provider_address, at)) {
    // Only a whole address: "https://api.example.com" is not the beginning of
    // "https://api.example.community".
    const std::size_t end = at + provider_address.size();
    const bool whole =
        end == body.size() || std::string_view("/?#:\"\\").find(body[end]) != std::string_view::npos;
    if (whole) body.replace(at, provider_address.size(), own);
    at += whole ? own.size() : provider_address.size();
  }
  return body;
}

}  // namespace claviger::provider
