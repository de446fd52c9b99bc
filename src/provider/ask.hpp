// What a request asks for, as far as policy and money need it; and the small edits the gate makes to its
// body.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "provider/route.hpp"
#include "wire/json.hpp"
#include "wire/multipart.hpp"

namespace claviger::provider {

struct Provider;

// The dearest prompt-cache write the body may cause beyond what the provider does by itself.
enum class CacheWrite : std::uint8_t { none, five_minutes, one_hour };

// The dearest service tier a request may be served at: list price, or what priority costs when that is known,
// or priority for certain.
enum class DearTier : std::uint8_t { list, perhaps_priority, priority };

// Pictures that a request has made; their number is Ask::choices.
struct Pictures {
  std::string size, quality;  // as asked; empty: not said
  std::int64_t partial = 0;   // pictures on the way, for streams
};

// Calls of the provider's own tools that a request allows, where something bounds them: at most so many of
// each, billed apiece, and the model reads its context again after each.
struct HostedCalls {
  std::int64_t rounds = 1;  // how often the model runs for one answer
  std::int64_t searches = 0, file_searches = 0, code_sessions = 0;
  bool only_once = false;  // nothing bounds the searches: only a model that is billed for one a request fits
  friend bool operator==(const HostedCalls&, const HostedCalls&) = default;
};

struct Ask {
  std::string model;  // empty on routes that name none (model lists); the operation of a vector database
  std::optional<std::int64_t> max_output;  // as asked, the largest when two fields say it; 0 is a value
  std::int64_t choices = 1;                // n, candidateCount
  bool stream = false;
  bool client_wants_usage = false;  // stream_options.include_usage is true
  CacheWrite cache_write = CacheWrite::none;
  std::int64_t images = 0;         // images given inline
  std::int64_t media_bytes = 0;    // bytes of inline images, which the text bound leaves out
  std::vector<std::string> tools;  // kinds of tools the request offers, each once, in snake_case and without
                                   // their date: "function" for the caller's own, "web_search", "computer"
  std::string tier;                // the service tier asked for, as written in lower case; empty: none
  bool has_tools = false;          // the provider adds a text of its own before tools and formats
  bool hidden_input = false;       // input whose tokens bytes do not bound: inline audio, video, documents,
                                   // tools defined by the provider; only the context window bounds it
  bool audio_in = false;
  bool audio_out = false;
  bool image_out = false;
  bool us_geo = false;      // inference_geo "us"; unset may mean it too
  bool global_geo = false;  // inference_geo "global"
  DearTier dear_tier = DearTier::list;
  std::optional<Pictures> pictures;     // on routes that make pictures
  bool hears = false;                   // a sound is transcribed or translated ...
  std::optional<std::int64_t> seconds;  // ... of at most this length
  bool speaks = false;                  // a text is spoken ...
  std::int64_t characters = 0;          // ... of so many characters
  HostedCalls hosted;
  std::optional<std::int64_t> max_tool_calls;  // of the provider's own tools (Responses)
  std::int64_t prediction_bytes = 0;  // predicted output: rejected tokens are billed on top of the bound
  // Server-side tools and options whose cost nothing in the request bounds, one sentence each. Under a
  // blocking budget the gate refuses with unbounded_cost and the first of them.
  std::vector<std::string> unbounded;
};

// Reads the request of a served route. `path` is the request's path (Gemini names the model there,
// percent-decoded strictly); `body` or `form` is the request's body, both are null when it has none. Refuses:
// missing_model;
// invalid_parameter (wrong types, n out of range, two spellings of one field, further models such as
// fallbacks, model names with control characters or longer than limits::kModelName); route_refused for what
// binds a request to stored objects (background, previous_response_id, conversation, item references, file
// ids, cached contents, containers, threads).
Result<Ask> read_ask(const Route& route, std::string_view path, const wire::Json* body,
                     const wire::Form* form = nullptr);

// text[at, at + remove) becomes `insert`.
struct Splice {
  std::size_t at = 0;
  std::size_t remove = 0;
  std::string insert;
  friend bool operator==(const Splice&, const Splice&) = default;
};

// The edits of one body, in order and without overlap: `stream_options.include_usage` where the provider
// wants to be asked, and the answer's bound inserted, or clamped where it is larger. `output_cap`: nullopt
// leaves it alone.
struct Edits {
  std::vector<Splice> splices;
  bool usage_inserted = false;  // a StreamFilter must take it out of the answer again
};
Edits edit_body(const Route& route, const Provider& provider, const Ask& ask, const wire::Json& body,
                std::optional<std::int64_t> output_cap);

// The outgoing body as pieces to gather, views into `body` and into the splices.
std::vector<std::string_view> gather(std::string_view body, std::span<const Splice> splices);
// Sum of the pieces' sizes: the outgoing Content-Length.
std::size_t gathered_size(std::string_view body, std::span<const Splice> splices);

}  // namespace claviger::provider
