// Requests of the OpenAI dialect: chat completions, responses, embeddings (SDK 7.55.0 and 6.49.0).
#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "provider/ask_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

void read_tools(JsonValue tools, Ask& out);

// A tool of the provider with a price a call. All such calls of a response together are max_tool_calls.
void read_hosted(JsonValue tool, const std::string& type, Ask& out) {
  out.hidden_input = true;
  const JsonValue container = tool["container"];
  if (given(container["memory_limit"]) && !container["memory_limit"].text_equals("1g"))
    return unbounded(out, "Only containers of 1g have a known price.");
  if (container.is_string())
    return unbounded(out, "A container that exists at the provider has no bound of its own: use \"auto\".");
  if (!out.max_tool_calls)
    return unbounded(out, "The tool \"" + type + "\" is worked by the provider: bound it by max_tool_calls.");
  const std::int64_t calls = *out.max_tool_calls;
  out.hosted.rounds = calls + 1;
  (type == "file_search"        ? out.hosted.file_searches
   : type == "code_interpreter" ? out.hosted.code_sessions
                                : out.hosted.searches) = calls;
}

// One tool: the caller's own functions cost their bytes; everything else is worked by the provider.
void read_tool(JsonValue tool, Ask& out) {
  const std::string type = tool["type"].text().value_or("function");
  if (type == "namespace") return read_tools(tool["tools"], out);
  if (type == "function" || type == "custom") {
    const JsonValue inner = tool[type];  // chat nests what responses writes flat
    return note_function(out, inner.is_object() ? inner["name"] : tool["name"]);
  }
  note_tool(out, type);
  constexpr std::array<std::string_view, 4> kOwnMachine{"computer", "computer_use_preview", "apply_patch",
                                                        "local_shell"};
  const bool local_shell = type == "shell" && tool["environment"]["type"].text_equals("local");
  const bool client_search = type == "tool_search" && tool["execution"].text_equals("client");
  if (local_shell || client_search || std::ranges::find(kOwnMachine, type) != kOwnMachine.end()) {
    // Worked by the caller, but described to the model by the provider's own hidden text.
    out.hidden_input = true;
    return;
  }
  if (type == "web_search" || type == "web_search_2025_08_26" || type == "file_search" ||
      type == "code_interpreter")
    return read_hosted(tool, type, out);
  unbounded(out,
            "The tool \"" + type.substr(0, 64) + "\" is worked by the provider: nothing bounds its calls.");
}

void read_tools(JsonValue tools, Ask& out) {
  if (!given(tools)) return;
  if (!tools.is_array()) {
    note_tool(out, "unreadable");
    unbounded(out, "tools is not a list, so that the provider may read it differently.");
    return;
  }
  for (const JsonValue tool : tools.elements()) read_tool(tool, out);
  if (tools.size() > 0) out.has_tools = true;
}

void note_text_url(JsonValue value, Ask& out) {
  const auto url = value.text();
  if (url) note_image_url(*url, static_cast<std::int64_t>(value.raw().size()), out);
}

Result<void> walk(JsonValue value, Ask& out);

// One member of a message, an item or a content part that may stand for more tokens than its bytes.
Result<void> walk_member(std::string_view key, JsonValue value, Ask& out) {
  if (!given(value)) return {};
  if (key == "file_id" || key == "container_id") return stored_object(key);
  if (key == "image_url") {
    note_text_url(value.is_object() ? value["url"] : value, out);
  } else if (key == "file_url" || key == "document_url") {
    unbounded(out, "Input by URL has no known size: send it inline.");
  } else if (key == "input_audio" || key == "audio" || key == "audio_url") {
    out.audio_in = out.hidden_input = true;
  } else if (key == "file_data" || key == "video_url" || key == "result") {
    out.hidden_input = true;
  } else if (key == "tools") {
    read_tools(value, out);
  } else if (value.is_object() || value.is_array()) {
    return walk(value, out);
  }
  return {};
}

Result<void> walk(JsonValue value, Ask& out) {
  if (value.is_array()) {
    for (const JsonValue element : value.elements()) TRY_VOID(walk(element, out));
    return {};
  }
  if (!value.is_object()) return {};
  const JsonValue type = value["type"];
  if (type.text_equals("item_reference")) return stored_object("item_reference");
  if (type.text_equals("compaction_trigger"))
    unbounded(out, "Compaction runs the model once more on hidden input.");
  for (const auto& [key, member] : value.members()) TRY_VOID(walk_member(key, member, out));
  return {};
}

Result<void> read_tier(JsonValue root, Ask& out) {
  TRY(const std::string tier, read_text(root, "service_tier"));
  out.tier = tier;
  if (tier == "auto") out.dear_tier = DearTier::perhaps_priority;
  if (tier == "priority" || tier == "fast") out.dear_tier = DearTier::priority;
  // flex is sold below the list price, so the list price bounds it (providers.md 7.3).
  constexpr std::array<std::string_view, 8> kBounded{
      "", "auto", "default", "standard", "standard_only", "flex", "priority", "fast"};
  if (std::ranges::find(kBounded, tier) == kBounded.end())
    unbounded(out, "The service tier \"" + tier.substr(0, 32) + "\" has no known price.");
  return {};
}

