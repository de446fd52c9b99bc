// How a draft looks in OpenAI's Responses API.
#include "sandbox/draft.hpp"

namespace claviger::sandbox {
namespace {

Json usage_of(const Draft& draft) {
  return {{"input_tokens", draft.input},
          {"input_tokens_details",
           {{"cached_tokens", draft.cache_read}, {"cache_write_tokens", draft.cache_write}}},
          {"output_tokens", draft.claimed_output()},
          {"output_tokens_details", {{"reasoning_tokens", draft.reasoning}}},
          {"total_tokens", draft.input + draft.output()}};
}

Json part_of(const std::string& text) {
  return {
      {"type", "output_text"}, {"text", text}, {"annotations", Json::array()}, {"logprobs", Json::array()}};
}

enum class Stage : std::uint8_t { started, done };

Json item_of(const Draft& draft, Stage stage) {
  const bool done = stage == Stage::done;
  if (draft.tool)
    return {{"id", "fc_" + draft.id},
            {"type", "function_call"},
            {"status", done ? "completed" : "in_progress"},
            {"call_id", draft.tool->id},
            {"name", draft.tool->name},
            {"arguments", done ? draft.text() : ""}};
  Json content = Json::array();
  if (done) content.push_back(part_of(draft.text()));
  return {{"id", "msg_" + draft.id},
          {"type", "message"},
          {"status", done ? "completed" : "in_progress"},
          {"role", "assistant"},
          {"content", std::move(content)}};
}

Json reasoning_of(const Draft& draft) {
  return {{"id", "rs_" + draft.id}, {"type", "reasoning"}, {"summary", Json::array()}};
}

Json response_of(const Draft& draft, Stage stage) {
  const bool done = stage == Stage::done;
  Json output = Json::array();
  if (done && draft.reasoning > 0) output.push_back(reasoning_of(draft));
  for (std::int64_t at = 0; done && at < draft.searches; ++at)
    output.push_back({{"id", "ws_" + draft.id + std::to_string(at)},
                      {"type", "web_search_call"},
                      {"status", "completed"},
                      {"action", {{"type", "search"}, {"query", "sandbox"}}}});
  if (done) output.push_back(item_of(draft, stage));
  const std::string_view status = !done ? "in_progress" : draft.cut_short ? "incomplete" : "completed";
  Json answer = {{"id", "resp_" + draft.id},
                 {"object", "response"},
                 {"created_at", draft.created},
                 {"status", status},
                 {"error", nullptr}};
  answer["incomplete_details"] =
      done && draft.cut_short ? Json{{"reason", "max_output_tokens"}} : Json(nullptr);
  answer.update({{"instructions", nullptr},
                 {"metadata", Json::object()},
                 {"model", draft.model},
                 {"output", std::move(output)},
                 {"parallel_tool_calls", true},
                 {"service_tier", "default"},
                 {"temperature", 1.0},
                 {"tool_choice", "auto"},
                 {"tools", Json::array()},
                 {"top_p", 1.0}});
  if (done && draft.searches > 0) answer["tool_usage"] = {{"web_search", {{"num_requests", draft.searches}}}};
  answer["usage"] = done && !draft.omit_usage ? usage_of(draft) : Json(nullptr);
  return answer;
}

class ResponsesStream {
 public:
  explicit ResponsesStream(const Draft& draft) : draft_(draft), item_(draft.tool ? "fc_" : "msg_") {
    item_ += draft.id;
  }

  std::vector<Piece> write() {
    put("response.created", {{"response", response_of(draft_, Stage::started)}});
    put("response.in_progress", {{"response", response_of(draft_, Stage::started)}});
    tokens_ += draft_.reasoning;
    if (draft_.reasoning > 0) {
      put("response.output_item.added", {{"output_index", 0}, {"item", reasoning_of(draft_)}});
      put("response.output_item.done", {{"output_index", 0}, {"item", reasoning_of(draft_)}});
      index_ = 1;
    }
    put("response.output_item.added", {{"output_index", index_}, {"item", item_of(draft_, Stage::started)}});
    if (draft_.tool) {
      write_words("response.function_call_arguments.delta");
      put("response.function_call_arguments.done", {{"item_id", item_},
                                                    {"output_index", index_},
                                                    {"name", draft_.tool->name},
                                                    {"arguments", draft_.text()}});
    } else {
      write_text();
    }
    put("response.output_item.done", {{"output_index", index_}, {"item", item_of(draft_, Stage::done)}});
    put(draft_.cut_short ? "response.incomplete" : "response.completed",
        {{"response", response_of(draft_, Stage::done)}});
    return std::move(pieces_);
  }

 private:
  void write_text() {
    const Json place = {{"item_id", item_}, {"output_index", index_}, {"content_index", 0}};
    Json added = place, text_done = place, part_done = place;
    added["part"] = part_of("");
    put("response.content_part.added", std::move(added));
    write_words("response.output_text.delta");
    text_done["text"] = draft_.text();
    text_done["logprobs"] = Json::array();
    put("response.output_text.done", std::move(text_done));
    part_done["part"] = part_of(draft_.text());
    put("response.content_part.done", std::move(part_done));
  }

  void write_words(std::string_view type) {
    for (const auto& [from, to] : steps(draft_.words.size())) {
      std::string text;
      for (std::size_t word = from; word < to; ++word) {
        text += draft_.words[word];
        tokens_ += draft_.word_tokens(word);
      }
      Json event = {{"item_id", item_}, {"output_index", index_}};
      if (!draft_.tool) event.update({{"content_index", 0}, {"logprobs", Json::array()}});
      event["delta"] = text;
      put(type, std::move(event));
    }
  }

  void put(std::string_view type, Json fields) {
    Json event = {{"type", type}, {"sequence_number", sequence_++}};
    event.update(fields);
    std::string bytes = "event: ";
    bytes += type;
    bytes += "\ndata: " + event.dump() + "\n\n";
    pieces_.push_back({std::move(bytes), 0, tokens_});
  }

  const Draft& draft_;
  std::string item_;
  std::vector<Piece> pieces_;
  std::int64_t tokens_ = 0;
  std::int64_t sequence_ = 0;
  std::int64_t index_ = 0;
};

}  // namespace

std::string responses_whole(const Draft& draft) { return response_of(draft, Stage::done).dump(); }

std::vector<Piece> responses_stream(const Draft& draft) { return ResponsesStream(draft).write(); }

}  // namespace claviger::sandbox
