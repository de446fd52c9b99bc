// The sandbox provider's pictures, sounds, moderations and legacy completions, and what it bills for them.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.hpp"
#include "sandbox/provider.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::string_view kPixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
constexpr std::int64_t kFileTokens = 258;  // of a picture that is handed in
constexpr std::int64_t kSoundTokensPerSecond = 10;

std::string text_of(const Json& body, const char* name) {
  return body.contains(name) && body[name].is_string() ? body[name].get<std::string>() : std::string();
}

std::int64_t letters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// OpenAI's table, low to high, square to wide; without a wish the dearest square.
std::int64_t picture_tokens(const std::string& size, const std::string& quality) {
  const std::size_t row = quality == "low" ? 0 : quality == "medium" ? 1 : 2;
  const std::size_t column = size == "1024x1536" ? 1 : size == "1536x1024" ? 2 : 0;
  constexpr std::array<std::array<std::int64_t, 3>, 3> kTokens{
      {{272, 408, 400}, {1056, 1584, 1568}, {4160, 6240, 6208}}};
  return kTokens[row][column];
}

// What the price list asks for one picture; the usual one's size and quality stand in.
std::int64_t picture_price(const provider::Price& price, std::string size, std::string quality) {
  for (const provider::PicturePrice& one : price.pictures) {
    if (!one.usual) continue;
    if (size.empty()) size = one.size;
    if (quality.empty()) quality = one.quality;
  }
  for (const provider::PicturePrice& one : price.pictures)
    if ((one.size.empty() || one.size == size) && (one.quality.empty() || one.quality == quality) &&
        one.price)
      return one.price->value;
  return 0;
}

std::int64_t seconds_of(std::string_view sound) {
  constexpr std::size_t kHead = 44;
  constexpr std::int64_t kUsualRate = 16'000;  // bytes a second of a compressed sound
  std::int64_t rate = kUsualRate, bytes = static_cast<std::int64_t>(sound.size());
  if (sound.size() > kHead && sound.starts_with("RIFF")) {
    rate = 0;
    for (std::size_t at = 31; at >= 28; --at) rate = rate * 256 + static_cast<unsigned char>(sound[at]);
    bytes -= static_cast<std::int64_t>(kHead);
    rate = std::max<std::int64_t>(rate, 1);
  }
  return std::max<std::int64_t>(1, (bytes + rate - 1) / rate);
}

Plan answer_plan(std::string body, std::string_view type) {
  Plan plan;
  plan.headers.emplace_back("content-type", type);
  plan.pieces.push_back({std::move(body), 0, 0});
  return plan;
}

Json token_usage(std::int64_t input, std::int64_t output) {
  return {{"input_tokens", input}, {"output_tokens", output}, {"total_tokens", input + output}};
}

std::string event(const Json& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n";
}

