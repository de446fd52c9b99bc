// Names of dialects and endpoints, and the error bodies each official SDK understands.
#include "provider/dialect.hpp"

#include <array>
#include <utility>

#include "base/json_writer.hpp"
#include "wire/event_stream.hpp"

namespace claviger::provider {
namespace {

constexpr std::array<std::pair<Dialect, std::string_view>, 5> kDialects{{{Dialect::openai, "openai"},
                                                                         {Dialect::anthropic, "anthropic"},
                                                                         {Dialect::gemini, "gemini"},
                                                                         {Dialect::bedrock, "bedrock"},
                                                                         {Dialect::vectors, "vectors"}}};

constexpr std::array<std::pair<Endpoint, std::string_view>, 17> kEndpoints{
    {{Endpoint::chat, "chat"},
     {Endpoint::responses, "responses"},
     {Endpoint::embeddings, "embeddings"},
     {Endpoint::models, "models"},
     {Endpoint::messages, "messages"},
     {Endpoint::count_tokens, "count_tokens"},
     {Endpoint::generate_content, "generate_content"},
     {Endpoint::completions, "completions"},
     {Endpoint::images, "images"},
     {Endpoint::transcriptions, "transcriptions"},
     {Endpoint::translations, "translations"},
     {Endpoint::speech, "speech"},
     {Endpoint::moderations, "moderations"},
     {Endpoint::predict, "predict"},
     {Endpoint::converse, "converse"},
     {Endpoint::invoke, "invoke"},
     {Endpoint::vectors, "vectors"}}};

// `type` in OpenAI's body. Budgets carry the type that OpenAI uses for an empty account, so that clients
// which stop on it stop here too.
std::string_view openai_type(Code code) {
  if (code == Code::budget_exceeded) return "insufficient_quota";
  switch (http_status(code)) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return http_status(code) >= 500 ? "server_error" : "invalid_request_error";
  }
}

// gateway-wire.md 3.3; a budget stays a rate limit there because billing_error belongs to status 402.
std::string_view anthropic_type(Code code) {
  switch (http_status(code)) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 408:
    case 504:
      return "timeout_error";
    case 503:
      return "overloaded_error";
    default:
      return http_status(code) >= 500 ? "api_error" : "invalid_request_error";
  }
}

// The google.rpc.Code names that belong to an HTTP status.
std::string_view gemini_status(Code code) {
  switch (http_status(code)) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 409:
      return "ABORTED";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 501:
      return "UNIMPLEMENTED";
    case 502:
    case 503:
      return "UNAVAILABLE";
    case 408:
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return http_status(code) >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

// The exceptions of Bedrock's runtime that belong to an HTTP status.
std::string_view bedrock_type(Code code) {
  switch (http_status(code)) {
    case 401:
      return "UnrecognizedClientException";
    case 403:
      return "AccessDeniedException";
    case 404:
      return "ResourceNotFoundException";
    case 429:
      return "ThrottlingException";
    case 502:
    case 503:
      return "ServiceUnavailableException";
    case 408:
    case 504:
      return "ModelTimeoutException";
    default:
      return http_status(code) >= 500 ? "InternalServerException" : "ValidationException";
  }
}

// The parameter a code is about, where that is certain.
std::string_view openai_param(Code code) {
  switch (code) {
    case Code::missing_model:
    case Code::model_denied:
    case Code::unpriced_model:
      return "model";
    default:
      return {};
  }
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

void write_openai(JsonWriter& w, const Error& error) {
  w.open('{').key("error").open('{');
  w.field("message", told(error)).field("type", openai_type(error.code)).key("param");
  const std::string_view param = openai_param(error.code);
  param.empty() ? w.null() : w.text(param);
  w.field("code", code_name(error.code)).close('}').close('}');
}

void write_anthropic(JsonWriter& w, const Error& error, std::string_view request_id) {
  w.open('{').field("type", "error").key("error").open('{');
  w.field("type", anthropic_type(error.code)).field("message", told(error)).close('}');
  w.field("request_id", request_id).close('}');
}

void write_gemini(JsonWriter& w, const Error& error, std::string_view request_id) {
  w.open('{').key("error").open('{');
  w.field("code", http_status(error.code)).field("message", told(error));
  w.field("status", gemini_status(error.code)).key("details").open('[').open('{');
  w.field("@type", "type.googleapis.com/google.rpc.ErrorInfo").field("reason", upper(code_name(error.code)));
  w.field("domain", "claviger").key("metadata").open('{').field("request_id", request_id).close('}');
  w.close('}').close(']').close('}').close('}');
}

void write_bedrock(JsonWriter& w, const Error& error) {
  w.open('{').field("__type", bedrock_type(error.code)).field("message", told(error)).close('}');
}

void write_body(JsonWriter& w, Dialect dialect, const Error& error, std::string_view request_id) {
  switch (dialect) {
    case Dialect::openai:
    case Dialect::vectors:
      return write_openai(w, error);
    case Dialect::bedrock:
      return write_bedrock(w, error);
    case Dialect::anthropic:
      return write_anthropic(w, error, request_id);
    case Dialect::gemini:
      return write_gemini(w, error, request_id);
  }
}

}  // namespace

std::string_view dialect_name(Dialect dialect) {
  for (const auto& [value, name] : kDialects)
    if (value == dialect) return name;
  return {};
}

std::optional<Dialect> parse_dialect(std::string_view name) {
  for (const auto& [value, known] : kDialects)
    if (known == name) return value;
  return std::nullopt;
}

std::string_view endpoint_name(Endpoint endpoint) {
  for (const auto& [value, name] : kEndpoints)
    if (value == endpoint) return name;
  return "none";
}

std::optional<Endpoint> parse_endpoint(std::string_view name) {
  for (const auto& [value, known] : kEndpoints)
    if (known == name) return value;
  return std::nullopt;
}

std::string endpoint_names() {
  std::string out;
  for (const auto& [value, name] : kEndpoints) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

std::string_view request_id_header(Dialect dialect) {
  return dialect == Dialect::anthropic ? "request-id" : "x-request-id";
}

ErrorBody error_body(Dialect dialect, const Error& error, std::string_view request_id) {
  ErrorBody out{{}, "application/json"};
  JsonWriter w(out.body);
  write_body(w, dialect, error, request_id);
  return out;
}

std::string stream_error(Dialect dialect, Endpoint endpoint, const Error& error, std::string_view request_id,
                         std::int64_t sequence_number) {
  std::string out;
  if (dialect == Dialect::bedrock) {
    std::string name(bedrock_type(error.code));  // "AccessDeniedException"; in streams "accessDenied..."
    name.front() = static_cast<char>(name.front() + ('a' - 'A'));
    return wire::event_message("exception", name, error_body(dialect, error, request_id).body);
  }
  if (dialect == Dialect::anthropic || endpoint == Endpoint::responses) out += "event: error\n";
  out += "data: ";
  JsonWriter w(out);
  if (dialect == Dialect::openai && endpoint == Endpoint::responses) {
    w.open('{').field("type", "error").field("code", code_name(error.code)).field("message", told(error));
    w.key("param").null().field("sequence_number", sequence_number).close('}');
  } else {
    write_body(w, dialect, error, request_id);
  }
  out += "\n\n";
  return out;
}

}  // namespace claviger::provider
