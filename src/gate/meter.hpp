// Meter: looks at an answer's bytes as they pass and learns what was used. Frames pass as they came, and only
// whole: a frame that breaks off in the middle would swallow the error event that must follow it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gate/authorize.hpp"
#include "provider/bedrock_stream.hpp"
#include "provider/usage.hpp"
#include "wire/event_stream.hpp"
#include "wire/http1.hpp"
#include "wire/json.hpp"
#include "wire/sse.hpp"

namespace claviger::gate {

class Meter {
 public:
  // What the answer's head said of its body.
  enum class Shape { events, messages /* Bedrock's binary event stream */, json, opaque };
  static Shape shape_of(std::string_view content_type);

  Meter(const Grant& grant, Shape shape);

  // Lists of models are changed on their way: cut to what the caller may use, and led back to the gate.
  using Change = std::function<std::string(std::string_view body)>;
  void change_list(Change change) { change_ = std::move(change); }
  // Counts that the answer's head gives (Bedrock); they stand where the body names none.
  void note_head(const wire::Headers& headers);

  // Takes the next decoded bytes of the body and returns what goes to the client: the same bytes, except
  // where the gate itself asked for usage that the client did not ask for. `rest` tells whether more will
  // come. The view lives until the next call.
  enum class Rest { follows, none };
  std::string_view pass(std::string_view piece, Rest rest);

  // The answer's own end was seen: nothing billed can follow.
  bool saw_end() const {
    if (messages_ != nullptr) return messages_->meter.finished();
    return events_ != nullptr ? events_->meter.finished() : whole_;
  }
  // The provider reported an error inside a stream.
  bool failed() const {
    if (messages_ != nullptr) return messages_->meter.failed();
    return events_ != nullptr && events_->meter.failed();
  }
  const provider::Usage& usage() const { return events_ != nullptr ? events_->meter.usage() : usage_; }
  // An event was too large to look into, or no message: the stream's end may have passed unseen.
  bool overflowed() const { return overflowed_; }
  bool is_stream() const { return events_ != nullptr || messages_ != nullptr; }
  // Whether the client's bytes differ from the provider's, so that their length is not known beforehand.
  bool changes_bytes() const { return filtering_ || change_ != nullptr; }
  std::int64_t next_sequence() const { return events_ == nullptr ? 0 : events_->meter.next_sequence(); }

 private:
  // Only what is a stream has the parts that follow one.
  struct Events {
    provider::StreamMeter meter;
    provider::StreamFilter filter{};
    wire::SseReader reader{};
  };
  struct Messages {
    provider::MessageMeter meter;
    wire::EventStreamReader reader{};
  };
  std::string_view pass_events(std::string_view piece, Rest rest);
  std::string_view pass_messages(std::string_view piece, Rest rest);
  std::string_view pass_list(std::string_view piece, Rest rest);
  void read_json(std::string_view body);

  Shape shape_;
  provider::Dialect dialect_;
  provider::Endpoint endpoint_;
  bool filtering_;
  bool overflowed_ = false;  // more than the meter may hold: usage stays unknown
  bool whole_ = false;       // the body came to its end, and could be read when it is JSON
  Change change_;
  std::unique_ptr<Events> events_;
  std::unique_ptr<Messages> messages_;
  provider::Usage usage_;
  std::string held_;  // a JSON body so far
  std::string out_;   // filtered frames
};

}  // namespace claviger::gate
