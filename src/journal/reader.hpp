// Reads the journal back: line by line from a position, the whole of it filtered, or as it grows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "journal/record.hpp"

namespace claviger::journal {

struct Segment {
  std::string producer;
  std::uint64_t epoch = 0;
  std::uint32_t number = 0;
  friend auto operator<=>(const Segment&, const Segment&) = default;
};
// nullopt for names that are not a segment's.
std::optional<Segment> parse_segment(std::string_view name);
std::string name_of(const Segment& segment);
// All segments of the folder, ordered by producer, epoch and number.
Result<std::vector<Segment>> segments(Folder& folder);

// Where to read on in one producer's journal.
struct Position {
  std::string producer;
  std::uint64_t epoch = 0;
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;    // bytes of the segment that are read
  std::uint64_t next_seq = 1;  // expected of the next line
  friend auto operator<=>(const Position&, const Position&) = default;
};

// One complete line as stored.
struct Line {
  std::string_view text;  // without '\n'; lives until the callback returns
  const Segment& segment;
  std::uint64_t offset = 0;
};

// Whether to go on after this line.
enum class Next : std::uint8_t { more, enough };

// Reads complete lines of one segment from `offset` and returns the offset behind the last one that was
// taken. A tail without '\n' is left: it is either being written or torn.
Result<std::uint64_t> read_lines(Folder& folder, const Segment& segment, std::uint64_t offset,
                                 const std::function<Next(const Line&)>& take);

// A tail without '\n', or of zero bytes that a power failure left, at the end of a segment.
struct TornTail {
  Segment segment;
  std::uint64_t offset = 0;  // where it begins
  std::uint64_t bytes = 0;
};
// Cuts the torn tails of all epochs before `current_epoch` and says which. Only for the process that holds
// the data directory's lock, before it writes anything of its own.
Result<std::vector<TornTail>> cut_torn_tails(Folder& folder, std::uint64_t current_epoch);
// Highest epoch with a file; 0 when there is none.
Result<std::uint64_t> highest_epoch(Folder& folder);

struct Filter {
  std::optional<Kind> kind;
  std::optional<Time> from;  // inclusive
  std::optional<Time> to;    // exclusive
  std::string key;           // empty: any; else records that name this key
  std::string text;          // empty: any; else the line must hold these bytes
};
bool matches(const Filter& filter, const Record& record, std::string_view line);

// Every matching line as stored (JSONL), producer by producer in their order; lines that cannot be read are
// passed over and counted. Returns how many lines were handed on.
struct Exported {
  std::uint64_t lines = 0;
  std::uint64_t unreadable = 0;
};
Result<Exported> export_lines(Folder& folder, const Filter& filter,
                              const std::function<Next(std::string_view line)>& take);

// Follows the journal from now on: each poll hands on the matching lines that came since the last one.
class Tail {
 public:
  // `last`: so many of the matching lines already there are handed on by the first poll.
  Tail(Folder& folder, Filter filter, std::size_t last = 0);
  Result<std::size_t> poll(const std::function<Next(std::string_view line)>& take);

 private:
  Result<std::size_t> begin(const std::function<Next(std::string_view line)>& take);

  Folder& folder_;
  Filter filter_;
  std::size_t last_;
  bool started_ = false;
  std::map<Segment, std::uint64_t> offsets_;
  Parser parser_;
};

}  // namespace claviger::journal
