// Makes the sandbox provider's answers: drafts them, has a dialect write them, and spoils them as the fault
// says.
#include <algorithm>
#include <array>
#include <bit>

#include "base/encoding.hpp"
#include "sandbox/provider.hpp"

namespace claviger::sandbox {
namespace {

constexpr std::int64_t kUsualWords = 24;
constexpr std::int64_t kUsualReasoning = 12;
constexpr std::array<std::string_view, 13> kVocabulary{"A",      " sandbox", " answers", " with",  " plain",
                                                       " words", " that",    " naïve",   " names", " cost",
                                                       " what",  " they",    " say."};

std::vector<std::string> in_pieces(std::string_view text) {
  constexpr std::size_t kPiece = 4;
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += kPiece) pieces.emplace_back(text.substr(at, kPiece));
  return pieces;
}

// One long word in the middle, of as many tokens as there is room for.
void put_big_word(const Fault& fault, std::int64_t room, Draft& draft) {
  if (fault.big_event == 0 || draft.words.empty()) return;
  const std::size_t middle = draft.words.size() / 2;
  const auto others = static_cast<std::int64_t>(draft.words.size()) - 1;
  const auto wanted = static_cast<std::int64_t>(fault.big_event + 3) / 4;
  draft.words[middle].assign(fault.big_event, 'x');
  draft.weights.assign(draft.words.size(), 1);
  draft.weights[middle] = std::clamp<std::int64_t>(wanted, 1, std::max<std::int64_t>(1, room - others));
}

void cut_pieces(std::size_t cut, Plan& plan) {
  std::size_t left = cut;
  for (std::size_t at = 0; at < plan.pieces.size(); ++at) {
    Piece& piece = plan.pieces[at];
    if (piece.bytes.size() <= left) {
      left -= piece.bytes.size();
      continue;
    }
    piece.bytes.resize(left);
    plan.pieces.resize(at + 1);  // its tokens were generated, though they did not all arrive
    plan.ending = Ending::cut;
    return;
  }
}

Json vector_json(const Asked& asked) {
  constexpr std::int64_t kUsualDimensions = 8;
  std::int64_t dimensions = kUsualDimensions;
  if (asked.body.contains("dimensions") && asked.body["dimensions"].is_number_integer())
    dimensions = std::clamp<std::int64_t>(asked.body["dimensions"].get<std::int64_t>(), 1, 4096);
  Json numbers = Json::array();
  std::string raw;
  for (std::int64_t at = 0; at < dimensions; ++at) {
    const float number = static_cast<float>(at % 16) / 16.0F;
    numbers.push_back(number);
    const auto bits = std::bit_cast<std::array<char, sizeof(float)>>(number);
    raw.append(bits.data(), bits.size());
  }
  const bool packed = asked.body.contains("encoding_format") && asked.body["encoding_format"] == "base64";
  return packed ? Json(base64(as_bytes(raw))) : numbers;
}

std::size_t embedding_count(const Asked& asked) {
  const char* name = asked.kind == Kind::batch_embed ? "requests" : "input";
  if (!asked.body.contains(name) || !asked.body[name].is_array()) return 1;
  const Json& list = asked.body[name];
  const bool token_list = !list.empty() && list.front().is_number();
  return token_list ? 1 : list.size();
}

}  // namespace

void spoil(const Fault& fault, Plan& plan) {
  if (fault.malformed == "body") {
    std::string& bytes = plan.pieces[plan.pieces.size() / 2].bytes;
    bytes = plan.streamed ? "data: {\"broken\": \n\n" : bytes.substr(0, bytes.size() / 2);
  } else if (fault.malformed == "head") {
    plan.ending = Ending::broken_head;
  } else if (fault.malformed == "chunk") {
    plan.chunked = true;
    plan.ending = Ending::broken_chunk;
  }
  if (fault.stall_ms > 0 && plan.pieces.size() == 1) {
    Piece& first = plan.pieces.front();
    Piece second = first;
    const std::size_t half = first.bytes.size() / 2;
    second.bytes.erase(0, half);
    first.bytes.resize(half);
    plan.pieces.push_back(std::move(second));
  }
  for (std::size_t at = 1; at < plan.pieces.size(); ++at) plan.pieces[at].delay_ms += fault.lag_ms;
  if (fault.stall_ms > 0) plan.pieces[plan.pieces.size() / 2].delay_ms += fault.stall_ms;
  plan.pieces.front().delay_ms += fault.latency_ms;
  plan.length = plan.body_size();
  if (fault.cut) cut_pieces(*fault.cut, plan);
}

