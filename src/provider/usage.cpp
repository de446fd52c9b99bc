// Reading usage objects. Where a provider's numbers contradict each other the larger reading is taken and
// flagged.
#include "provider/usage.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "provider/usage_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

constexpr std::array<std::pair<ServiceTier, std::string_view>, 7> kTiers{
    {{ServiceTier::standard, "standard"},
     {ServiceTier::flex, "flex"},
     {ServiceTier::batch, "batch"},
     {ServiceTier::priority, "priority"},
     {ServiceTier::fast, "fast"},
     {ServiceTier::ultrafast, "ultrafast"},
     {ServiceTier::other, "other"}}};

// Names under which list price is served ("auto" stands in first events, before the tier is settled).
constexpr std::array<std::string_view, 7> kListPrice{"standard", "default",     "auto",     "",
                                                     "scale",    "unspecified", "on_demand"};

ServiceTier read_tier(JsonValue value) {
  if (!given(value)) return ServiceTier::standard;
  const std::string name = value.text().value_or("?");
  if (std::ranges::find(kListPrice, name) != kListPrice.end()) return ServiceTier::standard;
  return parse_tier(name).value_or(ServiceTier::other);
}

void take_tier(JsonValue value, auto& out) {
  if (!given(value)) return;
  out.tier = read_tier(value);
  out.tier_named = !value.text_equals("auto") && !value.text_equals("");
}

// Input that includes its cached, written, audio and image parts, taken apart. Parts that overlap (cached
// audio) are cut back where that is dearer; parts that exceed the whole are a mismatch.
struct Input {
  std::int64_t total = 0, read = 0, write_30m = 0, write_12h = 0, audio = 0, image = 0;
};

void split_input(const Input& in, Usage& out) {
  out.cache_read = in.read;
  out.cache_write_30m = in.write_30m;
  out.cache_write_12h = in.write_12h;
  std::int64_t left = in.total - in.read - in.write_30m - in.write_12h;
  if (left < 0) out.mismatch = true;
  left = std::max<std::int64_t>(left, 0);
  out.audio_in = std::min(in.audio, left);
  out.image_in = std::min(in.image, left - out.audio_in);
  out.uncached_in = left - out.audio_in - out.image_in;
}

// `total` is the provider's own sum. More than the parts: thoughts that were left out of the output (x-ai) or
// something unknown, billed as output. Less: flagged.
void check_total(std::int64_t total, std::int64_t input, std::int64_t reasoning, Usage& out) {
  if (total == 0) return;
  const std::int64_t missing = total - input - out.total_out();
  if (missing == 0) return;
  if (missing > 0) out.text_out += missing;
  if (missing != reasoning || reasoning == 0) out.mismatch = true;
}

std::int64_t modality(JsonValue details, std::string_view name) {
  std::int64_t sum = 0;
  if (!given(details) || !details.is_array()) return 0;
  for (const JsonValue one : details.elements())
    if (one["modality"].text_equals(name)) sum += count_or_zero(one["tokenCount"]);
  return sum;
}

std::int64_t pictures(JsonValue details) {
  return modality(details, "IMAGE") + modality(details, "VIDEO") + modality(details, "DOCUMENT");
}

ServiceTier traffic_tier(JsonValue traffic) {
  if (!given(traffic)) return ServiceTier::standard;
  if (traffic.text_equals("ON_DEMAND_PRIORITY")) return ServiceTier::priority;
  if (traffic.text_equals("ON_DEMAND_FLEX")) return ServiceTier::flex;
  return ServiceTier::standard;
}

void add_iteration(JsonValue one, MessagesUsage& sum) {
  MessagesUsage part;
  update_messages_usage(one, part);
  sum.input += part.input;
  sum.output += part.output;
  sum.read += part.read;
  sum.write += part.write;
  sum.write_5m += part.write_5m;
  sum.write_1h += part.write_1h;
}

// Beta: a request that ran the model several times reports each run; the top may name the last alone.
void raise_by_iterations(JsonValue iterations, MessagesUsage& fields) {
  if (!given(iterations) || !iterations.is_array()) return;
  MessagesUsage sum;
  for (const JsonValue one : iterations.elements()) add_iteration(one, sum);
  fields.input = std::max(fields.input, sum.input);
  fields.output = std::max(fields.output, sum.output);
  fields.read = std::max(fields.read, sum.read);
  fields.write = std::max(fields.write, sum.write);
  fields.write_5m = std::max(fields.write_5m, sum.write_5m);
  fields.write_1h = std::max(fields.write_1h, sum.write_1h);
}

// Calls of the provider's own tools, as a response shows them. A container is paid for once, whatever runs in
// it.
void count_tools(JsonValue output, Usage& out) {
  if (!output.is_array()) return;
  std::vector<std::string> containers;
  for (const JsonValue item : output.elements()) {
    const JsonValue type = item["type"];
    if (type.text_equals("web_search_call")) ++out.tool_calls;
    if (type.text_equals("file_search_call")) ++out.file_searches;
    if (!type.text_equals("code_interpreter_call")) continue;
    std::string container = item["container_id"].text().value_or("");
    if (std::ranges::find(containers, container) == containers.end())
      containers.push_back(std::move(container));
  }
  out.code_sessions = static_cast<std::int64_t>(containers.size());
}

