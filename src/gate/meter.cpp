// Usage, read in passing.
#include "gate/meter.hpp"

#include <charconv>

#include "base/limits.hpp"

namespace claviger::gate {

Meter::Shape Meter::shape_of(std::string_view content_type) {
  if (content_type.starts_with("text/event-stream")) return Shape::events;
  if (content_type.starts_with("application/vnd.amazon.eventstream")) return Shape::messages;
  if (content_type.starts_with("application/json")) return Shape::json;
  return Shape::opaque;
}

Meter::Meter(const Grant& grant, Shape shape)
    : shape_(shape),
      dialect_(grant.route->dialect),
      endpoint_(grant.route->endpoint),
      filtering_(shape == Shape::events && grant.edits.usage_inserted) {
  if (shape == Shape::events) {
    const std::int64_t pictures = grant.ask.pictures ? grant.ask.choices : 1;
    events_.reset(new Events{provider::StreamMeter(dialect_, endpoint_, pictures)});
  } else if (shape == Shape::messages) {
    messages_.reset(new Messages{provider::MessageMeter(endpoint_)});
  }
}

void Meter::note_head(const wire::Headers& headers) {
  if (dialect_ != provider::Dialect::bedrock || endpoint_ != provider::Endpoint::invoke) return;
  const auto count = [&](std::string_view name) {
    const std::string_view text = headers.find(name);
    std::int64_t value = -1;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? value : -1;
  };
  const std::int64_t in = count("x-amzn-bedrock-input-token-count");
  const std::int64_t out = count("x-amzn-bedrock-output-token-count");
  if (in < 0 || out < 0) return;
  usage_.seen = true;
  usage_.uncached_in = in;
  usage_.text_out = out;
}

std::string_view Meter::pass(std::string_view piece, Rest rest) {
  if (change_) return pass_list(piece, rest);
  switch (shape_) {
    case Shape::events:
      return pass_events(piece, rest);
    case Shape::messages:
      return pass_messages(piece, rest);
    case Shape::opaque:
      whole_ = rest == Rest::none;
      return piece;
    case Shape::json:
      break;
  }
  if (rest == Rest::none && held_.empty()) {
    read_json(piece);
  } else if (held_.size() + piece.size() > limits::kMeteredBody) {
    overflowed_ = true;
    held_ = {};
  } else if (!overflowed_) {
    held_.append(piece);
    if (rest == Rest::none) read_json(held_);
  }
  return piece;
}

// Nothing leaves before the end: what may be shown is only known then. A list that is too long to be held is
// shown as one that cannot be read.
std::string_view Meter::pass_list(std::string_view piece, Rest rest) {
  if (held_.size() + piece.size() > limits::kModelList) overflowed_ = true;
  if (!overflowed_) held_.append(piece);
  if (rest == Rest::follows) return {};
  whole_ = true;
  out_ = change_(overflowed_ ? std::string_view{} : std::string_view(held_));
  return out_;
}

void Meter::read_json(std::string_view body) {
  wire::Json json;
  // A provider's answer is not ours to be strict about: of a doubled key the scanner takes what it finds
  // first.
  if (overflowed_ || !wire::scan(body, json, wire::Duplicates::allow)) return;
  whole_ = true;
  if (const provider::Usage named = provider::read_usage(dialect_, endpoint_, json); named.seen)
    usage_ = named;
}

std::string_view Meter::pass_events(std::string_view piece, Rest rest) {
  if (overflowed_) return piece;
  out_.clear();
  if (!events_->reader.feed(piece)) {
    // Too large to look at: what was held back goes first, and usage stays what it was.
    overflowed_ = true;
    out_.append(events_->reader.rest()).append(piece);
    return out_;
  }
  const std::string_view held = events_->reader.rest();
  std::size_t complete = 0;  // bytes of whole frames at the front of `held`
  while (const auto event = events_->reader.next()) {
    events_->meter.on_event(*event);
    complete += event->raw.size();
    if (!filtering_) continue;
    const provider::StreamFilter::Frame frame = events_->filter.on_frame(*event);
    if (frame.verdict != provider::StreamFilter::Verdict::drop) out_.append(frame.bytes);
  }
  if (!filtering_) return rest == Rest::none ? held : held.substr(0, complete);
  if (rest == Rest::none) out_.append(events_->reader.rest());
  return out_;
}

// What cannot be read passes as it came, and is not metered any more: it is settled at the hold.
std::string_view Meter::pass_messages(std::string_view piece, Rest rest) {
  if (overflowed_) return piece;
  if (!messages_->reader.feed(piece)) {
    overflowed_ = true;
    out_.assign(messages_->reader.rest()).append(piece);
    return out_;
  }
  const std::string_view held = messages_->reader.rest();
  std::size_t complete = 0;
  for (;;) {
    const auto message = messages_->reader.next();
    overflowed_ = !message;
    if (overflowed_) return held;
    if (!*message) break;
    messages_->meter.on_message(**message);
    usage_ = messages_->meter.usage();
    complete += (*message)->raw.size();
  }
  return rest == Rest::none ? held : held.substr(0, complete);
}

}  // namespace claviger::gate
