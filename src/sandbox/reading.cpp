// Finds route, key, model and bounds in a request, and counts its tokens.
#include "sandbox/reading.hpp"

#include <array>
#include <charconv>

#include "provider/route.hpp"
#include "sandbox/form.hpp"

namespace claviger::sandbox {
namespace {

using provider::Dialect;

const Json& at(const Json& object, std::string_view key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string text_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::int64_t> number_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  if (value.is_number_integer()) return value.get<std::int64_t>();
  // A form's numbers are texts.
  std::int64_t number = 0;
  const std::string text = value.is_string() ? value.get<std::string>() : std::string();
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc{}) return std::nullopt;
  return number;
}

// Sums up a body: bytes of text, images, messages, and whether a tool's result is among them.
struct Census {
  std::int64_t bytes = 0;
  std::int64_t images = 0;
  std::int64_t parts = 0;
  bool tool_result = false;

  void take(const Json& value, std::string_view key = {}) {
    if (value.is_string()) {
      const bool is_data = key == "data" || key == "url" || key == "image_url" || key == "file_data";
      if (!is_data) bytes += static_cast<std::int64_t>(value.get_ref<const std::string&>().size());
    } else if (value.is_array()) {
      for (const Json& element : value) take(element);
    } else if (value.is_object()) {
      take_object(value);
    }
  }

