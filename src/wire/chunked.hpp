// Chunked transfer coding (RFC 9112 7.1): strict incremental decoding, and writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace claviger::wire {

inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// Appends one chunk; nothing when `payload` is empty, since an empty chunk would end the body.
void append_chunk(std::string& out, std::string_view payload);

// Decodes a body that arrives in pieces of any size. Chunk extensions are passed over, trailers are dropped.
// Refuses with malformed_request what is not chunked coding, and with headers_too_large trailers of more than
// limits::kHeaderLine bytes. A chunk-size line may have limits::kChunkLine bytes, its end not counted, and
// all extensions of a body together limits::kHeaderLine. After a refusal the decoder is of no more use.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of the input, framing and payload
    std::string_view payload;  // a view into the input: its last bytes that were consumed; may be empty
  };
  // Goes on to the next piece of payload, or to the end of `in`. Call again with what is left of `in` until
  // that is empty or done(); what then follows belongs to the next message.
  Result<Step> feed(std::string_view in);
  // The same to the end of `in` or of the body, appending all payload; returns the bytes consumed.
  Result<std::size_t> feed(std::string_view in, std::string& payload);
  bool done() const { return state_ == State::done; }

 private:
  enum class State : std::uint8_t {
    size,       // in the hex digits
    extension,  // behind them, up to the CR
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,  // at the start of a line behind the last chunk
    name,     // in a trailer's name
    value,    // behind its colon
    trailer_lf,
    last_lf,
    done,
  };
  // Each takes one byte and returns what is wrong with it, nullptr when nothing is.
  const char* step(char c);
  const char* size_byte(char c);
  const char* trailer_byte(char c);

  State state_ = State::size;
  std::uint64_t left_ = 0;      // of the current chunk
  std::size_t digits_ = 0;      // of its size so far
  std::size_t line_ = 0;        // length of the chunk-size line so far
  std::size_t extensions_ = 0;  // bytes of extensions in the whole body so far
  std::size_t trailers_ = 0;    // bytes of trailers so far
};

}  // namespace claviger::wire
