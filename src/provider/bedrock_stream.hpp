// Metering of Bedrock's event streams, message by message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "provider/usage.hpp"
#include "wire/event_stream.hpp"
#include "wire/json.hpp"

namespace claviger::provider {

// Follows one stream: ConverseStream says its usage in its last message, InvokeModelWithResponseStream in the
// model's own events and in the metrics that its last chunk carries. What is not understood is passed over.
class MessageMeter {
 public:
  explicit MessageMeter(Endpoint endpoint) : endpoint_(endpoint) {}

  void on_message(const wire::EventMessage& message);

  // The metadata, or the chunk with the metrics, was seen.
  bool finished() const { return finished_; }
  // The provider reported an exception inside the stream.
  bool failed() const { return failed_; }
  // Exact only with finished() and usage().seen.
  const Usage& usage() const { return usage_; }

 private:
  void on_chunk(wire::JsonValue root);

  Endpoint endpoint_;
  StreamMeter inner_{Dialect::anthropic, Endpoint::messages};  // what Anthropic's chunks unpack to
  std::string chunk_;                                          // what was packed in one
  Usage usage_;
  bool finished_ = false;
  bool failed_ = false;
};

}  // namespace claviger::provider
