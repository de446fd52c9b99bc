// What an answer used, in disjoint integer buckets: read from the provider's own usage objects, never
// guessed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "provider/dialect.hpp"
#include "provider/hosted_tool.hpp"
#include "wire/json.hpp"
#include "wire/sse.hpp"

namespace claviger::provider {

// The service tier the answer says it was served at; the price follows the answer, not the request.
enum class ServiceTier : std::uint8_t { standard, flex, batch, priority, fast, ultrafast, other };
std::string_view tier_name(ServiceTier tier);
std::optional<ServiceTier> parse_tier(std::string_view name);

// All counts are >= 0. Input buckets are disjoint and sum to the provider's input; text_out, audio_out and
// image_out are disjoint and sum to its output; reasoning_out lies inside text_out and is never added.
struct Usage {
  std::int64_t uncached_in = 0;  // text not read from a cache
  std::int64_t cache_read = 0;   // text and images
  std::int64_t cache_read_audio = 0;
  std::int64_t cache_write_5m = 0;
  std::int64_t cache_write_30m = 0;
  std::int64_t cache_write_1h = 0;
  std::int64_t cache_write_12h = 0;
  std::int64_t audio_in = 0;  // not cached
  std::int64_t image_in = 0;  // not cached; video and documents too where the provider counts them apart
  std::int64_t text_out = 0;
  std::int64_t reasoning_out = 0;
  std::int64_t audio_out = 0;
  std::int64_t image_out = 0;
  std::int64_t tool_calls = 0;  // calls of server-side tools billed apiece (web search)
  std::int64_t hosted_in = 0;   // tokens of server-side tools outside `usage` (image generation)
  std::int64_t hosted_out = 0;
  std::int64_t images = 0;         // pictures billed apiece; those billed in tokens are in image_out
  std::int64_t seconds = 0;        // of sound billed by its length
  std::int64_t characters = 0;     // of text billed by its length
  std::int64_t file_searches = 0;  // searches in the provider's stores
  std::int64_t code_sessions = 0;  // containers of the provider's code interpreter

  bool seen = false;      // a usage object was there; explicit zeros count
  bool mismatch = false;  // the provider's own numbers do not add up; the larger reading was taken
  bool us_geo = false;    // inference pinned to the US (anthropic inference_geo)
  ServiceTier tier = ServiceTier::standard;
  bool tier_named = false;  // the answer says its tier; else list price is taken
  ToolCounts tools;         // of the provider's own, as the answer shows them; `tool_calls` is what is billed

  std::int64_t total_in() const {
    return uncached_in + cache_read + cache_read_audio + cache_write_5m + cache_write_30m + cache_write_1h +
           cache_write_12h + audio_in + image_in;
  }
  std::int64_t total_out() const { return text_out + audio_out + image_out; }
  std::int64_t total_tokens() const { return total_in() + total_out() + hosted_in + hosted_out; }
  friend bool operator==(const Usage&, const Usage&) = default;
};

// The buckets by their stable names, so that records are written and read in one loop.
struct UsageField {
  std::string_view name;
  std::int64_t Usage::* member;
};
inline constexpr std::array<UsageField, 21> kUsageFields{{
    {"uncached_in", &Usage::uncached_in},
    {"cache_read", &Usage::cache_read},
    {"cache_read_audio", &Usage::cache_read_audio},
    {"cache_write_5m", &Usage::cache_write_5m},
    {"cache_write_30m", &Usage::cache_write_30m},
    {"cache_write_1h", &Usage::cache_write_1h},
    {"cache_write_12h", &Usage::cache_write_12h},
    {"audio_in", &Usage::audio_in},
    {"image_in", &Usage::image_in},
    {"text_out", &Usage::text_out},
    {"reasoning_out", &Usage::reasoning_out},
    {"audio_out", &Usage::audio_out},
    {"image_out", &Usage::image_out},
    {"tool_calls", &Usage::tool_calls},
    {"hosted_in", &Usage::hosted_in},
    {"hosted_out", &Usage::hosted_out},
    {"images", &Usage::images},
    {"seconds", &Usage::seconds},
    {"characters", &Usage::characters},
    {"file_searches", &Usage::file_searches},
    {"code_sessions", &Usage::code_sessions},
}};

// Anthropic's usage fields as they were last reported: a stream repeats some of them in message_delta,
// cumulatively.
struct MessagesUsage {
  std::int64_t input = 0, output = 0, read = 0, write = 0, write_5m = 0, write_1h = 0, thinking = 0,
               searches = 0, fetches = 0;
  bool split = false;  // the 5m and 1h parts of `write` were given
  ServiceTier tier = ServiceTier::standard;
  bool tier_named = false;
  bool us_geo = false;
  ToolCounts tools;
};

// Usage of an answer that came whole. `seen` is false when there is none (or it cannot be read): then the
// caller settles at the hold.
Usage read_usage(Dialect dialect, Endpoint endpoint, const wire::Json& answer);

// Follows a streamed answer. Every provider's counts are cumulative: the last value of a field wins, never a
// sum. Events that are not JSON or not known are passed over; they never fail the stream.
class StreamMeter {
 public:
  // `pictures`: how many the stream will bring, where it brings pictures; its end is the last one's.
  StreamMeter(Dialect dialect, Endpoint endpoint, std::int64_t pictures = 1)
      : dialect_(dialect), endpoint_(endpoint), pictures_left_(pictures) {}

  void on_event(const wire::SseEvent& event);

  // The dialect's own end was seen ([DONE], response.completed/incomplete/failed, message_stop; Gemini: a
  // finishReason). A stream that stops before it was cut.
  bool finished() const { return finished_; }
  // The provider reported an error inside the stream.
  bool failed() const { return failed_; }
  // What is known so far. Exact only with finished() and usage().seen.
  const Usage& usage() const { return usage_; }
  // Bytes of generated text, arguments, audio and thoughts that went by: an upper bound of the tokens
  // *delivered* (hidden reasoning is not among them).
  std::int64_t delivered_bytes() const { return delivered_; }
  // For stream_error on the Responses endpoint: one more than the last sequence_number.
  std::int64_t next_sequence() const { return next_sequence_; }

 private:
  void on_chat(wire::JsonValue root);
  void on_responses(wire::JsonValue root);
  void on_messages(wire::JsonValue root);
  void on_gemini(wire::JsonValue root);
  void on_media(wire::JsonValue root);
  void add_picture(const Usage& one);

  Dialect dialect_;
  Endpoint endpoint_;
  std::int64_t pictures_left_;
  Usage usage_;
  MessagesUsage messages_;
  std::int64_t delivered_ = 0;
  ToolCounts tools_;  // of a Gemini answer
  std::int64_t next_sequence_ = 0;
  bool finished_ = false;
  bool failed_ = false;
};

// Undoes the gate's own `stream_options.include_usage` for a chat client that did not ask for it: the extra
// chunk goes, and so does `"usage":null` in the others. Used only when the option was inserted.
class StreamFilter {
 public:
  enum class Verdict : std::uint8_t { pass, drop, replace };
  struct Frame {
    Verdict verdict = Verdict::pass;
    std::string_view
        bytes;  // what to send: the frame itself, nothing, or the new bytes (valid until the next call)
  };
  Frame on_frame(const wire::SseEvent& event);

 private:
  std::string edited_;
};

}  // namespace claviger::provider
