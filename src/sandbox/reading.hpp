// Reads what a client asks of the sandbox provider, in any dialect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/dialect.hpp"
#include "sandbox/draft.hpp"
#include "sandbox/plan.hpp"

namespace claviger::sandbox {

enum class Kind : std::uint8_t {
  unknown,
  chat,
  responses,
  embeddings,
  models,
  model,
  messages,
  generate,      // Gemini, whole
  stream,        // Gemini, streamGenerateContent
  count_tokens,  // of any dialect
  embed,         // Gemini embedContent
  batch_embed,   // Gemini batchEmbedContents
  completions,
  images,   // OpenAI: generations, edits, variations
  hearing,  // transcriptions and translations
  speech,
  moderations,
  predict,   // Imagen
  converse,  // Bedrock, whole or streamed
  invoke,    // Bedrock, in Anthropic's form
};
// Kinds whose answers are no text of tokens.
bool is_media(Kind kind);

struct Asked {
  Kind kind = Kind::unknown;
  provider::Dialect dialect = provider::Dialect::openai;
  std::string model;
  Json body;                       // discarded when it is no JSON; of a form, its fields
  std::vector<std::string> files;  // of a form
  std::string_view key;            // the provider key that was presented; a view into the request
  bool bearer = false;             // it came as a bearer token, where the dialect has a place of its own
  bool azure = false;              // below /openai, as Azure has it
  bool wrong_method = false;

  bool stream = false;
  bool events = false;  // Gemini: as server-sent events (alt=sse), not as a JSON array
  bool include_usage = false;
  std::optional<std::int64_t> max_output;
  std::int64_t choices = 1;
  bool reasons = false;        // the request asks for reasoning
  bool tool_answered = false;  // it carries the result of a tool
  std::int64_t input = 0;      // tokens, by our own count
};

Asked read_asked(const Request& request);

// The tool the answer should call, with arguments that fit its schema; nullopt when it should speak.
struct WantedTool {
  std::string name;
  std::string arguments;  // JSON
};
std::optional<WantedTool> wanted_tool(const Asked& asked);

// How many searches of the provider's own the request allows; 0 when it does not offer them.
std::int64_t allowed_searches(const Asked& asked);

// A value that fits a JSON schema, for tools and structured answers.
Json example_of(const Json& schema);
// The JSON text that a structured answer must be; nullopt when plain words will do.
std::optional<std::string> structured_answer(const Asked& asked);

}  // namespace claviger::sandbox
