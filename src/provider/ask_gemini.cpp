// Requests of the Gemini dialect. Google reads every field in camelCase and in snake_case, so both are looked
// for and a field given twice is refused.
#include <algorithm>
#include <array>
#include <vector>

#include "base/limits.hpp"
#include "provider/ask_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

bool same_field(std::string_view key, std::string_view camel) {
  std::size_t k = 0;
  for (const char c : camel) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (k < key.size() && key[k] == c) {
      ++k;
    } else if (capital && key.substr(k).starts_with('_') && key.size() > k + 1 && key[k + 1] == c + 32) {
      k += 2;
    } else {
      return false;
    }
  }
  return k == key.size();
}

// Looks up fields of one object and remembers whether any was doubled.
class Fields {
 public:
  Fields(JsonValue object, bool& twice) : object_(object), twice_(twice) {}
  JsonValue operator[](std::string_view camel) const { return google_field(object_, camel, twice_); }

 private:
  JsonValue object_;
  bool& twice_;
};

std::unexpected<Error> doubled() {
  return refuse(Code::invalid_parameter, "A field is given twice, in camelCase and in snake_case.");
}

void read_inline_data(JsonValue data, Ask& out, bool& twice) {
  const Fields blob(data, twice);
  const std::string mime = blob["mimeType"].text().value_or("");
  if (mime.starts_with("image/")) {
    ++out.images;
    out.media_bytes += static_cast<std::int64_t>(blob["data"].raw().size());
  } else {
    out.hidden_input = true;
    if (mime.starts_with("audio/") || mime.starts_with("video/")) out.audio_in = true;
  }
}

Result<void> read_file_data(JsonValue data, Ask& out, bool& twice) {
  const std::string uri = Fields(data, twice)["fileUri"].text().value_or("");
  if (uri.find("generativelanguage.googleapis.com") != std::string::npos || uri.starts_with("files/"))
    return stored_object("fileData");
  unbounded(out, "Input by URL has no known size: send it inline.");
  return {};
}

Result<void> walk_parts(JsonValue parts, Ask& out, bool& twice) {
  if (!parts.is_array()) return {};
  for (const JsonValue part : parts.elements()) {
    if (!part.is_object()) continue;
    const Fields look(part, twice);
    if (const JsonValue data = look["inlineData"]; given(data)) read_inline_data(data, out, twice);
    if (const JsonValue data = look["fileData"]; given(data)) TRY_VOID(read_file_data(data, out, twice));
    if (const JsonValue answer = look["functionResponse"]; given(answer))
      TRY_VOID(walk_parts(answer["parts"], out, twice));
  }
  return {};
}

// A content is {role, parts}; lists of them and single ones both occur.
Result<void> walk_contents(JsonValue contents, Ask& out, bool& twice) {
  if (contents.is_object()) return walk_parts(contents["parts"], out, twice);
  if (!contents.is_array()) return {};
  for (const JsonValue content : contents.elements()) TRY_VOID(walk_parts(content["parts"], out, twice));
  return {};
}

Result<void> read_tools(JsonValue tools, Ask& out) {
  if (!given(tools)) return {};
  if (!tools.is_array()) return bad_parameter("tools", "must be a list.");
  for (const JsonValue tool : tools.elements())
    for (const auto& [key, value] : tool.members()) {
      out.has_tools = true;
      const bool own = same_field(key, "functionDeclarations");
      if (own) {
        if (!value.is_array()) note_tool(out, "unreadable");
        if (value.is_array())
          for (const JsonValue one : value.elements()) note_function(out, one["name"]);
        continue;
      }
      note_tool(out, key);
      if (same_field(key, "computerUse")) {
        out.hidden_input = true;
      } else if (same_field(key, "googleSearch")) {
        // Its input is counted twice at most: the prompt and what the tools added, each within the context.
        out.hidden_input = out.hosted.only_once = true;
        out.hosted.rounds = 2;
        out.hosted.searches = 1;
      } else {
        unbounded(out, "The tool \"" + std::string(key.substr(0, 64)) +
                           "\" is worked by the provider: nothing bounds its calls.");
      }
    }
  return {};
}

