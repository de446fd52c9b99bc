// How a draft looks in OpenAI's legacy completions.
#include "sandbox/draft.hpp"

namespace claviger::sandbox {
namespace {

Json usage_of(const Draft& draft) {
  return {{"prompt_tokens", draft.input},
          {"completion_tokens", draft.claimed_output()},
          {"total_tokens", draft.input + draft.output()}};
}

Json head_of(const Draft& draft) {
  return {{"id", "cmpl-" + draft.id},
          {"object", "text_completion"},
          {"created", draft.created},
          {"model", draft.model}};
}

Json choice_of(std::int64_t index, std::string text, const Json& finish) {
  return {{"index", index}, {"text", std::move(text)}, {"logprobs", nullptr}, {"finish_reason", finish}};
}

}  // namespace

std::string completion_whole(const Draft& draft) {
  Json answer = head_of(draft);
  answer["choices"] = Json::array();
  for (std::int64_t choice = 0; choice < draft.choices; ++choice)
    answer["choices"].push_back(choice_of(choice, draft.text(), draft.cut_short ? "length" : "stop"));
  if (!draft.omit_usage) answer["usage"] = usage_of(draft);
  return answer.dump();
}

std::vector<Piece> completion_stream(const Draft& draft) {
  std::vector<Piece> pieces;
  std::int64_t tokens = 0;
  const auto put = [&](Json choices, const Json& usage) {
    Json chunk = head_of(draft);
    chunk["choices"] = std::move(choices);
    if (draft.include_usage) chunk["usage"] = usage;
    pieces.push_back({"data: " + chunk.dump() + "\n\n", 0, tokens});
  };
  for (std::int64_t choice = 0; choice < draft.choices; ++choice) {
    tokens += draft.reasoning;
    for (const auto& [from, to] : steps(draft.words.size())) {
      std::string text;
      for (std::size_t word = from; word < to; ++word) {
        text += draft.words[word];
        tokens += draft.word_tokens(word);
      }
      put(Json::array({choice_of(choice, text, nullptr)}), nullptr);
    }
    put(Json::array({choice_of(choice, "", draft.cut_short ? "length" : "stop")}), nullptr);
  }
  if (draft.include_usage && !draft.omit_usage) put(Json::array(), usage_of(draft));
  pieces.push_back({"data: [DONE]\n\n", 0, tokens});
  return pieces;
}

}  // namespace claviger::sandbox
