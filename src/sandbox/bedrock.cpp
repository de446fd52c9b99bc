// How a draft looks at Bedrock's runtime: Converse, and InvokeModel in Anthropic's form, whole or as an AWS
// event stream.
#include "base/encoding.hpp"
#include "sandbox/draft.hpp"
#include "wire/event_stream.hpp"

namespace claviger::sandbox {
namespace {

// Cached input stands beside inputTokens.
Json usage_of(const Draft& draft) {
  const std::int64_t input = draft.input - draft.cache_read - draft.cache_write;
  return {{"inputTokens", input},
          {"outputTokens", draft.claimed_output()},
          {"totalTokens", input + draft.output()},
          {"cacheReadInputTokens", draft.cache_read},
          {"cacheWriteInputTokens", draft.cache_write}};
}

std::string_view stop_of(const Draft& draft) { return draft.cut_short ? "max_tokens" : "end_turn"; }

Json metrics() { return {{"latencyMs", 1}}; }

}  // namespace

std::string converse_whole(const Draft& draft) {
  Json answer = {
      {"output",
       {{"message", {{"role", "assistant"}, {"content", Json::array({{{"text", draft.text()}}})}}}}},
      {"stopReason", stop_of(draft)},
      {"metrics", metrics()}};
  if (!draft.omit_usage) answer["usage"] = usage_of(draft);
  return answer.dump();
}

std::vector<Piece> converse_stream(const Draft& draft) {
  std::vector<Piece> pieces;
  std::int64_t tokens = 0;
  const auto put = [&](std::string_view name, const Json& payload) {
    pieces.push_back({wire::event_message("event", name, payload.dump()), 0, tokens});
  };
  put("messageStart", {{"role", "assistant"}});
  tokens += draft.reasoning;
  for (const auto& [from, to] : steps(draft.words.size())) {
    std::string text;
    for (std::size_t word = from; word < to; ++word) {
      text += draft.words[word];
      tokens += draft.word_tokens(word);
    }
    put("contentBlockDelta", {{"contentBlockIndex", 0}, {"delta", {{"text", text}}}});
  }
  put("contentBlockStop", {{"contentBlockIndex", 0}});
  put("messageStop", {{"stopReason", stop_of(draft)}});
  Json last = {{"metrics", metrics()}};
  if (!draft.omit_usage) last["usage"] = usage_of(draft);
  put("metadata", last);
  return pieces;
}

// Anthropic's own stream, each of its events packed into a chunk; the last one carries the metrics.
std::vector<Piece> invoke_stream(const Draft& draft) {
  constexpr std::string_view kData = "\ndata: ";
  std::vector<Piece> pieces = messages_stream(draft);
  for (Piece& piece : pieces) {
    std::string_view text = piece.bytes;
    text.remove_prefix(text.find(kData) + kData.size());
    Json event = Json::parse(text, nullptr, false);
    if (event.value("type", "") == "message_stop" && !draft.omit_usage)
      event["amazon-bedrock-invocationMetrics"] = {
          {"inputTokenCount", draft.input - draft.cache_read - draft.cache_write},
          {"outputTokenCount", draft.claimed_output()},
          {"invocationLatency", 1},
          {"firstByteLatency", 1}};
    const Json packed = {{"bytes", base64(as_bytes(event.dump()))}, {"p", "abcdefgh"}};
    piece.bytes = wire::event_message("event", "chunk", packed.dump());
  }
  return pieces;
}

}  // namespace claviger::sandbox