Result<std::optional<std::int64_t>> read_number(JsonValue value, std::string_view name) {
  if (!given(value)) return std::optional<std::int64_t>{};
  const auto number = value.integer();
  if (!number || *number < 0 || *number > INT32_MAX) return bad_parameter(name, "must be a whole number.");
  return number;
}

Result<void> read_config(JsonValue config, Ask& out, bool& twice) {
  if (!given(config)) return {};
  if (!config.is_object()) return bad_parameter("generationConfig", "must be an object.");
  const Fields look(config, twice);
  TRY(const auto max, read_number(look["maxOutputTokens"], "maxOutputTokens"));
  raise_max_output(out, max);
  TRY(const auto count, read_number(look["candidateCount"], "candidateCount"));
  if (count && (*count < 1 || *count > limits::kMaxChoices))
    return bad_parameter("candidateCount",
                         "must lie between 1 and " + std::to_string(limits::kMaxChoices) + ".");
  out.choices = count.value_or(1);
  const JsonValue modalities = look["responseModalities"];
  if (modalities.is_array())
    for (const JsonValue one : modalities.elements()) {
      const std::string name = one.text().value_or("");
      out.audio_out = out.audio_out || name == "AUDIO" || name == "audio";
      out.image_out = out.image_out || name == "IMAGE" || name == "image" || name == "VIDEO";
    }
  return {};
}

Result<void> read_options(const Fields& look, Ask& out) {
  if (given(look["cachedContent"])) return stored_object("cachedContent");
  if (given(look["continuationToken"])) return stored_object("continuationToken");
  if (given(look["automaticContinuation"]))
    unbounded(out, "Automatic continuation runs the model on: nothing bounds the answer.");
  const JsonValue tier = look["serviceTier"];
  if (!given(tier)) return {};
  std::string name = tier.text().value_or("?");
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  out.tier = name;
  // flex is sold below the list price, so the list price bounds it.
  if (name == "priority") {
    out.dear_tier = DearTier::priority;
    return {};
  }
  if (name != "standard" && name != "flex" && name != "unspecified" && name != "service_tier_unspecified")
    unbounded(out, "The service tier \"" + name.substr(0, 32) + "\" has no known price.");
  return {};
}

// Requests may repeat the model of the path; another one would escape the key's rules.
Result<void> check_repeated_model(JsonValue object, const Ask& out) {
  TRY(const std::string model, read_text(object, "model"));
  if (!model.empty() && model != out.model && model != "models/" + out.model)
    return bad_parameter("model", "in the body differs from the one in the path.");
  return {};
}

}  // namespace

JsonValue google_field(JsonValue object, std::string_view camel, bool& twice) {
  JsonValue found;
  for (const auto& [key, value] : object.members()) {
    if (!same_field(key, camel)) continue;
    twice = twice || found.exists();
    found = value;
  }
  return found;
}

Result<void> read_generate_content(JsonValue root, Ask& out) {
  bool twice = false;
  const Fields look(root, twice);
  TRY_VOID(check_repeated_model(root, out));
  TRY_VOID(read_options(look, out));
  TRY_VOID(read_tools(look["tools"], out));
  TRY_VOID(read_config(look["generationConfig"], out, twice));
  TRY_VOID(walk_contents(look["systemInstruction"], out, twice));
  TRY_VOID(walk_contents(look["contents"], out, twice));
  if (twice) return doubled();
  return {};
}

Result<void> read_gemini_embeddings(JsonValue root, Ask& out) {
  out.max_output = 0;
  bool twice = false;
  TRY_VOID(check_repeated_model(root, out));
  TRY_VOID(walk_contents(root["content"], out, twice));
  const JsonValue requests = root["requests"];
  if (requests.is_array())
    for (const JsonValue request : requests.elements()) {
      TRY_VOID(check_repeated_model(request, out));
      TRY_VOID(walk_contents(request["content"], out, twice));
    }
  if (twice) return doubled();
  return {};
}

}  // namespace claviger::provider
