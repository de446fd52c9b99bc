// How a draft looks in OpenAI's chat completions.
#include "sandbox/draft.hpp"

namespace claviger::sandbox {
namespace {

Json usage_of(const Draft& draft) {
  return {
      {"prompt_tokens", draft.input},
      {"completion_tokens", draft.claimed_output()},
      {"total_tokens", draft.input + draft.output()},
      {"prompt_tokens_details",
       {{"cached_tokens", draft.cache_read}, {"cache_write_tokens", draft.cache_write}, {"audio_tokens", 0}}},
      {"completion_tokens_details",
       {{"reasoning_tokens", draft.reasoning * draft.choices},
        {"audio_tokens", 0},
        {"accepted_prediction_tokens", 0},
        {"rejected_prediction_tokens", 0}}}};
}

std::string_view finish_of(const Draft& draft) {
  return draft.cut_short ? "length" : draft.tool ? "tool_calls" : "stop";
}

Json head_of(const Draft& draft, std::string_view object) {
  return {{"id", "chatcmpl-" + draft.id}, {"object", object},          {"created", draft.created},
          {"model", draft.model},         {"service_tier", "default"}, {"system_fingerprint", "fp_sandbox"}};
}

class ChatStream {
 public:
  explicit ChatStream(const Draft& draft) : draft_(draft) {}

  std::vector<Piece> write() {
    for (std::int64_t choice = 0; choice < draft_.choices; ++choice) write_choice(choice);
    if (draft_.include_usage && !draft_.omit_usage) {
      Json last = head_of(draft_, "chat.completion.chunk");
      last["choices"] = Json::array();
      last["usage"] = usage_of(draft_);
      pieces_.push_back({"data: " + last.dump() + "\n\n", 0, tokens_});
    }
    pieces_.push_back({"data: [DONE]\n\n", 0, tokens_});
    return std::move(pieces_);
  }

 private:
  void write_choice(std::int64_t choice) {
    Json first = {{"role", "assistant"}, {"content", draft_.tool ? Json(nullptr) : Json("")}};
    if (draft_.tool)
      first["tool_calls"] = Json::array({{{"index", 0},
                                          {"id", draft_.tool->id},
                                          {"type", "function"},
                                          {"function", {{"name", draft_.tool->name}, {"arguments", ""}}}}});
    put(choice, std::move(first), nullptr);
    tokens_ += draft_.reasoning;
    for (const auto& [from, to] : steps(draft_.words.size())) {
      std::string text;
      for (std::size_t word = from; word < to; ++word) {
        text += draft_.words[word];
        tokens_ += draft_.word_tokens(word);
      }
      Json delta = {{"content", text}};
      if (draft_.tool)
        delta = {{"tool_calls", Json::array({{{"index", 0}, {"function", {{"arguments", text}}}}})}};
      put(choice, std::move(delta), nullptr);
    }
    put(choice, Json::object(), finish_of(draft_));
  }

  void put(std::int64_t choice, Json delta, const Json& finish) {
    Json chunk = head_of(draft_, "chat.completion.chunk");
    chunk["choices"] = Json::array(
        {{{"index", choice}, {"delta", std::move(delta)}, {"logprobs", nullptr}, {"finish_reason", finish}}});
    if (draft_.include_usage) chunk["usage"] = nullptr;
    pieces_.push_back({"data: " + chunk.dump() + "\n\n", 0, tokens_});
  }

  const Draft& draft_;
  std::vector<Piece> pieces_;
  std::int64_t tokens_ = 0;
};

}  // namespace

std::string chat_whole(const Draft& draft) {
  Json answer = head_of(draft, "chat.completion");
  answer["choices"] = Json::array();
  for (std::int64_t choice = 0; choice < draft.choices; ++choice) {
    Json message = {{"role", "assistant"}, {"content", draft.tool ? Json(nullptr) : Json(draft.text())}};
    message["refusal"] = nullptr;
    if (draft.tool)
      message["tool_calls"] =
          Json::array({{{"id", draft.tool->id},
                        {"type", "function"},
                        {"function", {{"name", draft.tool->name}, {"arguments", draft.text()}}}}});
    answer["choices"].push_back({{"index", choice},
                                 {"message", std::move(message)},
                                 {"logprobs", nullptr},
                                 {"finish_reason", finish_of(draft)}});
  }
  if (!draft.omit_usage) answer["usage"] = usage_of(draft);
  return answer.dump();
}

std::vector<Piece> chat_stream(const Draft& draft) { return ChatStream(draft).write(); }

}  // namespace claviger::sandbox