Plan pictures(const Asked& asked, const Fault& fault, const provider::Price& price, Spent& spent) {
  const std::string size = text_of(asked.body, "size"), quality = text_of(asked.body, "quality");
  Json data = Json::array();
  for (std::int64_t at = 0; at < asked.choices; ++at) data.push_back({{"b64_json", kPixel}});
  Json answer = {{"created", 1'760'000'000}, {"data", std::move(data)}};
  if (!price.rates.image_out) {
    spent.units_nanousd = asked.choices * picture_price(price, size, quality);
    return answer_plan(answer.dump(), "application/json");
  }
  spent.input = (letters(text_of(asked.body, "prompt")) + 3) / 4 + 1;
  spent.image_in = kFileTokens * static_cast<std::int64_t>(asked.files.size());
  spent.image_out = fault.tokens.value_or(picture_tokens(size, quality)) * asked.choices;
  Json usage = token_usage(spent.input + spent.image_in, spent.image_out);
  usage["input_tokens_details"] = {{"text_tokens", spent.input}, {"image_tokens", spent.image_in}};
  if (!asked.stream) {
    if (!fault.omit_usage) answer["usage"] = std::move(usage);
    return answer_plan(answer.dump(), "application/json");
  }
  Json last = {{"type", "image_generation.completed"}, {"b64_json", kPixel}};
  if (!fault.omit_usage) last["usage"] = std::move(usage);
  const Json part = {
      {"type", "image_generation.partial_image"}, {"b64_json", kPixel}, {"partial_image_index", 0}};
  Plan plan = answer_plan(event(part) + event(last), "text/event-stream");
  plan.chunked = true;
  return plan;
}

Plan heard(const Asked& asked, const Fault& fault, const provider::Price& price, Spent& spent) {
  const std::int64_t seconds = asked.files.empty() ? 1 : seconds_of(asked.files.front());
  Json answer = {{"text", "A sandbox hears what it is given."}};
  Json usage;
  if (price.second) {
    spent.units_nanousd = seconds * price.second->value;
    usage = {{"type", "duration"}, {"seconds", seconds}};
  } else {
    spent.input = (letters(text_of(asked.body, "prompt")) + 3) / 4;
    spent.audio_in = std::min(seconds * kSoundTokensPerSecond, std::int64_t{15'000});
    spent.output = fault.tokens.value_or(12);
    usage = token_usage(spent.input + spent.audio_in, spent.output);
    usage["type"] = "tokens";
    usage["input_token_details"] = {{"text_tokens", spent.input}, {"audio_tokens", spent.audio_in}};
  }
  const std::string form = text_of(asked.body, "response_format");
  if (form == "text" || form == "srt" || form == "vtt")
    return answer_plan("A sandbox hears what it is given.\n", "text/plain; charset=utf-8");
  if (form == "verbose_json") answer["duration"] = static_cast<double>(seconds);
  if (!fault.omit_usage) answer["usage"] = usage;
  if (!asked.stream) return answer_plan(answer.dump(), "application/json");
  Json done = {{"type", "transcript.text.done"}, {"text", answer["text"]}};
  if (!fault.omit_usage) done["usage"] = usage;
  Plan plan = answer_plan(event({{"type", "transcript.text.delta"}, {"delta", answer["text"]}}) + event(done),
                          "text/event-stream");
  plan.chunked = true;
  return plan;
}

Plan spoken(const Asked& asked, const provider::Price& price, Spent& spent) {
  const std::int64_t count = letters(text_of(asked.body, "input"));
  constexpr std::int64_t kMillion = 1'000'000;
  if (price.characters) {
    spent.units_nanousd = (count * *price.characters + kMillion - 1) / kMillion;
  } else {
    spent.input = (count + 3) / 4;
    spent.audio_out = count + 5;
  }
  if (text_of(asked.body, "stream_format") != "sse")
    return answer_plan("ID3" + std::string(static_cast<std::size_t>(count) * 10 + 100, '\x55'), "audio/mpeg");
  Json done = {{"type", "speech.audio.done"}, {"usage", token_usage(spent.input, spent.audio_out)}};
  Plan plan = answer_plan(event({{"type", "speech.audio.delta"}, {"audio", "VVVV"}}) + event(done),
                          "text/event-stream");
  plan.chunked = true;
  return plan;
}

Plan moderated(const Asked& asked) {
  const bool list = asked.body.contains("input") && asked.body["input"].is_array();
  Json results = Json::array();
  for (std::size_t at = 0; at < (list ? asked.body["input"].size() : 1); ++at)
    results.push_back({{"flagged", false},
                       {"categories", Json::object()},
                       {"category_scores", Json::object()},
                       {"category_applied_input_types", Json::object()}});
  return answer_plan(
      Json{{"id", "modr-sandbox"}, {"model", asked.model}, {"results", std::move(results)}}.dump(),
      "application/json");
}

Plan predicted(const Asked& asked, const provider::Price& price, Spent& spent) {
  const Json& body = asked.body;
  std::int64_t each = 4;
  if (body.contains("parameters") && body["parameters"].is_object())
    each = body["parameters"].value("sampleCount", each);
  const std::int64_t instances =
      body.contains("instances") ? static_cast<std::int64_t>(body["instances"].size()) : 1;
  Json made = Json::array();
  for (std::int64_t at = 0; at < each * instances; ++at)
    made.push_back({{"mimeType", "image/png"}, {"bytesBase64Encoded", kPixel}});
  spent.units_nanousd = each * instances * picture_price(price, {}, {});
  return answer_plan(Json{{"predictions", std::move(made)}}.dump(), "application/json");
}

}  // namespace

bool is_media(Kind kind) {
  return kind == Kind::images || kind == Kind::hearing || kind == Kind::speech || kind == Kind::moderations ||
         kind == Kind::predict;
}

Plan Provider::media(const Asked& asked, const Fault& fault, Open& open) const {
  static const provider::Price kFree;
  const provider::Price& price = open.price ? *open.price : kFree;
  Spent& spent = open.entry.spent;
  switch (asked.kind) {
    case Kind::images:
      return pictures(asked, fault, price, spent);
    case Kind::hearing:
      return heard(asked, fault, price, spent);
    case Kind::speech:
      return spoken(asked, price, spent);
    case Kind::predict:
      return predicted(asked, price, spent);
    default:
      return moderated(asked);
  }
}

}  // namespace claviger::sandbox
