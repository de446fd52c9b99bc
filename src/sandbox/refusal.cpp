// Writes error bodies of the three dialects by hand: none of the gate's own code, so that a mistake shows.
#include "sandbox/refusal.hpp"

#include <nlohmann/json.hpp>

namespace claviger::sandbox {
namespace {

std::string_view openai_type(int status) {
  switch (status) {
    case 401:
    case 400:
    case 404:
      return "invalid_request_error";
    case 429:
      return "requests";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

std::string_view gemini_status(int status) {
  switch (status) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 503:
    case 529:
      return "UNAVAILABLE";
    default:
      return status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

}  // namespace

std::string refusal_body(provider::Dialect dialect, int status, std::string_view code,
                         std::string_view message) {
  using Json = nlohmann::ordered_json;
  switch (dialect) {
    case provider::Dialect::openai:
      return Json{{"error",
                   {{"message", message}, {"type", openai_type(status)}, {"param", nullptr}, {"code", code}}}}
          .dump();
    case provider::Dialect::bedrock:
    case provider::Dialect::vectors:
      return Json{{"message", message}, {"code", code}}.dump();
    case provider::Dialect::anthropic:
      return Json{{"type", "error"},
                  {"error", {{"type", anthropic_type(status)}, {"message", message}}},
                  {"request_id", "req_sandbox"}}
          .dump();
    case provider::Dialect::gemini:
      return Json{{"error", {{"code", status}, {"message", message}, {"status", gemini_status(status)}}}}
          .dump();
  }
  return {};
}

}  // namespace claviger::sandbox
