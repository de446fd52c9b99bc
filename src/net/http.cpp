// Reading HTTP/1.1 messages off streams.
#include "net/http.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "base/secret.hpp"

namespace claviger::net {
namespace {

// A buffer that a large request left behind is not kept for small ones.
void empty_buffer(std::string& buffer) {
  buffer.clear();
  // Assigning an empty string would keep the memory.
  if (buffer.capacity() > limits::kConnectionBuffer) std::string().swap(buffer);
}

}  // namespace

// The first `size` bytes, where they are confidential.
void ServerConnection::forget(std::string& bytes, std::size_t size) const {
  if (memory_ == Memory::confidential) wipe_memory(bytes.data(), size);
}

// The buffer may move when it grows; the memory it leaves keeps nothing confidential.
void ServerConnection::make_room(std::size_t size) {
  if (memory_ == Memory::plain || size <= in_.capacity()) return;
  std::string larger;
  larger.reserve(std::max(size, 2 * in_.capacity()));
  larger.assign(in_);
  forget(in_, in_.size());
  in_.swap(larger);
}

// Appends what was read into the loop's scratch.
void ServerConnection::take(std::size_t got) {
  char* const scratch = stream_->loop().scratch();
  make_room(in_.size() + got);
  in_.append(scratch, got);
  if (memory_ == Memory::confidential) wipe_memory(scratch, got);
}

// Appends what the peer sends next. False: the peer closed.
Task<Result<bool>> ServerConnection::receive() {
  Loop& loop = stream_->loop();
  ssize_t got = stream_->read_now(loop.scratch(), loop.scratch_size());
  while (got == Stream::kAgain) {
    co_await stream_->more();
    got = stream_->read_now(loop.scratch(), loop.scratch_size());
  }
  if (got < 0) co_return std::unexpected(stream_->error());
  take(static_cast<std::size_t>(got));
  co_return got > 0;
}

// Why a request stopped arriving: the peer is too slow, or it has gone.
std::unexpected<Error> ServerConnection::stopped(std::string_view what) const {
  if (stream_->timed_out())
    return refuse(Code::request_timeout, fmt::format("The request's {} did not arrive in time.", what));
  return refuse(Code::malformed_request, "The connection was closed in the middle of a request.");
}

Task<Result<bool>> ServerConnection::read_head(wire::RequestHead& head) {
  bool started = !in_.empty();
  stream_->expire_after_ms(started ? limits::kHeadTimeoutMs : limits::kIdleTimeoutMs);
  for (;;) {
    const auto parsed = wire::parse_request_head(in_, head);
    if (!parsed) co_return std::unexpected(parsed.error());
    if (*parsed > 0) {
      head_size_ = *parsed;
      body_end_ = head_size_;
      stream_->set_deadline(INT64_MAX);
      co_return true;
    }
    Loop& loop = stream_->loop();
    ssize_t got = stream_->read_now(loop.scratch(), loop.scratch_size());
    while (got == Stream::kAgain) {
      co_await stream_->more();
      got = stream_->read_now(loop.scratch(), loop.scratch_size());
    }
    if (got <= 0) {
      if (in_.empty() || stream_->broken()) co_return false;
      co_return stopped("head");
    }
    take(static_cast<std::size_t>(got));
    if (!started) stream_->expire_after_ms(limits::kHeadTimeoutMs);
    started = true;
  }
}

bool ServerConnection::body_is_here(const wire::RequestHead& head) const {
  if (head.framing == wire::Framing::none) return true;
  if (head.framing == wire::Framing::length) return in_.size() - head_size_ >= head.content_length;
  return body_end_ > head_size_;  // chunked: only once it has been read
}

Prompt<Result<std::string_view>> ServerConnection::read_body(wire::RequestHead& head, std::size_t limit) {
  const bool whole = head.framing != wire::Framing::chunked && body_is_here(head);
  if (whole && head.content_length <= limit) {
    body_end_ = head_size_ + static_cast<std::size_t>(head.content_length);
    return Result<std::string_view>(
        std::string_view(in_).substr(head_size_, static_cast<std::size_t>(head.content_length)));
  }
  if (head.framing == wire::Framing::chunked) return read_chunked(head, limit);
  return read_sized(head, limit);
}

Task<Result<std::string_view>> ServerConnection::read_sized(wire::RequestHead& head, std::size_t limit) {
  if (head.content_length > limit) co_return refuse(Code::body_too_large);
  const std::size_t size = static_cast<std::size_t>(head.content_length);
  const std::size_t end = head_size_ + size;
  if (in_.size() < end) {
    // Straight into its place: a large body is not copied once more.
    std::size_t filled = in_.size();
    make_room(end);
    // The size is our own: libstdc++ 12 offers all of the new capacity here.
    in_.resize_and_overwrite(end, [end](char*, std::size_t) { return end; });
    while (filled < end) {
      stream_->expire_after_ms(limits::kBodyTimeoutMs);
      ssize_t got = stream_->read_now(in_.data() + filled, end - filled);
      while (got == Stream::kAgain) {
        co_await stream_->more();
        got = stream_->read_now(in_.data() + filled, end - filled);
      }
      if (got <= 0) {
        in_.resize(filled);
        co_return stopped("body");
      }
      filled += static_cast<std::size_t>(got);
    }
    stream_->set_deadline(INT64_MAX);
    (void)wire::parse_request_head(in_, head);  // the buffer has moved, and the head's views with it
  }
  body_end_ = end;
  co_return std::string_view(in_).substr(head_size_, size);
}

Task<Result<std::string_view>> ServerConnection::read_chunked(wire::RequestHead& head, std::size_t limit) {
  wire::ChunkedDecoder decoder;
  decoded_.clear();
  std::size_t at = head_size_;
  for (;;) {
    const auto taken = decoder.feed(std::string_view(in_).substr(at), decoded_);
    if (!taken) co_return std::unexpected(taken.error());
    at += *taken;
    if (decoded_.size() > limit) co_return refuse(Code::body_too_large);
    if (decoder.done()) break;
    dropped_ += in_.size() - head_size_;
    if (memory_ == Memory::confidential) wipe_memory(in_.data() + head_size_, in_.size() - head_size_);
    in_.resize(head_size_);  // decoded; the head stays for its views
    at = head_size_;
    stream_->expire_after_ms(limits::kBodyTimeoutMs);
    const auto more = co_await receive();
    if (!more || !*more) co_return stopped("body");
  }
  stream_->set_deadline(INT64_MAX);
  (void)wire::parse_request_head(in_, head);
  body_end_ = at;
  co_return std::string_view(decoded_);
}

bool ServerConnection::skip_body(const wire::RequestHead& head) {
  if (!body_is_here(head)) return false;
  if (head.framing == wire::Framing::length)
    body_end_ = head_size_ + static_cast<std::size_t>(head.content_length);
  return true;
}

void ServerConnection::consume() {
  forget(in_, body_end_);
  forget(decoded_, decoded_.size());
  in_.erase(0, body_end_);
  head_size_ = 0;
  body_end_ = 0;
  dropped_ = 0;
  if (in_.empty()) empty_buffer(in_);
  empty_buffer(decoded_);
}

void ResponseReader::drop_used() {
  in_.erase(0, used_);
  used_ = 0;
}

Task<Result<void>> ResponseReader::read_head(std::string_view request_method, wire::ResponseHead& head) {
  for (;;) {
    const auto parsed = wire::parse_response_head(std::string_view(in_).substr(used_), request_method, head);
    if (!parsed) co_return std::unexpected(parsed.error());
    if (*parsed > 0) {
      used_ += *parsed;
      if (head.status >= 200) break;
      if (head.status == 101) co_return fail_upstream(Code::upstream_malformed, "switched protocols unasked");
      continue;
    }
    drop_used();
    Loop& loop = stream_.loop();
    ssize_t got = stream_.read_now(loop.scratch(), loop.scratch_size());
    while (got == Stream::kAgain) {
      co_await stream_.more();
      got = stream_.read_now(loop.scratch(), loop.scratch_size());
    }
    if (got < 0) co_return std::unexpected(stream_.error());
    if (got == 0) co_return fail_upstream(Code::upstream_failed, "closed before the answer's head");
    in_.append(loop.scratch(), static_cast<std::size_t>(got));
  }
  framing_ = head.framing;
  left_ = head.content_length;
  complete_ = framing_ == wire::Framing::none || (framing_ == wire::Framing::length && left_ == 0);
  co_return Result<void>();
}

// What can be had of the body without waiting; empty when nothing is there.
Result<std::string_view> ResponseReader::take() {
  const std::string_view here = std::string_view(in_).substr(used_);
  switch (framing_) {
    case wire::Framing::length: {
      const std::string_view piece =
          here.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, here.size())));
      left_ -= piece.size();
      used_ += piece.size();
      complete_ = left_ == 0;
      return piece;
    }
    case wire::Framing::chunked: {
      decoded_.clear();
      const auto taken = chunks_.feed(here, decoded_);
      if (!taken) return fail_upstream(Code::upstream_malformed, std::string(told(taken.error())));
      used_ += *taken;
      complete_ = chunks_.done();
      return std::string_view(decoded_);
    }
    case wire::Framing::until_close:
      used_ = in_.size();
      return here;
    case wire::Framing::none:
      break;
  }
  return std::string_view{};
}

Prompt<Result<std::string_view>> ResponseReader::next_piece() {
  if (complete_) return Result<std::string_view>(std::string_view{});
  if (used_ < in_.size()) {
    auto piece = take();
    if (!piece || !piece->empty() || complete_) return piece;
  }
  return wait_for_piece();
}

Task<Result<std::string_view>> ResponseReader::wait_for_piece() {
  for (;;) {
    drop_used();
    Loop& loop = stream_.loop();
    ssize_t got = stream_.read_now(loop.scratch(), loop.scratch_size());
    while (got == Stream::kAgain) {
      co_await stream_.more();
      got = stream_.read_now(loop.scratch(), loop.scratch_size());
    }
    if (got < 0) co_return std::unexpected(stream_.error());
    if (got == 0 && framing_ != wire::Framing::until_close)
      co_return fail_upstream(Code::upstream_failed, "closed in the middle of the answer");
    complete_ = got == 0;
    if (complete_) co_return std::string_view{};
    in_.append(loop.scratch(), static_cast<std::size_t>(got));
    const auto piece = take();
    if (!piece || !piece->empty() || complete_) co_return piece;
  }
}

}  // namespace claviger::net
