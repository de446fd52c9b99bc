// Which line of which segment is which leaf of the audit tree: runs of lines, in the tree's order.
//
// DIR/audit/ranges.jsonl holds them, one a line, each beginning where the one before ended:
// {"first":0,"count":2000,"p":"gate0","e":3,"segment":0,"offset":0,"bytes":812345,"n":1}
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "journal/reader.hpp"

namespace claviger::journal {

inline constexpr std::string_view kRangesFile = "ranges.jsonl";

struct Range {
  std::uint64_t first = 0;  // index of the leaf of its first line
  std::uint64_t count = 0;
  Segment segment;
  std::uint64_t offset = 0;  // of its first line in the segment
  std::uint64_t bytes = 0;   // of all its lines, each with its '\n'
  std::uint64_t seq = 0;     // n of its first line, as expected
  friend bool operator==(const Range&, const Range&) = default;
};

void append_range(std::string& out, const Range& range);
Result<Range> read_range(std::string_view line);

// Hands on all whole lines of the file from `offset`; returns the offset behind the last. An absent file is
// empty. Refuses with corrupt at a line that is no range.
Result<std::uint64_t> read_ranges(Folder& audit, std::uint64_t offset,
                                  const std::function<Next(const Range&)>& take);

// Hands on the lines of a range. Refuses with corrupt when the segment holds fewer, or they take other bytes.
Result<void> read_range_lines(Folder& journal, const Range& range,
                              const std::function<void(std::string_view line)>& take);

}  // namespace claviger::journal
