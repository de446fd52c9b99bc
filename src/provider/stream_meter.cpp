// Metering of streamed answers, event by event, and the filter that hides the gate's own request for usage.
#include <algorithm>
#include <array>

#include "provider/usage.hpp"
#include "provider/usage_parts.hpp"

namespace claviger::provider {
namespace {

using wire::JsonValue;

bool names_things(std::string_view key) {
  return key == "role" || key == "type" || key == "id" || key == "mimeType" || key == "thoughtSignature" ||
         key == "signature" || key == "expires_at";
}

std::size_t back_over_space(std::string_view text, std::size_t at) {
  while (at > 0 &&
         (text[at - 1] == ' ' || text[at - 1] == '\t' || text[at - 1] == '\n' || text[at - 1] == '\r'))
    --at;
  return at;
}

// Removes one member of an object from `json`, with its name and one comma.
void cut_member(std::string_view json, JsonValue member, std::string& out) {
  std::size_t from = back_over_space(json, member.key_offset());
  std::size_t to = member.end_offset();
  if (json[from - 1] == ',') {
    --from;
  } else if (const std::size_t next = json.find_first_not_of(" \t\r\n", to); json[next] == ',') {
    to = next + 1;
  }
  out.append(json.substr(0, from)).append(json.substr(to));
}

}  // namespace

std::int64_t text_bytes(JsonValue value) {
  if (!value.exists()) return 0;
  if (value.is_string()) return static_cast<std::int64_t>(value.raw().size()) - 2;
  std::int64_t sum = 0;
  if (value.is_array())
    for (const JsonValue element : value.elements()) sum += text_bytes(element);
  if (value.is_object())
    for (const auto& [key, member] : value.members())
      if (!names_things(key)) sum += text_bytes(member);
  return sum;
}

void StreamMeter::on_event(const wire::SseEvent& event) {
  if (event.data.empty()) return;
  if (event.data == "[DONE]") {
    finished_ = true;
    return;
  }
  wire::Json json;
  if (!wire::scan(event.data, json, wire::Duplicates::allow)) return;
  const JsonValue root = json.root();
  if (!root.is_object()) return;
  switch (dialect_) {
    case Dialect::openai:
      if (endpoint_ == Endpoint::responses) return on_responses(root);
      return endpoint_ == Endpoint::chat || endpoint_ == Endpoint::completions ? on_chat(root)
                                                                               : on_media(root);
    case Dialect::anthropic:
      return on_messages(root);
    case Dialect::gemini:
      return on_gemini(root);
    case Dialect::bedrock:
    case Dialect::vectors:
      return;
  }
}

void StreamMeter::on_chat(JsonValue root) {
  if (given(root["error"])) failed_ = true;
  const JsonValue choices = root["choices"];
  if (choices.is_array())
    for (const JsonValue choice : choices.elements())
      delivered_ += text_bytes(choice["delta"]) + text_bytes(choice["text"]);
  // Groq puts the usage of a stream under a name of its own.
  const JsonValue usage = given(root["usage"]) ? root["usage"] : root["x_groq"]["usage"];
  if (given(usage)) usage_ = read_chat_usage(usage, root["service_tier"]);
}

void StreamMeter::on_responses(JsonValue root) {
  if (const auto sequence = root["sequence_number"].integer(); sequence && *sequence >= 0)
    next_sequence_ = *sequence + 1;
  const std::string type = root["type"].text().value_or("");
  if (type == "error" || type == "response.failed") failed_ = true;
  if (type.ends_with(".delta")) delivered_ += text_bytes(root["delta"]);
  finished_ =
      finished_ || type == "response.completed" || type == "response.incomplete" || type == "response.failed";
  const JsonValue response = root["response"];
  if (response.is_object() && given(response["usage"])) usage_ = read_response_usage(response);
}

void StreamMeter::on_messages(JsonValue root) {
  const JsonValue type = root["type"];
  if (type.text_equals("content_block_delta")) {
    delivered_ += text_bytes(root["delta"]);
  } else if (type.text_equals("content_block_start")) {
    count_block(root["content_block"], messages_.tools);
  } else if (type.text_equals("message_start") || type.text_equals("message_delta")) {
    const JsonValue usage = type.text_equals("message_start") ? root["message"]["usage"] : root["usage"];
    if (!given(usage)) return;
    update_messages_usage(usage, messages_);
    usage_ = messages_usage(messages_);
  } else if (type.text_equals("message_stop")) {
    finished_ = true;
  } else if (type.text_equals("error")) {
    failed_ = true;
  }
}

void StreamMeter::on_gemini(JsonValue root) {
  if (given(root["error"])) failed_ = true;
  const JsonValue candidates = root["candidates"];
  if (candidates.is_array())
    for (const JsonValue candidate : candidates.elements()) {
      delivered_ += text_bytes(candidate["content"]);
      if (given(candidate["finishReason"])) finished_ = true;
    }
  if (given(root["promptFeedback"]["blockReason"])) finished_ = true;
  count_candidates(root, tools_);
  if (const JsonValue metadata = root["usageMetadata"]; given(metadata)) usage_ = read_gemini_usage(metadata);
  usage_.tools = tools_;
  usage_.tool_calls = tools_[HostedTool::web_search];
}

// Pictures, transcripts and speech: the last event carries the usage, and there is no [DONE] behind it.
void StreamMeter::on_media(JsonValue root) {
  if (given(root["error"]) || root["type"].text_equals("error")) failed_ = true;
  const std::string type = root["type"].text().value_or("");
  if (type.ends_with(".delta")) delivered_ += text_bytes(root["delta"]);
  if (!type.ends_with(".completed") && !type.ends_with(".done")) return;
  finished_ = endpoint_ != Endpoint::images || --pictures_left_ <= 0;
  if (!given(root["usage"])) return;
  if (endpoint_ == Endpoint::images)
    add_picture(read_image_usage(root));
  else
    usage_ = endpoint_ == Endpoint::speech ? read_speech_usage(root["usage"]) : read_hearing_usage(root);
}

// Each picture of a stream reports its own usage.
void StreamMeter::add_picture(const Usage& one) {
  for (const UsageField& field : kUsageFields) usage_.*field.member += one.*field.member;
  usage_.seen = true;
  usage_.mismatch = usage_.mismatch || one.mismatch;
}

StreamFilter::Frame StreamFilter::on_frame(const wire::SseEvent& event) {
  const Frame pass{Verdict::pass, event.raw};
  // The name is looked for before anything is parsed: most frames do not carry it.
  if (event.data.find("\"usage\"") == std::string_view::npos) return pass;
  wire::Json json;
  if (!wire::scan(event.data, json, wire::Duplicates::allow)) return pass;
  const JsonValue root = json.root(), usage = root["usage"];
  if (!usage.exists()) return pass;
  const JsonValue choices = root["choices"];
  if (!usage.is_null()) {
    const bool extra = choices.is_array() && choices.size() == 0;
    return extra ? Frame{Verdict::drop, {}} : pass;
  }
  std::string cut;
  cut_member(event.data, usage, cut);
  edited_.clear();
  if (const std::size_t at = event.raw.find(event.data); at != std::string_view::npos)
    edited_.append(event.raw.substr(0, at)).append(cut).append(event.raw.substr(at + event.data.size()));
  else
    edited_.append("data: ").append(cut).append("\n\n");
  return {Verdict::replace, edited_};
}

}  // namespace claviger::provider
