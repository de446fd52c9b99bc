// Reading a request: the model, wherever the route says it is, and the protocol's own reader for the rest.
#include "provider/ask.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "provider/ask_parts.hpp"

namespace claviger::provider {
namespace {

// Top-level fields that decide money or rights. Some upstreams (those written in Go) read keys without regard
// to case, so that "Model" next to "model" would be a second model that the gate has not seen.
constexpr std::array<std::string_view, 31> kWatched{"model",
                                                    "models",
                                                    "fallbacks",
                                                    "max_tokens",
                                                    "max_completion_tokens",
                                                    "n",
                                                    "best_of",
                                                    "stream",
                                                    "messages",
                                                    "max_output_tokens",
                                                    "input",
                                                    "tools",
                                                    "stream_options",
                                                    "background",
                                                    "previous_response_id",
                                                    "prediction",
                                                    "conversation",
                                                    "web_search_options",
                                                    "service_tier",
                                                    "speed",
                                                    "modalities",
                                                    "audio",
                                                    "prompt",
                                                    "size",
                                                    "quality",
                                                    "image",
                                                    "images",
                                                    "mask",
                                                    "file",
                                                    "url",
                                                    "partial_images"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

Result<void> refuse_other_spellings(wire::JsonValue root) {
  for (const auto& [key, value] : root.members()) {
    const bool capital = std::ranges::any_of(key, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (capital && std::ranges::find(kWatched, lower(key)) != kWatched.end())
      return bad_parameter(key.substr(0, 32), "must be written in lower case.");
  }
  return {};
}

// Of a form also "model[]" and "model[0]", which some parsers read as lists or objects. Pictures are a list
// by right.
Result<void> refuse_other_names(const wire::Form& form) {
  for (const wire::FormPart& part : form.parts()) {
    const std::string plain = lower(part.name.substr(0, part.name.find('[')));
    if (plain == part.name || part.name == "image[]") continue;
    if (std::ranges::find(kWatched, plain) != kWatched.end())
      return bad_parameter(part.name.substr(0, 32), "must be named \"" + plain + "\".");
  }
  return {};
}

Result<void> check_model(const std::string& model) {
  if (model.size() > limits::kModelName) return bad_parameter("model", "is longer than any model's name.");
  const bool control = std::ranges::any_of(model, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (control) return bad_parameter("model", "has control characters.");
  return {};
}

// The text behind {model} in the route's pattern, decoded.
Result<std::string> model_of_path(const Route& route, std::string_view path) {
  const std::size_t open = route.pattern.find("{model}");
  if (open == std::string_view::npos) return std::string{};
  const std::string_view tail = route.pattern.substr(open + std::string_view("{model}").size());
  if (path.size() <= open + tail.size()) return refuse(Code::missing_model);
  auto model = percent_decode(path.substr(open, path.size() - open - tail.size()));
  if (!model || model->empty()) return bad_parameter("The model in the path", "is not readable.");
  return *std::move(model);
}

// Moderations may leave the model out: the provider's own word for its newest is put in, so that what was
// judged and priced is what runs.
constexpr std::string_view kUsualModeration = "omni-moderation-latest";

Result<std::string> model_of_body(const Route& route, const BodyFields& body) {
  TRY(std::string model, body.text("model"));
  if (model.empty() && route.endpoint == Endpoint::moderations) model = kUsualModeration;
  if (model.empty()) return refuse(Code::missing_model);
  return model;
}

// A vector database runs no model: what is priced and scoped is the operation, "query" of "pinecone.query".
std::string_view operation_of(const Route& route) { return route.id.substr(route.id.rfind('.') + 1); }

Result<void> read_body(const Route& route, wire::JsonValue root, Ask& out) {
  if (route.dialect == Dialect::gemini) {
    switch (route.endpoint) {
      case Endpoint::generate_content:
        return read_generate_content(root, out);
      case Endpoint::embeddings:
        return read_gemini_embeddings(root, out);
      case Endpoint::predict:
        return read_predict(root, out);
      default:
        return {};
    }
  }
  TRY_VOID(refuse_other_spellings(root));
  switch (route.endpoint) {
    case Endpoint::chat:
      return read_chat(root, out);
    case Endpoint::responses:
      return read_responses(root, out);
    case Endpoint::embeddings:
      return read_embeddings(root, out);
    case Endpoint::messages:
      return read_messages(root, out);
    case Endpoint::completions:
      return read_completions(root, out);
    case Endpoint::moderations:
      return read_moderations(root, out);
    case Endpoint::images:
      return read_images(root, out);
    case Endpoint::speech:
      return read_speech(root, out);
    case Endpoint::converse:
      return read_converse(root, out);
    case Endpoint::invoke:
      return read_invoke(root, out);
    default:
      return {};
  }
}

Result<Ask> read_form_ask(const Route& route, const wire::Form& form) {
  Ask out;
  TRY_VOID(refuse_other_names(form));
  TRY(out.model, model_of_body(route, BodyFields(form)));
  TRY_VOID(check_model(out.model));
  if (route.endpoint == Endpoint::images) {
    TRY_VOID(read_images(form, out));
  } else {
    TRY_VOID(read_hearing(form, out));
  }
  return out;
}

}  // namespace

void unbounded(Ask& out, std::string_view sentence) {
  if (std::ranges::find(out.unbounded, sentence) == out.unbounded.end()) out.unbounded.emplace_back(sentence);
}

void note_tool(Ask& out, std::string_view type) {
  constexpr std::size_t kLongestKind = 64;
  std::string kind;
  for (const char c : type.substr(0, kLongestKind)) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && !kind.empty() && kind.back() != '_') kind += '_';
    kind += capital ? static_cast<char>(c + 32) : c == '-' || c == '.' ? '_' : c;
  }
  while (!kind.empty() && (kind.back() == '_' || (kind.back() >= '0' && kind.back() <= '9'))) kind.pop_back();
  if (kind.empty()) kind = "unnamed";
  if (std::ranges::find(out.tools, kind) == out.tools.end()) out.tools.push_back(std::move(kind));
}

void note_function(Ask& out, wire::JsonValue name) {
  constexpr std::size_t kLongestName = 128;
  out.tools.push_back("function:" + name.text().value_or("").substr(0, kLongestName));
}

Result<void> read_choices(wire::JsonValue root, std::string_view name, Ask& out) {
  TRY(const auto count, read_count(root, name));
  if (!count) return {};
  if (*count < 1 || *count > limits::kMaxChoices)
    return bad_parameter(name, "must lie between 1 and " + std::to_string(limits::kMaxChoices) + ".");
  out.choices = std::max(out.choices, *count);
  return {};
}

void raise_max_output(Ask& out, const std::optional<std::int64_t>& value) {
  if (value) out.max_output = std::max(out.max_output.value_or(0), *value);
}

std::unexpected<Error> stored_object(std::string_view name) {
  std::string say(name);
  say += " is refused: objects stored at the provider belong to its account, not to a key.";
  return refuse(Code::route_refused, std::move(say));
}

void note_image_url(std::string_view url, std::int64_t raw_size, Ask& out) {
  if (url.starts_with("data:image/")) {
    ++out.images;
    out.media_bytes += raw_size;
  } else if (url.starts_with("data:")) {
    out.hidden_input = true;
  } else {
    unbounded(out, "Input by URL has no known size: send images inline.");
  }
}

Result<Ask> read_ask(const Route& route, std::string_view path, const wire::Json* body,
                     const wire::Form* form) {
  if (form != nullptr) return read_form_ask(route, *form);
  Ask out;
  if (route.endpoint == Endpoint::vectors) {
    out.model = operation_of(route);
    return out;
  }
  TRY(out.model, model_of_path(route, path));
  TRY_VOID(check_model(out.model));
  if (route.endpoint == Endpoint::models) return out;
  if (!body || !body->root().is_object())
    return refuse(Code::invalid_parameter, "The request body must be a JSON object.");
  if (route.pattern.find("{model}") == std::string_view::npos) {
    TRY(out.model, model_of_body(route, BodyFields(body->root())));
    TRY_VOID(check_model(out.model));
  }
  out.stream = route.streams;
  TRY_VOID(read_body(route, body->root(), out));
  return out;
}

}  // namespace claviger::provider
