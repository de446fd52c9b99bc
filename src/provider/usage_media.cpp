// Usage of pictures, sound and speech, and of tools that are billed apiece.
#include <algorithm>
#include <charconv>
#include <vector>

#include "provider/usage_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

// A number of seconds rounded up, read from its text; nothing when it is no plain decimal.
std::optional<std::int64_t> whole_seconds(JsonValue value) {
  if (!value.is_number()) return std::nullopt;
  const std::string_view text = value.raw();
  std::int64_t whole = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (read.ec != std::errc{} || whole < 0) return std::nullopt;
  const std::string_view rest(read.ptr, text.data() + text.size());
  if (rest.find_first_not_of(".0123456789") != std::string_view::npos) return std::nullopt;
  return whole + (rest.find_first_not_of(".0") == std::string_view::npos ? 0 : 1);
}

// The provider's own sum against its parts; the larger reading counts.
void check_sum(JsonValue total, Usage& out, std::int64_t Usage::* rest) {
  const std::int64_t said = count_or_zero(total), parts = out.total_in() + out.total_out();
  if (said == 0 || said == parts) return;
  out.mismatch = true;
  if (said > parts) out.*rest += said - parts;
}

}  // namespace

Usage read_image_usage(JsonValue root) {
  Usage out;
  const JsonValue usage = root["usage"];
  if (!usage.is_object()) {
    const JsonValue data = root["data"];
    out.seen = data.is_array();
    out.images = static_cast<std::int64_t>(data.size());
    return out;
  }
  out.seen = true;
  const JsonValue in = usage["input_tokens_details"], made = usage["output_tokens_details"];
  const std::int64_t input = count_or_zero(usage["input_tokens"]);
  const std::int64_t output = count_or_zero(usage["output_tokens"]);
  out.cache_read = std::min(count_or_zero(in["cached_tokens"]), input);
  out.image_in = std::min(count_or_zero(in["image_tokens"]), input - out.cache_read);
  out.uncached_in = input - out.cache_read - out.image_in;
  // Without details all of the output are pictures, the dearer reading.
  out.text_out = std::min(count_or_zero(made["text_tokens"]), output);
  out.image_out = output - out.text_out;
  check_sum(usage["total_tokens"], out, &Usage::image_out);
  return out;
}

Usage read_hearing_usage(JsonValue root) {
  Usage out;
  const JsonValue usage = root["usage"];
  if (!usage.is_object()) {
    const auto length = whole_seconds(root["duration"]);
    out.seen = length.has_value();
    out.seconds = length.value_or(0);
    return out;
  }
  if (usage["type"].text_equals("duration")) {
    const auto length = whole_seconds(usage["seconds"]);
    out.seen = length.has_value();
    out.seconds = length.value_or(0);
    return out;
  }
  out.seen = true;
  const JsonValue in = usage["input_token_details"];
  const std::int64_t input = count_or_zero(usage["input_tokens"]);
  // What is not said to be text is sound, the dearer reading.
  out.uncached_in = std::min(count_or_zero(in["text_tokens"]), input);
  out.audio_in = input - out.uncached_in;
  out.text_out = count_or_zero(usage["output_tokens"]);
  check_sum(usage["total_tokens"], out, &Usage::text_out);
  return out;
}

Usage read_speech_usage(JsonValue usage) {
  Usage out;
  if (!usage.is_object()) return out;
  out.seen = true;
  out.uncached_in = count_or_zero(usage["input_tokens"]);
  out.audio_out = count_or_zero(usage["output_tokens"]);
  check_sum(usage["total_tokens"], out, &Usage::audio_out);
  return out;
}

Usage read_predict_usage(JsonValue root) {
  Usage out;
  const JsonValue predictions = root["predictions"];
  // Nothing but filtered pictures: the answer is an empty object, and free.
  out.seen = predictions.is_array() || (root.is_object() && root.size() == 0);
  if (predictions.is_array())
    for (const JsonValue one : predictions.elements())
      if (!given(one["raiFilteredReason"])) ++out.images;
  return out;
}

std::int64_t grounding_searches(JsonValue root) {
  std::int64_t count = 0;
  const JsonValue candidates = root["candidates"];
  if (!candidates.is_array()) return 0;
  for (const JsonValue candidate : candidates.elements()) {
    const JsonValue grounding = candidate["groundingMetadata"];
    count += static_cast<std::int64_t>(grounding["webSearchQueries"].size());
  }
  return count;
}

}  // namespace claviger::provider