Draft Provider::draft_of(const Asked& asked, const Fault& fault, const Open& open) const {
  Draft draft;
  draft.id = open.entry.id;
  draft.model = asked.model;
  draft.created = open.at.ns / 1'000'000'000;
  draft.input = fault.input.value_or(asked.input);
  draft.cache_read = std::min(fault.cached, draft.input);
  draft.cache_write = std::min(fault.cache_write, draft.input - draft.cache_read);
  draft.searches = std::min(fault.searches, allowed_searches(asked));
  draft.choices = asked.choices;
  draft.include_usage = asked.include_usage;
  draft.omit_usage = fault.omit_usage;
  draft.lie_usage = fault.lie_usage;
  const std::int64_t room = asked.max_output.value_or(INT32_MAX);
  const std::int64_t thinks = fault.reasoning.value_or(asked.reasons ? kUsualReasoning : 0);
  draft.reasoning = std::min(thinks, room);
  if (const auto tool = wanted_tool(asked)) {
    draft.tool = ToolCall{"call_" + open.entry.id, tool->name};
    draft.words = in_pieces(tool->arguments);
  } else if (const auto text = structured_answer(asked)) {
    draft.words = in_pieces(*text);
  } else {
    const std::int64_t words = fault.tokens.value_or(kUsualWords);
    for (std::int64_t at = 0; at < words; ++at)
      draft.words.emplace_back(kVocabulary[static_cast<std::size_t>(at) % kVocabulary.size()]);
  }
  const auto fits = static_cast<std::size_t>(room - draft.reasoning);
  draft.cut_short = draft.words.size() > fits;
  if (draft.cut_short) draft.words.resize(fits);
  put_big_word(fault, room - draft.reasoning, draft);
  return draft;
}

Plan Provider::generated(const Asked& asked, const Fault& fault, Open& open) {
  const Draft draft = draft_of(asked, fault, open);
  open.entry.spent = {draft.input, draft.cache_read, draft.cache_write, 0};
  if (draft.searches > 0 && open.price != nullptr && open.price->tool_call)
    open.entry.spent.units_nanousd =
        open.price->tool_call->value * (open.price->tool_call_once ? 1 : draft.searches);
  const bool events = asked.events;
  Plan plan;
  plan.streamed = plan.chunked = asked.stream;
  const bool json = !asked.stream || (asked.kind == Kind::stream && !events);
  plan.headers.emplace_back("content-type", json ? "application/json"
                                            : asked.dialect == provider::Dialect::bedrock
                                                ? "application/vnd.amazon.eventstream"
                                                : "text/event-stream");
  if (asked.stream) {
    switch (asked.kind) {
      case Kind::chat:
        plan.pieces = chat_stream(draft);
        break;
      case Kind::completions:
        plan.pieces = completion_stream(draft);
        break;
      case Kind::responses:
        plan.pieces = responses_stream(draft);
        break;
      case Kind::messages:
        plan.pieces = messages_stream(draft);
        break;
      case Kind::converse:
        plan.pieces = converse_stream(draft);
        break;
      case Kind::invoke:
        plan.pieces = invoke_stream(draft);
        break;
      default:
        plan.pieces = gemini_stream(draft, events ? GeminiForm::events : GeminiForm::array);
    }
  } else {
    std::string (*const whole)(const Draft&) = asked.kind == Kind::chat          ? chat_whole
                                               : asked.kind == Kind::completions ? completion_whole
                                               : asked.kind == Kind::responses   ? responses_whole
                                               : asked.kind == Kind::messages    ? messages_whole
                                               : asked.kind == Kind::invoke      ? messages_whole
                                               : asked.kind == Kind::converse    ? converse_whole
                                                                                 : gemini_whole;
    plan.pieces.push_back({whole(draft), 0, draft.output()});
  }
  spoil(fault, plan);
  return plan;
}

Plan Provider::embedded(const Asked& asked, const Fault& fault, Open& open) const {
  open.entry.spent.input = fault.input.value_or(asked.input);
  const Json vector = vector_json(asked);
  Json answer;
  if (asked.kind == Kind::embed) {
    answer = {{"embedding", {{"values", vector}}}};
  } else if (asked.kind == Kind::batch_embed) {
    Json all = Json::array();
    for (std::size_t at = 0; at < embedding_count(asked); ++at) all.push_back({{"values", vector}});
    answer = {{"embeddings", std::move(all)}};
  } else {
    Json all = Json::array();
    for (std::size_t at = 0; at < embedding_count(asked); ++at)
      all.push_back({{"object", "embedding"}, {"index", at}, {"embedding", vector}});
    answer = {{"object", "list"}, {"data", std::move(all)}, {"model", asked.model}};
    if (!fault.omit_usage)
      answer["usage"] = {{"prompt_tokens", open.entry.spent.input}, {"total_tokens", open.entry.spent.input}};
  }
  Plan plan;
  plan.headers.emplace_back("content-type", "application/json");
  plan.pieces.push_back({answer.dump(), 0, 0});
  spoil(fault, plan);
  return plan;
}

}  // namespace claviger::sandbox