void take(JsonValue value, std::int64_t& field) {
  if (given(value)) field = count_or_zero(value);
}

}  // namespace

std::string_view tier_name(ServiceTier tier) {
  for (const auto& [value, name] : kTiers)
    if (value == tier) return name;
  return "other";
}

std::optional<ServiceTier> parse_tier(std::string_view name) {
  for (const auto& [value, known] : kTiers)
    if (known == name) return value;
  return std::nullopt;
}

Usage read_chat_usage(JsonValue usage, JsonValue tier) {
  Usage out;
  if (!given(usage) || !usage.is_object()) return out;
  out.seen = true;
  take_tier(given(tier) ? tier : usage["service_tier"], out);
  const JsonValue in = usage["prompt_tokens_details"], done = usage["completion_tokens_details"];
  Input input;
  input.total = count_or_zero(usage["prompt_tokens"]);
  // DeepSeek names its cache hits outside the details.
  input.read = std::max(count_or_zero(in["cached_tokens"]), count_or_zero(usage["prompt_cache_hit_tokens"]));
  input.write_30m = count_or_zero(in["cache_write_tokens"]);
  input.audio = count_or_zero(in["audio_tokens"]);
  input.image = count_or_zero(in["image_tokens"]);
  split_input(input, out);
  const std::int64_t completion = count_or_zero(usage["completion_tokens"]);
  out.audio_out = std::min(count_or_zero(done["audio_tokens"]), completion);
  out.text_out = completion - out.audio_out;
  const std::int64_t reasoning = count_or_zero(done["reasoning_tokens"]);
  check_total(count_or_zero(usage["total_tokens"]), input.total, reasoning, out);
  out.reasoning_out = std::min(reasoning, out.text_out);
  return out;
}

Usage read_embeddings_usage(JsonValue usage) {
  Usage out;
  if (!given(usage) || !usage.is_object()) return out;
  out.seen = true;
  const std::int64_t prompt = count_or_zero(usage["prompt_tokens"]),
                     total = count_or_zero(usage["total_tokens"]);
  out.uncached_in = std::max(prompt, total);
  out.mismatch = total != 0 && total != prompt;
  return out;
}

Usage read_response_usage(JsonValue response) {
  Usage out;
  const JsonValue usage = response["usage"];
  if (!given(usage) || !usage.is_object()) return out;
  out.seen = true;
  take_tier(response["service_tier"], out);
  const JsonValue in = usage["input_tokens_details"];
  const JsonValue ttl = in["cache_write_tokens_details"];
  Input input;
  input.total = count_or_zero(usage["input_tokens"]);
  input.read = count_or_zero(in["cached_tokens"]);
  const std::int64_t written = count_or_zero(in["cache_write_tokens"]);
  const std::int64_t half_hour = count_or_zero(ttl["ttl_30m_tokens"]);
  input.write_12h = count_or_zero(ttl["ttl_12h_tokens"]);
  input.write_30m = std::max(half_hour, written - input.write_12h);
  if (given(ttl) && half_hour + input.write_12h != written) out.mismatch = true;
  split_input(input, out);
  out.text_out = count_or_zero(usage["output_tokens"]);
  const std::int64_t reasoning = count_or_zero(usage["output_tokens_details"]["reasoning_tokens"]);
  check_total(count_or_zero(usage["total_tokens"]), input.total, reasoning, out);
  out.reasoning_out = std::min(reasoning, out.text_out);
  const JsonValue tools = response["tool_usage"];
  out.hosted_in = count_or_zero(tools["image_gen"]["input_tokens"]);
  out.hosted_out = count_or_zero(tools["image_gen"]["output_tokens"]);
  count_tools(response["output"], out);
  count_items(response["output"], out.tools);
  if (given(tools["web_search"])) out.tool_calls = count_or_zero(tools["web_search"]["num_requests"]);
  return out;
}

void update_messages_usage(JsonValue usage, MessagesUsage& fields) {
  if (!given(usage)) return;
  take(usage["input_tokens"], fields.input);
  take(usage["output_tokens"], fields.output);
  take(usage["cache_read_input_tokens"], fields.read);
  take(usage["cache_creation_input_tokens"], fields.write);
  if (const JsonValue split = usage["cache_creation"]; given(split)) {
    fields.split = true;
    take(split["ephemeral_5m_input_tokens"], fields.write_5m);
    take(split["ephemeral_1h_input_tokens"], fields.write_1h);
  }
  take(usage["output_tokens_details"]["thinking_tokens"], fields.thinking);
  take(usage["server_tool_use"]["web_search_requests"], fields.searches);
  take(usage["server_tool_use"]["web_fetch_requests"], fields.fetches);
  take_tier(usage["service_tier"], fields);
  if (usage["speed"].text_equals("fast")) {
    fields.tier = ServiceTier::fast;
    fields.tier_named = true;
  }
  if (const JsonValue geo = usage["inference_geo"]; given(geo)) fields.us_geo = geo.text_equals("us");
  raise_by_iterations(usage["iterations"], fields);
}

