// Chunked transfer coding.
#include "wire/chunked.hpp"

#include <algorithm>
#include <charconv>

#include "base/limits.hpp"
#include "wire/byte_scan.hpp"
#include "wire/http1.hpp"

namespace claviger::wire {
namespace {

constexpr std::size_t kSizeDigits = 15;  // of hex: more would overflow, and nobody sends exabytes
constexpr const char* kTrailersTooLarge = "The trailers are too large.";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void append_chunk(std::string& out, std::string_view payload) {
  if (payload.empty()) return;
  char digits[16];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), payload.size(), 16).ptr);
  out.append("\r\n").append(payload).append("\r\n");
}

Result<ChunkedDecoder::Step> ChunkedDecoder::feed(std::string_view in) {
  std::size_t at = 0;
  while (at < in.size() && state_ != State::done) {
    if (state_ == State::data) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - at));
      left_ -= take;
      if (left_ == 0) state_ = State::data_cr;
      return Step{at + take, in.substr(at, take)};
    }
    if (const char* wrong = step(in[at]); wrong != nullptr)
      return refuse(wrong == kTrailersTooLarge ? Code::headers_too_large : Code::malformed_request, wrong);
    ++at;
  }
  return Step{at, {}};
}

Result<std::size_t> ChunkedDecoder::feed(std::string_view in, std::string& payload) {
  std::size_t consumed = 0;
  while (consumed < in.size() && state_ != State::done) {
    TRY(const Step step, feed(in.substr(consumed)));
    payload.append(step.payload);
    consumed += step.consumed;
  }
  return consumed;
}

const char* ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::size:
    case State::extension:
      return size_byte(c);
    case State::size_lf:
      if (c != '\n') return "A chunk-size line has no proper end.";
      state_ = left_ == 0 ? State::trailer : State::data;
      digits_ = 0;
      line_ = 0;
      return nullptr;
    case State::data_cr:
      if (c != '\r') return "A chunk is longer than its size.";
      state_ = State::data_lf;
      return nullptr;
    case State::data_lf:
      if (c != '\n') return "A chunk has no proper end.";
      state_ = State::size;
      return nullptr;
    case State::trailer:
    case State::name:
    case State::value:
      return trailer_byte(c);
    case State::trailer_lf:
      if (c != '\n') return "A trailer line has no proper end.";
      state_ = State::trailer;
      return nullptr;
    case State::last_lf:
      if (c != '\n') return "The body has no proper end.";
      state_ = State::done;
      return nullptr;
    case State::data:
    case State::done:
      break;
  }
  return nullptr;
}

const char* ChunkedDecoder::size_byte(char c) {
  if (c == '\r') {
    if (digits_ == 0) return "A chunk has no size.";
    state_ = State::size_lf;
    return nullptr;
  }
  if (++line_ > limits::kChunkLine) return "A chunk-size line is too long.";
  if (state_ == State::size) {
    if (const int value = hex_value(c); value >= 0) {
      if (++digits_ > kSizeDigits) return "A chunk is too large.";
      left_ = left_ * 16 + static_cast<std::uint64_t>(value);
      return nullptr;
    }
    if (c != ';' || digits_ == 0) return "A chunk's size is not a hex number.";
    state_ = State::extension;
  }
  // Bounded over the whole body too: else many tiny chunks would make much traffic out of little payload.
  if (++extensions_ > limits::kHeaderLine) return "The chunk extensions are too large.";
  return FieldStop::hit(static_cast<unsigned char>(c)) ? "A chunk extension has control bytes." : nullptr;
}

const char* ChunkedDecoder::trailer_byte(char c) {
  if (c == '\r') {
    if (state_ == State::name) return "A trailer has no colon.";
    state_ = state_ == State::trailer ? State::last_lf : State::trailer_lf;
    return nullptr;
  }
  if (++trailers_ > limits::kHeaderLine) return kTrailersTooLarge;
  if (state_ == State::value)
    return FieldStop::hit(static_cast<unsigned char>(c)) ? "A trailer has control bytes." : nullptr;
  if (c == ':' && state_ == State::name) {
    state_ = State::value;
    return nullptr;
  }
  if (!is_header_name({&c, 1})) return "A trailer's name is not a token.";
  state_ = State::name;
  return nullptr;
}

}  // namespace claviger::wire
