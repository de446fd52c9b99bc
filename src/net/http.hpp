// HTTP/1.1 over a stream: a server reads requests with it, a client reads answers. Framing itself is wire's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/receive_buffer.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"
#include "wire/chunked.hpp"
#include "wire/http1.hpp"

namespace claviger::net {

// The server's end of a connection: one request at a time, pipelined ones wait in the buffer.
class ServerConnection {
 public:
  explicit ServerConnection(std::unique_ptr<Stream> stream, Memory memory = Memory::plain)
      : stream_(std::move(stream)), in_(memory), decoded_(memory) {}

  // Waits for the next request's head. False: the peer closed between requests. The head's views are valid
  // until read_body or consume. Errors have the codes of errors.def; the connection must be closed after one.
  Task<Result<bool>> read_head(wire::RequestHead& head);
  // The body has arrived already, or there is none: read_body will not wait.
  bool body_is_here(const wire::RequestHead& head) const;
  // The whole body, decoded, at most `limit` bytes (body_too_large). `head` is re-read when the buffer had to
  // move, also when there is an error. The view is valid until consume.
  Prompt<Result<std::string_view>> read_body(wire::RequestHead& head, std::size_t limit);
  // For a request that is answered without its body: true when all of it is here, so that consume forgets it
  // too. False: what follows could be taken for a request, and the connection must be closed.
  bool skip_body(const wire::RequestHead& head);
  // Forgets the request that was read; what follows it stays.
  void consume();

  Stream& stream() { return *stream_; }
  // Bytes of the current request, head and body, as they came.
  std::size_t request_bytes() const { return dropped_ + body_end_; }
  // Memory kept for this connection's requests.
  std::size_t buffer_bytes() const { return in_.capacity() + decoded_.capacity(); }

 private:
  Task<Result<bool>> receive();
  std::unexpected<Error> stopped(std::string_view what) const;
  Task<Result<std::string_view>> read_rest(wire::RequestHead& head, std::size_t limit);
  Task<Result<std::string_view>> read_sized(std::uint64_t length, std::size_t limit);
  Task<Result<std::string_view>> read_chunked(std::size_t limit);

  std::unique_ptr<Stream> stream_;
  ReceiveBuffer in_;  // from the first byte of the current request
  std::size_t head_size_ = 0;
  std::size_t body_end_ = 0;  // where the current request ends in in_
  std::size_t dropped_ = 0;   // bytes of a chunked body that were decoded and are no longer in in_
  ReceiveBuffer decoded_;     // a chunked body
};

// The client's end: the answer's head, then its body in pieces as they come.
class ResponseReader {
 public:
  explicit ResponseReader(Stream& stream, Memory memory = Memory::plain)
      : stream_(stream), in_(memory), decoded_(memory) {}

  // Waits for the head of the answer, skipping 1xx. upstream_failed, upstream_timeout or upstream_malformed.
  // The head's views are valid until next_piece.
  Task<Result<void>> read_head(std::string_view request_method, wire::ResponseHead& head);
  // The next decoded bytes of the body; empty at its end. Valid until the next call.
  Prompt<Result<std::string_view>> next_piece();
  // The body's end has been read.
  bool complete() const { return complete_; }
  // Nothing came behind the body's end: the connection may be used again.
  bool clean() const { return complete_ && used_ == in_.size(); }
  // Bytes of the body lie ready: the next piece needs no waiting.
  bool body_is_here() const { return used_ < in_.size(); }

 private:
  Task<Result<std::string_view>> wait_for_piece();
  Result<std::string_view> take();
  void drop_used();

  Stream& stream_;
  ReceiveBuffer in_;
  std::size_t used_ = 0;
  wire::Framing framing_ = wire::Framing::none;
  std::uint64_t left_ = 0;  // of a body with a length
  wire::ChunkedDecoder chunks_;
  ReceiveBuffer decoded_;
  bool complete_ = false;
};

}  // namespace claviger::net
