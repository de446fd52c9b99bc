// The readers behind read_ask, one a protocol, and what they share.
#pragma once

#include <string>
#include <string_view>

#include "provider/ask.hpp"
#include "provider/body_fields.hpp"
#include "provider/json_look.hpp"

namespace claviger::provider {

Result<void> read_chat(wire::JsonValue root, Ask& out);
Result<void> read_responses(wire::JsonValue root, Ask& out);
Result<void> read_embeddings(wire::JsonValue root, Ask& out);
Result<void> read_completions(wire::JsonValue root, Ask& out);
Result<void> read_moderations(wire::JsonValue root, Ask& out);
Result<void> read_images(wire::JsonValue root, Ask& out);
Result<void> read_images(const wire::Form& form, Ask& out);
Result<void> read_hearing(const wire::Form& form, Ask& out);
Result<void> read_speech(wire::JsonValue root, Ask& out);
Result<void> read_predict(wire::JsonValue root, Ask& out);
Result<void> read_messages(wire::JsonValue root, Ask& out);
Result<void> read_generate_content(wire::JsonValue root, Ask& out);
Result<void> read_gemini_embeddings(wire::JsonValue root, Ask& out);
Result<void> read_converse(wire::JsonValue root, Ask& out);
// The body is in the model's own form. Refuses one whose answer has no bound that is known.
Result<void> read_invoke(wire::JsonValue root, Ask& out);

// Edits of Bedrock's bodies that bound the answer.
void cap_converse(wire::JsonValue root, std::int64_t cap, Edits& out);
void cap_invoke(wire::JsonValue root, std::int64_t cap, Edits& out);

// What lies below `value` and stands for more tokens than its bytes: pictures, sound, files, URLs.
Result<void> walk_media(wire::JsonValue value, Ask& out);
// The field of a Google object in camelCase or snake_case; `twice` is set when both are there.
wire::JsonValue google_field(wire::JsonValue object, std::string_view camel, bool& twice);
// Adds a sentence once.
void unbounded(Ask& out, std::string_view sentence);
// Notes the kind of a tool: "web_search_20250305", "web_search_preview_2025_03_11" and "webSearch" all begin
// with "web_search"; dates and versions are left out.
void note_tool(Ask& out, std::string_view type);
// Notes one of the caller's own functions as "function:NAME".
void note_function(Ask& out, wire::JsonValue name);
// n and its like: 1 when not given; refuses 0 and more than limits::kMaxChoices.
Result<void> read_choices(wire::JsonValue root, std::string_view name, Ask& out);
// Takes the larger of what is there and `value`.
void raise_max_output(Ask& out, const std::optional<std::int64_t>& value);
// What belongs to the provider's account and not to a key: route_refused.
std::unexpected<Error> stored_object(std::string_view name);
// "data:image/..." URLs are counted, others listed as unbounded. `raw_size` is the size of the text in the
// body.
void note_image_url(std::string_view url, std::int64_t raw_size, Ask& out);

}  // namespace claviger::provider
