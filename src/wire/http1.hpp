// HTTP/1.1 heads: strict reading of requests and answers, and writing. Bytes in, bytes out; no sockets.
//
// What RFC 9112 allows but peers disagree on is refused: bare LF, folded lines, space before the colon, lists
// in Content-Length, both Content-Length and Transfer-Encoding, absolute targets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "base/result.hpp"

namespace claviger::wire {

// Equal without regard to ASCII case.
bool same_letters(std::string_view one, std::string_view other);  // of one size
inline bool same_name(std::string_view one, std::string_view other) {
  return one.size() == other.size() && same_letters(one, other);
}

// What names that are the same have in common, in any case: most that differ are told apart by it.
constexpr std::uint8_t mark_of_name(std::string_view name) {
  if (name.empty()) return 0;
  constexpr unsigned kCase = 0x20;
  const unsigned first = static_cast<unsigned char>(name.front()) | kCase;
  const unsigned last = static_cast<unsigned char>(name.back()) | kCase;
  return static_cast<std::uint8_t>(name.size() * 3 + first * 7 + last * 29);
}

// Names of header fields, asked for one that came.
template <std::size_t count>
class NameSet {
 public:
  consteval NameSet(const std::array<std::string_view, count>& names) : names_(names) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t mark = mark_of_name(names_[i]);
      marks_[i] = mark;
      any_[mark >> 6] |= bit_of(mark);
    }
  }
  bool contains(std::string_view name) const { return find(name) != count; }
  // Which of the names it is; `count` when it is none of them.
  std::size_t find(std::string_view name) const {
    const std::uint8_t mark = mark_of_name(name);
    if ((any_[mark >> 6] & bit_of(mark)) == 0) return count;
    for (std::size_t i = 0; i < count; ++i)
      if (marks_[i] == mark && same_name(names_[i], name)) return i;
    return count;
  }
  const std::array<std::string_view, count>& names() const { return names_; }

 private:
  static constexpr std::uint64_t bit_of(std::uint8_t mark) { return std::uint64_t{1} << (mark & 63); }
  std::array<std::string_view, count> names_;
  std::array<std::uint8_t, count> marks_{};
  std::array<std::uint64_t, 4> any_{};  // bit n: some name has the mark n
};

struct Header {
  std::string_view name;
  std::string_view value;  // without surrounding white space
};

// The fields of a head in order of arrival; views into the parsed buffer. About 800 bytes, no allocation.
// Names are compared without regard to ASCII case, whichever case the caller writes.
class Headers {
 public:
  class Iterator {
   public:
    Iterator(const Headers& headers, std::size_t at) : headers_(&headers), at_(at) {}
    Header operator*() const { return (*headers_)[at_]; }
    Iterator& operator++() { return ++at_, *this; }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Headers* headers_;
    std::size_t at_;
  };

  std::size_t size() const { return size_; }
  Header operator[](std::size_t i) const;
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

  // Value of the first field of that name; empty when there is none. `has` tells an empty value from no
  // field.
  std::string_view find(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) > 0; }
  std::size_t count(std::string_view name) const;
  // Some Connection field lists `item`: "close", or a field that concerns this connection only.
  bool connection_lists(std::string_view item) const;

 private:
  friend class HeadParser;
  struct Span {  // offsets from base_: a head is at most 64 KiB
    std::uint16_t name_at, name_size, value_at, value_size;
  };
  static std::uint64_t bit_of(std::string_view name) { return std::uint64_t{1} << (mark_of_name(name) & 63); }
  bool may_have(std::string_view name) const { return (marks_ & bit_of(name)) != 0; }
  const char* base_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t marks_ = 0;  // of all names that came
  std::array<Span, limits::kHeaderCount> spans_;
};

// How long the body is. until_close: answers only.
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin form: begins with '/'
  Headers headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expect_continue = false;
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  Headers headers;
  Framing framing = Framing::none;
  std::uint64_t content_length =
      0;                   // with Framing::none: what HEAD and 304 announce of a body that does not come
  bool keep_alive = true;  // the connection may carry another exchange after this one
};

// Reads a whole head at the front of `buffer`: its size in bytes, or 0 when more must come (`out` means
// nothing then). Whether and with what it refuses does not depend on how the bytes were split; one blank line
// in front is passed over (RFC 9112 2.2). Refuses with malformed_request, ambiguous_framing,
// duplicate_header, request_line_too_long, headers_too_large, unsupported_version, unsupported_transfer,
// unsupported_expectation; where the next message begins is then unknown, so the connection must be closed.
Result<std::size_t> parse_request_head(std::string_view buffer, RequestHead& out);
// The same for an answer to `request_method`. Every refusal is upstream_malformed. 1xx heads are returned
// like any other, except 101: nobody here asks for another protocol. HTTP/1.0 answers are taken, their
// connection is not kept.
Result<std::size_t> parse_response_head(std::string_view buffer, std::string_view request_method,
                                        ResponseHead& out);

// "HTTP/1.1 200 OK\r\n". `status` has three digits.
void append_status_line(std::string& out, int status);
// "name: value\r\n". A name that is no token, and CR, LF or another control byte in the value end the
// process: they never come from a parsed message, and what comes from elsewhere is checked with the two below
// first.
void append_header(std::string& out, std::string_view name, std::string_view value);
bool is_header_name(std::string_view text);
bool is_header_value(std::string_view text);

// Fields that concern one connection only (RFC 9110 7.6.1) and are never forwarded. See also
// connection_lists.
bool is_hop_by_hop(std::string_view name);

}  // namespace claviger::wire
