// Requests of the Anthropic dialect: messages (SDK 1.11.0, stable and beta parameters).
#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "provider/ask_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

Result<void> read_cache_control(JsonValue control, Ask& out) {
  if (!given(control)) return {};
  TRY(const std::string ttl, read_text(control, "ttl"));
  if (ttl.empty() || ttl == "5m") {
    if (out.cache_write == CacheWrite::none) out.cache_write = CacheWrite::five_minutes;
  } else {
    out.cache_write = CacheWrite::one_hour;
    if (ttl != "1h") unbounded(out, "Only the 5m and 1h prompt caches have known prices.");
  }
  return {};
}

void read_image(JsonValue source, Ask& out) {
  if (source["type"].text_equals("base64")) {
    ++out.images;
    out.media_bytes += static_cast<std::int64_t>(source["data"].raw().size());
  } else {
    unbounded(out, "Input by URL has no known size: send images inline.");
  }
}

Result<void> walk_blocks(JsonValue content, Ask& out);

Result<void> read_document(JsonValue source, Ask& out) {
  const JsonValue type = source["type"];
  if (type.text_equals("text")) return {};
  if (type.text_equals("content")) return walk_blocks(source["content"], out);
  if (type.text_equals("base64"))
    out.hidden_input = true;
  else
    unbounded(out, "Input by URL has no known size: send documents inline.");
  return {};
}

Result<void> walk_block(JsonValue block, Ask& out) {
  TRY_VOID(read_cache_control(block["cache_control"], out));
  const JsonValue source = block["source"];
  if (given(source["file_id"]) || block["type"].text_equals("container_upload"))
    return stored_object("file_id");
  const std::string type = block["type"].text().value_or("");
  if (type == "image") {
    read_image(source, out);
  } else if (type == "document") {
    return read_document(source, out);
  } else if (type == "tool_result" || type == "search_result") {
    return walk_blocks(block["content"], out);
  } else if (type == "tool_addition") {
    note_tool(out, "tool_addition");
    unbounded(out, "Tools added inside a conversation are not looked through.");
  }
  return {};
}

Result<void> walk_blocks(JsonValue content, Ask& out) {
  if (content.is_array())
    for (const JsonValue block : content.elements()) TRY_VOID(walk_block(block, out));
  return {};
}

// A search or fetch at the provider, bounded by max_uses. Calls beyond that fail, but the model runs on after
// them; the provider ends a turn of its own tools after ten runs (stop reason pause_turn). Later versions of
// these tools run code besides, as often as the model likes.
Result<void> read_hosted(JsonValue tool, const std::string& type, Ask& out) {
  constexpr std::int64_t kRunsOfATurn = 10;
  out.hidden_input = true;
  TRY(const auto uses, read_count(tool, "max_uses"));
  if (!uses || *uses > limits::kToolCalls) {
    unbounded(out, "The tool \"" + type + "\" is worked by the provider: bound it by max_uses, at most " +
                       std::to_string(limits::kToolCalls) + ".");
    return {};
  }
  out.hosted.rounds = std::max(kRunsOfATurn, out.hosted.rounds + *uses);
  if (type.starts_with("web_search")) out.hosted.searches += *uses;
  return {};
}

// Tools without a type or of type "custom" are the caller's own; some of the provider's are worked by the
// caller but described to the model by hidden text.
Result<void> read_tools(JsonValue tools, Ask& out) {
  if (!given(tools)) return {};
  if (!tools.is_array()) return bad_parameter("tools", "must be a list.");
  constexpr std::array<std::string_view, 6> kOwnMachine{"bash_",     "text_editor_",      "memory_",
                                                        "computer_", "computer_toolset_", "browser_toolset_"};
  for (const JsonValue tool : tools.elements()) {
    TRY_VOID(read_cache_control(tool["cache_control"], out));
    const std::string type = tool["type"].text().value_or("custom");
    if (type == "custom") {
      note_function(out, tool["name"]);
      continue;
    }
    note_tool(out, type);
    if (type.starts_with("advisor_"))
      return bad_parameter("The advisor tool",
                           "is refused: it asks a model that the key's rules are not held against.");
    if (type == "web_search_20250305" || type == "web_fetch_20250910") {
      TRY_VOID(read_hosted(tool, type, out));
      continue;
    }
    const bool own =
        std::ranges::any_of(kOwnMachine, [&](std::string_view known) { return type.starts_with(known); });
    if (own)
      out.hidden_input = true;
    else
      unbounded(out, "The tool \"" + type.substr(0, 64) +
                         "\" is worked by the provider: nothing bounds its calls.");
  }
  // The provider puts a system text of its own before any tools.
  if (tools.size() > 0) out.has_tools = true;
  return {};
}

// Edits that only leave things out are free; others run the model once more.
Result<void> read_context_management(JsonValue management, Ask& out) {
  if (!given(management)) return {};
  const JsonValue edits = management["edits"];
  if (!edits.is_array()) return {};
  for (const JsonValue edit : edits.elements())
    if (!edit["type"].text().value_or("").starts_with("clear_"))
      unbounded(out, "Compaction runs the model once more on hidden input.");
  return {};
}

Result<void> read_options(JsonValue root, Ask& out) {
  TRY(const std::string tier, read_text(root, "service_tier"));
  out.tier = tier;
  if (!tier.empty() && tier != "auto" && tier != "standard_only")
    unbounded(out, "The service tier \"" + tier.substr(0, 32) + "\" has no known price.");
  TRY(const std::string speed, read_text(root, "speed"));
  if (!speed.empty() && speed != "standard") {
    out.tier = "fast";
    unbounded(out, "The fast mode has no known price.");
  }
  TRY(const std::string geo, read_text(root, "inference_geo"));
  out.us_geo = geo == "us";
  out.global_geo = geo == "global";
  if (!geo.empty() && !out.us_geo && !out.global_geo)
    unbounded(out, "Inference in \"" + geo.substr(0, 32) + "\" has no known price.");
  if (given(root["fallbacks"]))
    return bad_parameter("fallbacks", "is refused: the key's rules are checked against one model alone.");
  if (given(root["thread"])) return stored_object("thread");
  if (given(root["container"]) && !root["container"].is_object()) return stored_object("container");
  if (given(root["container"])) note_tool(out, "container");
  if (given(root["container"]))
    unbounded(out, "A container is worked by the provider: nothing bounds its cost.");
  if (given(root["compaction"])) unbounded(out, "Compaction runs the model once more on hidden input.");
  const JsonValue servers = root["mcp_servers"];
  if (given(servers) && (!servers.is_array() || servers.size() > 0)) {
    note_tool(out, "mcp");
    unbounded(out, "MCP servers are called by the provider: nothing bounds that.");
  }
  if (given(root["output_format"]) || given(root["output_config"]["format"])) out.has_tools = true;
  return read_context_management(root["context_management"], out);
}

}  // namespace

Result<void> read_messages(JsonValue root, Ask& out) {
  TRY(out.stream, read_flag(root, "stream"));
  TRY(const auto max, read_count(root, "max_tokens"));
  raise_max_output(out, max);
  TRY_VOID(read_options(root, out));
  TRY_VOID(read_cache_control(root["cache_control"], out));
  TRY_VOID(read_tools(root["tools"], out));
  TRY_VOID(walk_blocks(root["system"], out));
  const JsonValue messages = root["messages"];
  if (messages.is_array())
    for (const JsonValue message : messages.elements()) TRY_VOID(walk_blocks(message["content"], out));
  return {};
}

}  // namespace claviger::provider
