// The gate's small edits to a request body, as splices into the client's own bytes.
#include <algorithm>

#include "provider/ask.hpp"
#include "provider/ask_parts.hpp"
#include "provider/json_look.hpp"
#include "provider/provider.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

// Inserts `"name":value` as the first member of `object`.
Splice first_member(JsonValue object, std::string_view name, std::string_view value) {
  std::string text = "\"";
  text.append(name).append("\":").append(value);
  if (object.size() > 0) text += ',';
  return {object.offset() + 1, 0, std::move(text)};
}

Splice replace(JsonValue value, std::string_view text) {
  return {value.offset(), value.end_offset() - value.offset(), std::string(text)};
}

bool is_google_spelling(std::string_view key, std::string_view camel, std::string_view snake) {
  return key == camel || key == snake;
}

// Clamps one field that is there; reports whether it bounds the answer now.
bool clamp_field(JsonValue value, std::int64_t cap, Edits& out) {
  if (!value.exists()) return false;
  const auto asked = value.integer();
  if (!asked || *asked > cap) out.splices.push_back(replace(value, std::to_string(cap)));
  return true;
}

void cap_gemini(JsonValue root, std::int64_t cap, Edits& out) {
  const std::string text = std::to_string(cap);
  for (const auto& [key, config] : root.members()) {
    if (!is_google_spelling(key, "generationConfig", "generation_config")) continue;
    if (!config.is_object()) {
      out.splices.push_back(replace(config, "{\"maxOutputTokens\":" + text + "}"));
      return;
    }
    for (const auto& [name, value] : config.members())
      if (is_google_spelling(name, "maxOutputTokens", "max_output_tokens")) {
        clamp_field(value, cap, out);
        return;
      }
    out.splices.push_back(first_member(config, "maxOutputTokens", text));
    return;
  }
  out.splices.push_back(first_member(root, "generationConfig", "{\"maxOutputTokens\":" + text + "}"));
}

// Chat has two fields for one thing; both are clamped, and the one the provider is sure to honour is there.
void cap_chat(JsonValue root, const Provider& provider, std::int64_t cap, const Ask& ask, Edits& out) {
  const bool newer = clamp_field(root["max_completion_tokens"], cap, out);
  const bool older = clamp_field(root["max_tokens"], cap, out);
  const bool bounded = provider.max_tokens == MaxTokens::either ? newer || older : older;
  if (bounded) return;
  const std::int64_t value = std::min(cap, ask.max_output.value_or(cap));
  std::string_view field = "max_tokens";
  if (!provider.max_tokens_field.empty()) field = provider.max_tokens_field;
  out.splices.push_back(first_member(root, field, std::to_string(value)));
}

void cap_plain(JsonValue root, std::string_view field, std::int64_t cap, Edits& out) {
  if (!clamp_field(root[field], cap, out))
    out.splices.push_back(first_member(root, field, std::to_string(cap)));
}

void cap_output(const Route& route, const Provider& provider, const Ask& ask, JsonValue root,
                std::int64_t cap, Edits& out) {
  switch (route.endpoint) {
    case Endpoint::chat:
      return cap_chat(root, provider, cap, ask, out);
    case Endpoint::responses:
      return cap_plain(root, "max_output_tokens", cap, out);
    case Endpoint::messages:
    case Endpoint::completions:
      return cap_plain(root, "max_tokens", cap, out);
    case Endpoint::generate_content:
      return cap_gemini(root, cap, out);
    case Endpoint::converse:
      return cap_converse(root, cap, out);
    case Endpoint::invoke:
      return cap_invoke(root, cap, out);
    default:
      return;
  }
}

// Without a cap of ours the client's own bound must still reach a provider that knows only max_tokens.
void carry_bound(const Route& route, const Provider& provider, const Ask& ask, JsonValue root, Edits& out) {
  if (route.endpoint != Endpoint::chat || provider.max_tokens != MaxTokens::max_tokens_only) return;
  if (!ask.max_output || given(root["max_tokens"])) return;
  const JsonValue null_there = root["max_tokens"];
  const std::string text = std::to_string(*ask.max_output);
  out.splices.push_back(null_there.exists() ? replace(null_there, text)
                                            : first_member(root, "max_tokens", text));
}

// A moderation that names no model runs the one it was judged and priced as.
void name_model(const Route& route, const Ask& ask, JsonValue root, Edits& out) {
  if (route.endpoint != Endpoint::moderations || given(root["model"])) return;
  const JsonValue null_there = root["model"];
  const std::string text = "\"" + ask.model + "\"";
  out.splices.push_back(null_there.exists() ? replace(null_there, text) : first_member(root, "model", text));
}

void ask_for_usage(const Route& route, const Provider& provider, const Ask& ask, JsonValue root, Edits& out) {
  const bool may_ask = route.endpoint == Endpoint::chat || route.endpoint == Endpoint::completions;
  if (!may_ask || !ask.stream || ask.client_wants_usage) return;
  if (provider.stream_usage == StreamUsage::always) return;
  const JsonValue options = root["stream_options"];
  if (options.is_object()) {
    const JsonValue include = options["include_usage"];
    out.splices.push_back(include.exists() ? replace(include, "true")
                                           : first_member(options, "include_usage", "true"));
  } else if (options.exists()) {
    out.splices.push_back(replace(options, "{\"include_usage\":true}"));
  } else {
    out.splices.push_back(first_member(root, "stream_options", "{\"include_usage\":true}"));
  }
  out.usage_inserted = true;
}

}  // namespace

Edits edit_body(const Route& route, const Provider& provider, const Ask& ask, const wire::Json& body,
                std::optional<std::int64_t> output_cap) {
  Edits out;
  const JsonValue root = body.root();
  if (!root.is_object()) return out;
  if (output_cap)
    cap_output(route, provider, ask, root, *output_cap, out);
  else
    carry_bound(route, provider, ask, root, out);
  ask_for_usage(route, provider, ask, root, out);
  name_model(route, ask, root, out);
  // Two insertions may share a place; each brings its own comma, since a chat body names at least its model.
  std::ranges::sort(out.splices, {}, &Splice::at);
  return out;
}

std::vector<std::string_view> gather(std::string_view body, std::span<const Splice> splices) {
  std::vector<std::string_view> out;
  out.reserve(splices.size() * 2 + 1);
  std::size_t done = 0;
  for (const Splice& splice : splices) {
    if (splice.at > done) out.push_back(body.substr(done, splice.at - done));
    if (!splice.insert.empty()) out.push_back(splice.insert);
    done = splice.at + splice.remove;
  }
  if (done < body.size()) out.push_back(body.substr(done));
  return out;
}

std::size_t gathered_size(std::string_view body, std::span<const Splice> splices) {
  std::size_t size = body.size();
  for (const Splice& splice : splices) size += splice.insert.size() - splice.remove;
  return size;
}

}  // namespace claviger::provider
