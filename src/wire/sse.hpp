// Server-sent events: frames out of a byte stream, each with its own bytes kept as they came.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace claviger::wire {

struct SseEvent {
  std::string_view event;  // the `event:` field; empty when there is none
  std::string_view data;   // `data:` lines joined by LF
  std::string_view raw;    // the frame as it came, up to and with its blank line
};

// Feed bytes, then take events until there are none. LF, CRLF and CR line ends, a BOM at the start, comments
// and unknown fields are understood; a blank line ends a frame, so frames of comments alone, or of nothing,
// come as events without data. All `raw` and the final rest() together are what was fed, byte for byte. An
// event never waits for a byte behind it: of a blank line's CRLF that is split between two calls of feed, the
// LF opens the next frame's raw.
class SseReader {
 public:
  // Refuses with upstream_malformed when one frame outgrows limits::kSseEvent; nothing of `bytes` is taken
  // then. Ends the life of all views given out.
  Result<void> feed(std::string_view bytes);
  // The next complete frame. `event` and `raw` live until the next call of feed, `data` until the next of
  // either.
  std::optional<SseEvent> next();
  // All bytes not handed out: complete frames not yet taken, and the beginning of one that is not complete.
  std::string_view rest() const { return std::string_view(buffer_).substr(taken_); }

 private:
  struct Position {
    std::size_t frame = 0;   // where the frame that is not complete begins
    std::size_t line = 0;    // where its last line begins
    std::size_t looked = 0;  // up to here all line ends are known
    bool after_cr = false;   // the byte before `looked` is a line's CR: an LF that comes now belongs to it
    bool first_line = true;  // `line` is the stream's first, which may have a BOM
  };
  bool find_frames();
  void drop_taken();
  SseEvent read(std::string_view frame);

  std::string buffer_;
  Position position_;
  std::vector<std::size_t> ends_;  // where complete frames end in buffer_
  std::size_t next_end_ = 0;       // index into ends_ of the frame to hand out next
  std::size_t taken_ = 0;          // bytes of buffer_ that were handed out
  std::string joined_;             // data of several lines
  bool first_frame_ = true;        // nothing was handed out yet
};

}  // namespace claviger::wire