Result<void> read_common(JsonValue root, Ask& out) {
  TRY(out.stream, read_flag(root, "stream"));
  TRY_VOID(read_tier(root, out));
  static constexpr std::array<wire::JsonKey, 3> kOtherModels{"models", "fallbacks", "route"};
  for (const wire::JsonKey& name : kOtherModels)
    if (given(root[name]))
      return bad_parameter(name.text, "is refused: the key's rules are checked against one model alone.");
  static constexpr std::array<wire::JsonKey, 4> kOwnTools{"web_search_options", "search_parameters",
                                                          "plugins", "mcp_servers"};
  for (const wire::JsonKey& key : kOwnTools)
    if (given(root[key])) {
      const std::string_view name = key.text;
      note_tool(out, name == "mcp_servers" ? "mcp" : name == "plugins" ? "plugins" : "web_search");
      unbounded(out, std::string(name) + " lets the provider search or call tools: nothing bounds that.");
    }
  if (given(root["moderation"])) unbounded(out, "moderation runs a second model whose cost is not known.");
  const JsonValue ttl = root["prompt_cache_options"]["ttl"];
  if (given(ttl) && !ttl.text_equals("30m"))
    unbounded(out, "Only the 30m prompt cache has a known price for writes.");
  read_tools(root["tools"], out);
  const JsonValue functions = root["functions"];
  if (given(functions) && !functions.is_array()) note_tool(out, "unreadable");
  if (functions.is_array())
    for (const JsonValue one : functions.elements()) note_function(out, one["name"]);
  if (given(root["functions"]) || given(root["response_format"]) || given(root["text"])) out.has_tools = true;
  return {};
}

// Rejected tokens of a prediction are billed as output on top of what the model writes.
void read_prediction(JsonValue prediction, Ask& out) {
  if (given(prediction)) out.prediction_bytes = static_cast<std::int64_t>(prediction.raw().size());
}

}  // namespace

Result<void> walk_media(JsonValue value, Ask& out) { return walk(value, out); }

Result<void> read_chat(JsonValue root, Ask& out) {
  TRY_VOID(read_common(root, out));
  TRY(const auto old_max, read_count(root, "max_tokens"));
  TRY(const auto new_max, read_count(root, "max_completion_tokens"));
  raise_max_output(out, old_max);
  raise_max_output(out, new_max);
  TRY_VOID(read_choices(root, "n", out));
  TRY_VOID(read_choices(root, "best_of", out));
  const JsonValue options = root["stream_options"];
  if (given(options)) {
    if (!options.is_object()) return bad_parameter("stream_options", "must be an object.");
    TRY(out.client_wants_usage, read_flag(options, "include_usage"));
  }
  TRY(const bool deferred, read_flag(root, "deferred"));
  if (deferred) return stored_object("deferred");
  if (given(root["audio"])) out.audio_out = true;
  const JsonValue modalities = root["modalities"];
  if (given(modalities)) {
    if (!modalities.is_array()) return bad_parameter("modalities", "must be a list.");
    for (const JsonValue one : modalities.elements()) {
      out.audio_out = out.audio_out || one.text_equals("audio");
      out.image_out = out.image_out || one.text_equals("image");
    }
  }
  read_prediction(root["prediction"], out);
  return walk(root["messages"], out);
}

Result<void> read_responses(JsonValue root, Ask& out) {
  // Before the tools are read: it is their bound.
  TRY(out.max_tool_calls, read_count(root, "max_tool_calls"));
  if (out.max_tool_calls && *out.max_tool_calls > limits::kToolCalls) out.max_tool_calls.reset();
  TRY_VOID(read_common(root, out));
  TRY(const bool background, read_flag(root, "background"));
  if (background)
    return refuse(Code::route_refused, "background is refused: its usage would come after the answer.");
  for (const std::string_view name : {"previous_response_id", "conversation"})
    if (given(root[name])) return stored_object(name);
  TRY(const auto max, read_count(root, "max_output_tokens"));
  raise_max_output(out, max);
  if (given(root["prompt"])) {
    note_tool(out, "prompt");  // it may bring tools of its own
    unbounded(out, "A stored prompt has hidden input and options.");
  }
  if (given(root["multi_agent"])) unbounded(out, "multi_agent runs further models: nothing bounds them.");
  if (given(root["context_management"]))
    unbounded(out, "Compaction runs the model once more on hidden input.");
  const JsonValue mode = root["reasoning"]["mode"];
  if (given(mode) && !mode.text_equals("standard"))
    unbounded(out, "Only the standard reasoning mode has a known price.");
  return walk(root["input"], out);
}

Result<void> read_embeddings(JsonValue root, Ask& out) {
  out.max_output = 0;
  const JsonValue input = root["input"];
  TRY(const std::string tier, read_text(root, "service_tier"));
  if (!input.is_array()) return {};
  for (const JsonValue element : input.elements())
    if (element.is_object()) out.hidden_input = true;
  return walk(input, out);
}

// Legacy completions: every prompt of a list is answered best_of (or n) times.
Result<void> read_completions(JsonValue root, Ask& out) {
  TRY_VOID(read_common(root, out));
  TRY(const auto max, read_count(root, "max_tokens"));
  raise_max_output(out, max);
  TRY_VOID(read_choices(root, "n", out));
  TRY_VOID(read_choices(root, "best_of", out));
  const JsonValue options = root["stream_options"];
  if (given(options)) {
    if (!options.is_object()) return bad_parameter("stream_options", "must be an object.");
    TRY(out.client_wants_usage, read_flag(options, "include_usage"));
  }
  const JsonValue prompt = root["prompt"];
  if (!prompt.is_array() || prompt.size() == 0) return {};
  const bool one_of_tokens = (*prompt.elements().begin()).is_number();
  if (one_of_tokens) return {};
  if (static_cast<std::int64_t>(prompt.size()) > limits::kMaxChoices / out.choices)
    return bad_parameter("prompt", "asks for more than " + std::to_string(limits::kMaxChoices) + " answers.");
  out.choices *= static_cast<std::int64_t>(prompt.size());
  return {};
}

Result<void> read_moderations(JsonValue root, Ask& out) {
  out.max_output = 0;
  return walk(root["input"], out);
}

}  // namespace claviger::provider
