// Messages of AWS event streams: length, length of headers, checksum of both; headers, payload; checksum of
// all.
#include "wire/event_stream.hpp"

#include <array>
#include <cstdint>

#include "base/encoding.hpp"
#include "base/limits.hpp"

namespace claviger::wire {
namespace {

constexpr std::size_t kPrelude = 12;  // two lengths and their checksum
constexpr std::size_t kFrame = kPrelude + 4;
constexpr std::uint8_t kText = 7;  // the type of a header that is a text

std::uint32_t number_at(std::string_view text, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

void put_number(std::string& out, std::size_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail_upstream(Code::upstream_malformed, std::string(why));
}

// Whether a message may be as long as its prelude says; true while the prelude is not there.
bool plausible(std::string_view message) {
  if (message.size() < kPrelude) return true;
  const std::size_t whole = number_at(message, 0, 4), headers = number_at(message, 4, 4);
  return whole >= kFrame && whole <= limits::kEventMessage && headers <= limits::kEventHeaders &&
         headers <= whole - kFrame && crc32(message.substr(0, 8)) == number_at(message, 8, 4);
}

// Bytes of a header's value, its own length included; nullopt for a type that does not exist.
std::optional<std::size_t> value_size(std::string_view rest, std::uint8_t type) {
  constexpr std::array<std::size_t, 10> kSizes{0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  constexpr std::uint8_t kBytes = 6;
  if (type >= kSizes.size()) return std::nullopt;
  if (type != kBytes && type != kText) return kSizes[type];
  if (rest.size() < 2) return std::nullopt;
  return 2 + number_at(rest, 0, 2);
}

void note_header(std::string_view name, std::string_view value, EventMessage& out) {
  if (name == ":message-type") out.type = value;
  if (name == ":event-type" || name == ":exception-type" || name == ":error-code") out.name = value;
}

bool read_headers(std::string_view headers, EventMessage& out) {
  while (!headers.empty()) {
    const std::size_t name_size = static_cast<unsigned char>(headers[0]);
    if (name_size == 0 || headers.size() < 2 + name_size) return false;
    const std::string_view name = headers.substr(1, name_size);
    const auto type = static_cast<std::uint8_t>(headers[1 + name_size]);
    headers.remove_prefix(2 + name_size);
    const auto size = value_size(headers, type);
    if (!size || *size > headers.size()) return false;
    if (type == kText) note_header(name, headers.substr(2, *size - 2), out);
    headers.remove_prefix(*size);
  }
  return true;
}

void put_header(std::string& out, std::string_view name, std::string_view value) {
  put_number(out, name.size(), 1);
  out += name;
  put_number(out, kText, 1);
  put_number(out, value.size(), 2);
  out += value;
}

}  // namespace

Result<void> EventStreamReader::feed(std::string_view bytes) {
  buffer_.erase(0, taken_);
  taken_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.append(bytes);
  if (plausible(buffer_)) return {};
  buffer_.resize(size);
  return malformed("a message of the event stream is larger than the bound, or none");
}

Result<std::optional<EventMessage>> EventStreamReader::next() {
  const std::string_view left = rest();
  if (!plausible(left)) return malformed("a message of the event stream cannot be so long");
  if (left.size() < kPrelude) return std::nullopt;
  const std::size_t whole = number_at(left, 0, 4), headers = number_at(left, 4, 4);
  if (left.size() < whole) return std::nullopt;
  EventMessage out;
  out.raw = left.substr(0, whole);
  if (crc32(out.raw.substr(0, whole - 4)) != number_at(out.raw, whole - 4, 4))
    return malformed("a message of the event stream has a wrong checksum");
  if (!read_headers(out.raw.substr(kPrelude, headers), out))
    return malformed("the headers of an event stream's message cannot be read");
  out.payload = out.raw.substr(kPrelude + headers, whole - kFrame - headers);
  taken_ += whole;
  return out;
}

std::string event_message(std::string_view type, std::string_view name, std::string_view payload) {
  std::string headers;
  put_header(headers, type == "exception" ? ":exception-type" : ":event-type", name);
  put_header(headers, ":content-type", "application/json");
  put_header(headers, ":message-type", type);
  std::string out;
  put_number(out, kFrame + headers.size() + payload.size(), 4);
  put_number(out, headers.size(), 4);
  put_number(out, crc32(out), 4);
  out.append(headers).append(payload);
  put_number(out, crc32(out), 4);
  return out;
}

}  // namespace claviger::wire