  void take_object(const Json& object) {
    const std::string type = text_at(object, "type");
    const std::string role = text_at(object, "role");
    if (!role.empty()) ++parts;
    if (type == "image" || type == "image_url" || type == "input_image" || object.contains("inlineData"))
      ++images;
    if (role == "tool" || type == "tool_result" || type == "function_call_output" ||
        object.contains("functionResponse"))
      tool_result = true;
    for (const auto& [key, value] : object.items()) take(value, key);
  }
};

constexpr std::int64_t kImageTokens = 258;
constexpr std::int64_t kMessageTokens = 4;
constexpr std::array<std::string_view, 12> kPrompts{
    "prompt",   "messages",          "system",  "tools",    "input",     "instructions",
    "contents", "systemInstruction", "content", "requests", "functions", "generateContentRequest"};

void count_input(Asked& asked) {
  Census census;
  for (const std::string_view key : kPrompts) census.take(at(asked.body, key));
  asked.tool_answered = census.tool_result;
  asked.input = (census.bytes + 3) / 4 + census.images * kImageTokens + census.parts * kMessageTokens + 1;
}

// The part of the path from the version on, whatever stands before it.
std::string_view versioned(std::string_view path) {
  for (const std::string_view version : {"/v1beta/", "/v1/"})
    if (const std::size_t found = path.find(version); found != std::string_view::npos)
      return path.substr(found);
  return {};
}

struct Fixed {
  std::string_view path;
  std::string_view method;
  Kind kind;
  Dialect dialect;
};
constexpr std::array<Fixed, 14> kFixed{
    {{"/v1/chat/completions", "POST", Kind::chat, Dialect::openai},
     {"/v1/responses", "POST", Kind::responses, Dialect::openai},
     {"/v1/responses/input_tokens", "POST", Kind::count_tokens, Dialect::openai},
     {"/v1/embeddings", "POST", Kind::embeddings, Dialect::openai},
     {"/v1/completions", "POST", Kind::completions, Dialect::openai},
     {"/v1/images/generations", "POST", Kind::images, Dialect::openai},
     {"/v1/images/edits", "POST", Kind::images, Dialect::openai},
     {"/v1/images/variations", "POST", Kind::images, Dialect::openai},
     {"/v1/audio/transcriptions", "POST", Kind::hearing, Dialect::openai},
     {"/v1/audio/translations", "POST", Kind::hearing, Dialect::openai},
     {"/v1/audio/speech", "POST", Kind::speech, Dialect::openai},
     {"/v1/moderations", "POST", Kind::moderations, Dialect::openai},
     {"/v1/messages", "POST", Kind::messages, Dialect::anthropic},
     {"/v1/messages/count_tokens", "POST", Kind::count_tokens, Dialect::anthropic}}};

Kind kind_of_verb(std::string_view verb) {
  if (verb == ":generateContent") return Kind::generate;
  if (verb == ":streamGenerateContent") return Kind::stream;
  if (verb == ":countTokens") return Kind::count_tokens;
  if (verb == ":embedContent") return Kind::embed;
  if (verb == ":predict") return Kind::predict;
  return verb == ":batchEmbedContents" ? Kind::batch_embed : Kind::unknown;
}

// /v1/models is asked by three protocols: a verb or Google's key header tells Gemini, the version header
// Anthropic.
void find_model_route(const Request& request, std::string_view path, Asked& asked) {
  const bool beta = path.starts_with("/v1beta/");
  const std::string_view list = beta ? "/v1beta/models" : "/v1/models";
  if (!path.starts_with(list)) return;
  const std::string_view rest = path.substr(list.size());
  const std::size_t colon = rest.rfind(':');
  const bool has_verb = colon != std::string_view::npos;
  if (!request.header("anthropic-version").empty()) asked.dialect = Dialect::anthropic;
  if (beta || has_verb || !request.header("x-goog-api-key").empty()) asked.dialect = Dialect::gemini;
  asked.kind = rest.empty() || rest == "/" ? Kind::models : Kind::model;
  if (has_verb) asked.kind = kind_of_verb(rest.substr(colon));
  if (asked.kind != Kind::models) asked.model = rest.substr(1, has_verb ? colon - 1 : rest.size());
  asked.wrong_method = request.method != (has_verb || asked.kind == Kind::unknown ? "POST" : "GET");
}

// /model/MODEL/VERB, the model percent-encoded.
bool find_bedrock_route(const Request& request, Asked& asked) {
  constexpr std::string_view kStart = "/model/";
  std::string_view path = request.path();
  if (!path.starts_with(kStart)) return false;
  path.remove_prefix(kStart.size());
  const std::string_view model = path.substr(0, path.find('/'));
  const std::string_view verb = path.substr(model.size());
  asked.dialect = Dialect::bedrock;
  asked.model = provider::percent_decode(model).value_or("");
  asked.stream = verb == "/converse-stream" || verb == "/invoke-with-response-stream";
  if (verb == "/converse" || verb == "/converse-stream") asked.kind = Kind::converse;
  if (verb == "/invoke" || verb == "/invoke-with-response-stream") asked.kind = Kind::invoke;
  if (verb == "/count-tokens") asked.kind = Kind::count_tokens;
  asked.wrong_method = request.method != "POST";
  return true;
}

// "/openai/deployments/NAME/chat/completions": the deployment is called like its model.
bool find_azure_route(std::string_view path, Asked& asked) {
  constexpr std::string_view kDeployments = "/openai/deployments/";
  const std::size_t at = path.find(kDeployments);
  if (at == std::string_view::npos) return false;
  path.remove_prefix(at + kDeployments.size());
  const std::size_t slash = std::min(path.find('/'), path.size());
  const std::string_view verb = path.substr(slash);
  asked.azure = true;
  asked.model = path.substr(0, slash);
  if (verb == "/chat/completions") asked.kind = Kind::chat;
  if (verb == "/embeddings") asked.kind = Kind::embeddings;
  return true;
}

void find_route(const Request& request, Asked& asked) {
  if (find_bedrock_route(request, asked)) return;
  if (find_azure_route(request.path(), asked)) {
    asked.wrong_method = request.method != "POST";
    return;
  }
  const std::string_view path = versioned(request.path());
  if (path.starts_with("/v1beta/")) asked.dialect = Dialect::gemini;
  if (path.starts_with("/v1/messages")) asked.dialect = Dialect::anthropic;
  for (const Fixed& row : kFixed) {
    if (row.path != path) continue;
    asked.kind = row.kind;
    asked.dialect = row.dialect;
    asked.wrong_method = request.method != row.method;
  }
  if (asked.kind == Kind::unknown) find_model_route(request, path, asked);
}

// Each provider takes its key in its own place only; Anthropic in two.
std::string_view find_key(const Request& request, Dialect dialect) {
  std::string_view bearer = request.header("authorization");
  bearer = bearer.starts_with("Bearer ") ? bearer.substr(7) : std::string_view();
  if (dialect == Dialect::openai) return bearer.empty() ? request.header("api-key") : bearer;
  if (dialect == Dialect::anthropic) {
    const std::string_view own = request.header("x-api-key");
    return own.empty() ? bearer : own;
  }
  if (dialect == Dialect::bedrock) {  // a bearer key, or the identity that a signature names
    constexpr std::string_view kSigned = "AWS4-HMAC-SHA256 Credential=";
    const std::string_view proof = request.header("authorization");
    if (!proof.starts_with(kSigned)) return bearer;
    const std::string_view credential = proof.substr(kSigned.size());
    return credential.substr(0, credential.find('/'));
  }
  const std::string_view own = request.header("x-goog-api-key");
  if (!own.empty()) return own;
  return bearer.empty() ? request.parameter("key") : bearer;  // an access token
}

void read_bounds(Asked& asked) {
  const Json& body = asked.body;
  asked.stream = asked.stream || asked.kind == Kind::stream || at(body, "stream") == true ||
                 at(body, "stream") == "true";
  asked.include_usage = at(at(body, "stream_options"), "include_usage") == true;
  asked.choices = number_at(body, "n").value_or(1);
  if (asked.kind == Kind::chat) {
    asked.max_output = number_at(body, "max_completion_tokens");
    if (!asked.max_output) asked.max_output = number_at(body, "max_tokens");
    asked.reasons = !text_at(body, "reasoning_effort").empty() && text_at(body, "reasoning_effort") != "none";
  } else if (asked.kind == Kind::completions) {
    const Json& prompt = at(body, "prompt");
    const bool several = prompt.is_array() && !prompt.empty() && !prompt.front().is_number();
    asked.max_output = number_at(body, "max_tokens");
    asked.choices *= several ? static_cast<std::int64_t>(prompt.size()) : 1;
  } else if (asked.kind == Kind::responses) {
    asked.max_output = number_at(body, "max_output_tokens");
    const std::string effort = text_at(at(body, "reasoning"), "effort");
    asked.reasons = !effort.empty() && effort != "none";
  } else if (asked.kind == Kind::converse) {
    asked.max_output = number_at(at(body, "inferenceConfig"), "maxTokens");
  } else if (asked.kind == Kind::invoke) {
    asked.max_output = number_at(body, "max_tokens");
  } else if (asked.kind == Kind::messages) {
    asked.max_output = number_at(body, "max_tokens");
    const std::string thinking = text_at(at(body, "thinking"), "type");
    asked.reasons = thinking == "enabled" || thinking == "adaptive";
  } else if (asked.dialect == Dialect::gemini) {
    const Json& config = at(body, "generationConfig");
    asked.max_output = number_at(config, "maxOutputTokens");
    asked.choices = number_at(config, "candidateCount").value_or(1);
    asked.reasons = at(config, "thinkingConfig").is_object();
  }
}

// The list of tools, and each one's name and schema, in any dialect.
struct Tools {
  const Json* list = nullptr;
  std::string_view wrapper;  // the object inside a tool that holds name and schema
  std::string_view schema;
};

Tools tools_of(const Asked& asked) {
  if (asked.kind == Kind::chat) return {&at(asked.body, "tools"), "function", "parameters"};
  if (asked.kind == Kind::responses) return {&at(asked.body, "tools"), {}, "parameters"};
  if (asked.kind == Kind::messages) return {&at(asked.body, "tools"), {}, "input_schema"};
  const Json& all = at(asked.body, "tools");
  if (!all.is_array() || all.empty()) return {};
  return {&at(all.front(), "functionDeclarations"), {}, "parameters"};
}

}  // namespace

