// Reading HTTP/1.1 messages off streams.
#include "net/http.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace claviger::net {
// Appends what the peer sends next. False: the peer closed.
Task<Result<bool>> ServerConnection::receive() {
  Loop& loop = stream_->loop();
  ssize_t got = stream_->read_now(loop.scratch(), loop.scratch_size());
  while (got == Stream::kAgain) {
    co_await stream_->more();
    got = stream_->read_now(loop.scratch(), loop.scratch_size());
  }
  if (got < 0) co_return std::unexpected(stream_->error());
  in_.take(loop, static_cast<std::size_t>(got));
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
    const auto parsed = wire::parse_request_head(in_.view(), head);
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
    in_.take(loop, static_cast<std::size_t>(got));
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
        in_.view().substr(head_size_, static_cast<std::size_t>(head.content_length)));
  }
  return read_rest(head, limit);
}

// Whether the body comes or not, the buffer may have moved, and the head's views with it.
Task<Result<std::string_view>> ServerConnection::read_rest(wire::RequestHead& head, std::size_t limit) {
  const bool chunked = head.framing == wire::Framing::chunked;
  Task<Result<std::string_view>> rest =
      chunked ? read_chunked(limit) : read_sized(head.content_length, limit);
  const auto body = co_await std::move(rest);
  (void)wire::parse_request_head(in_.view(), head);
  co_return body;
}

Task<Result<std::string_view>> ServerConnection::read_sized(std::uint64_t length, std::size_t limit) {
  if (length > limit) co_return refuse(Code::body_too_large);
  const std::size_t size = static_cast<std::size_t>(length);
  const std::size_t end = head_size_ + size;
  if (in_.size() < end) {
    // Straight into its place: a large body is not copied once more.
    std::size_t filled = in_.size();
    char* const place = in_.grow(end);
    while (filled < end) {
      stream_->expire_after_ms(limits::kBodyTimeoutMs);
      ssize_t got = stream_->read_now(place + filled, end - filled);
      while (got == Stream::kAgain) {
        co_await stream_->more();
        got = stream_->read_now(place + filled, end - filled);
      }
      if (got <= 0) {
        in_.cut(filled);
        co_return stopped("body");
      }
      filled += static_cast<std::size_t>(got);
    }
    stream_->set_deadline(INT64_MAX);
  }
  body_end_ = end;
  co_return in_.view().substr(head_size_, size);
}

Task<Result<std::string_view>> ServerConnection::read_chunked(std::size_t limit) {
  wire::ChunkedDecoder decoder;
  decoded_.cut(0);
  std::size_t at = head_size_;
  for (;;) {
    const std::string_view here = in_.view().substr(at);
    const auto taken = decoder.feed(here, decoded_.room_for(here.size()));
    if (!taken) co_return std::unexpected(taken.error());
    at += *taken;
    if (decoded_.size() > limit) co_return refuse(Code::body_too_large);
    if (decoder.done()) break;
    dropped_ += in_.size() - head_size_;
    in_.cut(head_size_);  // decoded; the head stays
    at = head_size_;
    stream_->expire_after_ms(limits::kBodyTimeoutMs);
    const auto more = co_await receive();
    if (!more || !*more) co_return stopped("body");
  }
  stream_->set_deadline(INT64_MAX);
  body_end_ = at;
  co_return decoded_.view();
}

bool ServerConnection::skip_body(const wire::RequestHead& head) {
  if (!body_is_here(head)) return false;
  if (head.framing == wire::Framing::length)
    body_end_ = head_size_ + static_cast<std::size_t>(head.content_length);
  return true;
}

void ServerConnection::consume() {
  in_.drop(body_end_);
  head_size_ = 0;
  body_end_ = 0;
  dropped_ = 0;
  if (in_.empty()) in_.clear();
  decoded_.clear();
}

void ResponseReader::drop_used() {
  in_.drop(used_);
  used_ = 0;
}

Task<Result<void>> ResponseReader::read_head(std::string_view request_method, wire::ResponseHead& head) {
  for (;;) {
    const auto parsed = wire::parse_response_head(in_.view().substr(used_), request_method, head);
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
    in_.take(loop, static_cast<std::size_t>(got));
  }
  framing_ = head.framing;
  left_ = head.content_length;
  complete_ = framing_ == wire::Framing::none || (framing_ == wire::Framing::length && left_ == 0);
  co_return Result<void>();
}

// What can be had of the body without waiting; empty when nothing is there.
Result<std::string_view> ResponseReader::take() {
  const std::string_view here = in_.view().substr(used_);
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
      decoded_.cut(0);
      const auto taken = chunks_.feed(here, decoded_.room_for(here.size()));
      if (!taken) return fail_upstream(Code::upstream_malformed, std::string(told(taken.error())));
      used_ += *taken;
      complete_ = chunks_.done();
      return decoded_.view();
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
    in_.take(loop, static_cast<std::size_t>(got));
    const auto piece = take();
    if (!piece || !piece->empty() || complete_) co_return piece;
  }
}

}  // namespace claviger::net
