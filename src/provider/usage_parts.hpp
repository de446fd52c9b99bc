// The readers of each protocol's usage object, shared by whole answers and streams.
#pragma once

#include "provider/json_look.hpp"
#include "provider/usage.hpp"

namespace claviger::provider {

// `usage` of chat completions; `tier` is the answer's service_tier.
Usage read_chat_usage(wire::JsonValue usage, wire::JsonValue tier);
Usage read_embeddings_usage(wire::JsonValue usage);
// The whole response object: usage, tool_usage and service_tier.
Usage read_response_usage(wire::JsonValue response);
// Takes over every field that `usage` gives.
void update_messages_usage(wire::JsonValue usage, MessagesUsage& fields);
Usage messages_usage(const MessagesUsage& fields);
Usage read_gemini_usage(wire::JsonValue metadata);

// Bytes of all texts below `value`, without names of roles, types and ids.
std::int64_t text_bytes(wire::JsonValue value);

}  // namespace claviger::provider
