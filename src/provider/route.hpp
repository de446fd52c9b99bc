// The route table: every path a client may ask for, and every path that is known but stays shut, with the
// reason.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "provider/dialect.hpp"

namespace claviger::provider {

// How the cost of a route becomes known. There is no route without one. Where an answer of another than
// `usage` carries no usage, the request fixes its cost or bounds it.
enum class Meter : std::uint8_t {
  free,        // costs nothing at any model: model lists, token counts
  usage,       // the answer carries a usage object
  bound,       // the answer may carry none (Gemini embeddings): settled at the reserved bound, estimated
  images,      // usage, else the pictures that came at the price of their size and quality
  seconds,     // usage in tokens or in seconds of audio, else the bound
  characters,  // usage, else the characters of the text, else the bound
  request,     // every answer costs the same: vector databases
};
// "free", "usage", "bound", "images", "seconds", "characters", "request".
std::string_view meter_name(Meter meter);
// One sentence on it, for the table of routes.
std::string_view meter_sentence(Meter meter);

// What a request's body is: JSON, a multipart form, or either as its content type says.
enum class BodyKind : std::uint8_t { json, form, either };

struct Route {
  std::string_view id;       // stable name for records, e.g. "openai.chat"
  std::string_view method;   // "POST", "GET"; "*" on refused routes that are shut for every method
  std::string_view pattern;  // "/v1/models/{model}"; "**" at the end takes any rest, also an empty one
  Dialect dialect = Dialect::openai;
  Endpoint endpoint = Endpoint::none;
  Meter meter = Meter::usage;
  bool served = false;
  std::string_view why_refused;  // the sentence for the client; empty when served
  bool streams = false;          // the path itself asks for a stream (Gemini :streamGenerateContent)
  BodyKind body = BodyKind::json;
};

// Whose client asks, as its headers tell (anthropic-version; x-goog-api-key or x-goog-api-client): /v1/models
// is asked in three protocols. any: OpenAI's, where a path has more than one.
enum class Speaker : std::uint8_t { any, anthropic, gemini };

struct RouteMatch {
  const Route* route = nullptr;       // static storage; null when no row fits
  Dialect dialect = Dialect::openai;  // the dialect an error body must have, also when nothing fits
  std::string_view model;             // raw path segment behind {model}; a view into `path`; may be empty
  // Holds when the route is served. Otherwise unknown_route, unsupported_method, route_refused (with the
  // route's sentence) or malformed_request (path not in normal form).
  Result<void> verdict{};
};

// `path` is the request target without its query. Refused as malformed: anything but an absolute path in
// normal form
// ("//", "." and ".." segments, %2f, %2e, %5c, backslash, bad or control-character escapes).
RouteMatch match(std::string_view method, std::string_view path, Speaker speaker);

// All rows, served and refused; for `explain`, documentation and tests.
std::span<const Route> routes();

// Strict percent-decoding: nullopt on an incomplete escape. "+" stays "+".
std::optional<std::string> percent_decode(std::string_view text);

// The value of `?key=` decoded (Gemini REST clients); empty when there is none. Two of them:
// conflicting_keys.
Result<std::string> query_key(std::string_view query);

// The query to send upstream: the client's without any credential ("key", "access_token"). Refuses what
// cannot be metered (a Gemini stream without alt=sse) as invalid_parameter.
Result<std::string> upstream_query(const Route& route, std::string_view query);

}  // namespace claviger::provider
