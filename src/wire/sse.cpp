// Server-sent events (WHATWG HTML, section 9.2).
#include "wire/sse.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "wire/byte_scan.hpp"

namespace claviger::wire {
namespace {

constexpr std::string_view kBom = "\xef\xbb\xbf";

// Offset of the first CR or LF at or after `at`; the text's size when there is none.
std::size_t line_end(std::string_view text, std::size_t at) {
  const char* found = find_stop<LineEnd>(text.data() + at, text.data() + text.size());
  return static_cast<std::size_t>(found - text.data());
}

// Takes one line off the front of `text`, without its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = line_end(text, 0);
  const std::string_view line = text.substr(0, end);
  const bool crlf = text.substr(end).starts_with("\r\n");
  text.remove_prefix(std::min(text.size(), end + (crlf ? 2 : 1)));
  return line;
}

}  // namespace

Result<void> SseReader::feed(std::string_view bytes) {
  drop_taken();
  const Position before = position_;
  const std::size_t size = buffer_.size(), frames = ends_.size();
  buffer_.append(bytes);
  if (find_frames()) return {};
  position_ = before;
  buffer_.resize(size);
  ends_.resize(frames);
  return fail_upstream(Code::upstream_malformed, "an event is larger than the bound");
}

void SseReader::drop_taken() {
  if (taken_ == 0) return;
  buffer_.erase(0, taken_);
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(next_end_));
  for (std::size_t& end : ends_) end -= taken_;
  position_.frame -= taken_;
  position_.line -= taken_;
  position_.looked -= taken_;
  next_end_ = 0;
  taken_ = 0;
}

// Notes where frames end in what was not looked at yet; false when a frame is too large.
bool SseReader::find_frames() {
  const std::string_view text = buffer_;
  Position& p = position_;
  if (p.after_cr && p.looked < text.size()) {
    p.after_cr = false;
    if (text[p.looked] == '\n') p.line = ++p.looked;
  }
  for (;;) {
    const std::size_t end = line_end(text, p.looked);
    p.looked = end;
    if (end == text.size()) return end - p.frame <= limits::kSseEvent;
    std::string_view line = text.substr(p.line, end - p.line);
    if (p.first_line && line.starts_with(kBom)) line.remove_prefix(kBom.size());
    p.first_line = false;
    p.looked = end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
    p.after_cr = text[p.looked - 1] == '\r' && p.looked == text.size();
    p.line = p.looked;
    if (!line.empty()) continue;
    if (p.looked - p.frame > limits::kSseEvent) return false;
    ends_.push_back(p.looked);
    p.frame = p.looked;
  }
}

std::optional<SseEvent> SseReader::next() {
  if (next_end_ == ends_.size()) return std::nullopt;
  const std::size_t end = ends_[next_end_++];
  const std::string_view frame = std::string_view(buffer_).substr(taken_, end - taken_);
  taken_ = end;
  const SseEvent event = read(frame);
  first_frame_ = false;
  return event;
}

SseEvent SseReader::read(std::string_view frame) {
  SseEvent event;
  event.raw = frame;
  if (first_frame_ && frame.starts_with(kBom)) frame.remove_prefix(kBom.size());
  std::size_t data_lines = 0;
  while (!frame.empty()) {
    const std::string_view line = take_line(frame);
    const std::size_t colon = line.find(':');
    if (line.empty() || colon == 0) continue;
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") event.event = value;
    if (field != "data") continue;
    if (++data_lines == 1) {
      event.data = value;
    } else {
      if (data_lines == 2) joined_.assign(event.data);
      joined_.append("\n").append(value);
    }
  }
  if (data_lines > 1) event.data = joined_;
  return event;
}

}  // namespace claviger::wire
