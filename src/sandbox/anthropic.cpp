// How a draft looks in Anthropic's Messages API.
#include "sandbox/draft.hpp"

namespace claviger::sandbox {
namespace {

// Anthropic's input count leaves cached tokens out.
Json input_usage(const Draft& draft) {
  Json usage = {{"input_tokens", draft.input - draft.cache_read - draft.cache_write},
                {"cache_creation_input_tokens", draft.cache_write},
                {"cache_read_input_tokens", draft.cache_read},
                {"cache_creation",
                 {{"ephemeral_5m_input_tokens", draft.cache_write}, {"ephemeral_1h_input_tokens", 0}}},
                {"service_tier", "standard"}};
  if (draft.searches > 0)
    usage["server_tool_use"] = {{"web_search_requests", draft.searches}, {"web_fetch_requests", 0}};
  return usage;
}

std::string_view stop_of(const Draft& draft) {
  return draft.cut_short ? "max_tokens" : draft.tool ? "tool_use" : "end_turn";
}

std::string thought_of(const Draft& draft) {
  std::string thought;
  for (std::int64_t token = 0; token < draft.reasoning; ++token) thought += " hm";
  return thought;
}

Json message_of(const Draft& draft) {
  return {{"id", "msg_" + draft.id}, {"type", "message"},        {"role", "assistant"},
          {"model", draft.model},    {"content", Json::array()}, {"stop_reason", nullptr},
          {"stop_sequence", nullptr}};
}

class MessagesStream {
 public:
  explicit MessagesStream(const Draft& draft) : draft_(draft) {}

  std::vector<Piece> write() {
    Json message = message_of(draft_);
    message["usage"] = input_usage(draft_);
    message["usage"]["output_tokens"] = draft_.omit_usage ? 0 : 1;
    if (draft_.omit_usage) message.erase("usage");
    put({{"type", "message_start"}, {"message", std::move(message)}});
    put({{"type", "ping"}});
    if (draft_.reasoning > 0) write_thought();
    write_block();
    Json last = {{"type", "message_delta"},
                 {"delta", {{"stop_reason", stop_of(draft_)}, {"stop_sequence", nullptr}}}};
    if (!draft_.omit_usage) {
      last["usage"] = input_usage(draft_);
      last["usage"].erase("service_tier");
      last["usage"]["output_tokens"] = draft_.claimed_output();
    }
    put(std::move(last));
    put({{"type", "message_stop"}});
    return std::move(pieces_);
  }

 private:
  void write_thought() {
    open({{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
    tokens_ += draft_.reasoning;
    delta({{"type", "thinking_delta"}, {"thinking", thought_of(draft_)}});
    delta({{"type", "signature_delta"}, {"signature", "c2FuZGJveA=="}});
    close();
  }

  void write_block() {
    if (draft_.tool)
      open({{"type", "tool_use"},
            {"id", draft_.tool->id},
            {"name", draft_.tool->name},
            {"input", Json::object()}});
    else
      open({{"type", "text"}, {"text", ""}});
    for (const auto& [from, to] : steps(draft_.words.size())) {
      std::string text;
      for (std::size_t word = from; word < to; ++word) {
        text += draft_.words[word];
        tokens_ += draft_.word_tokens(word);
      }
      if (draft_.tool)
        delta({{"type", "input_json_delta"}, {"partial_json", text}});
      else
        delta({{"type", "text_delta"}, {"text", text}});
    }
    close();
  }

  void open(Json block) {
    put({{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(block)}});
  }
  void delta(Json delta) {
    put({{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(delta)}});
  }
  void close() { put({{"type", "content_block_stop"}, {"index", index_++}}); }

  void put(const Json& event) {
    pieces_.push_back(
        {"event: " + event["type"].get<std::string>() + "\ndata: " + event.dump() + "\n\n", 0, tokens_});
  }

  const Draft& draft_;
  std::vector<Piece> pieces_;
  std::int64_t tokens_ = 0;
  std::int64_t index_ = 0;
};

}  // namespace

std::string messages_whole(const Draft& draft) {
  Json message = message_of(draft);
  if (draft.reasoning > 0)
    message["content"].push_back(
        {{"type", "thinking"}, {"thinking", thought_of(draft)}, {"signature", "c2FuZGJveA=="}});
  if (draft.tool) {
    Json input = Json::parse(draft.text(), nullptr, false);
    if (input.is_discarded()) input = Json::object();
    message["content"].push_back({{"type", "tool_use"},
                                  {"id", draft.tool->id},
                                  {"name", draft.tool->name},
                                  {"input", std::move(input)}});
  } else {
    message["content"].push_back({{"type", "text"}, {"text", draft.text()}});
  }
  message["stop_reason"] = stop_of(draft);
  if (!draft.omit_usage) {
    message["usage"] = input_usage(draft);
    message["usage"]["output_tokens"] = draft.claimed_output();
  }
  return message.dump();
}

std::vector<Piece> messages_stream(const Draft& draft) { return MessagesStream(draft).write(); }

}  // namespace claviger::sandbox
