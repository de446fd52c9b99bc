// AWS Bedrock's runtime: what Converse and InvokeModel ask, what their answers used, and the bound of an
// answer's length.
#include <algorithm>
#include <array>

#include "provider/ask_parts.hpp"
#include "provider/usage_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

Result<void> walk_blocks(JsonValue content, Ask& out);

void read_media(JsonValue media, bool image, Ask& out) {
  const JsonValue bytes = media["source"]["bytes"];
  if (image && bytes.exists()) {
    ++out.images;
    out.media_bytes += static_cast<std::int64_t>(bytes.raw().size());
  } else if (given(media["source"]["s3Location"])) {
    unbounded(out, "Input from S3 has no known size: send it inline.");
  } else {
    out.hidden_input = true;
  }
}

Result<void> read_cache_point(JsonValue point, Ask& out) {
  if (!given(point)) return {};
  TRY(const std::string ttl, read_text(point, "ttl"));
  if (ttl == "1h")
    out.cache_write = CacheWrite::one_hour;
  else if (out.cache_write == CacheWrite::none)
    out.cache_write = CacheWrite::five_minutes;
  if (!ttl.empty() && ttl != "5m" && ttl != "1h")
    unbounded(out, "Only the 5m and 1h prompt caches have known prices.");
  return {};
}

Result<void> walk_block(JsonValue block, Ask& out) {
  if (given(block["image"])) read_media(block["image"], true, out);
  for (const std::string_view kind : {"document", "video", "audio"})
    if (given(block[kind])) read_media(block[kind], false, out);
  TRY_VOID(read_cache_point(block["cachePoint"], out));
  return walk_blocks(block["toolResult"]["content"], out);
}

Result<void> walk_blocks(JsonValue content, Ask& out) {
  if (!content.exists() || !content.is_array()) return {};
  for (const JsonValue block : content.elements()) TRY_VOID(walk_block(block, out));
  return {};
}

Result<void> read_tools(JsonValue config, Ask& out) {
  if (!given(config)) return {};
  out.has_tools = true;
  if (!config["tools"].is_array()) return {};
  for (const JsonValue tool : config["tools"].elements()) {
    TRY_VOID(read_cache_point(tool["cachePoint"], out));
    if (given(tool["systemTool"])) unbounded(out, "Tools that the provider works are billed apart.");
  }
  return {};
}

// How fast the answer comes, and at what price. What is not the usual service is not known to be cheaper.
void note_service(JsonValue root, Ask& out) {
  if (given(root["guardrailConfig"])) unbounded(out, "Guardrails are billed apart from the model.");
  const JsonValue speed = root["performanceConfig"];
  if (given(speed) && !speed["latency"].text_equals("standard"))
    unbounded(out, "Latency-optimized inference has a price of its own that is not known.");
  for (const JsonValue said : {root["serviceTier"], root["service_tier"]}) {
    const JsonValue tier = said.is_object() ? said["type"] : said;
    if (!given(said) || tier.text_equals("default")) continue;
    out.tier = tier.exists() ? tier.text().value_or("unknown") : "unknown";
    unbounded(out, "Service tiers of Bedrock have prices of their own that are not known.");
  }
}

// Fields by which the models on Bedrock bound an answer, as paths of at most two names.
struct BoundField {
  std::string_view outer, name;
};
constexpr std::array<BoundField, 8> kBoundFields{{{"", "max_tokens"},
                                                  {"", "max_completion_tokens"},
                                                  {"", "max_gen_len"},
                                                  {"", "maxTokens"},
                                                  {"", "max_tokens_to_sample"},
                                                  {"inferenceConfig", "maxTokens"},
                                                  {"inferenceConfig", "max_new_tokens"},
                                                  {"textGenerationConfig", "maxTokenCount"}}};

JsonValue bound_at(JsonValue root, const BoundField& field) {
  return field.outer.empty() ? root[field.name] : root[field.outer][field.name];
}

// Whether pictures, sound or files may stand in a body whose form is the model's own.
bool holds_media(JsonValue value) {
  if (!value.exists()) return false;
  if (value.is_array()) {
    for (const JsonValue one : value.elements())
      if (holds_media(one)) return true;
    return false;
  }
  if (!value.is_object()) return false;
  for (const auto& [key, member] : value.members()) {
    for (const std::string_view word : {"image", "video", "audio", "document", "media"})
      if (key.find(word) != std::string_view::npos) return true;
    if (holds_media(member)) return true;
  }
  return false;
}

std::int64_t first_count(JsonValue object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (given(object[name])) return count_or_zero(object[name]);
  return 0;
}

}  // namespace

Result<void> read_converse(JsonValue root, Ask& out) {
  TRY(const auto most, read_count(root["inferenceConfig"], "maxTokens"));
  raise_max_output(out, most);
  if (given(root["promptVariables"])) return stored_object("promptVariables");
  if (root["messages"].is_array())
    for (const JsonValue message : root["messages"].elements())
      TRY_VOID(walk_blocks(message["content"], out));
  TRY_VOID(walk_blocks(root["system"], out));
  TRY_VOID(read_tools(root["toolConfig"], out));
  if (given(root["additionalModelRequestFields"]))
    unbounded(out, "additionalModelRequestFields may switch on what the gate knows no price of.");
  note_service(root, out);
  return {};
}