Usage messages_usage(const MessagesUsage& fields) {
  Usage out;
  out.seen = true;
  out.tier = fields.tier;
  out.tier_named = fields.tier_named;
  out.tools = fields.tools;
  // Blocks show every call, the counts those that were carried out.
  out.tools[HostedTool::web_search] = std::max(out.tools[HostedTool::web_search], fields.searches);
  out.tools[HostedTool::web_fetch] = std::max(out.tools[HostedTool::web_fetch], fields.fetches);
  out.us_geo = fields.us_geo;
  out.uncached_in = fields.input;
  out.cache_read = fields.read;
  out.cache_write_5m = fields.split ? fields.write_5m : fields.write;
  out.cache_write_1h = fields.split ? fields.write_1h : 0;
  // Writes beyond the split are of an unknown kind: the dearer one.
  const std::int64_t rest = fields.write - out.cache_write_5m - out.cache_write_1h;
  if (rest != 0) out.mismatch = true;
  out.cache_write_1h += std::max<std::int64_t>(rest, 0);
  out.text_out = fields.output;
  out.reasoning_out = std::min(fields.thinking, fields.output);
  out.tool_calls = fields.searches;
  return out;
}

Usage read_gemini_usage(JsonValue metadata) {
  Usage out;
  if (!given(metadata) || !metadata.is_object()) return out;
  out.seen = true;
  out.tier = traffic_tier(metadata["trafficType"]);
  out.tier_named = given(metadata["trafficType"]);
  const JsonValue asked = metadata["promptTokensDetails"], cached = metadata["cacheTokensDetails"];
  const std::int64_t cached_audio = modality(cached, "AUDIO");
  Input input;
  input.total =
      count_or_zero(metadata["promptTokenCount"]) + count_or_zero(metadata["toolUsePromptTokenCount"]);
  input.read = count_or_zero(metadata["cachedContentTokenCount"]);
  input.audio = std::max<std::int64_t>(modality(asked, "AUDIO") - cached_audio, 0);
  input.image = std::max<std::int64_t>(pictures(asked) - pictures(cached), 0);
  split_input(input, out);
  out.cache_read_audio = std::min(cached_audio, out.cache_read);
  out.cache_read -= out.cache_read_audio;
  const JsonValue made = metadata["candidatesTokensDetails"];
  const std::int64_t candidates = count_or_zero(metadata["candidatesTokenCount"]);
  const std::int64_t thoughts = count_or_zero(metadata["thoughtsTokenCount"]);
  out.audio_out = std::min(modality(made, "AUDIO"), candidates);
  out.image_out = std::min(modality(made, "IMAGE") + modality(made, "VIDEO"), candidates - out.audio_out);
  out.text_out = candidates - out.audio_out - out.image_out + thoughts;
  out.reasoning_out = thoughts;
  check_total(count_or_zero(metadata["totalTokenCount"]), input.total, 0, out);
  return out;
}

namespace {

Usage read_openai_usage(Endpoint endpoint, JsonValue root) {
  switch (endpoint) {
    case Endpoint::responses:
      return read_response_usage(root);
    case Endpoint::embeddings:
    case Endpoint::moderations:
      return read_embeddings_usage(root["usage"]);
    case Endpoint::chat:
    case Endpoint::completions:
      return read_chat_usage(root["usage"], root["service_tier"]);
    case Endpoint::images:
      return read_image_usage(root);
    case Endpoint::transcriptions:
    case Endpoint::translations:
      return read_hearing_usage(root);
    case Endpoint::speech:
      return read_speech_usage(root["usage"]);
    default:
      return {};
  }
}

}  // namespace

Usage read_usage(Dialect dialect, Endpoint endpoint, const wire::Json& answer) {
  const JsonValue root = answer.root();
  if (!root.is_object()) return {};
  switch (dialect) {
    case Dialect::gemini: {
      if (endpoint == Endpoint::predict) return read_predict_usage(root);
      Usage out = read_gemini_usage(root["usageMetadata"]);
      count_candidates(root, out.tools);
      out.tool_calls = out.tools[HostedTool::web_search];
      return out;
    }
    case Dialect::anthropic: {
      if (endpoint != Endpoint::messages || !given(root["usage"])) return {};
      MessagesUsage fields;
      update_messages_usage(root["usage"], fields);
      if (const JsonValue content = root["content"]; content.is_array())
        for (const JsonValue block : content.elements()) count_block(block, fields.tools);
      return messages_usage(fields);
    }
    case Dialect::bedrock:
      if (endpoint == Endpoint::invoke) return read_invoke_usage(root);
      return endpoint == Endpoint::converse ? read_converse_usage(root["usage"]) : Usage{};
    case Dialect::vectors:
      return {};
    case Dialect::openai:
      return read_openai_usage(endpoint, root);
  }
  return {};
}

}  // namespace claviger::provider