Asked read_asked(const Request& request) {
  Asked asked;
  find_route(request, asked);
  asked.key = find_key(request, asked.dialect);
  asked.bearer = request.header("authorization").ends_with(asked.key);
  if (asked.kind == Kind::unknown || asked.kind == Kind::models || asked.kind == Kind::model) return asked;
  if (is_form(request.header("content-type"))) {
    Sent sent = read_sent(request.header("content-type"), request.body);
    asked.body = std::move(sent.fields);
    asked.files = std::move(sent.files);
  } else {
    asked.body = Json::parse(request.body, nullptr, false);
  }
  if (!asked.body.is_object()) {
    asked.body = Json(Json::value_t::discarded);
    return asked;
  }
  if (asked.model.empty()) asked.model = text_at(asked.body, "model");
  asked.events = request.parameter("alt") == "sse";
  read_bounds(asked);
  count_input(asked);
  return asked;
}

std::optional<WantedTool> wanted_tool(const Asked& asked) {
  if (asked.tool_answered || at(asked.body, "tool_choice") == "none") return std::nullopt;
  const Tools tools = tools_of(asked);
  if (!tools.list || !tools.list->is_array()) return std::nullopt;
  for (const Json& tool : *tools.list) {
    const Json& inner = tools.wrapper.empty() ? tool : at(tool, tools.wrapper);
    const std::string name = text_at(inner, "name");
    const bool own = asked.kind != Kind::messages || text_at(tool, "type").find("_20") == std::string::npos;
    if (name.empty() || !own) continue;
    const Json* schema = &at(inner, tools.schema);
    for (const std::string_view other : {"parametersJsonSchema", "parameters_json_schema"})
      if (inner.contains(other)) schema = &at(inner, other);
    return WantedTool{name, example_of(*schema).dump()};
  }
  return std::nullopt;
}

