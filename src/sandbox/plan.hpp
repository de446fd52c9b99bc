// What the sandbox provider was asked, and what it is going to answer, piece by piece; no sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace claviger::sandbox {

using Fields = std::vector<std::pair<std::string, std::string>>;

// One request as it came: header names in lower case, the body whole.
struct Request {
  std::string method;
  std::string target;  // path and query
  Fields headers;
  std::string body;

  // The first value of a header; empty when it is not there.
  std::string_view header(std::string_view lower_name) const;
  std::string_view path() const;
  std::string_view query() const;
  // The value of a query parameter, as it stands (not decoded); empty when it is not there.
  std::string_view parameter(std::string_view name) const;
};

// Bytes of the body that leave together, after a pause.
struct Piece {
  std::string bytes;
  std::int64_t delay_ms = 0;
  std::int64_t output_tokens = 0;  // generated, and so billed, once this piece begins to leave
};

// How the answer ends, or what is wrong with it.
enum class Ending : std::uint8_t {
  whole,        // as it should
  cut,          // the connection breaks after the last piece, without the end of the framing
  drop,         // the connection breaks before any answer
  broken_head,  // something that is not HTTP comes instead of the head
  broken_chunk  // a chunk size that is no number comes in the middle of the body
};

// A whole answer. `finish` or `abandon` of the Provider that made it must be called exactly once.
struct Plan {
  int status = 200;
  Fields headers;             // without those of framing
  bool chunked = false;       // else the body has a length
  std::size_t length = 0;     // what the head says it is, also when less comes
  bool streamed = false;      // tokens are generated while pieces leave, not before the first
  std::vector<Piece> pieces;  // at least one, which may be empty
  Ending ending = Ending::whole;
  std::uint64_t entry = 0;  // for finish and abandon; 0: nothing is booked

  std::size_t body_size() const;
};

}  // namespace claviger::sandbox
