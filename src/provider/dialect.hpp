// The protocols clients speak, the endpoints behind them, and how a refusal looks in each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::provider {

enum class Dialect : std::uint8_t {
  openai,
  anthropic,
  gemini,
  bedrock,  // AWS Bedrock's runtime
  vectors   // vector databases: Pinecone, Weaviate, Qdrant
};

// What a request asks for, whatever the dialect. `none` stands on routes that are known but refused.
enum class Endpoint : std::uint8_t {
  none,
  chat,
  responses,
  embeddings,
  models,
  messages,
  count_tokens,
  generate_content,
  completions,
  images,
  transcriptions,
  translations,
  speech,
  moderations,
  predict,
  converse,  // Bedrock
  invoke,    // Bedrock, in the model's own form
  vectors,
};

// "openai", "anthropic", "gemini", "bedrock", "vectors".
std::string_view dialect_name(Dialect dialect);
std::optional<Dialect> parse_dialect(std::string_view name);

// The names of scopes and of the command line: "chat", "responses", "embeddings", "models", "messages",
// "count_tokens", "generate_content", "completions", "images", "transcriptions", "translations", "speech",
// "moderations", "predict", "converse", "invoke", "vectors"; "none" for refused routes.
std::string_view endpoint_name(Endpoint endpoint);
// Does not know "none": nobody can be allowed that.
std::optional<Endpoint> parse_endpoint(std::string_view name);
// All of those names, with commas.
std::string endpoint_names();

// The header that carries our request id back. Gemini has none of its own; it gets "x-request-id" too.
std::string_view request_id_header(Dialect dialect);

struct ErrorBody {
  std::string body;
  std::string_view content_type;  // static storage
};

// The refusal in the client's own protocol, as its official SDKs parse it:
//   openai     {"error":{"message","type","param","code"}}
//   anthropic  {"type":"error","error":{"type","message"},"request_id"}
//   gemini     {"error":{"code","message","status","details":[ErrorInfo]}}
//   bedrock    {"__type","message"}
//   vectors    as openai
// The HTTP status is http_status(error.code); `error.detail` never appears.
ErrorBody error_body(Dialect dialect, const Error& error, std::string_view request_id);

// The refusal inside an answer that streams already, one complete SSE frame with its blank line. Chat streams
// must always get it when they are cut: SDKs take a stream without [DONE] that just ends for a success.
// `sequence_number` is used by the Responses endpoint alone (StreamMeter::next_sequence()).
std::string stream_error(Dialect dialect, Endpoint endpoint, const Error& error, std::string_view request_id,
                         std::int64_t sequence_number = 0);

}  // namespace claviger::provider