std::int64_t allowed_searches(const Asked& asked) {
  constexpr std::int64_t kUnbounded = 100;
  const Json& tools = at(asked.body, "tools");
  if (!tools.is_array()) return 0;
  for (const Json& tool : tools) {
    const bool offered = text_at(tool, "type").starts_with("web_search") || tool.contains("googleSearch") ||
                         tool.contains("google_search");
    if (!offered) continue;
    const bool responses = asked.kind == Kind::responses;
    return number_at(responses ? asked.body : tool, responses ? "max_tool_calls" : "max_uses")
        .value_or(kUnbounded);
  }
  return 0;
}

Json example_of(const Json& schema) {
  if (const Json& choices = at(schema, "enum"); choices.is_array() && !choices.empty())
    return choices.front();
  if (const Json& any = at(schema, "anyOf"); any.is_array() && !any.empty()) return example_of(any.front());
  std::string type = text_at(schema, "type");
  for (char& letter : type) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (type == "string") return "sandbox";
  if (type == "integer") return 7;
  if (type == "number") return 7.5;
  if (type == "boolean") return true;
  if (type == "null") return nullptr;
  if (type == "array") return Json::array({example_of(at(schema, "items"))});
  Json object = Json::object();
  for (const auto& [name, inner] : at(schema, "properties").items()) object[name] = example_of(inner);
  return object;
}

std::optional<std::string> structured_answer(const Asked& asked) {
  const Json& chat = at(asked.body, "response_format");
  const Json& format = chat.is_object() ? chat : at(at(asked.body, "text"), "format");
  const std::string type = text_at(format, "type");
  if (type == "json_object") return R"({"answer":"sandbox"})";
  if (type == "json_schema") {
    const Json& wrapped = at(format, "json_schema");
    return example_of(at(wrapped.is_object() ? wrapped : format, "schema")).dump();
  }
  const Json& config = at(asked.body, "generationConfig");
  for (const std::string_view name : {"responseSchema", "responseJsonSchema"})
    if (at(config, name).is_object()) return example_of(at(config, name)).dump();
  return std::nullopt;
}

}  // namespace claviger::sandbox
