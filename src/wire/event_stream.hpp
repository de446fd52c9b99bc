// AWS event streams (application/vnd.amazon.eventstream): binary messages out of a byte stream, each with its
// own bytes kept as they came; and messages of our own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::wire {

struct EventMessage {
  std::string_view type;     // ":message-type": "event", "exception" or "error"
  std::string_view name;     // ":event-type", ":exception-type" or ":error-code", whichever stands there
  std::string_view payload;  // mostly JSON
  std::string_view raw;      // the message as it came
};

// Feed bytes, then take messages until there are none. Lengths, both checksums and every header are checked.
// All `raw` and the final rest() together are what was fed, byte for byte.
class EventStreamReader {
 public:
  // Refuses with upstream_malformed, and then takes nothing of `bytes`, when a message begins that outgrows
  // limits::kEventMessage or whose lengths cannot be. Ends the life of all views given out.
  Result<void> feed(std::string_view bytes);
  // The next whole message; nullopt when it has not come yet, upstream_malformed when what came is none.
  // Views live until the next call of feed.
  Result<std::optional<EventMessage>> next();
  // All bytes not handed out.
  std::string_view rest() const { return std::string_view(buffer_).substr(taken_); }

 private:
  std::string buffer_;
  std::size_t taken_ = 0;
};

// One message with the three headers that Bedrock's have; the payload is JSON.
std::string event_message(std::string_view type, std::string_view name, std::string_view payload);

}  // namespace claviger::wire
