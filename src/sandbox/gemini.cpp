// How a draft looks in Gemini's generateContent and streamGenerateContent.
#include "sandbox/draft.hpp"

namespace claviger::sandbox {
namespace {

// Gemini counts thoughts beside the candidates, and says its usage with every chunk.
Json usage_of(const Draft& draft, std::int64_t candidates, std::int64_t thoughts) {
  Json usage = {{"promptTokenCount", draft.input}, {"candidatesTokenCount", candidates}};
  usage["totalTokenCount"] = draft.input + candidates + thoughts;
  if (draft.lie_usage) usage["candidatesTokenCount"] = *draft.lie_usage;
  if (draft.cache_read > 0) usage["cachedContentTokenCount"] = draft.cache_read;
  if (thoughts > 0) usage["thoughtsTokenCount"] = thoughts;
  usage["promptTokensDetails"] = Json::array({{{"modality", "TEXT"}, {"tokenCount", draft.input}}});
  return usage;
}

Json tool_part(const Draft& draft) {
  Json arguments = Json::parse(draft.text(), nullptr, false);
  if (arguments.is_discarded()) arguments = Json::object();
  return {{"functionCall", {{"name", draft.tool->name}, {"args", std::move(arguments)}}}};
}

Json candidate(std::int64_t index, Json parts) {
  return {{"content", {{"parts", std::move(parts)}, {"role", "model"}}}, {"index", index}};
}

// What the answer was searched for, as the last chunk of an answer says it.
Json grounding_of(const Draft& draft) {
  Json queries = Json::array();
  for (std::int64_t at = 0; at < draft.searches; ++at) queries.push_back("sandbox " + std::to_string(at));
  return {{"webSearchQueries", std::move(queries)}};
}

Json answer_of(const Draft& draft, Json candidates) {
  return {{"candidates", std::move(candidates)}, {"modelVersion", draft.model}, {"responseId", draft.id}};
}

class GeminiStream {
 public:
  GeminiStream(const Draft& draft, GeminiForm form) : draft_(draft), form_(form) {}

  std::vector<Piece> write() {
    thoughts_ = draft_.reasoning * draft_.choices;
    if (thoughts_ > 0) put(Json::array({candidate(0, Json::array({{{"text", "Hm."}, {"thought", true}}}))}));
    for (std::int64_t choice = 0; choice < draft_.choices; ++choice) {
      if (draft_.tool) {
        words_ += draft_.choice_output() - draft_.reasoning;
        put(Json::array({candidate(choice, Json::array({tool_part(draft_)}))}));
      } else {
        write_words(choice);
      }
    }
    Json last = Json::array();
    for (std::int64_t choice = 0; choice < draft_.choices; ++choice) {
      last.push_back(candidate(choice, Json::array({{{"text", ""}}})));
      last.back()["finishReason"] = draft_.cut_short ? "MAX_TOKENS" : "STOP";
      if (draft_.searches > 0) last.back()["groundingMetadata"] = grounding_of(draft_);
    }
    put(std::move(last));
    if (form_ == GeminiForm::array) pieces_.push_back({"]", 0, thoughts_ + words_});
    return std::move(pieces_);
  }

 private:
  void write_words(std::int64_t choice) {
    for (const auto& [from, to] : steps(draft_.words.size())) {
      std::string text;
      for (std::size_t word = from; word < to; ++word) {
        text += draft_.words[word];
        words_ += draft_.word_tokens(word);
      }
      put(Json::array({candidate(choice, Json::array({{{"text", text}}}))}));
    }
  }

  void put(Json candidates) {
    Json chunk = answer_of(draft_, std::move(candidates));
    if (!draft_.omit_usage) chunk["usageMetadata"] = usage_of(draft_, words_, thoughts_);
    std::string bytes = form_ == GeminiForm::events ? "data: " : pieces_.empty() ? "[" : ",\r\n";
    bytes += chunk.dump();
    if (form_ == GeminiForm::events) bytes += "\r\n\r\n";
    pieces_.push_back({std::move(bytes), 0, thoughts_ + words_});
  }

  const Draft& draft_;
  GeminiForm form_;
  std::vector<Piece> pieces_;
  std::int64_t thoughts_ = 0;
  std::int64_t words_ = 0;
};

}  // namespace

std::string gemini_whole(const Draft& draft) {
  Json candidates = Json::array();
  for (std::int64_t choice = 0; choice < draft.choices; ++choice) {
    Json parts = Json::array();
    if (draft.reasoning > 0) parts.push_back({{"text", "Hm."}, {"thought", true}});
    if (draft.tool)
      parts.push_back(tool_part(draft));
    else
      parts.push_back({{"text", draft.text()}});
    candidates.push_back(candidate(choice, std::move(parts)));
    candidates.back()["finishReason"] = draft.cut_short ? "MAX_TOKENS" : "STOP";
    if (draft.searches > 0) candidates.back()["groundingMetadata"] = grounding_of(draft);
  }
  Json answer = answer_of(draft, std::move(candidates));
  const std::int64_t thoughts = draft.reasoning * draft.choices;
  if (!draft.omit_usage) answer["usageMetadata"] = usage_of(draft, draft.output() - thoughts, thoughts);
  return answer.dump();
}

std::vector<Piece> gemini_stream(const Draft& draft, GeminiForm form) {
  return GeminiStream(draft, form).write();
}

}  // namespace claviger::sandbox