Result<void> read_invoke(JsonValue root, Ask& out) {
  if (given(root["anthropic_version"])) {
    TRY_VOID(read_messages(root, out));
  } else {
    out.hidden_input = holds_media(root);
    out.has_tools = given(root["tools"]);
    TRY_VOID(read_tools(root["toolConfig"], out));
    note_service(root, out);
    TRY_VOID(read_choices(root, "n", out));
    TRY_VOID(read_choices(root, "num_generations", out));
    for (const BoundField& field : kBoundFields) {
      const JsonValue holder = field.outer.empty() ? root : root[field.outer];
      if (!holder.exists() || !holder.is_object()) continue;
      TRY(const auto value, read_count(holder, field.name));
      raise_max_output(out, value);
    }
  }
  if (!out.max_output && out.model.find("embed") != std::string::npos) out.max_output = 0;
  if (out.max_output) return {};
  return refuse(Code::invalid_parameter,
                "An InvokeModel body must bound its answer: give max_tokens, or the field by which its model "
                "does, or use Converse.");
}

void cap_converse(JsonValue root, std::int64_t cap, Edits& out) {
  const std::string text = std::to_string(cap);
  const JsonValue config = root["inferenceConfig"];
  if (!config.exists()) {
    out.splices.push_back(
        {root.offset() + 1, 0,
         "\"inferenceConfig\":{\"maxTokens\":" + text + "}" + (root.size() > 0 ? "," : "")});
  } else if (!config.is_object()) {
    out.splices.push_back(
        {config.offset(), config.end_offset() - config.offset(), "{\"maxTokens\":" + text + "}"});
  } else if (const JsonValue most = config["maxTokens"]; most.exists()) {
    const auto asked = most.integer();
    if (!asked || *asked > cap)
      out.splices.push_back({most.offset(), most.end_offset() - most.offset(), text});
  } else {
    out.splices.push_back({config.offset() + 1, 0, "\"maxTokens\":" + text + (config.size() > 0 ? "," : "")});
  }
}

void cap_invoke(JsonValue root, std::int64_t cap, Edits& out) {
  for (const BoundField& field : kBoundFields) {
    const JsonValue most = bound_at(root, field);
    if (!most.exists() || most.is_null()) continue;
    const auto asked = most.integer();
    if (!asked || *asked > cap)
      out.splices.push_back({most.offset(), most.end_offset() - most.offset(), std::to_string(cap)});
  }
}

// Cached input stands beside inputTokens, as Anthropic counts it.
Usage read_converse_usage(JsonValue usage) {
  Usage out;
  if (!given(usage) || !usage.is_object()) return out;
  out.seen = true;
  out.uncached_in = count_or_zero(usage["inputTokens"]);
  out.text_out = count_or_zero(usage["outputTokens"]);
  out.cache_read = first_count(usage, {"cacheReadInputTokens", "cacheReadInputTokenCount"});
  const std::int64_t written = first_count(usage, {"cacheWriteInputTokens", "cacheWriteInputTokenCount"});
  if (const JsonValue details = usage["cacheDetails"]; given(details) && details.is_array())
    for (const JsonValue one : details.elements())
      if (one["ttl"].text_equals("1h")) out.cache_write_1h += count_or_zero(one["inputTokens"]);
  out.cache_write_5m = std::max<std::int64_t>(written - out.cache_write_1h, 0);
  const std::int64_t total = count_or_zero(usage["totalTokens"]);
  const std::int64_t plain = out.uncached_in + out.text_out;
  out.mismatch = total != 0 && total != plain && total != out.total_in() + out.text_out;
  return out;
}

Usage read_invoke_usage(JsonValue root) {
  const JsonValue usage = root["usage"];
  if (given(usage) && given(usage["input_tokens"])) {
    MessagesUsage fields;
    update_messages_usage(usage, fields);
    return messages_usage(fields);
  }
  if (given(usage) && given(usage["inputTokens"])) return read_converse_usage(usage);
  if (given(usage) && given(usage["prompt_tokens"])) return read_chat_usage(usage, {});
  Usage out;
  if (given(root["prompt_token_count"])) {
    out.seen = true;
    out.uncached_in = count_or_zero(root["prompt_token_count"]);
    out.text_out = count_or_zero(root["generation_token_count"]);
  } else if (given(root["inputTextTokenCount"])) {
    out.seen = true;
    out.uncached_in = count_or_zero(root["inputTextTokenCount"]);
    if (root["results"].exists() && root["results"].is_array())
      for (const JsonValue one : root["results"].elements()) out.text_out += count_or_zero(one["tokenCount"]);
  }
  return out;
}

}  // namespace claviger::provider
