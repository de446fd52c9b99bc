// Requests for pictures: OpenAI's generations, edits and variations (JSON or a form), and Gemini's :predict.
#include <algorithm>
#include <charconv>

#include "base/limits.hpp"
#include "provider/ask_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

Result<void> read_options(const BodyFields& body, Ask& out) {
  TRY(const auto count, body.count("n"));
  if (count && (*count < 1 || *count > limits::kMaxChoices))
    return bad_parameter("n", "must lie between 1 and " + std::to_string(limits::kMaxChoices) + ".");
  out.choices = count.value_or(1);
  Pictures& pictures = out.pictures.emplace();
  TRY(pictures.size, body.text("size"));
  TRY(pictures.quality, body.text("quality"));
  TRY(const auto partial, body.count("partial_images"));
  pictures.partial = partial.value_or(0);
  TRY(out.stream, body.flag("stream"));
  out.image_out = true;
  return {};
}

}  // namespace

Result<void> read_images(JsonValue root, Ask& out) {
  TRY_VOID(read_options(BodyFields(root), out));
  for (const std::string_view name : {"image", "images", "mask"}) {
    const JsonValue value = root[name];
    if (value.is_string())
      note_image_url(value.text().value_or(""), static_cast<std::int64_t>(value.raw().size()), out);
    else
      TRY_VOID(walk_media(value, out));
  }
  return {};
}

Result<void> read_images(const wire::Form& form, Ask& out) {
  TRY_VOID(read_options(BodyFields(form), out));
  for (const wire::FormPart& part : form.parts()) {
    if (!part.is_file) continue;
    ++out.images;
    out.media_bytes += static_cast<std::int64_t>(part.data.size());
  }
  return {};
}

// Imagen: {"instances":[{"prompt"}],"parameters":{"sampleCount","sampleImageSize"}}; each instance makes
// sampleCount pictures, four when nothing is said.
Result<void> read_predict(JsonValue root, Ask& out) {
  constexpr std::int64_t kUsualSamples = 4;
  std::int64_t samples = kUsualSamples, instances = 0;
  Pictures& pictures = out.pictures.emplace();
  bool twice = false;
  const JsonValue all = google_field(root, "instances", twice);
  const JsonValue parameters = google_field(root, "parameters", twice);
  if (!all.is_array() || all.size() == 0) return bad_parameter("instances", "must be a list.");
  instances = static_cast<std::int64_t>(all.size());
  if (given(parameters)) {
    if (!parameters.is_object()) return bad_parameter("parameters", "must be an object.");
    const JsonValue count = google_field(parameters, "sampleCount", twice);
    const auto number = given(count) ? count.integer() : std::optional(kUsualSamples);
    if (!number || *number < 1 || *number > limits::kMaxChoices)
      return bad_parameter("sampleCount",
                           "must lie between 1 and " + std::to_string(limits::kMaxChoices) + ".");
    samples = *number;
    pictures.size = google_field(parameters, "sampleImageSize", twice).text().value_or("");
    if (given(google_field(parameters, "storageUri", twice))) return stored_object("storageUri");
  }
  if (twice)
    return refuse(Code::invalid_parameter, "A field is given twice, in camelCase and in snake_case.");
  if (instances > limits::kMaxChoices / samples)
    return bad_parameter("instances",
                         "ask for more than " + std::to_string(limits::kMaxChoices) + " pictures.");
  out.choices = samples * instances;
  out.image_out = true;
  return {};
}

}  // namespace claviger::provider
