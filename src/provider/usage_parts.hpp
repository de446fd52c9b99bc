// The readers of each protocol's usage object, shared by whole answers and streams.
#pragma once

#include "provider/json_look.hpp"
#include "provider/usage.hpp"

namespace claviger::provider {

// `usage` of chat completions; `tier` is the answer's service_tier.
Usage read_chat_usage(wire::JsonValue usage, wire::JsonValue tier);
Usage read_embeddings_usage(wire::JsonValue usage);
// Pictures: `usage` in tokens, else the pictures in `data`.
Usage read_image_usage(wire::JsonValue root);
// Transcriptions: `usage` in tokens or seconds, else the `duration` of a verbose answer.
Usage read_hearing_usage(wire::JsonValue root);
Usage read_speech_usage(wire::JsonValue usage);
// Imagen: the pictures among the predictions.
Usage read_predict_usage(wire::JsonValue root);
// Searches of the provider that a Gemini answer shows to be grounded in.
std::int64_t grounding_searches(wire::JsonValue root);
// Adds the provider's own tools that items of a response, a content block or candidates show at work.
void count_items(wire::JsonValue output, ToolCounts& out);
void count_block(wire::JsonValue block, ToolCounts& out);
void count_candidates(wire::JsonValue root, ToolCounts& out);
// The whole response object: usage, tool_usage and service_tier.
Usage read_response_usage(wire::JsonValue response);
// Takes over every field that `usage` gives.
void update_messages_usage(wire::JsonValue usage, MessagesUsage& fields);
Usage messages_usage(const MessagesUsage& fields);
Usage read_gemini_usage(wire::JsonValue metadata);
Usage read_converse_usage(wire::JsonValue usage);
// The whole answer of InvokeModel, whichever model gave it; not seen where it names no counts.
Usage read_invoke_usage(wire::JsonValue root);

// Bytes of all texts below `value`, without names of roles, types and ids.
std::int64_t text_bytes(wire::JsonValue value);

}  // namespace claviger::provider
